import type { ProblemCode } from '../../widget/contract.ts';
import type { PlaidAccount, PlaidLogin } from '../clients/plaid.ts';
import { isBankDown } from '../clients/plaid-codes.ts';
import type { Config } from '../config.ts';
import { withLaterReceipt } from '../records/authorization.ts';
import {
  beginRenewal,
  changeConnection,
  isDisabledInFinix,
  isReturned,
  lockConnection,
  noMoreDebits,
  renewal,
} from '../records/connections.ts';
import { accessTokenOf, findItem, prepareForSignal } from '../records/items.ts';
import { hasEnded } from '../records/repairable.ts';
import { endOfSession } from '../records/sessions.ts';
import type { Unit } from '../records/unit.ts';
import { readVerification, verificationOf } from '../records/verification.ts';
import type { StorageTransaction } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { ConnectionTable, RecoveryPoint } from '../storage/tables.ts';
import { backoff, NotNow, Postpone, QUICK_ATTEMPTS, Stop } from '../work/retry.ts';
import { type HeldSession, RELEASED } from '../work/session-lease.ts';
import { accountOf } from './account-match.ts';
import { callBank } from './call-bank.ts';
import { isPendingVerification, isUsable } from './choose-accounts.ts';
import { makeInstrument } from './finix-instrument.ts';
import { RENUMBERING_BANKS } from './institution-quirks.ts';
import { holdOf, type InstrumentDeps } from './instrument-hold.ts';
import { disableInstruments } from './instrument-list.ts';

/**
 * The repair of a connection after its customer has signed in again (Link's update mode). The Item keeps its access
 * token, so nothing is exchanged: the accounts are read again and compared. Where the bank gives new account numbers
 * the connection gets a new instrument.
 */

/** Disabling an instrument takes one call. */
const TASK_MS = 500;

export interface RepairDeps extends InstrumentDeps {
  config: Pick<Config, 'debitCheck'>;
  secrets: Secrets;
}

type Step = (deps: RepairDeps, held: HeldSession) => Promise<void>;

/** The same recovery points as connecting, with less to do between them. */
export const REPAIR_STEPS: Record<Exclude<RecoveryPoint, 'finished'>, Step> = {
  started: readAgain,
  item_linked: readAgain,
  identity_ready: remakeInstrument,
  instrument_created: settle,
};

/** item_linked → identity_ready when a new instrument is needed, else → instrument_created. */
async function readAgain(deps: RepairDeps, held: HeldSession): Promise<void> {
  const connection = await repaired(deps, held);
  // What a revocation has begun comes to its end first.
  if (connection.goal !== null) throw await untilTaskEnds(deps, held);
  const token = await accessToken(deps, connection.item_id);
  const login = await callBank(() => deps.plaid.getAccounts(token));
  const account = accountOf(connection, login.accounts);
  if (!account) {
    throw new Stop('open', 'account_unknown', { detail: 'The account was not shared again. Choose it in Link.' });
  }
  if (!isUsable(account)) throw new Stop('open', 'account_not_supported', { action: 'use_other_bank' });
  await requireSignedIn(deps, token);
  const siblings = await deps.storage.db
    .selectFrom('connections')
    .selectAll()
    .where('item_id', '=', connection.item_id)
    .where('id', '!=', connection.id)
    .where('status', 'in', ['needs_repair', 'revoked'])
    .where('goal', 'is', null)
    .execute();
  // A return or an operator at Finix stopped the debits of that account, and signing in for another one does not allow
  // them again.
  const repairedToo = siblings.filter((sibling) => !isReturned(sibling) && !isDisabledInFinix(sibling));
  const needsInstrument = !isPendingVerification(account) && needsNew(connection, account);
  const point: RecoveryPoint = needsInstrument ? 'identity_ready' : 'instrument_created';
  await held.write({ recovery_point: point, tries: 0 }, async (trx, now, session) => {
    const before = await unchanged(trx, connection);
    const next = isPendingVerification(account) ? unverified(before) : needsInstrument ? renewal(before) : ACTIVE;
    const read = asRead(before, account, login, needsInstrument, now);
    const agreed = withLaterReceipt(before, session.authorization_receipt);
    const unit: Unit = { trx, outbox: deps.outbox, now, by: { actor: 'page' } };
    await changeConnection(unit, before, { ...read, ...agreed, ...next, reason: null, repaired_at: now });
    for (const sibling of repairedToo) await repairSibling(unit, sibling, login);
  });
}

/** The customer waits in short steps. After that the session is released: Finix may be down for days. */
async function untilTaskEnds({ storage, timing }: RepairDeps, { row }: HeldSession): Promise<Postpone> {
  const now = await storage.now();
  const isAwaited = now - (row.processing_since ?? now) < timing.answerWithinMs;
  if (isAwaited) return new Postpone('finix_unavailable', TASK_MS, false);
  return new Postpone('finix_unavailable', backoff(QUICK_ATTEMPTS + row.tries, timing));
}

/**
 * Plaid, not the page, confirms that the customer has signed in again: Plaid also gives the accounts of a login that is
 * broken.
 */
async function requireSignedIn({ plaid }: RepairDeps, accessToken: string): Promise<void> {
  const code = await callBank(() => plaid.getItemError(accessToken));
  if (code === null) return;
  if (isBankDown(code)) throw new Stop('open', 'bank_unavailable');
  throw new Stop('restart_required', 'restart_required');
}

