import { afterEach, describe, expect, it } from 'vitest';
import { debits, reasonsOf, startWithDebits } from '../helpers/debits.ts';
import { Gate } from '../helpers/gate.ts';
import { patient } from '../helpers/patience.mjs';
import type { TestServer, TestServerOptions } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

const { check, bank, connectNew, enabled, item, read, returned, settled } = debits(() => server);

const calls = (path: string) => server.ledger.calls().filter((call) => call.path === path);

describe('a check', () => {
  it('a check of a healthy connection is ok, and asks no one by default', async () => {
    server = await startWithDebits();
    const { id } = await connectNew();
    // Finix reports the new instrument, which may be read once it is stored.
    await settled();
    const before = server.ledger.calls().length;
    const { status, body } = await check(id);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id: expect.stringMatching(/^chk_/),
      object: 'check',
      decision: 'ok',
      reasons: [],
      action: null,
      balance: null,
      signal: null,
      connection: id,
    });
    expect(server.ledger.calls()).toHaveLength(before);
  });

  it.each([
    ['R10', 'stop', 'restart'],
    ['R04', 'stop', 'restart'],
    ['R02', 'stop', 'use_other_bank'],
    ['R01', 'review', 'wait'],
  ])('a check after %s returns %s, with the action %s', async (code, decision, action) => {
    server = await startWithDebits();
    const { id } = await connectNew();
    await returned(id, code);
    const answer = await check(id);
    expect([answer.body.decision, reasonsOf(answer), answer.body.action]).toEqual([decision, ['returned'], action]);
  });

  it('a check returns why a connection is not to be debited', async () => {
    server = await startWithDebits();
    const broken = await connectNew();
    bank().breakLogin(item().item_id);
    await settled();
    expect(reasonsOf(await check(broken.id))).toEqual(['needs_repair']);
    bank().revokePermission(item().item_id);
    await settled();
    expect(reasonsOf(await check(broken.id))).toEqual(['revoked']);
    await server.merchant('DELETE', `/v1/connections/${broken.id}`);
    expect(reasonsOf(await check(broken.id))).toEqual(['not_active']);
    const waiting = await connectNew('user_pending_verification');
    const { body } = await check(waiting.id);
    expect(body).toMatchObject({ decision: 'stop', action: 'wait', reasons: [{ code: 'not_active' }] });
  });

  it.each([
    ['INVALID', 'stop', ['not_active']],
    ['INCONCLUSIVE', 'ok', []],
    ['VALID', 'ok', []],
  ])('a check of an account that Finix calls %s: %s', async (bank_account_validation_check, decision, reasons) => {
    server = await startWithDebits({ env: { DEBIT_CHECK: 'balance' } });
    const { id } = await connectNew();
    // The instrument's own webhook writes it as well.
    await settled();
    await server.storage.db.updateTable('connections').set({ bank_account_validation_check }).execute();
    const answer = await check(id);
    expect([answer.body.decision, reasonsOf(answer)]).toEqual([decision, reasons]);
    expect(calls('/accounts/balance/get')).toHaveLength(decision === 'stop' ? 0 : 1);
  });

  it('a check reports that the account belongs to another owner', async () => {
    server = await startWithDebits();
    const identity = { first_name: 'Jane', last_name: 'Doe' };
    const { id } = await connectNew('user_owner_mismatch', { identity, ownership: 'report' });
    await expect.poll(async () => reasonsOf(await check(id))).toEqual(['owner_mismatch']);
  });

  it('a check has the same answer for the same id and body, also 20 times at once', async () => {
    server = await startWithDebits({ env: { DEBIT_CHECK: 'balance' } });
    const { id } = await connectNew();
    const same = { client_transaction_id: 'one' };
    const answers = await Promise.all(Array.from({ length: 20 }, () => check(id, 5_000, same)));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(calls('/accounts/balance/get')).toHaveLength(1);
    const other = await check(id, 6_000, same);
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
    expect(other.body).toMatchObject({ errors: [{ path: 'client_transaction_id' }] });
    const another = await connectNew();
    expect((await check(another.id, 5_000, same)).body.code).toBe('idempotency_key_reused');
  });

  it.each([
    ['no amount', { amount: undefined }, 'amount'],
    ['half a cent', { amount: 0.5 }, 'amount'],
    ['another currency', { currency: 'EUR' }, 'currency'],
    ['an id of 37 characters', { client_transaction_id: 'x'.repeat(37) }, 'client_transaction_id'],
    ['an unknown field', { colour: 'blue' }, 'colour'],
  ])('a check with %s is refused, naming the field', async (_name, more, path) => {
    server = await startWithDebits();
    const answer = await check('con_none', 5_000, more);
    expect([answer.status, answer.body.errors[0].path]).toEqual([422, path]);
  });

  it('a check of an unknown connection, or without the key, is refused', async () => {
    server = await startWithDebits();
    expect((await check('con_none')).status).toBe(404);
    expect((await server.send('POST', '/v1/connections/con_none/check', {}, {})).status).toBe(401);
  });

  it('a check is kept for 90 days, and goes with its customer', async () => {
    server = await startWithDebits();
    const { id } = await connectNew();
    await check(id);
    const customers = await server.storage.db
      .selectFrom('connections')
      .select('customer_id')
      .where('id', '=', id)
      .execute();
    await server.merchant('DELETE', `/v1/customers/${customers[0]?.customer_id}`);
    expect(await server.storage.db.selectFrom('checks').selectAll().execute()).toEqual([]);
    const other = await connectNew();
    const same = { client_transaction_id: 'kept' };
    const first = (await check(other.id, 5_000, same)).body;
    server.clockOffset += 89 * 24 * 3600_000;
    await server.jobs.tick();
    expect((await check(other.id, 5_000, same)).body).toEqual(first);
    server.clockOffset += 2 * 24 * 3600_000;
    await server.jobs.tick();
    expect(await server.storage.db.selectFrom('checks').selectAll().execute()).toEqual([]);
    expect((await check(other.id, 5_000, same)).body.id).not.toBe(first.id);
  });
});

