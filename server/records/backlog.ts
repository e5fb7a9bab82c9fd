import type { Backlog } from '../metrics.ts';
import type { Storage } from '../storage/open.ts';

/** A scrape comes every 15 seconds or so, from each of several collectors; each reads the same numbers. */
const FRESH_MS = 5_000;

/** What waits in the database, by kind, and since when the oldest does. Read at most every few seconds. */
export function createBacklog({ storage }: { storage: Storage }): () => Promise<Backlog[]> {
  let read: { at: number; rows: Promise<Backlog[]> } | undefined;
  return () => {
    if (!read || performance.now() - read.at > FRESH_MS) {
      const rows = readBacklog(storage);
      read = { at: performance.now(), rows };
      rows.catch(() => {
        read = undefined;
      });
    }
    return read.rows;
  };
}

async function readBacklog(storage: Storage): Promise<Backlog[]> {
  const { db } = storage;
  const now = await storage.now();
  const count = db.fn.countAll<number>().as('count');
  const queries = {
    sessions: db
      .selectFrom('sessions')
      .select(({ fn }) => [count, fn.min('processing_since').as('since')])
      .where('status', '=', 'processing'),
    connection_tasks: db
      .selectFrom('connections')
      .select(({ fn }) => [count, fn.min('goal_since').as('since')])
      .where('goal', 'is not', null),
    create_calls: db.selectFrom('create_calls').select(({ fn }) => [count, fn.min('sent_at').as('since')]),
    item_removals: db
      .selectFrom('items')
      .select(({ fn }) => [count, fn.min('updated_at').as('since')])
      .where('status', '=', 'removing'),
    webhooks_received: db
      .selectFrom('inbound_events')
      .select(({ fn }) => [count, fn.min('received_at').as('since')])
      .where('status', '=', 'received'),
    webhooks_pending: db
      .selectFrom('deliveries')
      .select(({ fn }) => [count, fn.min('created_at').as('since')])
      .where('status', '=', 'pending'),
    webhooks_dead: db
      .selectFrom('deliveries')
      .select(({ fn }) => [count, fn.min('created_at').as('since')])
      .where('status', '=', 'dead'),
  };
  return Promise.all(
    Object.entries(queries).map(async ([kind, query]): Promise<Backlog> => {
      const { count, since } = await query.executeTakeFirstOrThrow();
      const oldest = since === null ? 0 : Math.max(0, now - Number(since)) / 1000;
      return { kind, count: Number(count), oldest };
    }),
  );
}
