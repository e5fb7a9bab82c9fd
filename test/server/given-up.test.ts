import { afterEach, expect, it } from 'vitest';
import { UpstreamError } from '../../server/clients/outbound.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { patient } from '../helpers/patience.mjs';
import { type Answer, eventually, TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());
const { bank, item, enabled, connect, read, settled } = connectionLifecycle(() => server);

const ALMOST_ALL_OF_THE_BUDGET_MS = 71.5 * 3600_000;

/** Finix makes the first account's instrument, and none of the others. */
async function startWithOneInstrument(): Promise<void> {
  let made = 0;
  server = await TestServer.start({
    answerWithinMs: patient(100),
    timing: { slowBaseMs: 10, slowCapMs: 20 },
    wrapClients: ({ plaid, finix }) => ({
      plaid,
      finix: {
        ...finix,
        async createPaymentInstrument(request) {
          if (made++ === 0) return finix.createPaymentInstrument(request);
          throw new UpstreamError('finix', 'create payment instrument', 'busy', 'TEST', { status: 429 });
        },
      },
    }),
  });
}

/** Has almost all of a session's budget consumed, and its work go on until it is over. */
async function givenUp(id: string): Promise<Answer['body']> {
  await eventually(async () => {
    const { numUpdatedRows } = await server.storage.db
      .updateTable('sessions')
      .set({ waited_ms: ALMOST_ALL_OF_THE_BUDGET_MS })
      .where('lease_owner', 'is', null)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  });
  return eventually(async () => {
    await server.jobs.tick();
    server.clockOffset += 3600_000;
    const { body } = await server.merchant('GET', `/v1/sessions/${id}`);
    return body.status !== 'processing' && body;
  });
}

it('a session given up with one of its accounts connected completes with that one, which a revocation still ends', async () => {
  await startWithOneInstrument();
  const session = await server.createSession({ account_selection: 'multiple' });
  await server.complete(session, await server.publicToken('user_several'));
  const ended = await givenUp(session.id);
  expect(ended.status).toBe('completed');
  const connections = ended.connections as { id: string; status: string }[];
  const connected = connections.filter(({ status }) => status === 'active');
  expect(connected).toHaveLength(1);
  expect(connections.filter(({ status }) => status === 'failed')).toHaveLength(connections.length - 1);
  expect(enabled()).toHaveLength(1);

  bank().revokePermission(item().item_id);
  await settled();
  expect((await read(connected[0]?.id ?? '')).status).toBe('revoked');
  expect(enabled()).toEqual([]);
});

it('a session given up keeps the account that waits for its verification, which is connected later', async () => {
  server = await TestServer.start({ answerWithinMs: patient(100), timing: { slowBaseMs: 10, slowCapMs: 20 } });
  const busy = { service: 'finix', path: '/payment_instruments', method: 'POST', kind: 'status', status: 429 } as const;
  server.upstream.simulator.faults.add(busy);
  const session = await server.createSession({ account_selection: 'multiple' });
  await server.complete(session, await server.publicToken('user_several'));
  const { db } = server.storage;
  // The customer's identity is ready by then, and no worker holds the session.
  const { id } = await eventually(async () => {
    const held = await db.selectFrom('sessions').select('lease_owner').executeTakeFirstOrThrow();
    const ready = db.selectFrom('connections').select('id').where('finix_identity', 'is not', null).orderBy('id');
    return held.lease_owner === null && (await ready.executeTakeFirst());
  });
  await db.updateTable('connections').set({ status: 'pending_verification' }).where('id', '=', id).execute();
  const ended = await givenUp(session.id);
  expect(ended.status).toBe('completed');
  expect((await read(id)).status).toBe('pending_verification');
  expect(item().removed).toBe(false);

  server.upstream.simulator.faults.clear();
  bank().renumber(item().item_id);
  await settled();
  const { status, payment_instrument } = await read(id);
  expect(status).toBe('active');
  expect(enabled()).toEqual([payment_instrument]);
});

it('a renewal is given up after its budget, although each attempt writes that it is about to call Finix', async () => {
  server = await TestServer.start({ timing: { slowBaseMs: 10, slowCapMs: 20 } });
  const { id } = await connect();
  server.upstream.simulator.faults.add({
    service: 'finix',
    path: '/payment_instruments',
    method: 'POST',
    kind: 'status',
    status: 429,
  });
  bank().renumber(item().item_id);
  await eventually(async () => (await read(id)).status === 'pending');
  await server.storage.db.updateTable('connections').set({ waited_ms: ALMOST_ALL_OF_THE_BUDGET_MS }).execute();
  await eventually(async () => {
    server.clockOffset += 3600_000;
    await server.jobs.tick();
    return (await read(id)).status === 'failed';
  });
  await settled();
  expect(enabled()).toEqual([]);
  expect(server.ledger.items().every(({ removed }) => removed)).toBe(true);
});
