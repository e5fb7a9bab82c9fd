import type { Context } from '../context.ts';
import { iso } from '../ids.ts';
import type { SignalTransaction, SimulatedAccount, SimulatedItem } from '../state.ts';
import { plaidRefusal } from './errors.ts';
import { findAccount, findItem, readableItem, requireConsent, requireEnabled } from './items.ts';
import { read } from './read.ts';
import { onItem } from './schemas.ts';
import { signalDecision, signalEvaluate, signalReturn } from './signal-schemas.ts';

type Answer = Record<string, unknown>;
type Result = 'ACCEPT' | 'REVIEW' | 'REROUTE';

/** Plaid's Sandbox decides by the amount in dollars; every other amount is harmless. */
const SANDBOX_SCORES: Record<string, number> = { '3.53': 10, '12.17': 60, '27.53': 90 };
const HARMLESS = 5;

/** `/signal/prepare`: for Items that gave their consent only. No effect when it was called before. */
export function prepareSignal(context: Context, json: unknown): Answer {
  const { access_token } = read(onItem, json);
  const item = findItem(context, access_token);
  requireEnabled(context, 'signal');
  requireConsent(item, 'signal');
  return {};
}

/** `/signal/evaluate`. The same `client_transaction_id` again gives the earlier answer, for the same debit only. */
export function evaluate(context: Context, json: unknown): Answer {
  const request = read(signalEvaluate, json);
  const item = readableItem(context, request.access_token);
  requireEnabled(context, 'signal');
  requireConsent(item, 'signal');
  const account = findAccount(item, request.account_id);
  const key = request.ruleset_key ?? 'default';
  const ruleset = context.settings.signalRulesets[key];
  if (!ruleset) throw plaidRefusal('RULESET_NOT_FOUND');

  const id = request.client_transaction_id;
  const debit = `${account.account_id} ${request.amount}`;
  const earlier = context.state.signalTransactions.get(id);
  if (earlier && earlier.debit !== debit) throw plaidRefusal('CLIENT_TRANSACTION_ID_ALREADY_IN_USE');
  if (earlier) return earlier.answer;
  const made = evaluateDebit(context, ruleset, key, item, account, request.amount);
  context.state.signalTransactions.set(id, { debit, ...made, initiated: null, returned: null });
  return made.answer;
}

function evaluateDebit(
  context: Context,
  ruleset: 'signal' | 'balance',
  key: string,
  item: SimulatedItem,
  account: SimulatedAccount,
  amount: number,
): Pick<SignalTransaction, 'answer' | 'result'> {
  const score = SANDBOX_SCORES[amount.toFixed(2)] ?? HARMLESS;
  const result = ruleset === 'balance' ? byBalance(account, amount) : byScore(score);
  const { available, current } = account;
  // A Balance-only ruleset has a live balance and nothing else.
  const attributes =
    ruleset === 'balance'
      ? { available_balance: available, current_balance: current }
      : {
          available_balance: available,
          current_balance: current,
          balance_last_updated: iso(context.now()),
          days_since_first_plaid_connection: Math.floor((context.now() - item.created_at) / (24 * 3600_000)),
          is_savings_or_money_market_account: account.subtype !== 'checking',
          is_account_closed: null,
          unauthorized_transactions_count_90d: 0,
        };
  const risk = { score, risk_tier: Math.max(1, Math.ceil(score / 20)) };
  return {
    result,
    answer: {
      scores: ruleset === 'balance' ? null : { customer_initiated_return_risk: risk, bank_initiated_return_risk: risk },
      core_attributes: attributes,
      ruleset: { ruleset_key: key, result, triggered_rule_details: null },
      warnings: [],
    },
  };
}

const byScore = (score: number): Result => (score >= 80 ? 'REROUTE' : score >= 50 ? 'REVIEW' : 'ACCEPT');

function byBalance({ available, current }: SimulatedAccount, amount: number): Result {
  const balance = available ?? current;
  if (balance === null) return 'REVIEW';
  return balance < amount ? 'REROUTE' : 'ACCEPT';
}

/** `/signal/decision/report`: a later one corrects an earlier one. */
export function reportDecision(context: Context, json: unknown): Answer {
  const { client_transaction_id, initiated } = read(signalDecision, json);
  requireEnabled(context, 'signal');
  transaction(context, client_transaction_id).initiated = initiated;
  return {};
}

/** `/signal/return/report`: refused for a debit that was never reported to Plaid. */
export function reportReturn(context: Context, json: unknown): Answer {
  const { client_transaction_id, return_code } = read(signalReturn, json);
  requireEnabled(context, 'signal');
  const known = transaction(context, client_transaction_id);
  const isMade = known.initiated ?? known.result !== 'REROUTE';
  if (!isMade) throw plaidRefusal('SIGNAL_TRANSACTION_NOT_INITIATED');
  known.returned = return_code;
  return {};
}

function transaction({ state }: Context, id: string): SignalTransaction {
  const found = state.signalTransactions.get(id);
  if (!found) throw plaidRefusal('INVALID_FIELD', 'client_transaction_id: no such transaction was evaluated');
  return found;
}
