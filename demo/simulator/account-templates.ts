/** The accounts that scenarios are made of: Plaid's own of its Sandbox, as far as they matter here. */
export interface AccountTemplate {
  name: string;
  official_name: string | null;
  mask: string;
  type: 'depository' | 'credit' | 'loan' | 'investment';
  subtype: string;
  /** US dollars. */
  current: number | null;
  available: number | null;
  limit: number | null;
  verification_status?: string;
}

export function account(
  name: string,
  mask: string,
  subtype: string,
  more: Partial<AccountTemplate> = {},
): AccountTemplate {
  const base: AccountTemplate = {
    name,
    official_name: `${name} (official)`,
    mask,
    type: 'depository',
    subtype,
    current: 2310.42,
    available: 2290.42,
    limit: null,
  };
  return { ...base, ...more };
}

export const CHECKING = account('Plaid Checking', '0000', 'checking', {
  official_name: 'Plaid Gold Standard 0% Interest Checking',
  current: 110,
  available: 100,
});
export const PENDING: AccountTemplate = { ...CHECKING, verification_status: 'pending_automatic_verification' };
export const SAVINGS = account('Plaid Saving', '1111', 'savings', {
  official_name: 'Plaid Silver Standard 0.1% Interest Saving',
  current: 210,
  available: 200,
});
export const CD = account('Plaid CD', '2222', 'cd', { current: 1000, available: null });
export const MONEY_MARKET = account('Plaid Money Market', '4444', 'money market', { current: 43200, available: 43200 });
export const CREDIT_CARD = account('Plaid Credit Card', '3333', 'credit card', {
  type: 'credit',
  current: 410,
  available: null,
  limit: 2000,
});
export const STUDENT_LOAN = account('Plaid Student Loan', '7777', 'student', {
  type: 'loan',
  current: 65262,
  available: null,
});
