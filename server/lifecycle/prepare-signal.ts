import { UpstreamError } from '../clients/outbound.ts';
import type { PlaidClient } from '../clients/plaid.ts';
import type { Logger } from '../log.ts';
import { accessTokenOf } from '../records/items.ts';
import type { DueQuery, Now } from '../storage/due.ts';
import type { Storage } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { ItemTable } from '../storage/tables.ts';
import { claimRow } from '../work/claim-row.ts';
import { BUDGET_MS } from '../work/retry.ts';
import type { Timing } from '../work/timing.ts';

/**
 * Prepares Items for Signal. Consent alone does not initialize the product, and the first score of an Item that was not
 * prepared is less exact. No one waits for it, and a debit is checked without it.
 */
export interface PrepareDeps {
  storage: Storage;
  secrets: Secrets;
  plaid: PlaidClient;
  timing: Timing;
  log: Logger;
}

function dueItems(db: Storage['db'], now: Now) {
  return db.selectFrom('items').where('signal_prepare_at', '<=', now).orderBy('signal_prepare_at');
}

export const DUE_PREPARATIONS: DueQuery = (db, now) => dueItems(db, now).select('id');

/** @returns whether there may be more */
export async function prepareDueItems(deps: PrepareDeps, limit: number): Promise<boolean> {
  const now = await deps.storage.now();
  const due = await dueItems(deps.storage.db, now).selectAll().limit(limit).execute();
  await Promise.all(due.map((item) => prepare(deps, item, now)));
  return due.length === limit;
}

async function prepare(
  { storage, secrets, plaid, timing, log }: PrepareDeps,
  item: ItemTable,
  now: number,
): Promise<void> {
  const taken = now + timing.jobLeaseMs;
  const seen = { id: item.id, signal_prepare_at: item.signal_prepare_at };
  if (!(await claimRow(storage, 'items', seen, { signal_prepare_at: taken }))) return;
  const write = (patch: Partial<ItemTable>) =>
    claimRow(storage, 'items', { id: item.id, signal_prepare_at: taken }, patch);
  const accessToken = accessTokenOf(secrets, item);
  // On its way out, or removed.
  if (item.status !== 'linked' || accessToken === null) return void (await write({ signal_prepare_at: null }));
  try {
    await plaid.prepareSignal(accessToken);
    await write({ signal_prepare_at: null, signal_prepared_at: now });
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const { code, failure } = error;
    const isTemporary = failure === 'busy' || failure === 'lost';
    // A repair, which asks for the consent that may be missing, has it tried again.
    const isOver = !isTemporary || now - item.updated_at > BUDGET_MS;
    log.warn({ item: item.id, code, given_up: isOver }, 'item could not be prepared for Signal');
    await write({ signal_prepare_at: isOver ? null : now + timing.slowCapMs });
  }
}
