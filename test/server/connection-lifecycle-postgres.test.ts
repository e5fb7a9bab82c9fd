import { afterEach, expect, it } from 'vitest';
import { openStorage, type Storage } from '../../server/storage/open.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { type Receiver, startReceiver, WEBHOOK_SECRET } from '../helpers/receiver.ts';
import { eventually, TestServer } from '../helpers/server.ts';
import { migratedOn, withPostgres } from '../helpers/storages.ts';
import { throughLink } from '../helpers/through-link.ts';

/** The life of connections over PostgreSQL, with two instances that share it; the other tests run it over SQLite. */
withPostgres('on PostgreSQL, two instances', (postgres) => {
  let server: TestServer;
  let other: TestServer;
  let storages: Storage[];
  let receiver: Receiver;

  const { bank, enabled, item, connect, read } = connectionLifecycle(() => server);

  async function start(): Promise<void> {
    receiver = await startReceiver();
    const databaseUrl = await migratedOn(postgres());
    const open = () => openStorage({ databaseUrl, dataDir: '/nonexistent' });
    storages = [await open(), await open()];
    const env = { MERCHANT_WEBHOOK_URL: receiver.url, MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET };
    const [first, second] = storages;
    server = await TestServer.start({ env, storage: first as Storage });
    other = await TestServer.start({ env, storage: second as Storage, upstream: server.upstream });
  }

  afterEach(async () => {
    await other.close();
    await server.close();
    for (const storage of storages) await storage.close();
    await receiver.close();
  });

  /** Both work on everything that is due, at the same time. */
  const both = () => Promise.all([server.jobs.tick(), other.jobs.tick()]);

  async function expectStatus(id: string, status: string) {
    return eventually(async () => {
      await server.upstream.simulator.webhooks.settled();
      await both();
      const connection = await read(id);
      return connection.status === status && connection;
    });
  }

  it('two servers renew, revoke, repair, remove and erase, and the merchant gets one event of each', async () => {
    await start();
    server.upstream.simulator.webhooks.settings.copies = 3;
    const { id } = await connect();
    bank().renumber(item().item_id);
    await eventually(async () => {
      await both();
      return (await read(id)).previous_payment_instrument !== null && (await read(id)).status === 'active';
    });
    await expect.poll(async () => (await both()) && enabled()).toEqual([(await read(id)).payment_instrument]);

    bank().revokePermission(item().item_id);
    await expectStatus(id, 'revoked');
    await expect.poll(async () => (await both()) && enabled()).toEqual([]);

    bank().signInAgain(item().item_id);
    const repair = await server.createSession({ connection: id });
    await server.page(repair, 'POST', '/link-token', {});
    const { body } = await server.complete(repair, 'public-sandbox-99999999-9999-9999-9999-999999999999');
    expect(body.status).toBe('completed');
    expect(enabled()).toEqual([(await read(id)).payment_instrument]);

    const [answer] = await Promise.all([
      server.merchant('DELETE', '/v1/customers/cus_1'),
      other.merchant('DELETE', '/v1/customers/cus_1'),
    ]);
    expect([200, 202]).toContain(answer.status);
    await expectStatus(id, 'removed');
    expect(enabled()).toEqual([]);
    await eventually(async () => {
      await both();
      return receiver.types().includes('connection.removed');
    });
    const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids).size).toBe(ids.length);
    expect(receiver.types().filter((type) => type === 'connection.removed')).toHaveLength(1);
    const update = server.storage.db.updateTable('audit').set({ actor: 'job' }).execute();
    await expect(update).rejects.toThrow(/audit rows are never changed/);
  });

  it('two servers recognize an account once, and give Plaid another webhook address once', async () => {
    await start();
    server.upstream.simulator.settings.linkEvents = true;
    const visit = async (at: TestServer) => {
      const session = await server.createSession();
      const { body: link } = await at.page(session, 'POST', '/link-token', {});
      return { session, submission: await throughLink(server, link) };
    };
    const complete = (at: TestServer, { session, submission }: Awaited<ReturnType<typeof visit>>) =>
      at.complete(session, submission.public_token, submission);
    const first = await complete(server, await visit(server));
    const again = await visit(other);
    const answers = await Promise.all([server, other, server, other].map((at) => complete(at, again)));
    for (const { body } of answers) expect(body.connections).toEqual(first.body.connections);
    const calls = (path: string) => server.ledger.calls().filter((call) => call.path === path).length;
    expect(calls('/item/public_token/exchange')).toBe(1);

    await server.storage.db.updateTable('items').set({ webhook_url: 'https://old.example', created_at: 0 }).execute();
    await both();
    expect(calls('/item/webhook/update')).toBe(1);
  });

  it('two servers that connect the same account leave one instrument', async () => {
    await start();
    const sessions = [await server.createSession(), await server.createSession()];
    const tokens = [await server.publicToken(), await server.publicToken()];
    await Promise.all(sessions.map((session, i) => (i === 0 ? server : other).complete(session, tokens[i] ?? '')));
    await eventually(async () => {
      await both();
      return enabled().length === 1;
    });
    const { body } = await server.merchant('GET', '/v1/connections?customer_id=cus_1&status=active');
    expect(body.data.map((connection: { payment_instrument: string }) => connection.payment_instrument)).toEqual(
      enabled(),
    );
  });
});
