import type { Context } from '../context.ts';
import { chosenAccounts, readableItem } from './items.ts';
import { read } from './read.ts';
import { balance } from './schemas.ts';
import { accountShape, itemShape } from './shapes.ts';

/** `/accounts/balance/get`: as `/accounts/get`, asked of the bank at this moment. Needs no consent of its own. */
export function getBalance(context: Context, json: unknown): Record<string, unknown> {
  const { access_token, options } = read(balance, json);
  const item = readableItem(context, access_token);
  return {
    accounts: chosenAccounts(item, options?.account_ids).map((account) => {
      const shape = accountShape(item, account);
      // Plaid returns the time for one bank only (Capital One).
      return { ...shape, balances: { ...shape.balances, last_updated_datetime: null } };
    }),
    item: itemShape(item),
  };
}
