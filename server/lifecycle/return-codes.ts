import type { ReturnEffect } from '../storage/tables.ts';

/**
 * What a returned debit or payout means for the connection that it was made with, by ACH return code and by Finix's
 * failure code. The one table.
 *
 * Sources. Meaning and time limits of the return codes: the lists that Grailpay, Unit, Increase, Dwolla and Plaid
 * Transfer publish. Retries: the summaries of Nacha's rules by its associations and banks. Finix's failure codes: its
 * list of decline codes; only the first four rows have a return code there (its sandbox table). What either means for
 * the connection is this project's own reading, in the direction of fewer debits where a customer may not want them.
 */
export interface ReturnRule {
  effect: ReturnEffect;
  /** What the second one in a row means. */
  second?: ReturnEffect;
  meaning: string;
}

export const RETURN_RULES: Readonly<Record<string, ReturnRule>> = {
  // A retry may succeed: twice more within 180 days. After two in a row the account has no money, not a bad day.
  R01: { effect: 'keep', second: 'repair', meaning: 'insufficient funds' },
  R02: { effect: 'dead', meaning: 'account closed' },
  R03: { effect: 'blocked', meaning: 'no account, or another holder' },
  // Also the tokenized number of a bank that has ended the access: signing in again brings another number.
  R04: { effect: 'repair', meaning: 'invalid account number' },
  R05: { effect: 'blocked', meaning: 'consumer account debited as a corporate one, not authorized' },
  R06: { effect: 'blocked', meaning: 'returned at the request of the originating bank' },
  R07: { effect: 'blocked', meaning: 'authorization revoked by the customer' },
  R08: { effect: 'blocked', meaning: 'payment stopped' },
  R09: { effect: 'keep', meaning: 'uncollected funds' },
  R10: { effect: 'blocked', meaning: 'not authorized, according to the customer' },
  R11: { effect: 'blocked', meaning: 'not as authorized, according to the customer' },
  R12: { effect: 'repair', meaning: 'account sold to another bank' },
  R13: { effect: 'dead', meaning: 'routing number that takes no ACH' },
  R14: { effect: 'dead', meaning: 'representative payee deceased' },
  R15: { effect: 'dead', meaning: 'account holder deceased' },
  R16: { effect: 'blocked', meaning: 'account frozen' },
  R17: { effect: 'blocked', meaning: 'entry rejected by the bank, perhaps for fraud' },
  R20: { effect: 'dead', meaning: 'account that takes no debits' },
  R21: { effect: 'keep', meaning: 'company identification invalid' },
  R22: { effect: 'keep', meaning: 'individual identification invalid' },
  R23: { effect: 'blocked', meaning: 'payout refused by the receiver' },
  R24: { effect: 'keep', meaning: 'duplicate entry' },
  R28: { effect: 'dead', meaning: 'routing number with a wrong check digit' },
  R29: { effect: 'blocked', meaning: 'not authorized, according to the company' },
  R31: { effect: 'blocked', meaning: 'returned with the consent of the originating bank' },
  // Entries to and from abroad, which this product never makes.
  R80: { effect: 'blocked', meaning: 'international entry with a wrong code' },
  R81: { effect: 'blocked', meaning: 'bank that takes no international entries' },
  R82: { effect: 'blocked', meaning: 'invalid foreign bank identification' },
  R83: { effect: 'blocked', meaning: 'foreign bank unable to settle' },
  R84: { effect: 'blocked', meaning: 'entry not processed by the gateway' },
  R85: { effect: 'blocked', meaning: 'international entry coded as a domestic one' },
};

