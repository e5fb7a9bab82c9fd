import { afterEach, expect, it } from 'vitest';
import type { FaultRule } from '../../demo/simulator/index.ts';
import { disableLater, instrumentCall, putCall } from '../../server/records/create-calls.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { Gate } from '../helpers/gate.ts';
import { patient } from '../helpers/patience.mjs';
import { eventually, TestServer, type TestServerOptions } from '../helpers/server.ts';

/** Instruments that must go, and what prevents it. */

let server: TestServer;
afterEach(() => server.close());
const { webhooks, bank, item, enabled, changeInstrument, connect, read, expectStatus } = connectionLifecycle(
  () => server,
);

const INSTRUMENT = { service: 'finix', path: '/payment_instruments', method: 'POST' } as const;
const INSTRUMENT_LIST = { service: 'finix', path: '/payment_instruments', method: 'GET' } as const;
const PROCESSOR = { service: 'plaid', path: '/processor/token/create' } as const;
/** Retries come at once. */
const TIMING = { slowBaseMs: 20, slowCapMs: 50 };
const QUIET_MS = patient(1_000);

const fault = (rule: FaultRule) => server.upstream.simulator.faults.add(rule);
const connectionRow = (id: string) =>
  server.storage.db.selectFrom('connections').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
async function eventuallyInRounds(holds: () => Promise<boolean> | boolean): Promise<void> {
  await eventually(async () => {
    await server.jobs.tick();
    return holds();
  });
}

/** A connection with a second enabled instrument, which a call in doubt has made. */
async function expectTwo(options: TestServerOptions = {}): Promise<{ id: string; own: string; other: string }> {
  server = await TestServer.start({
    quietMs: QUIET_MS,
    timing: TIMING,
    simulator: { listLagMs: QUIET_MS / 2 },
    ...options,
  });
  fault({ ...INSTRUMENT, kind: 'status', when: 'after', times: 1 });
  const { id } = await connect();
  const own = (await read(id)).payment_instrument ?? '';
  const other = enabled().find((one) => one !== own) ?? '';
  expect(enabled()).toHaveLength(2);
  return { id, own, other };
}

it('an instrument that Finix refuses to disable keeps no other one of the connection enabled', async () => {
  const { id, own } = await expectTwo();
  // Then only the removal is in charge of both.
  await server.storage.db.deleteFrom('create_calls').execute();
  const path = `/payment_instruments/${own}`;
  fault({ service: 'finix', path, method: 'PUT', kind: 'finix_error', error_code: 'INVALID_FIELD' });
  await server.merchant('DELETE', `/v1/connections/${id}`);
  await eventuallyInRounds(() => enabled().length === 1);
  expect(enabled()).toEqual([own]);
  expect((await read(id)).status).toBe('revoked');
  server.upstream.simulator.faults.clear();
  await eventuallyInRounds(async () => (await read(id)).status === 'removed');
  expect(enabled()).toEqual([]);
});

it('an instrument known by its id is disabled also while Finix’s list can’t be had', async () => {
  const { id, other } = await expectTwo({ timing: {} });
  fault({ ...INSTRUMENT_LIST, kind: 'status', status: 503 });
  const row = await connectionRow(id);
  await server.storage.transaction(`customer:${row.customer_id}`, async (trx) => {
    await disableLater(trx, row, [other], await server.storage.now());
    await putCall(trx, instrumentCall(row, await server.storage.now()));
  });
  // In the first round already: after a failed list the next one is half a minute away.
  await server.jobs.tick();
  expect(enabled()).toEqual([row.payment_instrument]);
});

it('a gateway’s 404 is not taken for Finix’s word that there is no such instrument', async () => {
  server = await TestServer.start({ timing: TIMING });
  const { id } = await connect();
  fault({ service: 'finix', path: '/payment_instruments/*', kind: 'html', status: 404, times: 4 });
  const { status } = await server.merchant('DELETE', `/v1/connections/${id}`);
  expect(status).toBe(202);
  await eventuallyInRounds(async () => (await read(id)).status === 'removed');
  expect(enabled()).toEqual([]);
});

it('reconcile does not take a gateway’s 404 for a disabled instrument', async () => {
  server = await TestServer.start();
  const { id } = await connect();
  fault({ service: 'finix', path: '/payment_instruments/*', kind: 'html', status: 404 });
  await expect(server.reconcile({ fix: true, since: 0 })).rejects.toThrow('HTTP_404');
  expect((await read(id)).status).toBe('active');
});

