import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Session } from '../../widget/contract.ts';
import { debits, startWithDebits } from '../helpers/debits.ts';
import { eventually, type TestServer } from '../helpers/server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await startWithDebits();
});
afterEach(() => server.close());

const {
  ach,
  bank,
  bring,
  changeInstrument,
  connect,
  connectNew,
  debit,
  enabled,
  expectStatus,
  item,
  read,
  returned,
  settled,
  webhooks,
} = debits(() => server);

/** What Link's update mode gives: a token that is not to be exchanged. */
const UPDATE_TOKEN = 'public-sandbox-99999999-9999-9999-9999-999999999999';

async function openRepair(connection: string): Promise<Session> {
  bank().signInAgain(item().item_id);
  const session = await server.createSession({ connection });
  await server.page(session, 'POST', '/link-token', {});
  return session;
}

describe('a return during a repair', () => {
  it.each([
    ['R10', 'revoked', 'restart_required'],
    ['R02', 'failed', 'failed'],
  ] as const)('a repair that waits for Plaid when %s comes leaves the connection %s', async (code, status, end) => {
    const { id } = await connect();
    const transfer = await debit(id);
    ach().succeed(transfer);
    bank().breakLogin(item().item_id);
    await expectStatus(id, 'needs_repair');
    const session = await openRepair(id);
    const fault = { service: 'plaid', path: '/accounts/get', kind: 'status', status: 503 } as const;
    server.upstream.simulator.faults.add(fault);
    const answer = server.complete(session, UPDATE_TOKEN);
    const { db } = server.storage;
    const tries = async () =>
      (await db.selectFrom('sessions').select('tries').where('id', '=', session.id).execute())[0];
    await expect.poll(tries).not.toEqual({ tries: 0 });
    ach().returnDebit(transfer, code);
    await webhooks().settled();
    await expect.poll(async () => (await read(id)).status).toBe(status);
    server.upstream.simulator.faults.clear();
    await answer;
    expect((await server.merchant('GET', `/v1/sessions/${session.id}`)).body.status).toBe(end);
    await expectStatus(id, status);
    expect(enabled()).toEqual([]);
  });

  it('a repair that R02 overtakes before its completion is refused, also where the login has another account', async () => {
    const several = await server.createSession({ account_selection: 'multiple' });
    const { body } = await server.complete(several, await server.publicToken('user_several'));
    const [{ id }] = body.connections as [{ id: string }];
    const session = await openRepair(id);
    await returned(id, 'R02');
    const answer = await server.complete(session, UPDATE_TOKEN);
    expect([answer.status, answer.body.code]).toEqual([409, 'session_failed']);
    const { payment_instrument } = await expectStatus(id, 'failed');
    expect(enabled()).not.toContain(payment_instrument);
  });
});

describe('a return dated before a repair', () => {
  async function signedIn(): Promise<void> {
    server.clockOffset += 60_000;
    bank().repairLogin(item().item_id);
    await settled();
    server.clockOffset += 60_000;
  }

  it.each([
    ['R02', 'failed'],
    ['R04', 'needs_repair'],
    ['R10', 'revoked'],
    ['R15', 'failed'],
  ] as const)('%s leaves the connection %s before and after Plaid reports a good login', async (code, status) => {
    for (const order of ['as made', 'reversed'] as const) {
      const { id } = await connectNew();
      const transfer = await debit(id);
      ach().succeed(transfer);
      await settled();
      webhooks().hold();
      ach().returnDebit(transfer, code);
      server.clockOffset += 60_000;
      bank().repairLogin(server.ledger.items().at(-1)?.item_id ?? '');
      await webhooks().release(order);
      await expectStatus(id, status);
    }
  });

  it('a second R01 is one also where Plaid reports a good login between the two', async () => {
    const { id } = await connect();
    await returned(id, 'R01');
    await signedIn();
    await returned(id, 'R01');
    await expectStatus(id, 'needs_repair');
  });

  it('a check shows the last return also after Plaid reports a good login', async () => {
    const { id } = await connect();
    await returned(id, 'R01');
    await signedIn();
    const request = { amount: 5_000, currency: 'USD', client_transaction_id: 'order-1' };
    const { body } = await server.merchant('POST', `/v1/connections/${id}/check`, request);
    expect(body).toMatchObject({ decision: 'review', reasons: [{ code: 'returned' }] });
  });

  it.each([
    ['R02', 'failed'],
    ['R10', 'active'],
  ] as const)(
    '%s that is first recorded after the customer’s repair leaves the connection %s',
    async (code, status) => {
      const { id } = await connect();
      const transfer = await debit(id);
      ach().succeed(transfer);
      bank().breakLogin(item().item_id);
      await expectStatus(id, 'needs_repair');
      webhooks().hold();
      ach().returnDebit(transfer, code);
      server.clockOffset += 60_000;
      expect((await server.complete(await openRepair(id), UPDATE_TOKEN)).body.status).toBe('completed');
      server.clockOffset += 60_000;
      await webhooks().release();
      await expectStatus(id, status);
    },
  );

  it('a return that names no time of its own is as of its report, so that a repair after the debit does not answer it', async () => {
    const { id } = await connect();
    bank().breakLogin(item().item_id);
    await expectStatus(id, 'needs_repair');
    const made = new Date(Date.now() + server.clockOffset).toISOString();
    server.clockOffset += 60_000;
    expect((await server.complete(await openRepair(id), UPDATE_TOKEN)).body.status).toBe('completed');
    server.clockOffset += 60_000;
    const { payment_instrument: source } = await read(id);
    const transfer = { id: 'TRuntimed', type: 'DEBIT', state: 'FAILED', failure_code: 'R10', created_at: made, source };
    const event = { id: 'event_untimed', entity: 'transfer', type: 'updated', _embedded: { transfers: [transfer] } };
    expect(await bring(JSON.stringify(event))).toBe(200);
    await expectStatus(id, 'revoked');
  });
});

describe('a connection with a return', () => {
  const atItem = () => item().item_id;

  it('new numbers after a second R01 make no instrument without the customer', async () => {
    const { id } = await connect();
    await returned(id, 'R01');
    await returned(id, 'R01');
    bank().renumber(atItem());
    await expectStatus(id, 'needs_repair');
    expect(enabled()).toEqual([]);
  });

  it('new numbers after R04 make the connection active', async () => {
    const { id } = await connect();
    await returned(id, 'R04');
    bank().renumber(atItem());
    await expectStatus(id, 'active');
  });

  it('a permission that is revoked after a return leaves the return as the reason', async () => {
    const { id } = await connect();
    await returned(id, 'R04');
    bank().revokePermission(atItem());
    await expectStatus(id, 'revoked');
    const row = await server.storage.db.selectFrom('connections').select('reason').executeTakeFirst();
    expect(row?.reason).toBe('return_R04');
  });

  it('an instrument that R04 has disabled is disabled again when it is enabled at Finix', async () => {
    const { id } = await connect();
    await returned(id, 'R04');
    await changeInstrument(id, { enabled: true });
    await expectStatus(id, 'needs_repair');
    await eventually(async () => {
      await server.jobs.tick();
      return enabled().length === 0;
    });
  });

  it('a comparison with Finix leaves it as the return left it', async () => {
    const { id } = await connect();
    await returned(id, 'R04');
    const { findings } = await server.reconcile({ fix: false, since: 0 });
    expect(findings).toEqual([]);
    await expectStatus(id, 'needs_repair');
  });
});