describe('a change while Plaid is asked', () => {
  it.each<[string, 'balance' | 'signal', (id: string) => Promise<unknown> | unknown, string]>([
    ['a return', 'balance', (id) => returned(id, 'R10'), 'returned'],
    ['a return', 'signal', (id) => returned(id, 'R02'), 'returned'],
    ['a revocation at the bank', 'balance', () => bank().revokePermission(item().item_id), 'revoked'],
    ['a removal', 'signal', (id) => server.merchant('DELETE', `/v1/connections/${id}`), 'not_active'],
  ])('%s while a check with DEBIT_CHECK=%s waits is in its answer', async (_name, asked, happen, expected) => {
    const gate = new Gate();
    server = await startWithDebits({
      env: { DEBIT_CHECK: asked, CHECK_TIMEOUT_SECONDS: '60' },
      wrapClients: (clients) => ({
        ...clients,
        plaid: {
          ...clients.plaid,
          getBalance: (...args) => gate.passed.then(() => clients.plaid.getBalance(...args)),
          evaluateDebit: (...args) => gate.passed.then(() => clients.plaid.evaluateDebit(...args)),
        },
      }),
    });
    const { id } = await connectNew();
    server.upstream.simulator.bank.grantConsent(item().item_id, ['signal']);
    const answer = check(id, 5_000, { client_transaction_id: 'one' });
    await expect.poll(() => server.storage.db.selectFrom('checks').select('id').execute()).toHaveLength(1);
    await happen(id);
    await settled();
    gate.open();
    const { status, body } = await answer;
    expect([status, body.decision, reasonsOf(await answer)[0]]).toEqual([200, 'stop', expected]);
    // What is stored is the same.
    expect((await check(id, 5_000, { client_transaction_id: 'one' })).body).toEqual(body);
  });
});

