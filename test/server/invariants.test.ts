import { afterEach, describe, expect, it, vi } from 'vitest';
import { UpstreamError } from '../../server/clients/outbound.ts';
import { changeConnection, lockConnection } from '../../server/records/connections.ts';
import { createOutbox } from '../../server/records/outbox.ts';
import type { ConnectionTable } from '../../server/storage/tables.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { Gate } from '../helpers/gate.ts';
import { type Receiver, startReceiver, WEBHOOK_SECRET } from '../helpers/receiver.ts';
import { TestServer, type TestServerOptions } from '../helpers/server.ts';

/** Rules that hold under any concurrent change. Each fails when the one line that keeps it is taken away. */

let server: TestServer;
let receiver: Receiver;
afterEach(async () => {
  vi.restoreAllMocks();
  await server.close();
  await receiver.close();
});

/** A server whose events a merchant receives. */
async function start(options: TestServerOptions = {}): Promise<void> {
  receiver = await startReceiver();
  const env = { MERCHANT_WEBHOOK_URL: receiver.url, MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET };
  server = await TestServer.start({ env, ...options });
}

const { bank, enabled, item, connect, read, settled, expectStatus } = connectionLifecycle(() => server);
const fault = (rule: Parameters<typeof server.upstream.simulator.faults.add>[0]) =>
  server.upstream.simulator.faults.add(rule);
const row = (id: string) =>
  server.storage.db.selectFrom('connections').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

describe('a connection that is being removed', () => {
  it('a connection that is being removed never becomes usable again when a webhook comes in the meantime', async () => {
    await start();
    const { id } = await connect();
    fault({ service: 'finix', path: '/payment_instruments*', method: 'PUT', kind: 'status', status: 503 });
    expect((await server.merchant('DELETE', `/v1/connections/${id}`)).status).toBe(202);
    const { item_id } = item();
    bank().breakLogin(item_id);
    bank().repairLogin(item_id);
    bank().renumber(item_id);
    bank().verify(item_id, 'automatically_verified');
    bank().withholdNumbers(item_id);
    await server.upstream.simulator.webhooks.settled();
    await server.jobs.tick();
    expect((await read(id)).status).toBe('revoked');
    server.upstream.simulator.faults.clear();
    server.clockOffset += 3600_000;
    await expectStatus(id, 'removed');
    expect(receiver.types().filter((type) => type.startsWith('connection.'))).toEqual([
      'connection.active',
      'connection.removed',
    ]);
  });

  it.each<Partial<ConnectionTable>>([
    { status: 'active', payment_instrument: 'PIlate' },
    { status: 'active', reason: null, repaired_at: 1 },
    { status: 'pending_verification' },
    { status: 'needs_repair', goal: null },
    { status: 'active', goal: 'instrument' },
  ])(
    'a connection that is being removed never becomes usable again when a repair writes %j in the meantime',
    async (patch) => {
      await start();
      const { id } = await connect();
      fault({ service: 'finix', path: '/payment_instruments*', method: 'PUT', kind: 'status', status: 503 });
      await server.merchant('DELETE', `/v1/connections/${id}`);
      const { customer_id } = await row(id);
      const deliveries = () => server.storage.db.selectFrom('deliveries').selectAll().execute();
      const before = await deliveries();
      const after = await server.storage.transaction(`customer:${customer_id}`, async (trx) => {
        const present = await lockConnection(trx, id);
        if (!present) throw new Error('there is no connection');
        return changeConnection(
          { trx, outbox: createOutbox(server.config), now: Date.now(), by: { actor: 'job' } },
          present,
          patch,
        );
      });
      expect([after.status, after.goal]).toEqual(['revoked', 'remove']);
      expect(await deliveries()).toEqual(before);
    },
  );

  it('a connection is removed although Finix no longer knows its instrument', async () => {
    await start();
    const { id } = await connect();
    fault({ service: 'finix', path: '/payment_instruments*', method: 'PUT', kind: 'status', status: 404 });
    const { status, body } = await server.merchant('DELETE', `/v1/connections/${id}`);
    expect([status, body.status]).toEqual([200, 'removed']);
  });
});

it('a connection is revoked although Finix no longer knows its instrument', async () => {
  await start();
  const { id } = await connect();
  fault({ service: 'finix', path: '/payment_instruments*', method: 'PUT', kind: 'status', status: 404 });
  bank().revokePermission(item().item_id);
  await expectStatus(id, 'revoked');
  expect((await row(id)).goal).toBeNull();
});

it('erasing a customer also erases the stored responses to their idempotent requests', async () => {
  await start();
  const request = { customer_id: 'ada@example.com' };
  const create = () => server.merchant('POST', '/v1/sessions', request, { 'Idempotency-Key': 'order-4711' });
  const first = await create();
  expect((await create()).body.id).toBe(first.body.id);
  const link = await server.merchant('POST', '/v1/links', request, { 'Idempotency-Key': 'invoice-4711' });
  expect(link.status).toBe(201);
  await server.merchant('DELETE', '/v1/customers/ada@example.com');
  await settled();
  expect((await server.merchant('DELETE', '/v1/customers/ada@example.com')).body.status).toBe('erased');
  const stored = await server.storage.db.selectFrom('idempotency').selectAll().execute();
  expect(stored).toEqual([]);
  const again = await create();
  expect([again.status, again.body.id]).toEqual([201, expect.not.stringMatching(first.body.id)]);
});

