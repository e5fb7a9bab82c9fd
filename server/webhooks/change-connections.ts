import type { FinixClient } from '../clients/finix.ts';
import type { PlaidClient } from '../clients/plaid.ts';
import type { Config } from '../config.ts';
import type { BankConnector } from '../connect/bank-connector.ts';
import type { Logger } from '../log.ts';
import type { Initiator } from '../records/audit.ts';
import { lockConnection } from '../records/connections.ts';
import { isBusy } from '../records/items.ts';
import type { Outbox } from '../records/outbox.ts';
import type { Unit } from '../records/unit.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { ConnectionTable, InboundEventTable } from '../storage/tables.ts';
import { NotNow } from '../work/retry.ts';
import type { Timing } from '../work/timing.ts';

/** What handlers of webhooks work with, and the one way in which they change connections. */
export interface WebhookDeps {
  config: Pick<Config, 'plaid' | 'returns'>;
  storage: Storage;
  secrets: Secrets;
  plaid: PlaidClient;
  finix: FinixClient;
  outbox: Outbox;
  timing: Timing;
  connector: BankConnector;
  tasks: { run(id: string): Promise<void> };
  log: Logger;
}

export type Outcome = 'handled' | 'ignored';

/** A session that is processing the Item is done within seconds. */
export const BUSY_MS = 2_000;

/** One change of one connection; undefined: not for this one. */
export type Change = (unit: Unit, before: ConnectionTable) => Promise<ConnectionTable | undefined> | undefined;

export interface ChangeOptions {
  /** Only this connection of the Item; all of them when left out. */
  only?: string;
  /** What stops a debit does not wait for a session that works on the Item; the session finds it in the row. */
  isUrgent?: boolean;
}

/**
 * Changes connections of one Item together, then works on the tasks that came of it.
 * @throws NotNow while a session works on the Item, unless urgent
 */
export async function change(
  deps: WebhookDeps,
  event: InboundEventTable,
  itemId: string,
  each: Change,
  { only, isUrgent = false }: ChangeOptions = {},
): Promise<void> {
  const { storage, tasks } = deps;
  const now = await storage.now();
  const by: Initiator = { actor: event.source, details: { webhook: event.type } };
  const customer = await customerOf(storage, itemId);
  if (customer === undefined) return;
  const due = await storage.transaction(`customer:${customer}`, async (trx) => {
    const unit: Unit = { trx, outbox: deps.outbox, now, by };
    const withTasks: string[] = [];
    await refuseOvertaken(trx, event, now);
    await trx
      .updateTable('items')
      .set((eb) => ({ updated_at: eb.ref('updated_at') }))
      .where('id', '=', itemId)
      .execute();
    let query = trx.selectFrom('connections').select('id').where('item_id', '=', itemId);
    if (only !== undefined) query = query.where('id', '=', only);
    const connections = await query.where('status', '!=', 'removed').orderBy('id').execute();
    const isWaitedFor = !isUrgent || connections.length === 0;
    if (isWaitedFor && (await isBusy(trx, itemId))) throw new NotNow('in_use', BUSY_MS);
    for (const { id } of connections) {
      const before = await lockConnection(trx, id);
      const after = before && (await each(unit, before));
      if (after?.goal) withTasks.push(id);
    }
    return withTasks;
  });
  await Promise.all(due.map((id) => tasks.run(id)));
}

/** Whose Item it is; undefined: it has been deleted by age, with all that belonged to it. */
async function customerOf({ db }: Storage, itemId: string): Promise<string | undefined> {
  const session = await db
    .selectFrom('items')
    .innerJoin('sessions', 'sessions.id', 'items.session_id')
    .select('sessions.customer_id')
    .where('items.id', '=', itemId)
    .executeTakeFirst();
  if (session) return session.customer_id;
  const [connection] = await db.selectFrom('connections').select('customer_id').where('item_id', '=', itemId).execute();
  return connection?.customer_id;
}

/**
 * A process that was frozen while it handled the webhook comes back with an old answer; another worker has handled it
 * since, or a later one about the same thing, for which its time must be over.
 * @throws NotNow
 */
export async function refuseOvertaken(
  trx: StorageTransaction,
  { id, lease_until }: InboundEventTable,
  now: number,
): Promise<void> {
  const held = await trx
    .updateTable('inbound_events')
    .set({ lease_until })
    .where('id', '=', id)
    .where('status', '=', 'received')
    .where('lease_until', '=', lease_until)
    .where('lease_until', '>', now)
    .executeTakeFirst();
  if (held.numUpdatedRows === 0n) throw new NotNow('in_use', 0);
}
