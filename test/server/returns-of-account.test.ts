import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { debits, startWithDebits } from '../helpers/debits.ts';
import { eventually, type TestServer } from '../helpers/server.ts';

/** Debits of a bank account that come back when its customer has connected it once more, in another session. */

let server: TestServer;
beforeEach(async () => {
  server = await startWithDebits();
});
afterEach(() => server.close());

const { ach, bank, connectNew, debit, delivered, enabled, expectStatus, item, read, settled, webhooks, bring } = debits(
  () => server,
);

/** What Link's update mode gives: a token that is not to be exchanged. */
const UPDATE_TOKEN = 'public-sandbox-99999999-9999-9999-9999-999999999999';

type More = Parameters<typeof server.connect>[0];

async function expectConnectedAgain(more: More = {}): Promise<{ id: string }> {
  server.clockOffset += 60_000;
  const { answer } = await server.connect({ customer_id: 'cus_1', ...more });
  expect(answer.body).toMatchObject({ status: 'completed' });
  server.clockOffset += 60_000;
  return answer.body.connections[0];
}

/** A connection with a debit on its way, replaced by another one to the same account. */
async function replaced(more: More = {}): Promise<{ first: string; second: string; transfer: string }> {
  const { answer } = await server.connect(more);
  const first = answer.body.connections[0].id as string;
  const transfer = await debit(first);
  ach().succeed(transfer);
  await settled();
  const { id: second } = await expectConnectedAgain(more);
  await expectStatus(first, 'removed');
  return { first, second, transfer };
}

describe('a return of a connection that another one to the same account has replaced', () => {
  it.each([
    ['R02', 'failed'],
    ['R03', 'revoked'],
    ['R04', 'needs_repair'],
    ['R08', 'revoked'],
    ['R10', 'revoked'],
    ['R15', 'failed'],
  ] as const)('%s leaves the present connection %s, with its instrument disabled', async (code, status) => {
    const { first, second, transfer } = await replaced();
    ach().returnDebit(transfer, code);
    const after = await expectStatus(second, status);
    expect(after.last_return).toMatchObject({ code, transfer });
    expect((await read(first)).last_return).toMatchObject({ code, transfer });
    expect(enabled()).toEqual([]);
    const [row] = await server.storage.db.selectFrom('connections').select('reason').where('id', '=', second).execute();
    expect(row?.reason).toBe(`return_${code}`);
  });

  it('R01 leaves the present connection active, and a second one in a row asks for a repair', async () => {
    const { second, transfer } = await replaced();
    const next = await debit(second);
    ach().succeed(next);
    ach().returnDebit(transfer, 'R01');
    expect((await expectStatus(second, 'active')).last_return).toMatchObject({ code: 'R01', transfer });
    ach().returnDebit(next, 'R01');
    await expectStatus(second, 'needs_repair');
  });

  it.each([
    ['R02', 'active'],
    ['R10', 'revoked'],
    ['R15', 'failed'],
  ] as const)('%s of other numbers leaves the present connection %s', async (code, status) => {
    const { second, transfer } = await replaced();
    bank().renumber(item().item_id);
    await expectStatus(second, 'active');
    ach().returnDebit(transfer, code);
    await expectStatus(second, status);
  });

  it.each(['R02', 'R03', 'R10'])(
    '%s that came back before the account was connected again leaves the present connection active, whenever it is reported',
    async (code) => {
      const { answer } = await server.connect();
      const first = answer.body.connections[0].id as string;
      const transfer = await debit(first);
      ach().succeed(transfer);
      await settled();
      webhooks().hold();
      ach().returnDebit(transfer, code);
      const { id: second } = await expectConnectedAgain();
      await webhooks().release();
      await expectStatus(second, 'active');
      for (const body of delivered())
        await bring(JSON.stringify({ ...JSON.parse(body), id: Math.random().toString() }));
      expect((await expectStatus(second, 'active')).last_return).toBeNull();
    },
  );

  it('R10 is over once the customer has repaired the present connection', async () => {
    const { second, transfer } = await replaced();
    ach().returnDebit(transfer, 'R10');
    await expectStatus(second, 'revoked');
    server.clockOffset += 60_000;
    bank().signInAgain(item().item_id);
    const session = await server.createSession({ connection: second });
    await server.page(session, 'POST', '/link-token', {});
    expect((await server.complete(session, UPDATE_TOKEN)).body.status).toBe('completed');
    for (const body of delivered()) await bring(JSON.stringify({ ...JSON.parse(body), id: Math.random().toString() }));
    await expectStatus(second, 'active');
    expect(enabled()).toHaveLength(1);
  });

  it.each([
    ['another account of the customer', { username: 'user_business' }, 'R02'],
    ['another merchant’s customer', { merchant: { id: 'm_2', name: 'Iron Gym' } }, 'R10'],
    ['another customer with the same account', { customer_id: 'cus_2' }, 'R10'],
    ['payouts, whose permission is another', { purpose: 'payout' }, 'R10'],
  ] as const)('changes nothing for %s', async (_name, more, code) => {
    const { answer } = await server.connect();
    const transfer = await debit(answer.body.connections[0].id);
    ach().succeed(transfer);
    const { id } = await expectConnectedAgain(more);
    ach().returnDebit(transfer, code);
    expect((await expectStatus(id, 'active')).last_return).toBeNull();
  });

  it('R02 of a debit ends payouts to the account too', async () => {
    const { answer } = await server.connect();
    const transfer = await debit(answer.body.connections[0].id);
    ach().succeed(transfer);
    const { id } = await expectConnectedAgain({ purpose: 'payout' });
    ach().returnDebit(transfer, 'R02');
    await expectStatus(id, 'failed');
  });

  it('changes nothing with RETURNS=report but what is shown', async () => {
    await server.close();
    server = await startWithDebits({ env: { RETURNS: 'report' } });
    const { second, transfer } = await replaced();
    ach().returnDebit(transfer, 'R10');
    expect((await expectStatus(second, 'active')).last_return).toMatchObject({ code: 'R10', transfer });
  });
});

