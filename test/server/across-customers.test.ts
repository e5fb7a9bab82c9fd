import { afterEach, expect, it } from 'vitest';
import { openStorage, type Storage } from '../../server/storage/open.ts';
import { TestServer } from '../helpers/server.ts';
import { migratedOn, withPostgres } from '../helpers/storages.ts';

/** What is unique over all customers is kept so by its keys, on which transactions of different customers meet. */
withPostgres('on PostgreSQL, of two customers on two instances', (postgres) => {
  const servers: TestServer[] = [];
  const storages: Storage[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0).reverse()) await server.close();
    for (const storage of storages.splice(0)) await storage.close();
  });

  async function start(): Promise<[TestServer, TestServer]> {
    const databaseUrl = await migratedOn(postgres());
    const open = async () => {
      const storage = await openStorage({ databaseUrl, dataDir: '/nonexistent' });
      storages.push(storage);
      return storage;
    };
    const first = await TestServer.start({ storage: await open() });
    servers.push(first);
    const second = await TestServer.start({ storage: await open(), upstream: first.upstream });
    servers.push(second);
    return [first, second];
  }

  it('a public token that two customers send connects one of them, and the other is asked to restart', async () => {
    const [first, second] = await start();
    for (let round = 0; round < 5; round++) {
      const sessions = await Promise.all([
        first.createSession({ customer_id: `one-${round}` }),
        second.createSession({ customer_id: `other-${round}` }),
      ]);
      const token = await first.publicToken();
      const answers = await Promise.all([first.complete(sessions[0], token), second.complete(sessions[1], token)]);
      const outcomes = answers.map(({ status, body }) => (status === 200 ? body.status : body.code));
      expect(outcomes.sort()).toEqual(['completed', 'restart_required']);
      expect(first.ledger.instruments()).toHaveLength(round + 1);
      expect(first.ledger.calls().filter(({ path }) => path.endsWith('/exchange'))).toHaveLength(round + 1);
    }
  });

  it('an Idempotency-Key that two customers use at once makes one session', async () => {
    const [first, second] = await start();
    for (let round = 0; round < 5; round++) {
      const key = { 'Idempotency-Key': `key-${round}` };
      const [one, same, other] = await Promise.all([
        first.merchant('POST', '/v1/sessions', { customer_id: 'customer-1' }, key),
        second.merchant('POST', '/v1/sessions', { customer_id: 'customer-1' }, key),
        second.merchant('POST', '/v1/sessions', { customer_id: 'customer-2' }, key),
      ]);
      const made = [one, same, other].filter(({ status }) => status === 201);
      const refused = [one, same, other].filter(({ status }) => status !== 201);
      expect(new Set(made.map(({ body }) => body.id)).size).toBe(1);
      for (const { body } of refused) expect(body.code).toBe('idempotency_key_reused');
      expect(await first.storage.db.selectFrom('sessions').select('id').execute()).toHaveLength(round + 1);
    }
  });
});
