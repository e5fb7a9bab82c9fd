import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { eventually, QUICK, TestServer } from '../helpers/server.ts';

let server: TestServer;
const { connect, enabled, read, settled } = connectionLifecycle(() => server);

beforeEach(async () => {
  server = await TestServer.start(QUICK);
});
afterEach(() => server.close());

/** The account waits for micro-deposits, which arrive; then it has its instrument. */
async function expectVerifiedLater({ id, session }: Awaited<ReturnType<typeof connect>>, instruments: number) {
  const { body } = await server.page(session, 'GET', '');
  expect([body.status, (await read(id)).status]).toEqual(['completed', 'pending_verification']);
  const stored = await server.storage.db
    .selectFrom('items')
    .innerJoin('connections', 'connections.item_id', 'items.id')
    .select(['items.status', 'items.plaid_item_id'])
    .where('connections.id', '=', id)
    .executeTakeFirstOrThrow();
  expect(stored.status).toBe('linked');
  server.upstream.simulator.bank.verify(stored.plaid_item_id ?? '', 'automatically_verified');
  await settled();
  expect((await read(id)).status).toBe('active');
  expect(enabled()).toHaveLength(instruments);
}

describe('an account that waits for micro-deposits, of a customer whose identity is known,', () => {
  it('is kept, and connected when it is verified, where the customer has connected another account before', async () => {
    await connect();
    await expectVerifiedLater(await connect('user_pending_verification'), 2);
  });

  it('is kept where the merchant names the identity', async () => {
    await connect();
    const [identity] = server.ledger.identities();
    const session = await server.createSession({ customer_id: 'cus_2', finix_identity: identity?.id ?? '' });
    const { body } = await server.complete(session, await server.publicToken('user_pending_verification'));
    await expectVerifiedLater({ session, id: body.connections[0].id }, 2);
  });

  it('is kept where the identity is found again after its answer was lost', async () => {
    server.upstream.simulator.faults.add({
      service: 'finix',
      path: '/identities',
      method: 'POST',
      kind: 'timeout',
      when: 'after',
      times: 1,
    });
    const session = await server.createSession();
    await server.complete(session, await server.publicToken('user_pending_verification'));
    const id = await eventually(async () => {
      await server.jobs.tick();
      const { body } = await server.page(session, 'GET', '');
      return body.status === 'completed' && body.connections[0].id;
    });
    expect(server.ledger.identities()).toHaveLength(1);
    await expectVerifiedLater({ session, id }, 1);
  });
});
