import type { PlaidApi, SignalEvaluateRequest } from 'plaid';
import { z } from 'zod';
import { iso } from '../ids.ts';
import { UpstreamError } from './outbound.ts';
import { timeOf } from './provider-json.ts';

/**
 * The calls of Plaid about who owns an account and what it can pay. Each of the first three is billed for every answer.
 */
export interface PlaidRiskCalls {
  /** Scores each account's owner against a person. What was not given, or the bank does not have, is null. */
  matchOwner(accessToken: string, accountIds: string[], person: PlaidPerson): Promise<Map<string, OwnerScores>>;
  /** Asks the bank at this moment. */
  getBalance(accessToken: string, accountId: string, timeoutMs: number): Promise<PlaidBalance>;
  /** Idempotent at Plaid by its client transaction id. */
  evaluateDebit(debit: SignalDebit, timeoutMs: number): Promise<SignalEvaluation>;
  /** For an Item whose consent to Signal was collected without initializing the product. May be repeated. */
  prepareSignal(accessToken: string): Promise<void>;
  /** That a debit was made although Signal did not plainly accept it. A later report corrects an earlier one. */
  reportDecision(clientTransactionId: string, initiated: boolean): Promise<void>;
  reportReturn(clientTransactionId: string, returnCode: string, returnedAt: number): Promise<void>;
  /** Limits what the holder of a processor token may read. May be repeated. */
  limitProcessorToken(processorToken: string, timeoutMs: number): Promise<void>;
}

export interface PlaidPerson {
  legal_name?: string;
  /** E.164. */
  phone_number?: string;
  email_address?: string;
  /** `country` is ISO 3166-1 alpha-2. */
  address?: { street?: string; city?: string; region?: string; postal_code?: string; country?: string };
}

/** 0 to 100. */
export interface OwnerScores {
  name: number | null;
  email: number | null;
  phone: number | null;
  address: number | null;
}

export interface PlaidBalance {
  /** Whole units of the currency, as in every amount of Plaid's. */
  available: number | null;
  current: number | null;
  /** Null where Plaid does not return it. */
  currency: string | null;
  /** When the bank was asked, where Plaid returns it; milliseconds since 1970. */
  asOf: number | null;
}

export interface SignalDebit {
  accessToken: string;
  accountId: string;
  /** 1 to 36 characters. */
  clientTransactionId: string;
  /** US dollars: not cents. */
  amount: number;
  /** What Plaid knows the customer as. */
  clientUserId: string;
  userPresent?: boolean | undefined;
  isRecurring?: boolean | undefined;
  ruleset?: string | undefined;
}

export interface SignalEvaluation {
  /** Null when no ruleset ran. */
  result: 'ACCEPT' | 'REVIEW' | 'REROUTE' | null;
  /** 1 to 99, higher is riskier. Null with a ruleset that goes by the balance only. */
  scores: { customerInitiated: number | null; bankInitiated: number | null } | null;
  balance: PlaidBalance | null;
  /** Codes of what was missing or stale. */
  warnings: string[];
}

/** Finix reads the account's numbers and its owner, and nothing else. */
const FINIX_PRODUCTS = ['auth', 'identity'];

/** Sends one call through the shared cap, time-out and error conversion. */
export type PlaidCall = <T>(
  name: string,
  body: z.ZodType<T>,
  send: (api: PlaidApi, options: { timeout: number }) => Promise<{ data: unknown }>,
  timeoutMs?: number,
) => Promise<T>;

/** What is of another type than published is read as none, and does not cost the rest; a number may be a text. */
const number = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^-?\d{1,15}(\.\d{1,9})?$/)
      .transform(Number),
  ])
  .nullish()
  .catch(null);
const text = z.string().nullish().catch(null);
/** Older answers leave a score's object out, newer ones give it with a null score. */
const score = z.object({ score: number }).nullish().catch(null);
const matchBody = z.object({
  accounts: z.array(
    z.object({
      account_id: z.string(),
      legal_name: score,
      email_address: score,
      phone_number: score,
      address: score,
    }),
  ),
});
const balanceBody = z.object({
  accounts: z.array(
    z.object({
      account_id: z.string(),
      balances: z.object({
        available: number,
        current: number,
        iso_currency_code: text,
        unofficial_currency_code: text,
        last_updated_datetime: text,
      }),
    }),
  ),
});
/** The ruleset decides. Data sent in addition costs no decision. */
const risk = z.object({ score: number }).nullish().catch(null);
const signalBody = z.object({
  scores: z.object({ customer_initiated_return_risk: risk, bank_initiated_return_risk: risk }).nullish().catch(null),
  ruleset: z.object({ result: text }).nullish().catch(null),
  core_attributes: z
    .object({
      available_balance: number,
      current_balance: number,
      balance_last_updated: text,
    })
    .nullish()
    .catch(null),
  warnings: z
    .array(z.object({ warning_code: text }))
    .nullish()
    .catch(null),
});

