import type { Check, CheckReason, CheckReasonCode, ProblemAction } from '../../widget/contract.ts';
import type { SignalEvaluation } from '../clients/plaid-risk.ts';
import { isReturned } from '../records/connections.ts';
import { lastReturnOf, verificationOf } from '../records/verification.ts';
import type { ConnectionTable } from '../storage/tables.ts';

/** Every finding of a check, with its reason's code, its decision and the way forward. The one list. */
interface FindingKind {
  code: CheckReasonCode;
  decision: 'review' | 'stop';
  action: ProblemAction;
  message: string;
}

const KINDS = {
  revoked: kind(
    'revoked',
    'stop',
    'restart',
    'The permission to debit this account has ended. Ask the customer to connect again.',
  ),
  returned_ended: kind(
    'returned',
    'stop',
    'use_other_bank',
    'A debit of this account came back, and the account can no longer be used.',
  ),
  returned_stopped: kind(
    'returned',
    'stop',
    'restart',
    'A debit of this account came back, and its instrument is disabled until the customer has repaired the connection.',
  ),
  // The return has left the connection in use.
  returned_lately: kind(
    'returned',
    'review',
    'wait',
    'The last debit of this account came back. Check before the next one.',
  ),
  needs_repair: kind('needs_repair', 'review', 'restart', 'The bank wants its customer to sign in again.'),
  not_active: kind('not_active', 'stop', 'use_other_bank', 'The connection has no instrument that can be debited.'),
  invalid_account: kind(
    'not_active',
    'stop',
    'use_other_bank',
    'Finix has found that the account is closed, or takes no debits.',
  ),
  pending: kind('not_active', 'stop', 'wait', 'The account is still being verified or connected.'),
  owner_mismatch: kind(
    'owner_mismatch',
    'review',
    'contact_merchant',
    'The bank knows the owner of this account by another name.',
  ),
  changed_bank: kind(
    'changed_bank',
    'review',
    'contact_merchant',
    'This customer has changed the account for payouts lately.',
  ),
  insufficient_funds: kind('insufficient_funds', 'stop', 'use_other_method', 'The balance is lower than the amount.'),
  balance_uncertain: kind(
    'balance_uncertain',
    'review',
    'use_other_method',
    'The bank does not show an available balance that covers the amount.',
  ),
  signal_review: kind('signal_review', 'review', 'contact_merchant', 'Signal asks for a review of this debit.'),
  signal_reroute: kind('signal_reroute', 'stop', 'use_other_method', 'Signal advises another way to pay.'),
  signal_no_ruleset: kind(
    'signal_no_ruleset',
    'review',
    'contact_merchant',
    'No ruleset of Signal ran. Decide by the scores, or make a ruleset.',
  ),
  login_required: kind(
    'needs_repair',
    'review',
    'restart',
    'The bank could not be asked: its customer must sign in again.',
  ),
  consent_required: kind(
    'consent_required',
    'review',
    'restart',
    'The customer has not agreed to this check. A repair session asks for it.',
  ),
  provider_unavailable: kind('provider_unavailable', 'review', 'wait', 'The bank or Plaid gave no answer in time.'),
} satisfies Record<string, FindingKind>;

function kind(
  code: CheckReasonCode,
  decision: FindingKind['decision'],
  action: ProblemAction,
  message: string,
): FindingKind {
  return { code, decision, action, message };
}

/** One thing that speaks against a debit. Several can have the code of one reason, for different situations. */
export type Finding = keyof typeof KINDS;

export interface Judgment {
  findings: Finding[];
  balance?: Check['balance'];
}

/** The worst finding decides. */
export function verdictOf(findings: readonly Finding[]): Pick<Check, 'decision' | 'reasons' | 'action'> {
  const all: FindingKind[] = findings.map((finding) => KINDS[finding]);
  // What is known here is often what Plaid answers as well: one reason, once.
  const kinds = all.filter(({ code }, at) => all.findIndex((one) => one.code === code) === at);
  const worst = kinds.find(({ decision }) => decision === 'stop') ?? kinds[0];
  return {
    decision: worst?.decision ?? 'ok',
    reasons: kinds.map(({ code, message }): CheckReason => ({ code, message })),
    action: worst?.action ?? null,
  };
}

/** A consumer can call a debit unauthorized for 60 days, and lacks money for as long as nothing has been paid since. */
const RECENT_MS = 60 * 24 * 3600_000;

/** What of a connection a check goes by. */
export type JudgedConnection = Pick<
  ConnectionTable,
  'status' | 'reason' | 'last_return' | 'verification' | 'changed_bank_at' | 'bank_account_validation_check'
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
): Finding[] {
  const { status } = connection;
  const isRepairable = status === 'needs_repair' || status === 'revoked';
  if (isReturned(connection) && status !== 'active') return [isRepairable ? 'returned_stopped' : 'returned_ended'];
  if (status === 'revoked') return ['revoked'];
  if (status === 'failed' || status === 'removed') return ['not_active'];
  if (status === 'pending' || status === 'pending_verification') return ['pending'];
  // Finix itself refuses such a debit, or the bank returns it.
  if (connection.bank_account_validation_check === 'INVALID') return ['invalid_account'];
  const last = lastReturnOf(connection);
  const since = Math.max(now - RECENT_MS, answeredUntil);
  const changedAt = connection.changed_bank_at;
  return [
    ...(status === 'needs_repair' ? (['needs_repair'] as const) : []),
    ...(last && Date.parse(last.at) > since ? (['returned_lately'] as const) : []),
    ...(verificationOf(connection).owner.status === 'mismatch' ? (['owner_mismatch'] as const) : []),
    ...(changedAt !== null && changedAt > now - changedBankMs ? (['changed_bank'] as const) : []),
  ];
}

/** What can be debited of a balance that may hold entries yet to be booked: nine tenths. */
const BOOKED_SHARE = 0.9;

/** @param amount in minor units */
export function judgeBalance(balance: NonNullable<Check['balance']>, amount: number): Judgment {
  const { available, current } = balance;
  if (available !== null) return { balance, findings: available < amount ? ['insufficient_funds'] : [] };
  if (current === null) return { balance, findings: ['balance_uncertain'] };
  if (current < amount) return { balance, findings: ['insufficient_funds'] };
  return { balance, findings: current * BOOKED_SHARE < amount ? ['balance_uncertain'] : [] };
}

export function judgeSignal({ result }: SignalEvaluation): Judgment {
  if (result === 'ACCEPT') return { findings: [] };
  if (result === null) return { findings: ['signal_no_ruleset'] };
  return { findings: [result === 'REROUTE' ? 'signal_reroute' : 'signal_review'] };
}
