import { afterEach, expect, it } from 'vitest';
import { eventually, TestServer } from '../helpers/server.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0).reverse()) await server.close();
});

/** Longer than a lease and the quiet period, and than any difference of two clocks that is put up with. */
const AWAY_MS = 10 * 60_000;

it.each(['identity', 'instrument'] as const)(
  'a machine that is paused with all of its clocks before it sends the create call of an %s does not send it',
  async (kind) => {
    const paused = await start();
    const other = await start(paused);
    const session = await paused.createSession();
    const token = await paused.publicToken();
    const { transaction } = paused.storage;
    let hasEnded = false;
    paused.storage.transaction = async (scope, fn) => {
      const result = await transaction(scope, fn);
      const announced = await paused.storage.db
        .selectFrom('create_calls')
        .select('id')
        .where('kind', '=', kind)
        .execute();
      if (announced.length === 0 || hasEnded) return result;
      hasEnded = true;
      // A later response to the calls that run at the same time would show what time it is.
      await eventually(async () =>
        paused.ledger.calls().some(({ path }) => path === '/processor/token/permissions/set'),
      );
      // The database and the providers go on in the meantime, and so does another machine.
      paused.clockOffset = AWAY_MS;
      await eventually(async () => {
        await other.jobs.tick();
        const { body } = await other.merchant('GET', `/v1/sessions/${session.id}`);
        return body.status === 'completed';
      });
      return result;
    };
    const { body } = await paused.complete(session, token);
    expect(body.status).toBe('completed');
    expect(paused.ledger.identities()).toHaveLength(1);
    expect(paused.ledger.instruments()).toHaveLength(1);
  },
);

async function start(first?: TestServer): Promise<TestServer> {
  const shared = first && { upstream: first.upstream, storage: first.storage };
  const server = await TestServer.start({ quietMs: 1_000, ...shared });
  servers.push(server);
  return server;
}