describe('a permission that Plaid calls withdrawn in a check', () => {
  /** A connection of whose revocation no webhook has come. */
  async function revokedUnheard(wrapClients?: TestServerOptions['wrapClients']) {
    server = await startWithDebits({
      env: { DEBIT_CHECK: 'balance' },
      ...(wrapClients && { wrapClients }),
    });
    const { id } = await connectNew();
    await settled();
    const refusal = { service: 'plaid', path: '/accounts/balance/get', kind: 'plaid_error' } as const;
    server.upstream.simulator.faults.add({ ...refusal, error_code: 'USER_PERMISSION_REVOKED' });
    return { id, instrument: (await read(id)).payment_instrument ?? '' };
  }

  it('ends the debits of the connection, and not only this one', async () => {
    const { id, instrument } = await revokedUnheard();
    const { body } = await check(id);
    expect([body.decision, body.reasons.length]).toEqual(['stop', 1]);
    expect((await read(id)).status).toBe('revoked');
    await expect.poll(() => enabled().includes(instrument), { timeout: patient(5_000) }).toBe(false);
    // Its webhook, which comes later, changes nothing any more.
    bank().revokePermission(item().item_id);
    await settled();
    expect((await read(id)).status).toBe('revoked');
  });

  it('leaves alone a connection that has changed since Plaid was asked', async () => {
    const gate = new Gate();
    const { id } = await revokedUnheard((clients) => ({
      ...clients,
      plaid: {
        ...clients.plaid,
        getBalance: (...args) => clients.plaid.getBalance(...args).finally(() => gate.passed),
      },
    }));
    const answer = check(id, 5_000, { client_transaction_id: 'one' });
    await expect.poll(() => calls('/accounts/balance/get').length).toBe(1);
    const all = server.storage.db.updateTable('connections');
    await all
      .set((eb) => ({ version: eb('version', '+', 1) }))
      .where('id', '=', id)
      .execute();
    gate.open();
    expect((await answer).body.decision).toBe('stop');
    expect((await read(id)).status).toBe('active');
  });
});

it('a check that died with its instance is taken over, and its answer has the return that came since', async () => {
  const gate = new Gate();
  server = await startWithDebits({
    env: { DEBIT_CHECK: 'balance', CHECK_TIMEOUT_SECONDS: '60' },
    // The frozen one renews its lease no more within the test.
    timing: { checkLeaseMs: 3600_000 },
    wrapClients: (clients) => ({
      ...clients,
      plaid: {
        ...clients.plaid,
        getBalance: (...args) => gate.passed.then(() => clients.plaid.getBalance(...args)),
      },
    }),
  });
  const { id } = await connectNew();
  const same = { client_transaction_id: 'one' };
  const frozen = check(id, 5_000, same);
  await expect.poll(() => server.storage.db.selectFrom('checks').select('id').execute()).toHaveLength(1);
  await returned(id, 'R10');
  // Beyond its lease.
  server.clockOffset += 2 * 3600_000;
  const again = await check(id, 5_000, same);
  expect([again.status, again.body.decision, reasonsOf(again)]).toEqual([200, 'stop', ['returned']]);
  gate.open();
  expect((await frozen).body).toEqual(again.body);
});

it('a check that waits for Plaid longer than its lease is asked once, however often it is repeated', async () => {
  const gate = new Gate();
  server = await startWithDebits({
    env: { DEBIT_CHECK: 'balance', CHECK_TIMEOUT_SECONDS: '60' },
    timing: { checkLeaseMs: 60 },
    wrapClients: (clients) => ({
      ...clients,
      plaid: { ...clients.plaid, getBalance: (...args) => gate.passed.then(() => clients.plaid.getBalance(...args)) },
    }),
  });
  const { id } = await connectNew();
  const same = { client_transaction_id: 'one' };
  const leaseUntil = async () => {
    const row = await server.storage.db.selectFrom('checks').select('lease_until').executeTakeFirst();
    return row?.lease_until ?? 0;
  };
  const first = check(id, 5_000, same);
  await expect.poll(leaseUntil).toBeGreaterThan(0);
  const begun = await leaseUntil();
  await expect.poll(leaseUntil).toBeGreaterThan(begun);
  gate.open();
  const answers = await Promise.all([first, check(id, 5_000, same)]);
  expect(answers[1]?.body).toEqual(answers[0]?.body);
});
