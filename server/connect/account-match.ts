import type { PlaidAccount } from '../clients/plaid.ts';
import type { ConnectionTable } from '../storage/tables.ts';
import { RENUMBERING_BANKS } from './institution-quirks.ts';

/**
 * Whether two records are of the same bank account. There are three strengths of evidence, and the strongest that both
 * records have decides: the bank's own id of the account, the account's numbers, and the account's name.
 */
export interface AccountFacts {
  institutionId: string | null;
  /** Plaid's `persistent_account_id`, which few banks give. */
  bankId: string | null;
  /** Finix's fingerprint of the account's numbers. */
  numbers: string | null;
  name: string | null;
  mask: string | null;
}

export function factsOf(connection: ConnectionTable): AccountFacts {
  return {
    institutionId: connection.institution_id,
    bankId: connection.persistent_account_id,
    numbers: connection.fingerprint,
    name: connection.account_name,
    mask: connection.account_mask,
  };
}

/** A platform's merchants do not share connections, also where they have a customer in common. */
export function isOfMerchant({ merchant_id }: Pick<ConnectionTable, 'merchant_id'>) {
  return (other: Pick<ConnectionTable, 'merchant_id'>): boolean => other.merchant_id === merchant_id;
}

/** By the strongest evidence that both have. */
export function isSameAccount(a: AccountFacts, b: AccountFacts): boolean {
  return matchesByBankId(a, b) ?? matchesByNumbers(a, b) ?? matchesByName(a, b);
}

/** Joint owners have the same id, two accounts never. @returns undefined when the bank has not given it for both */
function matchesByBankId(a: Pick<AccountFacts, 'bankId'>, b: Pick<AccountFacts, 'bankId'>): boolean | undefined {
  return a.bankId === null || b.bankId === null ? undefined : a.bankId === b.bankId;
}

/**
 * Other numbers are another account, except at a bank that gives the same account new numbers with every access.
 * @returns undefined when the numbers of one are unknown, or when they differ at such a bank
 */
function matchesByNumbers(a: AccountFacts, b: AccountFacts): boolean | undefined {
  if (a.numbers === null || b.numbers === null) return undefined;
  if (a.numbers === b.numbers) return true;
  return RENUMBERING_BANKS.has(a.institutionId ?? '') ? undefined : false;
}

/**
 * As Plaid advises to compare: the bank, the account's name and its last digits, all of them known. The weakest
 * evidence.
 */
export function matchesByName(a: NamedAccount, b: NamedAccount): boolean {
  return isKnownAndEqual(a.institutionId, b.institutionId) && isNamedAlike(a, b);
}

type NamedAccount = Pick<AccountFacts, 'institutionId' | 'name' | 'mask'>;

function isNamedAlike(a: Pick<AccountFacts, 'name' | 'mask'>, b: Pick<AccountFacts, 'name' | 'mask'>): boolean {
  return isKnownAndEqual(a.name, b.name) && isKnownAndEqual(a.mask, b.mask);
}

/**
 * The account of its own login that a connection is about. Plaid's id for it may be another after the customer has
 * granted access again.
 * @returns undefined when the login no longer has it, or when it can't be distinguished from another
 */
export function accountOf(connection: ConnectionTable, accounts: PlaidAccount[]): PlaidAccount | undefined {
  const byPlaidId = accounts.find(({ id }) => id === connection.plaid_account_id);
  if (byPlaidId) return byPlaidId;
  const facts = factsOf(connection);
  if (facts.bankId !== null) {
    return accounts.find(({ persistentAccountId }) => matchesByBankId(facts, { bankId: persistentAccountId }));
  }
  const alike = accounts.filter(
    (account) => isNamedAlike(facts, account) && account.subtype === connection.account_subtype,
  );
  return alike.length === 1 ? alike[0] : undefined;
}

function isKnownAndEqual(a: string | null, b: string | null): boolean {
  return a !== null && a === b;
}