it('an instrument that an account got when it was verified is not disabled by a look that began before', async () => {
  const disabling = new Gate();
  let isDisabling = false;
  server = await TestServer.start({
    quietMs: QUIET_MS,
    timing: TIMING,
    wrapClients: ({ plaid, finix }) => ({
      plaid,
      finix: {
        ...finix,
        async disablePaymentInstrument(id) {
          isDisabling = true;
          await disabling.passed;
          return finix.disablePaymentInstrument(id);
        },
      },
    }),
  });
  fault({ ...INSTRUMENT, kind: 'status', when: 'after', times: 1 });
  // The first list comes too early for what the call has made, and Plaid wants the account verified then.
  fault({ ...INSTRUMENT_LIST, kind: 'status', status: 200, body: { page: {} }, times: 1 });
  const session = await server.createSession();
  const completing = server.complete(session, await server.publicToken());
  await eventually(async () => server.ledger.instruments().length === 1);
  const verifiedAtLast = fault({ ...PROCESSOR, kind: 'plaid_error', error_code: 'PRODUCT_NOT_READY' });
  const { body } = await completing;
  const [{ id, status }] = body.connections;
  expect(status).toBe('pending_verification');
  const rounds: Promise<void>[] = [];
  await eventually(async () => {
    // A round that disables waits for the gate.
    rounds.push(server.jobs.tick());
    return isDisabling;
  });
  verifiedAtLast();
  webhooks().plaid(`${server.config.publicUrl}/webhooks/plaid`, {
    webhook_type: 'AUTH',
    webhook_code: 'AUTOMATICALLY_VERIFIED',
    item_id: item().item_id,
    account_id: item().account_ids[0],
  });
  await eventually(async () => (await read(id)).status === 'active');
  disabling.open();
  await Promise.all(rounds);
  await eventuallyInRounds(() => enabled().length === 1);
  const connection = await read(id);
  expect([connection.status, connection.payment_instrument]).toEqual(['active', enabled()[0]]);
});

/** What Link's update mode gives: a token that is not to be exchanged. */
const UPDATE_TOKEN = 'public-sandbox-99999999-9999-9999-9999-999999999999';

it('a worker that was frozen while it disabled leaves the instrument of a later repair alone', async () => {
  const listing = new Gate();
  let isRevoked = false;
  let isFrozen = false;
  server = await TestServer.start({
    wrapClients: ({ plaid, finix }) => ({
      plaid,
      finix: {
        ...finix,
        async listBankAccounts(...request) {
          if (isRevoked && !isFrozen) {
            isFrozen = true;
            await listing.passed;
          }
          return finix.listBankAccounts(...request);
        },
      },
    }),
  });
  const { id } = await connect();
  isRevoked = true;
  bank().revokePermission(item().item_id);
  await eventually(async () => isFrozen);
  const other = await TestServer.start({ upstream: server.upstream, storage: server.storage });
  // Longer than any lease on a task.
  other.clockOffset = 76_000;
  await eventually(async () => {
    await other.jobs.tick();
    return (await connectionRow(id)).goal === null;
  });
  await other.close();
  bank().signInAgain(item().item_id);
  const session = await server.createSession({ connection: id });
  await server.page(session, 'POST', '/link-token', {});
  expect((await server.complete(session, UPDATE_TOKEN)).body.status).toBe('completed');
  const { payment_instrument } = await read(id);
  listing.open();
  await expectStatus(id, 'active');
  // The frozen worker comes to its end.
  await server.jobs.stop();
  expect(enabled()).toEqual([payment_instrument]);
});

it('a removal disables an instrument of a generation that the database has lost', async () => {
  server = await TestServer.start();
  const { id } = await connect();
  const [old] = enabled();
  bank().renumber(item().item_id);
  await expectStatus(id, 'active');
  const [later] = enabled();
  expect(later).not.toBe(old);
  // An older copy of the database was restored.
  await server.storage.db
    .updateTable('connections')
    .set({ generation: 0, payment_instrument: old ?? null, previous_payment_instrument: null })
    .where('id', '=', id)
    .execute();
  await changeInstrument(id, { enabled: true });
  await server.merchant('DELETE', `/v1/connections/${id}`);
  await eventuallyInRounds(async () => (await read(id)).status === 'removed');
  expect(enabled()).toEqual([]);
});
