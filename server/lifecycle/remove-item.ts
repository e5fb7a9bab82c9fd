import { UpstreamError } from '../clients/outbound.ts';
import type { PlaidClient } from '../clients/plaid.ts';
import type { Logger } from '../log.ts';
import { addAudit } from '../records/audit.ts';
import { accessTokenOf } from '../records/items.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';
import { GONE_CONNECTION } from '../storage/statuses.ts';
import type { ConnectionTable, ItemTable } from '../storage/tables.ts';
import { about } from '../trace.ts';
import { claimRow } from '../work/claim-row.ts';
import { backoff, Postpone, QUICK_ATTEMPTS } from '../work/retry.ts';
import type { Timing } from '../work/timing.ts';

/** The end of an Item at Plaid. Every step may be repeated, and is recorded in the database before it begins. */
export interface RemovalDeps {
  storage: Storage;
  secrets: Secrets;
  plaid: PlaidClient;
  timing: Timing;
  log: Logger;
}

/**
 * Removes a connection's Item at Plaid, unless another connection still uses it.
 * @throws Postpone, UpstreamError while Plaid can't
 */
export async function releaseItem(deps: RemovalDeps, connection: ConnectionTable): Promise<void> {
  const now = await deps.storage.now();
  const item = await deps.storage.transaction(`customer:${connection.customer_id}`, async (trx) => {
    const held = await trx
      .updateTable('items')
      .set((eb) => ({ updated_at: eb.ref('updated_at') }))
      .where('id', '=', connection.item_id)
      .returningAll()
      .executeTakeFirst();
    // Long gone, and deleted by age.
    if (!held) return undefined;
    if (held.status !== 'linked') return held;
    const other = await trx
      .selectFrom('connections')
      .select('id')
      .where('item_id', '=', held.id)
      .where('id', '!=', connection.id)
      .where('status', 'not in', GONE_CONNECTION)
      .where((eb) => eb.or([eb('goal', 'is', null), eb('goal', '!=', 'remove')]))
      .executeTakeFirst();
    if (other) return undefined;
    return (
      trx
        .updateTable('items')
        // Taken at once, so that no job comes between.
        .set({
          status: 'removing',
          next_at: now + deps.timing.jobLeaseMs,
          tries: 0,
          public_token_enc: null,
          updated_at: now,
        })
        .where('id', '=', held.id)
        .returningAll()
        .executeTakeFirstOrThrow()
    );
  });
  if (item?.status === 'removing' && !(await removeItem(deps, item))) throw new Postpone('plaid_unavailable');
}

/**
 * Removes an Item at Plaid and destroys its access token. Repeating it is harmless.
 * @returns false when it has to be tried again later
 */
export async function removeItem(deps: RemovalDeps, item: ItemTable): Promise<boolean> {
  const { storage, secrets, plaid, timing, log } = deps;
  const now = await storage.now();
  const write = (trx: StorageTransaction | Storage['db'], patch: Partial<ItemTable>) =>
    trx
      .updateTable('items')
      .set({ ...patch, updated_at: now })
      .where('id', '=', item.id)
      .where('status', '=', 'removing')
      .executeTakeFirst();
  const seen = { id: item.id, status: 'removing', next_at: item.next_at } as const;
  if (!(await claimRow(storage, 'items', seen, { next_at: now + timing.jobLeaseMs }))) return false;
  try {
    const accessToken = accessTokenOf(secrets, item);
    if (accessToken !== null) await about({ session: item.session_id }, () => plaid.removeItem(accessToken));
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    // A definite no means that the Item is not there, or never will be removed: there is nothing left to try.
    if (error.failure !== 'refused') {
      log.warn({ item: item.id, code: error.code }, 'item removal postponed');
      // Removing an Item may wait for a day of Plaid's outage; each try is one call.
      const delay = Math.ceil(backoff(QUICK_ATTEMPTS + item.tries, timing));
      await write(storage.db, { tries: item.tries + 1, next_at: now + delay });
      return false;
    }
  }
  await storage.transaction(`item:${item.id}`, async (trx) => {
    const removed = await write(trx, { status: 'removed', access_token_enc: null });
    if (removed.numUpdatedRows > 0n) {
      await addAudit(trx, now, { actor: 'job' }, 'item.removed', { session: item.session_id });
    }
  });
  return true;
}
