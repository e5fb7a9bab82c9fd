import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { debits, startWithDebits } from '../helpers/debits.ts';
import type { TestServer } from '../helpers/server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await startWithDebits();
});
afterEach(() => server.close());

const {
  ach,
  atFinix,
  bank,
  expectStatus,
  bring,
  connect,
  connectNew,
  debit,
  enabled,
  events,
  item,
  read,
  returned,
  settled,
} = debits(() => server);
const { delivered, webhooks } = debits(() => server);

/** What Link's update mode gives: a token that is not to be exchanged. */
const UPDATE_TOKEN = 'public-sandbox-99999999-9999-9999-9999-999999999999';

async function expectRepair(connection: string): Promise<void> {
  bank().signInAgain(item().item_id);
  const session = await server.createSession({ connection });
  await server.page(session, 'POST', '/link-token', {});
  expect((await server.complete(session, UPDATE_TOKEN)).body.status).toBe('completed');
}

const transferEvents = async () => (await events()).filter(({ type }) => type.startsWith('transfer/'));

describe('after a return', () => {
  it('after a return, the webhook of our own disabling changes nothing', async () => {
    const { id } = await connect();
    await returned(id, 'R04');
    await expectStatus(id, 'needs_repair');
    expect(enabled()).toEqual([]);
  });

  it('after a return, a good login alone does not make the connection active', async () => {
    const { id } = await connect();
    await returned(id, 'R04');
    bank().repairLogin(item().item_id);
    await expectStatus(id, 'needs_repair');
  });

  it.each(['R01', 'R04', 'R10'])(
    'after %s, a repair makes a new instrument, and the old return is over',
    async (code) => {
      const { id } = await connect();
      await returned(id, code);
      if (code === 'R01') await returned(id, code);
      const before = await read(id);
      server.clockOffset += 1_000;
      await expectRepair(id);
      const after = await expectStatus(id, 'active');
      expect(after.payment_instrument).not.toBe(before.payment_instrument);
      expect(enabled()).toEqual([after.payment_instrument]);
      // Delivered once more, and late.
      for (const body of delivered())
        await bring(JSON.stringify({ ...JSON.parse(body), id: Math.random().toString() }));
      await expectStatus(id, 'active');
      // The next one starts a new count.
      await returned(id, 'R01');
      await expectStatus(id, 'active');
    },
  );

  it('after a return that ended the connection no repair is possible, and another account can be connected', async () => {
    const { id } = await connect();
    await returned(id, 'R02');
    const request = { customer_id: 'cus_1', connection: id };
    expect((await server.merchant('POST', '/v1/sessions', request)).status).toBe(422);
    const session = await server.createSession();
    const { body } = await server.complete(session, await server.publicToken('user_low_balance'));
    expect(body.connections).toMatchObject([{ status: 'active' }]);
    await expectStatus(id, 'failed');
  });

  it('after a return of one account, a repair for another account of the login leaves it as it is', async () => {
    const session = await server.createSession({ account_selection: 'multiple' });
    const { body } = await server.complete(session, await server.publicToken('user_several'));
    const [first, second] = body.connections as { id: string }[];
    await returned(first?.id ?? '', 'R10');
    bank().breakLogin(item().item_id);
    await expectStatus(second?.id ?? '', 'needs_repair');
    await expectRepair(second?.id ?? '');
    await expectStatus(second?.id ?? '', 'active');
    await expectStatus(first?.id ?? '', 'revoked');
  });

  it('after a return, no debit of the account is possible at Finix', async () => {
    for (const code of ['R02', 'R04', 'R10']) {
      const { id } = await connectNew();
      const { payment_instrument: source } = await read(id);
      await returned(id, code);
      const answer = await atFinix('POST', '/transfers', { amount: 100, currency: 'USD', merchant: 'MU1', source });
      expect(answer).not.toHaveProperty('id');
    }
  });
});

describe('a late return', () => {
  it.each([
    ['R04', 'active'],
    ['R03', 'active'],
    ['R02', 'active'],
    ['R10', 'revoked'],
    ['R15', 'failed'],
  ] as const)('a late return: %s of an instrument that was replaced leaves the connection %s', async (code, status) => {
    const { id } = await connect();
    const transfer = await debit(id);
    ach().succeed(transfer);
    bank().renumber(item().item_id);
    await expectStatus(id, 'active');
    const { payment_instrument } = await read(id);
    ach().returnDebit(transfer, code);
    const after = await expectStatus(id, status);
    expect(after).toMatchObject({ payment_instrument, last_return: { code, transfer } });
    expect(enabled()).toEqual(status === 'active' ? [payment_instrument] : []);
  });

  it('a late return of an instrument that was replaced long ago is matched to the connection', async () => {
    const { id } = await connect();
    const transfer = await debit(id);
    ach().succeed(transfer);
    for (let i = 0; i < 3; i++) {
      bank().renumber(item().item_id);
      await expectStatus(id, 'active');
    }
    ach().returnDebit(transfer, 'R10');
    await expectStatus(id, 'revoked');
  });

  it('a late return of a removed connection is shown, and changes nothing', async () => {
    const { id } = await connect();
    const transfer = await debit(id);
    ach().succeed(transfer);
    await settled();
    await server.merchant('DELETE', `/v1/connections/${id}`);
    ach().returnDebit(transfer, 'R10');
    expect((await expectStatus(id, 'removed')).last_return).toMatchObject({ code: 'R10', transfer });
  });

  it('a late return of an erased customer is shown without naming anyone', async () => {
    const { id } = await connect();
    const transfer = await debit(id);
    ach().succeed(transfer);
    await settled();
    await server.merchant('DELETE', '/v1/customers/cus_1');
    ach().returnDebit(transfer, 'R10');
    const after = await expectStatus(id, 'removed');
    expect(after.last_return).toMatchObject({ code: 'R10' });
    expect(JSON.stringify(after)).not.toContain('cus_1');
  });

  it('a late return waits for the session that is processing its connection', async () => {
    const { id } = await connect();
    const transfer = await debit(id);
    ach().succeed(transfer);
    await settled();
    const row = { status: 'processing', lease_owner: 'frozen', lease_until: Date.now() + 3600_000 } as const;
    await server.storage.db.updateTable('sessions').set(row).execute();
    ach().returnDebit(transfer, 'R10');
    await webhooks().settled();
    await expect.poll(async () => (await read(id)).status).toBe('revoked');
    await expect.poll(enabled).toEqual([]);
    const statuses = async () => (await transferEvents()).map(({ status }) => status);
    await expect.poll(statuses).not.toContain('received');
  });
});
