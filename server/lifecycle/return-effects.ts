import { DISABLED_IN_FINIX, isReturned, returnReason } from '../records/connections.ts';
import type { ConnectionTable, ReturnEffect, TransferTable } from '../storage/tables.ts';
import { isAboutNumbers, ruleOf, STRENGTH } from './return-codes.ts';

/** What the returns of an account mean for a connection to it. Pure functions of what is known. */

/**
 * Nacha's banks return a debit within two banking days; with a weekend and a day for the way, one that has not come
 * back by then is paid.
 */
const PAID_AFTER_MS = 6 * 24 * 3600_000;

/** A debit or a payout, with Finix's fingerprint of the numbers that its instrument has; null: not known. */
export interface AccountTransfer extends TransferTable {
  fingerprint: string | null;
}

type Returned = AccountTransfer & { returned_at: number };

export function isBack(transfer: AccountTransfer): transfer is Returned {
  return transfer.returned_at !== null;
}

export function latestFirst(a: Returned, b: Returned): number {
  return b.returned_at - a.returned_at || b.id.localeCompare(a.id);
}

const STATUSES = { repair: 'needs_repair', blocked: 'revoked', dead: 'failed' } as const;

export interface Effect {
  patch?: Partial<ConnectionTable>;
  /** Whether they take the customer's permission back, or the account is gone. */
  endsRepair?: boolean;
}

/**
 * What all returns of a connection's account come to together.
 * @param transfers oldest first
 * @param since the customer has signed in and agreed again since
 */
export function effectOn(connection: ConnectionTable, transfers: AccountTransfer[], since: number): Effect {
  let effect: ReturnEffect = 'keep';
  let decisive: Returned | undefined;
  for (const transfer of transfers.filter(isBack)) {
    const own = effectOf(connection, transfer, transfers, since);
    if (STRENGTH[own] > STRENGTH[effect]) [effect, decisive] = [own, transfer];
  }
  if (effect === 'keep' || !decisive) return {};
  const reason = returnReason(decisive.return_code, decisive.failure_code);
  const present = strengthOf(connection);
  if (STRENGTH[effect] < present) return {};
  const endsRepair = STRENGTH[effect] >= STRENGTH.blocked;
  if (STRENGTH[effect] === present) return { endsRepair, patch: isReturned(connection) ? { reason } : {} };
  return { endsRepair, patch: { status: STATUSES[effect], reason } };
}

function effectOf(
  connection: ConnectionTable,
  transfer: Returned,
  all: AccountTransfer[],
  since: number,
): ReturnEffect {
  const { return_code: code, failure_code: failure } = transfer;
  const rule = ruleOf(code, failure);
  const isReplaced = transfer.payment_instrument !== connection.payment_instrument;
  // The customer can agree again; an account whose holder has died stays of no use.
  const isAnswered = transfer.returned_at <= since && rule.effect !== 'dead';
  if (isAboutNumbers(code, failure)) {
    if (!isReplaced) return rule.effect;
    // Other numbers answer it. The same numbers in another instrument do so only where the customer has agreed again.
    return hasNumbersOf(connection, transfer) && !isAnswered ? rule.effect : 'keep';
  }
  if (isAnswered) return 'keep';
  const before = rule.second ? previousOutcome(transfer, all, since) : undefined;
  const isSecond = before !== undefined && isBack(before) && keyOf(before) === keyOf(transfer);
  return isSecond && rule.second ? rule.second : rule.effect;
}

/** While an instrument is being made, its numbers are not known. */
function hasNumbersOf(connection: ConnectionTable, { fingerprint }: AccountTransfer): boolean {
  return fingerprint !== null && connection.payment_instrument !== null && connection.fingerprint === fingerprint;
}

const keyOf = ({ return_code, failure_code }: AccountTransfer) => return_code ?? failure_code;

/** The transfer before it whose outcome is known: it came back, or it was paid. */
function previousOutcome(transfer: Returned, all: AccountTransfer[], since: number): AccountTransfer | undefined {
  return all
    .slice(0, all.indexOf(transfer))
    .filter((one) => one.type === transfer.type)
    .findLast((one) =>
      isBack(one)
        ? one.returned_at > since
        : one.state === 'SUCCEEDED' && one.sent_at + PAID_AFTER_MS <= transfer.returned_at,
    );
}

/**
 * How far the connection is from usable already, on the scale of the effects; in between: the same words for another
 * cause.
 */
function strengthOf(connection: ConnectionTable): number {
  const { status, reason } = connection;
  if (status === 'removed') return Number.POSITIVE_INFINITY;
  if (status === 'failed') return STRENGTH.dead;
  // An operator who has disabled the instrument at Finix may enable it again there.
  if (status === 'revoked') return reason === DISABLED_IN_FINIX ? STRENGTH.blocked - 0.5 : STRENGTH.blocked;
  // A login that needs its customer leaves the instrument in use.
  if (status === 'needs_repair') return isReturned(connection) ? STRENGTH.repair : STRENGTH.repair - 0.5;
  return STRENGTH.keep;
}
