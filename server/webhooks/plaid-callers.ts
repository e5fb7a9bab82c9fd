import type { Storage } from '../storage/open.ts';

/** The addresses that genuine webhooks come from. Only they use up the share of the budget that is kept for them. */
export interface PlaidCallers {
  /** Whether webhooks from this address have been genuine before, or Plaid documents that they come from there. */
  isProven(caller: string): Promise<boolean>;
  /** A webhook from this address was genuine. */
  note(caller: string): Promise<void>;
}

/** plaid.com/docs/api/webhooks; Plaid may change them, so those that have proved themselves count as well. */
const PUBLISHED = new Set(['52.21.26.131', '52.21.47.157', '52.41.247.19', '52.88.82.239']);
/** Far more than Plaid uses. Behind a proxy that is not trusted, every caller has the proxy's one address. */
const MOST_CALLERS = 100;
const PREFIX = 'plaid_webhook_caller:';

export function createPlaidCallers(storage: Storage): PlaidCallers {
  const proven = new Set(PUBLISHED);
  return {
    async isProven(caller) {
      if (proven.has(caller)) return true;
      const row = await storage.db
        .selectFrom('meta')
        .select('key')
        .where('key', '=', PREFIX + caller)
        .executeTakeFirst();
      if (row && proven.size < MOST_CALLERS) proven.add(caller);
      return row !== undefined;
    },
    async note(caller) {
      if (proven.has(caller) || proven.size >= MOST_CALLERS) return;
      proven.add(caller);
      await storage.db
        .insertInto('meta')
        .values({ key: PREFIX + caller, value: '' })
        .onConflict((conflict) => conflict.column('key').doNothing())
        .execute();
    },
  };
}
