import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { type ConnectBankDeps, STEPS } from '../../server/connect/connect-bank.ts';
import { releaseItems } from '../../server/records/items.ts';
import { openStorage } from '../../server/storage/open.ts';
import { createSecrets } from '../../server/storage/secrets.ts';
import { Fenced } from '../../server/work/retry.ts';
import type { HeldSession } from '../../server/work/session-lease.ts';
import { TIMING } from '../../server/work/timing.ts';
import { ENCRYPTION_KEY, eventually } from '../helpers/server.ts';
import { migratedOn, withPostgres } from '../helpers/storages.ts';
import { rows } from './storage/rows.ts';

withPostgres('on PostgreSQL', (postgres) => {
  it('an access token that comes in the middle of a session’s end is removed with it', async () => {
    const databaseUrl = await migratedOn(postgres());
    // Unguarded, because what happens in the middle of the one's transaction is the other's.
    const open = () => openStorage({ databaseUrl, dataDir: '/nonexistent', guarded: false });
    const storage = await open();
    const other = await open();
    const secrets = createSecrets([ENCRYPTION_KEY]);
    const where = { table: 'items', row: rows.items.id, column: 'public_token_enc' };
    const public_token_enc = secrets.seal('public-sandbox-1', where);
    await storage.db
      .insertInto('items')
      .values({ ...rows.items, status: 'exchanging', public_token_enc })
      .execute();
    // The worker that was here before: overtaken, with Plaid's answer in hand.
    const held = {
      row: rows.sessions,
      stage: 'accepted',
      known: {},
      write: () => Promise.reject(new Fenced('test')),
    } as unknown as HeldSession;
    const plaid = { exchangePublicToken: async () => ({ accessToken: 'access-1', itemId: 'plaid-item' }) };
    const leave = () =>
      STEPS.started({ storage: other, secrets, plaid, timing: TIMING } as unknown as ConnectBankDeps, held).catch(
        (error: unknown) => error,
      );

    let left: Promise<unknown> | undefined;
    await storage.transaction('customer:customer-1', (trx) =>
      releaseItems(
        trx.withPlugin({
          transformQuery: ({ node }) => node,
          async transformResult({ result }) {
            if (left) return result;
            left = leave();
            // It has written, or waits for this transaction.
            await eventually(async () => (await isDone(left)) || (await isWaiting()));
            return result;
          },
        }),
        rows.sessions.id,
        2,
      ),
    );
    expect(await left).toBeInstanceOf(Fenced);
    const item = await storage.db.selectFrom('items').selectAll().executeTakeFirstOrThrow();
    expect(item.status).toBe('removing');
    expect(item.access_token_enc).not.toBeNull();
    await storage.close();
    await other.close();

    async function isWaiting(): Promise<boolean> {
      const waiting = await sql`select 1 from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`.execute(other.db);
      return waiting.rows.length > 0;
    }
  });
});

async function isDone(work: Promise<unknown> | undefined): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([work, new Promise((resolve) => setImmediate(resolve, pending))])) !== pending;
}
