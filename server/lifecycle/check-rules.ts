import type { Check, CheckReason, CheckReasonCode, ProblemAction } from '../../widget/contract.ts';
import type { SignalEvaluation } from '../clients/plaid-risk.ts';
import { isReturned } from '../records/connections.ts';
import { lastReturnOf, verificationOf } from '../records/verification.ts';
import type { ConnectionTable } from '../storage/tables.ts';

/** Every reason of a check, with its decision and what to do. The one list. */
interface ReasonKind {
  decision: 'review' | 'stop';
  action: ProblemAction;
  message: string;
}

const KINDS: Record<CheckReasonCode, ReasonKind> = {
  revoked: kind(
    'stop',
    'restart',
    'The permission to debit this account has ended. Ask the customer to connect again.',
  ),
  returned: kind('stop', 'use_other_bank', 'A debit of this account came back, and its instrument is disabled.'),
  returned_recently: kind('review', 'wait', 'The last debit of this account came back. Check before the next one.'),
  needs_repair: kind('review', 'restart', 'The bank wants its customer to sign in again.'),
  not_active: kind('stop', 'use_other_bank', 'The connection has no instrument that can be debited.'),
  not_ready: kind('stop', 'wait', 'The account is still being verified or connected.'),
  owner_mismatch: kind('review', 'contact_merchant', 'The bank knows the owner of this account by another name.'),
  changed_bank: kind('review', 'contact_merchant', 'This customer has changed the account for payouts lately.'),
  insufficient_funds: kind('stop', 'use_other_method', 'The balance is lower than the amount.'),
  balance_uncertain: kind(
    'review',
    'use_other_method',
    'The bank does not show an available balance that covers the amount.',
  ),
  signal_review: kind('review', 'contact_merchant', 'Signal asks for a review of this debit.'),
  signal_reroute: kind('stop', 'use_other_method', 'Signal advises another way to pay.'),
  signal_no_ruleset: kind(
    'review',
    'contact_merchant',
    'No ruleset of Signal ran. Decide by the scores, or make a ruleset.',
  ),
  login_required: kind('review', 'restart', 'The bank could not be asked: its customer must sign in again.'),
  consent_required: kind(
    'review',
    'restart',
    'The customer has not agreed to this check. A repair session asks for it.',
  ),
  provider_unavailable: kind('review', 'wait', 'The bank or Plaid did not answer in time.'),
};

function kind(decision: ReasonKind['decision'], action: ProblemAction, message: string): ReasonKind {
  return { decision, action, message };
}

export interface Findings {
  reasons: CheckReason[];
  balance?: Check['balance'];
}

export function reason(code: CheckReasonCode): CheckReason {
  return { code, message: KINDS[code].message };
}

/** The worst of them decides the recommendation. */
export function verdictOf(reasons: CheckReason[]): Pick<Check, 'decision' | 'action'> {
  const stop = reasons.find(({ code }) => KINDS[code].decision === 'stop');
  const worst = stop ?? reasons[0];
  return worst
    ? { decision: KINDS[worst.code].decision, action: KINDS[worst.code].action }
    : { decision: 'ok', action: null };
}

/** A consumer can call a debit unauthorized for 60 days, and lacks money for as long as nothing has been paid since. */
const RECENT_MS = 60 * 24 * 3600_000;

/** What of a connection a check goes by. */
export type JudgedConnection = Pick<
  ConnectionTable,
  'status' | 'reason' | 'last_return' | 'verification' | 'changed_bank_at'
>;

/**
 * What is known here decides first.
 * @param answeredUntil returns of before are answered by a repair
 */
export function judgeConnection(
  connection: JudgedConnection,
  now: number,
  changedBankMs: number,
  answeredUntil: number,
): CheckReason[] {
  const { status } = connection;
  if (isReturned(connection) && status !== 'active') return [reason('returned')];
  if (status === 'revoked') return [reason('revoked')];
  if (status === 'failed' || status === 'removed') return [reason('not_active')];
  if (status === 'pending' || status === 'pending_verification') return [reason('not_ready')];
  const last = lastReturnOf(connection);
  const since = Math.max(now - RECENT_MS, answeredUntil);
  const changedAt = connection.changed_bank_at;
  return [
    ...(status === 'needs_repair' ? [reason('needs_repair')] : []),
    ...(last && Date.parse(last.at) > since ? [reason('returned_recently')] : []),
    ...(verificationOf(connection).owner.status === 'mismatch' ? [reason('owner_mismatch')] : []),
    ...(changedAt !== null && changedAt > now - changedBankMs ? [reason('changed_bank')] : []),
  ];
}

/** What can be debited of a balance that may hold entries yet to be booked: nine tenths. */
const BOOKED_SHARE = 0.9;

/** @param amount in minor units */
export function judgeBalance(balance: NonNullable<Check['balance']>, amount: number): Findings {
  const { available, current } = balance;
  if (available !== null) return { balance, reasons: available < amount ? [reason('insufficient_funds')] : [] };
  if (current === null) return { balance, reasons: [reason('balance_uncertain')] };
  if (current < amount) return { balance, reasons: [reason('insufficient_funds')] };
  return { balance, reasons: current * BOOKED_SHARE < amount ? [reason('balance_uncertain')] : [] };
}

export function judgeSignal({ result }: SignalEvaluation): Findings {
  if (result === 'ACCEPT') return { reasons: [] };
  if (result === null) return { reasons: [reason('signal_no_ruleset')] };
  return { reasons: [reason(result === 'REROUTE' ? 'signal_reroute' : 'signal_review')] };
}