/** For a failure code that matches no return code, or more than one. */
export const FAILURE_RULES: Readonly<Record<string, ReturnRule>> = {
  INVALID_ROUTING_NUMBER: { effect: 'dead', meaning: 'bad routing number' },
  INVALID_BANK_ACCOUNT_VALIDATION_CHECK: { effect: 'dead', meaning: 'blocked by the validation of the account' },
  BANK_ACCOUNT_FROZEN: { effect: 'blocked', meaning: 'account frozen' },
  NON_TRANSACTION_ACCOUNT: { effect: 'dead', meaning: 'account that takes no debits' },
  PAYMENT_STOPPED: { effect: 'blocked', meaning: 'payment stopped' },
  TRANSACTION_NOT_PERMITTED: { effect: 'blocked', meaning: 'debit not permitted' },
  // No reason given: once may be anything, twice is this account.
  GENERIC_DECLINE: { effect: 'keep', second: 'blocked', meaning: 'declined without a reason' },
  DO_NOT_HONOR: { effect: 'keep', second: 'blocked', meaning: 'declined without a reason' },
  CALL_ISSUER: { effect: 'keep', second: 'blocked', meaning: 'declined without a reason' },
  FRAUD_DETECTED: { effect: 'blocked', meaning: 'suspected fraud' },
  FRAUD_DETECTED_BY_FINIX: { effect: 'blocked', meaning: 'suspected fraud' },
  // About the merchant's limits or a repetition, not about the account.
  MAX_TRANSACTION_AMOUNT_EXCEEDED: { effect: 'keep', meaning: 'amount above the merchant’s limit' },
  INVALID_AMOUNT: { effect: 'keep', meaning: 'invalid amount' },
  DUPLICATE_TRANSACTION: { effect: 'keep', meaning: 'duplicate' },
};

/** Failure codes that stand for one return code and no other. */
const RETURN_CODES: Readonly<Record<string, string>> = {
  INSUFFICIENT_FUNDS: 'R01',
  BANK_ACCOUNT_CLOSED: 'R02',
  NO_BANK_ACCOUNT_FOUND: 'R03',
  INVALID_BANK_ACCOUNT_NUMBER: 'R04',
};

/** An unknown code is shown and sent, and changes nothing. */
const UNKNOWN: ReturnRule = { effect: 'keep', meaning: 'unknown' };

export function returnCodeOf(failureCode: string | null): string | null {
  return RETURN_CODES[failureCode ?? ''] ?? null;
}

export function ruleOf(code: string | null, failureCode: string | null): ReturnRule {
  if (code !== null) return RETURN_RULES[code] ?? UNKNOWN;
  return FAILURE_RULES[failureCode ?? ''] ?? UNKNOWN;
}

/**
 * About the numbers of an instrument: once it was replaced by one with other numbers, they don't apply to the new one.
 */
const ABOUT_NUMBERS: ReadonlySet<string> = new Set([
  'R02',
  'R03',
  'R04',
  'R12',
  'R13',
  'R20',
  'R28',
  'INVALID_ROUTING_NUMBER',
  'INVALID_BANK_ACCOUNT_VALIDATION_CHECK',
  'NON_TRANSACTION_ACCOUNT',
]);

export function isAboutNumbers(code: string | null, failureCode: string | null): boolean {
  return ABOUT_NUMBERS.has(code ?? failureCode ?? '');
}

/** About whose account it is, and whether it can be used at all. */
const ABOUT_HOLDER: ReadonlySet<string> = new Set(['R14', 'R15', 'R16', 'BANK_ACCOUNT_FROZEN']);

/** Whether a returned debit means the same for payouts to the account, and a returned payout for debits. */
export function isAboutAccount(code: string | null, failureCode: string | null): boolean {
  return isAboutNumbers(code, failureCode) || ABOUT_HOLDER.has(code ?? failureCode ?? '');
}

/** Whether a connection is as it is because of a return that is about its numbers. */
export function isReturnedForNumbers({ reason }: { reason: string | null }): boolean {
  return reason !== null && ABOUT_NUMBERS.has(reason.replace(/^return_/, ''));
}

/** Weakest first: a later return never makes a connection more usable than an earlier one left it. */
export const STRENGTH: Record<ReturnEffect, number> = { keep: 0, repair: 1, blocked: 2, dead: 3 };