export function createRiskCalls(call: PlaidCall): PlaidRiskCalls {
  return {
    async matchOwner(accessToken, accountIds, person) {
      const { accounts } = await call('identity/match', matchBody, (api, options) =>
        api.identityMatch({ access_token: accessToken, user: person, options: { account_ids: accountIds } }, options),
      );
      return new Map(
        accounts.map(({ account_id, legal_name, email_address, phone_number, address }) => [
          account_id,
          {
            name: legal_name?.score ?? null,
            email: email_address?.score ?? null,
            phone: phone_number?.score ?? null,
            address: address?.score ?? null,
          },
        ]),
      );
    },
    async getBalance(accessToken, accountId, timeoutMs) {
      const { accounts } = await call(
        'accounts/balance/get',
        balanceBody,
        (api, options) =>
          api.accountsBalanceGet({ access_token: accessToken, options: { account_ids: [accountId] } }, options),
        timeoutMs,
      );
      const found = accounts.find(({ account_id }) => account_id === accountId);
      if (!found) throw new UpstreamError('plaid', 'accounts/balance/get', 'lost', 'UNREADABLE_ANSWER');
      const { available, current, iso_currency_code, unofficial_currency_code, last_updated_datetime } = found.balances;
      return {
        available: available ?? null,
        current: current ?? null,
        currency: iso_currency_code ?? unofficial_currency_code ?? null,
        asOf: timeOf(last_updated_datetime),
      };
    },
    async evaluateDebit(debit, timeoutMs) {
      const request: SignalEvaluateRequest = {
        access_token: debit.accessToken,
        account_id: debit.accountId,
        client_transaction_id: debit.clientTransactionId,
        amount: debit.amount,
        client_user_id: debit.clientUserId,
        ...(debit.userPresent === undefined ? {} : { user_present: debit.userPresent }),
        ...(debit.isRecurring === undefined ? {} : { is_recurring: debit.isRecurring }),
        ...(debit.ruleset === undefined ? {} : { ruleset_key: debit.ruleset }),
      };
      const data = await call(
        'signal/evaluate',
        signalBody,
        (api, options) => api.signalEvaluate(request, options),
        timeoutMs,
      );
      const { scores, core_attributes: known } = data;
      return {
        result: resultOf(data.ruleset?.result),
        scores: scores
          ? {
              customerInitiated: scores.customer_initiated_return_risk?.score ?? null,
              bankInitiated: scores.bank_initiated_return_risk?.score ?? null,
            }
          : null,
        balance:
          known && (known.available_balance ?? known.current_balance ?? null) !== null
            ? {
                available: known.available_balance ?? null,
                current: known.current_balance ?? null,
                currency: 'USD',
                asOf: timeOf(known.balance_last_updated),
              }
            : null,
        warnings: (data.warnings ?? []).flatMap(({ warning_code }) => warning_code ?? []),
      };
    },
    async prepareSignal(accessToken) {
      await call('signal/prepare', z.unknown(), (api, options) =>
        api.signalPrepare({ access_token: accessToken }, options),
      );
    },
    async reportDecision(clientTransactionId, initiated) {
      await call('signal/decision/report', z.unknown(), (api, options) =>
        api.signalDecisionReport({ client_transaction_id: clientTransactionId, initiated }, options),
      );
    },
    async reportReturn(clientTransactionId, returnCode, returnedAt) {
      const request = {
        client_transaction_id: clientTransactionId,
        return_code: returnCode,
        returned_at: iso(returnedAt),
      };
      await call('signal/return/report', z.unknown(), (api, options) => api.signalReturnReport(request, options));
    },
    async limitProcessorToken(processorToken, timeoutMs) {
      const request = { processor_token: processorToken, products: FINIX_PRODUCTS as never[] };
      await call(
        'processor/token/permissions/set',
        z.unknown(),
        (api, options) => api.processorTokenPermissionsSet(request, options),
        timeoutMs,
      );
    },
  };
}

/** An unknown word is no acceptance. */
function resultOf(text: string | null | undefined): SignalEvaluation['result'] {
  if (!text) return null;
  return text === 'ACCEPT' || text === 'REROUTE' ? text : 'REVIEW';
}
