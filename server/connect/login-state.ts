import { UpstreamError } from '../clients/outbound.ts';
import type { PlaidAccount, PlaidClient } from '../clients/plaid.ts';
import { isBankDown } from '../clients/plaid-codes.ts';
import { accessTokenOf } from '../records/items.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { ItemTable } from '../storage/tables.ts';

/** What Plaid answers about a login now: that counts, and not what an event or a refusal suggests. */

export type LoginState = 'good' | 'broken' | 'unknown';

/** The login's status at Plaid now. */
export function loginState({ plaid, secrets }: AskPlaid, item: ItemTable): Promise<LoginState> {
  return ask(secrets, item, async (token) => (await plaid.getItemError(token)) === null);
}

/** Whether these accounts are shared at Plaid now, by a login that is good. */
export function accountsState({ plaid, secrets }: AskPlaid, item: ItemTable, ids: string[]): Promise<LoginState> {
  return ask(secrets, item, async (token) => {
    if ((await plaid.getItemError(token)) !== null) return false;
    const { accounts } = await plaid.getAccounts(token);
    return ids.every((id) => accounts.some((account) => account.id === id));
  });
}

/** The status of the login's account numbers at Plaid now: whether its customer shares them. */
export function numbersState({ plaid, secrets }: AskPlaid, item: ItemTable): Promise<LoginState> {
  return ask(secrets, item, async (token) => (await plaid.getItemProducts(token)).includes('auth'));
}

/**
 * When the customer's consent ends now, in milliseconds since 1970; null: no end is known. Undefined: Plaid could not
 * be asked.
 */
export async function consentEnd({ plaid, secrets }: AskPlaid, item: ItemTable): Promise<number | null | undefined> {
  let end: number | null | undefined;
  await ask(secrets, item, async (token) => {
    end = await plaid.getConsentEnd(token);
    return true;
  });
  return end;
}

/** The login's accounts at Plaid now; none where Plaid refuses to give them. */
export async function sharedAccounts({ plaid, secrets }: AskPlaid, item: ItemTable): Promise<PlaidAccount[]> {
  let accounts: PlaidAccount[] = [];
  await ask(secrets, item, async (token) => {
    accounts = (await plaid.getAccounts(token)).accounts;
    return true;
  });
  return accounts;
}

interface AskPlaid {
  plaid: PlaidClient;
  secrets: Secrets;
}

async function ask(
  secrets: Secrets,
  item: ItemTable,
  isGood: (accessToken: string) => Promise<boolean>,
): Promise<LoginState> {
  const accessToken = accessTokenOf(secrets, item);
  if (accessToken === null) return 'unknown';
  try {
    return (await isGood(accessToken)) ? 'good' : 'broken';
  } catch (error) {
    if (error instanceof UpstreamError && error.failure === 'refused') return 'unknown';
    throw error;
  }
}

/**
 * Why an account that was refused is out of reach, in Plaid's words: its login is broken or gone, its numbers or the
 * account itself are no longer shared. Null: it is shared, and was refused for another reason.
 * @throws UpstreamError while Plaid gives no definite answer
 */
export async function withheldBy(plaid: PlaidClient, accessToken: string, accountId: string): Promise<string | null> {
  try {
    const code = await plaid.getItemError(accessToken);
    if (code !== null && !isBankDown(code)) return code;
    if (!(await plaid.getItemProducts(accessToken)).includes('auth')) return 'ADDITIONAL_CONSENT_REQUIRED';
    const { accounts } = await plaid.getAccounts(accessToken);
    return accounts.some(({ id }) => id === accountId) ? null : 'INVALID_ACCOUNT_ID';
  } catch (error) {
    if (error instanceof UpstreamError && error.failure === 'refused') return error.code;
    throw error;
  }
}
