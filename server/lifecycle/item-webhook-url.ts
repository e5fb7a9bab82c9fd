import pLimit from 'p-limit';
import { UpstreamError } from '../clients/outbound.ts';
import type { PlaidClient } from '../clients/plaid.ts';
import { type Config, webhookUrl } from '../config.ts';
import type { Logger } from '../log.ts';
import { accessTokenOf } from '../records/items.ts';
import type { Storage } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { ItemTable } from '../storage/tables.ts';
import { claimRow } from '../work/claim-row.ts';
import { backoff, QUICK_ATTEMPTS } from '../work/retry.ts';
import type { Timing } from '../work/timing.ts';

/**
 * Where Plaid sends its webhooks. A link token carries the address, and each Item keeps the one that it was made with:
 * when PUBLIC_URL changes, the older Items are updated, one after the other, or their revocations would be lost.
 */
export interface AddressDeps {
  config: Pick<Config, 'plaid' | 'publicUrl'>;
  storage: Storage;
  secrets: Secrets;
  plaid: PlaidClient;
  timing: Timing;
  log: Logger;
}

/** An Item that is just being connected learns its address within that time. */
const SETTLED_MS = 15 * 60_000;
/** Instances with different settings would set it back and forth: not more often than this. */
const REST_MS = 3600_000;
/** In addition to the customers' own calls, and for days if there are millions of Items. */
const CALLS_AT_ONCE = 4;

/** Gives Plaid the present address for Items that have another. @returns whether more is due at once */
export async function updateAddresses(deps: AddressDeps, batch: number): Promise<boolean> {
  const url = webhookUrl(deps.config);
  if (url === undefined) return false;
  const now = await deps.storage.now();
  const due = await findOutdated(deps.storage, url, now, batch);
  const limit = pLimit(CALLS_AT_ONCE);
  await Promise.all(due.map((item) => limit(updateAddress, deps, item, url)));
  return due.length === batch;
}

/** By three ranges of the index, which "is another" would not use. */
async function findOutdated({ db }: Storage, url: string, now: number, batch: number): Promise<ItemTable[]> {
  const due = db
    .selectFrom('items')
    .selectAll()
    .where('status', '=', 'linked')
    .where('access_token_enc', 'is not', null)
    .where('next_at', '<=', now)
    .where('created_at', '<=', now - SETTLED_MS);
  const ranges = [
    due.where('webhook_url', 'is', null),
    due.where('webhook_url', '<', url),
    due.where('webhook_url', '>', url),
  ];
  const found: ItemTable[] = [];
  for (const range of ranges) {
    if (found.length < batch) found.push(...(await range.limit(batch - found.length).execute()));
  }
  return found;
}

async function updateAddress({ storage, secrets, plaid, timing, log }: AddressDeps, item: ItemTable, url: string) {
  const now = await storage.now();
  const write = (patch: Partial<ItemTable>) =>
    storage.db.updateTable('items').set(patch).where('id', '=', item.id).where('status', '=', 'linked');
  const seen = { id: item.id, status: 'linked', next_at: item.next_at } as const;
  const isOurs = await claimRow(storage, 'items', seen, { next_at: now + timing.jobLeaseMs });
  const accessToken = accessTokenOf(secrets, item);
  if (!isOurs || accessToken === null) return;
  try {
    await plaid.updateWebhook(accessToken, url);
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const { code, failure } = error;
    log.warn({ item: item.id, code }, 'webhook URL of an item could not be updated');
    // A definite refusal means that there is no such Item any more, and there are no webhooks of it.
    if (failure !== 'refused') {
      const next_at = now + Math.ceil(backoff(QUICK_ATTEMPTS + item.tries, timing));
      await write({ tries: item.tries + 1, next_at }).execute();
      return;
    }
  }
  await write({ webhook_url: url, tries: 0, next_at: now + REST_MS }).execute();
}
