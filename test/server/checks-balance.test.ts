import { afterEach, describe, expect, it } from 'vitest';
import { debits, reasonsOf, startWithDebits } from '../helpers/debits.ts';
import { patient } from '../helpers/patience.mjs';
import type { TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

const { check, bank, connectNew, expectStatus, item, webhooks } = debits(() => server);

const calls = (path: string) => server.ledger.calls().filter((call) => call.path === path);

describe('DEBIT_CHECK=balance', () => {
  it.each([
    ['user_low_balance', 1_199, 'ok', []],
    ['user_low_balance', 1_201, 'stop', ['insufficient_funds']],
    ['user_no_balance', 100, 'review', ['balance_uncertain']],
    ['user_balance_down', 100, 'review', ['provider_unavailable']],
  ])('a check with DEBIT_CHECK=balance: %s, %d cents: %s', async (username, amount, decision, reasons) => {
    server = await startWithDebits({ env: { DEBIT_CHECK: 'balance' } });
    const { id } = await connectNew(username);
    const answer = await check(id, amount);
    expect([answer.status, answer.body.decision, reasonsOf(answer)]).toEqual([200, decision, reasons]);
    if (username === 'user_low_balance') {
      expect(answer.body.balance).toMatchObject({ available: 1_200, current: 2_000, as_of: expect.any(String) });
    }
  });

  it.each([
    { currency: 'CAD', decision: 'review', reasons: [{ code: 'balance_uncertain' }], balance: null },
    { currency: 'USD', decision: 'ok', reasons: [], balance: { available: 500_000 } },
    { currency: null, decision: 'ok', reasons: [], balance: { available: 500_000 } },
  ])('a check compares an amount with no balance in another currency: $currency', async ({ currency, ...expected }) => {
    server = await startWithDebits({
      env: { DEBIT_CHECK: 'balance' },
      wrapClients: (clients) => ({
        ...clients,
        plaid: {
          ...clients.plaid,
          getBalance: async () => ({ available: 5_000, current: 5_000, currency, asOf: null }),
        },
      }),
    });
    const { id } = await connectNew();
    expect((await check(id, 5_000)).body).toMatchObject(expected);
  });

  it('a balance is as of the time when the bank was asked, where Plaid names none', async () => {
    server = await startWithDebits({ env: { DEBIT_CHECK: 'balance' } });
    const { id } = await connectNew();
    const { body } = await check(id);
    expect(body.balance.as_of).toMatch(/Z$/);
    expect(Date.parse(body.balance.as_of)).toBeGreaterThanOrEqual(Date.parse(body.created_at));
  });

  it('a login that needs its customer is a reason of a check with DEBIT_CHECK=balance before its webhook arrives', async () => {
    server = await startWithDebits({ env: { DEBIT_CHECK: 'balance' } });
    const { id } = await connectNew();
    webhooks().hold();
    bank().breakLogin(item().item_id);
    const { body } = await check(id);
    expect(body).toMatchObject({ decision: 'review', action: 'restart', reasons: [{ code: 'needs_repair' }] });
  });

  it('a login that needs its customer, as is known here and as Plaid answers, is one reason of a check', async () => {
    server = await startWithDebits({ env: { DEBIT_CHECK: 'balance' } });
    const { id } = await connectNew();
    bank().breakLogin(item().item_id);
    await expectStatus(id, 'needs_repair');
    const answer = await check(id);
    expect([answer.body.decision, reasonsOf(answer)]).toEqual(['review', ['needs_repair']]);
    expect(calls('/accounts/balance/get')).toHaveLength(1);
  });

  it.each([
    ['ITEM_LOCKED', 'review', 'needs_repair', 'restart'],
    ['PASSWORD_RESET_REQUIRED', 'review', 'needs_repair', 'restart'],
    ['INVALID_ACCOUNT_ID', 'review', 'needs_repair', 'restart'],
    ['NO_ACCOUNTS', 'review', 'needs_repair', 'restart'],
    ['PRODUCTS_NOT_SUPPORTED', 'review', 'balance_uncertain', 'use_other_method'],
    ['ITEM_NOT_FOUND', 'stop', 'revoked', 'restart'],
    ['USER_PERMISSION_REVOKED', 'stop', 'revoked', 'restart'],
    ['INSTITUTION_DOWN', 'review', 'provider_unavailable', 'wait'],
  ])('a check to which Plaid answers %s names what ends it: %s, %s, %s', async (error_code, decision, code, action) => {
    server = await startWithDebits({ env: { DEBIT_CHECK: 'balance' } });
    const { id } = await connectNew();
    const rule = { service: 'plaid', path: '/accounts/balance/get', kind: 'plaid_error' } as const;
    server.upstream.simulator.faults.add({ ...rule, error_code });
    const { status, body } = await check(id);
    expect([status, body.decision, body.action]).toEqual([200, decision, action]);
    expect(body.reasons).toMatchObject([{ code }]);
  });

  it('a check with DEBIT_CHECK=balance answers in time when the bank does not', async () => {
    server = await startWithDebits({ env: { DEBIT_CHECK: 'balance', CHECK_TIMEOUT_SECONDS: '1' } });
    const { id } = await connectNew('user_balance_slow');
    const started = performance.now();
    const answer = await check(id);
    expect([answer.status, answer.body.decision, reasonsOf(answer)]).toEqual([200, 'review', ['provider_unavailable']]);
    expect(performance.now() - started).toBeLessThan(patient(5_000));
  });

  it.each(['timeout', 'reset', 'html', 'malformed', 'status'] as const)(
    'a check with DEBIT_CHECK=balance answers when Plaid’s answer is a %s',
    async (kind) => {
      server = await startWithDebits({ env: { DEBIT_CHECK: 'balance', CHECK_TIMEOUT_SECONDS: '1' } });
      const { id } = await connectNew();
      server.upstream.simulator.faults.add({ service: 'plaid', path: '/accounts/balance/get', kind });
      const answer = await check(id);
      expect([answer.status, reasonsOf(answer)]).toEqual([200, ['provider_unavailable']]);
    },
  );
});