/** The login is the siblings' too: what is repaired for one account is repaired for all that were shared again. */
async function repairSibling(unit: Unit, sibling: ConnectionTable, login: PlaidLogin): Promise<void> {
  const account = accountOf(sibling, login.accounts);
  if (!account || !isUsable(account)) return;
  const before = await unchanged(unit.trx, sibling);
  const read = {
    ...asRead(before, account, login, needsNew(sibling, account), unit.now),
    repaired_at: unit.now,
  };
  if (isPendingVerification(account)) {
    await changeConnection(unit, before, { ...read, ...unverified(before), reason: null });
  } else if (needsNew(sibling, account)) {
    await beginRenewal(unit, before, 'repaired', read);
  } else {
    await changeConnection(unit, before, { ...read, ...ACTIVE, reason: null });
  }
}

const ACTIVE = { status: 'active' } as const;

/**
 * An account that is to be verified first has no instrument until then: the one it had is disabled, and the next comes
 * when it is verified.
 */
function unverified(before: ConnectionTable): Partial<ConnectionTable> {
  const { payment_instrument: present } = before;
  return { ...(present === null ? {} : renewal(before)), status: 'pending_verification' };
}

/** identity_ready → instrument_created. The old numbers are out of use before the new ones come in. */
async function remakeInstrument(deps: RepairDeps, held: HeldSession): Promise<void> {
  const connection = await repaired(deps, held);
  if (connection.status === 'pending') {
    const previous = connection.previous_payment_instrument;
    if (previous !== null) await disableInstruments(deps, connection, [previous]);
    await makeInstrument(deps, holdOf(held), connection, await accessToken(deps, connection.item_id));
  }
  await held.write({ recovery_point: 'instrument_created', tries: 0 });
}

/** instrument_created → finished. */
async function settle(deps: RepairDeps, held: HeldSession): Promise<void> {
  const { status, error_code } = await repaired(deps, held);
  if (status !== 'active' && status !== 'pending_verification') {
    throw new Stop('failed', (error_code as ProblemCode | null) ?? 'instrument_refused');
  }
  const patch = { recovery_point: 'finished', status: 'completed', error: null, ...RELEASED } as const;
  await held.write(patch, async (trx, now, session) => {
    if (deps.config.debitCheck === 'signal') await prepareForSignal(trx, session.item_id, now);
    await endOfSession({ trx, outbox: deps.outbox, now, by: { actor: 'job' } }, session);
  });
}

/**
 * A repair that ends half way leaves a connection that can be repaired again, not one that stays pending. One that was
 * refused its instrument has ended: its task removes the Item, which another session has linked, when no other
 * connection uses it.
 */
export async function leaveRepair(unit: Unit, connectionId: string, code: ProblemCode): Promise<void> {
  const before = await lockConnection(unit.trx, connectionId);
  if (before?.status === 'failed') {
    await changeConnection(unit, before, noMoreDebits(before, unit.now));
    return;
  }
  if (before?.status !== 'pending' || before.goal !== null) return;
  const patch = { status: 'needs_repair', reason: code, instrument_sent_at: null } as const;
  await changeConnection(unit, before, patch);
}

async function repaired({ storage }: RepairDeps, held: HeldSession): Promise<ConnectionTable> {
  const connection = await storage.db
    .selectFrom('connections')
    .selectAll()
    .where('id', '=', held.row.repair_connection_id)
    .executeTakeFirst();
  // A refusal of its new instrument has an error of its own, which settle gives.
  const point = held.row.recovery_point;
  const mayBeRefused = point === 'identity_ready' || point === 'instrument_created';
  if (!connection || (hasEnded(connection) && !(mayBeRefused && connection.status === 'failed'))) {
    throw new Stop('failed', 'session_failed', { detail: 'The connection has ended in the meantime.' });
  }
  // The permission that this repair is about has ended since: the customer has to give it once more.
  if (connection.revoked_at !== null && connection.revoked_at >= (held.row.processing_since ?? 0)) {
    throw new Stop('restart_required', 'restart_required');
  }
  return connection;
}

/** Changed by another worker while Plaid was asked: read it again. */
async function unchanged(trx: StorageTransaction, seen: ConnectionTable): Promise<ConnectionTable> {
  const present = await lockConnection(trx, seen.id);
  if (present?.version !== seen.version) throw new NotNow('changed', 0);
  return present;
}

async function accessToken({ storage, secrets }: RepairDeps, itemId: string): Promise<string> {
  const item = await findItem(storage.db, itemId);
  const token = item ? accessTokenOf(secrets, item) : null;
  if (token === null) throw new Stop('failed', 'restart_required');
  return token;
}

function needsNew(connection: ConnectionTable, account: PlaidAccount): boolean {
  return (
    connection.payment_instrument === null ||
    connection.status === 'revoked' ||
    isReturned(connection) ||
    account.id !== connection.plaid_account_id ||
    account.persistentAccountId !== null ||
    RENUMBERING_BANKS.has(connection.institution_id ?? '')
  );
}

/** The account as the bank has it now, and how it is verified now: numbers that are new are verified now. */
function asRead(
  before: ConnectionTable,
  account: PlaidAccount,
  { authMethod, consentExpiresAt }: PlaidLogin,
  isNew: boolean,
  now: number,
): Partial<ConnectionTable> {
  const known = verificationOf(before);
  const isVerified = !isPendingVerification(account);
  const read = readVerification({ ...account, authMethod, isVerified }, now, known);
  const verified_at = isVerified && !isNew ? (known.verified_at ?? read.verified_at) : read.verified_at;
  return {
    verification: JSON.stringify({ ...read, verified_at }),
    consent_expires_at: consentExpiresAt,
    plaid_account_id: account.id,
    persistent_account_id: account.persistentAccountId,
    account_name: account.name,
    account_mask: account.mask,
  };
}
