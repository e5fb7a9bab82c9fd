import { sql } from 'kysely';
import type { LinkStatus } from '../../widget/contract.ts';
import { PROOF_KEEP_MS } from '../records/audit.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';

/** Rows that name a customer and have no end of their own: what is kept of them goes with what they were kept for. */

/** How the ids of public sessions' customers begin. */
const ANONYMOUS = 'anon_';

/** The connections of a link, and its session, live on by themselves. */
export async function purgeLinks(
  storage: Storage,
  statuses: LinkStatus[],
  endedBefore: number,
  batch: number,
): Promise<boolean> {
  return storage.transaction('retention', async (trx) => {
    // By the end that was set at creation, which has an index: a link ends three weeks before it at the earliest.
    const old = await trx
      .deleteFrom('links')
      .where('id', 'in', (eb) =>
        eb
          .selectFrom('links')
          .select('id')
          .where('status', 'in', statuses)
          .where('expires_at', '<=', endedBefore)
          .limit(batch),
      )
      .returning('customer_id')
      .execute();
    await purgeCustomers(trx, old);
    return old.length === batch;
  });
}

/**
 * Connections whose proof is over. An instrument of one that is enabled at Finix is found by `reconcile` as one that no
 * connection uses, as long as Finix has it.
 */
export async function purgeConnections(storage: Storage, now: number, batch: number): Promise<boolean> {
  return storage.transaction('retention', async (trx) => {
    const old = await trx
      .deleteFrom('connections')
      .where('id', 'in', (eb) =>
        eb
          .selectFrom('connections')
          .select('id')
          .where('removed_at', '<=', now - PROOF_KEEP_MS)
          .where('goal', 'is', null)
          .where('sweep_at', 'is', null)
          // What a create call has made is still to be found, and to be disabled.
          .where('id', 'not in', (calls) =>
            calls
              .selectFrom('create_calls')
              .select(sql<string>`connection_id`.as('id'))
              .where('connection_id', 'is not', null),
          )
          .limit(batch),
      )
      .returning(['id', 'customer_id'])
      .execute();
    if (old.length === 0) return false;
    const ids = old.map(({ id }) => id);
    await trx.deleteFrom('connection_instruments').where('connection_id', 'in', ids).execute();
    await purgeCustomers(trx, old);
    return old.length === batch;
  });
}

/**
 * Of the customers who had a public session and whom no later session can name. A merchant's customer has the same
 * identity at Finix however long the next bank takes; its row goes with an erasure.
 */
export async function purgeCustomers(trx: StorageTransaction, gone: { customer_id: string }[]): Promise<void> {
  const ids = [...new Set(gone.map(({ customer_id }) => customer_id))];
  if (ids.length === 0) return;
  let query = trx.deleteFrom('customers').where('customer_id', 'in', ids).where('customer_id', 'like', `${ANONYMOUS}%`);
  // A create call in doubt finds its customer again.
  for (const table of ['sessions', 'links', 'connections', 'create_calls'] as const) {
    query = query.where(({ exists, not, selectFrom }) =>
      not(
        exists(selectFrom(table).select(`${table}.id`).whereRef(`${table}.customer_id`, '=', 'customers.customer_id')),
      ),
    );
  }
  await query.execute();
}