describe('a return that comes while the account is being connected again', () => {
  const PROCESSOR = { service: 'plaid', path: '/processor/token/create', kind: 'status', status: 503 } as const;

  it.each([
    ['R10', 'revoked', 'restart_required'],
    ['R02', 'failed', 'failed'],
    ['R04', 'needs_repair', 'completed'],
  ] as const)('%s leaves the new connection %s, and its session %s', async (code, status, end) => {
    const { id: first } = await connectNew(undefined, { customer_id: 'cus_1' });
    const transfer = await debit(first);
    ach().succeed(transfer);
    await settled();
    server.upstream.simulator.faults.add(PROCESSOR);
    const session = await server.createSession();
    const completing = server.complete(session, await server.publicToken());
    const pending = () =>
      server.storage.db.selectFrom('connections').selectAll().where('status', '=', 'pending').executeTakeFirst();
    const second = await eventually(pending);
    // Finix's clock has whole milliseconds, and the return is to come after the customer's agreement.
    server.clockOffset += 1_000;
    ach().returnDebit(transfer, code);
    await eventually(async () => (await read(first)).last_return !== null);
    server.upstream.simulator.faults.clear();
    await completing;
    expect((await server.merchant('GET', `/v1/sessions/${session.id}`)).body.status).toBe(end);
    await expectStatus(second.id, status);
    await eventually(async () => enabled().length === 0);
  });
});

it('R10 that comes while the present connection gets new numbers stops these too', async () => {
  const { second, transfer } = await replaced();
  const down = { service: 'plaid', path: '/processor/token/create', kind: 'status', status: 503 } as const;
  server.upstream.simulator.faults.add(down);
  bank().renumber(item().item_id);
  await eventually(async () => (await read(second)).status === 'pending');
  ach().returnDebit(transfer, 'R10');
  await webhooks().settled();
  // Finix reports the new instrument as well, after which an enabled one of a revoked connection would be disabled.
  webhooks().hold();
  server.upstream.simulator.faults.clear();
  await eventually(async () => {
    server.clockOffset += 60_000;
    await server.jobs.tick();
    return server.ledger.instruments().length === 3 && enabled().length === 0;
  });
  expect((await read(second)).status).toBe('revoked');
});

describe('a return of an instrument whose successor has the same numbers', () => {
  it.each([
    ['R02', 'failed'],
    ['R03', 'revoked'],
  ] as const)('%s after the repair that made the successor leaves the connection %s', async (code, status) => {
    const { id } = await connectNew(undefined, { customer_id: 'cus_1' });
    const transfer = await debit(id);
    ach().succeed(transfer);
    await settled();
    bank().revokePermission(item().item_id);
    await expectStatus(id, 'revoked');
    server.clockOffset += 60_000;
    bank().signInAgain(item().item_id);
    const session = await server.createSession({ connection: id });
    await server.page(session, 'POST', '/link-token', {});
    expect((await server.complete(session, UPDATE_TOKEN)).body.status).toBe('completed');
    await expectStatus(id, 'active');
    server.clockOffset += 60_000;
    ach().returnDebit(transfer, code);
    await expectStatus(id, status);
    expect(enabled()).toEqual([]);
  });
});