it('updated_at of a connection grows strictly with every change, also within one millisecond', async () => {
  await start();
  const { id } = await connect();
  const { created_at } = await row(id);
  vi.spyOn(server.storage, 'now').mockResolvedValue(created_at + 1000);
  const times: string[] = [(await read(id)).updated_at];
  const change = async (patch: Partial<ConnectionTable>) => {
    const { customer_id } = await row(id);
    await server.storage.transaction(`customer:${customer_id}`, async (trx) => {
      const before = await lockConnection(trx, id);
      const now = await server.storage.now();
      if (before)
        await changeConnection(
          { trx, outbox: createOutbox(server.config), now, by: { actor: 'plaid' } },
          before,
          patch,
        );
    });
    times.push((await read(id)).updated_at);
  };
  await change({ status: 'needs_repair', reason: 'PENDING_DISCONNECT' });
  await change({ status: 'active', reason: null });
  await change({ bank_account_validation_check: 'VALID' });
  expect(times).toEqual([...new Set(times)].sort());
  expect(times).toHaveLength(4);
});

it('a session completes when a later session of the customer has just replaced its connection', async () => {
  const refusal = new Gate();
  let creates = 0;
  await start({
    wrapClients: ({ plaid, finix }) => ({
      plaid,
      finix: {
        ...finix,
        async createPaymentInstrument(request) {
          creates += 1;
          // The earlier session's first account, and the later session's.
          if (creates === 1 || creates === 3) return finix.createPaymentInstrument(request);
          await refusal.passed;
          throw new UpstreamError('finix', 'createPaymentInstrument', 'refused', 'INVALID_FIELD', { status: 422 });
        },
      },
    }),
  });
  const earlier = await server.createSession({ account_selection: 'multiple' });
  const work = server.complete(earlier, await server.publicToken('user_several'));
  await expect.poll(() => creates).toBe(2);

  const later = await server.createSession();
  const token = await server.publicToken('user_several');
  const { body: asked } = await server.complete(later, token);
  const [replaced] = (await server.merchant('GET', '/v1/connections?customer_id=cus_1&status=active')).body.data;
  const same = asked.accounts.find(({ mask }: { mask: string }) => mask === replaced.account.mask);
  const { body } = await server.complete(later, token, { accounts: [{ id: same.id }] });
  expect(body.status).toBe('completed');

  refusal.open();
  const { body: ended } = await work;
  expect([ended.status, ended.error]).toEqual(['completed', null]);
  await expectStatus(replaced.id, 'removed');
  expect(enabled()).toEqual([body.connections[0].payment_instrument]);
});

describe('a resend that is requested during an attempt', () => {
  const tick = () => server.jobs.tick();
  const rowsOf = () => server.storage.db.selectFrom('deliveries').selectAll().orderBy('created_at').execute();

  it('a resend that is requested during an attempt is sent, and the result of that attempt does not overwrite it', async () => {
    await start();
    await connect();
    const first = receiver.hold();
    const attempt = tick();
    await expect.poll(() => receiver.received.length).toBe(2);
    const [delivery] = await rowsOf();
    await server.merchant('POST', `/v1/webhook-deliveries/${delivery?.id}/resend`);
    first.open();
    await attempt;
    await tick();
    expect(receiver.received.filter(({ headers }) => headers['webhook-id'] === delivery?.id)).toHaveLength(2);
  });

  it('a resend is not overwritten when the attempt ends while the resend is being stored', async () => {
    await start();
    await connect();
    receiver.answer = { status: 204 };
    const first = receiver.hold();
    const attempt = tick();
    await expect.poll(() => receiver.received.length).toBe(2);
    const [delivery] = await rowsOf();
    await server.merchant('POST', `/v1/webhook-deliveries/${delivery?.id}/resend`);
    receiver.answer = { status: 500 };
    const second = receiver.hold();
    const resend = tick();
    await expect.poll(() => receiver.received.length).toBe(3);
    first.open();
    await attempt;
    expect((await rowsOf())[0]?.status).toBe('pending');
    second.open();
    await resend;
    expect((await rowsOf())[0]).toMatchObject({ status: 'pending', tries: 1, last_status: 500 });
  });
});

it('two accounts of one Item with one name and mask are two accounts, also at a bank that renumbers', async () => {
  await start({
    wrapClients: ({ plaid, finix }) => ({
      finix,
      plaid: {
        ...plaid,
        async getAccounts(accessToken) {
          const login = await plaid.getAccounts(accessToken);
          const accounts = login.accounts.map((account) => ({ ...account, name: 'Checking', mask: '0000' }));
          return { ...login, accounts, institutionId: 'ins_56' };
        },
      },
    }),
  });
  const session = await server.createSession({ account_selection: 'multiple' });
  const { body } = await server.complete(session, await server.publicToken('user_several'));
  await settled();
  const { body: list } = await server.merchant('GET', '/v1/connections?customer_id=cus_1&status=active');
  expect(list.data).toHaveLength(4);
  expect(body.connections).toHaveLength(4);
  expect(enabled()).toHaveLength(4);
});
