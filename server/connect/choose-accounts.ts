import type { AccountSelection, SelectableAccount } from '../../widget/contract.ts';
import type { PlaidAccount } from '../clients/plaid.ts';

/** The kinds of account that ACH can debit and pay out to; also what Plaid's Auth offers by default. */
const SUBTYPES = new Set(['checking', 'savings', 'cash management']);

/** Verification results that let an account be used. `null`: the bank itself vouched for it. */
const VERIFIED = new Set([
  null,
  'automatically_verified',
  'manually_verified',
  'database_matched',
  'database_insights_pass',
]);

/** Micro-deposits are on their way; the result comes days later. */
const PENDING = new Set(['pending_automatic_verification', 'pending_manual_verification', 'unsent']);

export type Choice =
  | { kind: 'take'; accounts: PlaidAccount[] }
  | { kind: 'ask'; accounts: SelectableAccount[] }
  | {
      kind: 'refuse';
      code: 'account_unknown' | 'account_not_supported';
      indexes: number[];
      otherAccountWorks: boolean;
    };

/**
 * Decides which accounts become funding sources. Trusts only Plaid's data.
 * @param accounts what Plaid lists for the Item
 * @param chosen the ids that the page named, in its order; empty when Link named none
 */
export function chooseAccounts(accounts: PlaidAccount[], chosen: string[], selection: AccountSelection): Choice {
  const usable = accounts.filter(isUsable);
  const otherAccountWorks = usable.length > 0;
  const indexesOf = (isWrong: (id: string) => boolean) => chosen.flatMap((id, i) => (isWrong(id) ? [i] : []));

  const unknown = indexesOf((id) => !accounts.some((account) => account.id === id));
  if (unknown.length > 0) return { kind: 'refuse', code: 'account_unknown', indexes: unknown, otherAccountWorks };

  const unusable = indexesOf((id) => !usable.some((account) => account.id === id));
  if (unusable.length > 0 || !otherAccountWorks) {
    return { kind: 'refuse', code: 'account_not_supported', indexes: unusable, otherAccountWorks };
  }

  const wanted = chosen.length > 0 ? usable.filter((account) => chosen.includes(account.id)) : usable;
  if (selection === 'multiple' || wanted.length === 1) return { kind: 'take', accounts: wanted };
  return { kind: 'ask', accounts: wanted.map(toSelectable) };
}

/** Whether Plaid still waits for the account's verification, so that no instrument can be made yet. */
export function isPendingVerification(account: PlaidAccount): boolean {
  return PENDING.has(account.verificationStatus ?? '');
}

/** Whether an account of this kind can be a funding source, and its verification has not failed. */
export function isUsable({ type, subtype, verificationStatus }: PlaidAccount): boolean {
  if (type !== 'depository' || !SUBTYPES.has(subtype ?? '')) return false;
  return VERIFIED.has(verificationStatus) || PENDING.has(verificationStatus ?? '');
}

function toSelectable({ id, name, mask, subtype }: PlaidAccount): SelectableAccount {
  return { id, name: name ?? 'Account', mask, subtype };
}
