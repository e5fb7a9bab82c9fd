import { afterEach, describe, expect, it } from 'vitest';
import { debits, reasonsOf, startWithDebits } from '../helpers/debits.ts';
import { eventually, TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

const { check, connectNew, debit, settled, ach } = debits(() => server);

const calls = (path: string) => server.ledger.calls().filter((call) => call.path === path);

const env = { DEBIT_CHECK: 'signal' };

describe('DEBIT_CHECK=signal', () => {
  /** Connects by way of a link token, so that the consent is collected. */
  async function consented(): Promise<string> {
    const { id } = await connectNew();
    for (const { item_id } of server.ledger.items()) server.upstream.simulator.bank.grantConsent(item_id, ['signal']);
    return id;
  }

  it.each([
    [353, 'ok', [], 'ACCEPT'],
    [1_217, 'review', ['signal_review'], 'REVIEW'],
    [2_753, 'stop', ['signal_reroute'], 'REROUTE'],
  ])('a check with DEBIT_CHECK=signal: %d cents: %s', async (amount, decision, reasons, result) => {
    server = await startWithDebits({ env });
    const answer = await check(await consented(), amount);
    expect([answer.body.decision, reasonsOf(answer)]).toEqual([decision, reasons]);
    expect(answer.body.signal).toMatchObject({ result, scores: { bank_initiated: expect.any(Number) } });
    expect(calls('/signal/evaluate')[0]?.body).toMatchObject({ amount: amount / 100 });
  });

  it('a check with DEBIT_CHECK=signal reports that the customer has yet to consent', async () => {
    server = await startWithDebits({ env });
    const { id } = await connectNew();
    const answer = await check(id);
    expect([answer.body.decision, reasonsOf(answer), answer.body.action]).toEqual([
      'review',
      ['consent_required'],
      'restart',
    ]);
  });

  it('a check with DEBIT_CHECK=signal names the ruleset', async () => {
    server = await startWithDebits({ env: { ...env, PLAID_SIGNAL_RULESET: 'balance' } });
    const answer = await check(await consented(), 5_000);
    expect(answer.body.signal).toMatchObject({ result: 'ACCEPT', scores: null });
  });

  it.each([
    ['RULESET_NOT_FOUND', 'PLAID_SIGNAL_RULESET'],
    ['ADDENDUM_NOT_SIGNED', 'DEBIT_CHECK'],
    ['NOT_ENABLED_FOR_SIGNAL_TRANSACTION_SCORE_RULESETS', 'PLAID_SIGNAL_RULESET'],
    ['INVALID_CONFIGURATION_STATE', 'PLAID_SIGNAL_RULESET'],
    ['PRODUCT_NOT_READY', 'PRODUCT_NOT_READY'],
  ])('a check that Signal refuses with %s is a review, and the log names %s', async (error_code, named) => {
    server = await startWithDebits({ env });
    const id = await consented();
    const fault = { service: 'plaid', path: '/signal/evaluate', kind: 'plaid_error', error_code } as const;
    server.upstream.simulator.faults.add(fault);
    const answer = await check(id);
    expect([answer.status, answer.body.decision, reasonsOf(answer)]).toEqual([200, 'review', ['provider_unavailable']]);
    const line = server.lines.find((one) => one.includes('check answered without the provider'));
    expect(line).toContain(error_code);
    expect(line).toContain(named);
  });

  it('a check of a permission that Plaid calls withdrawn stops the debit, before its webhook arrives', async () => {
    server = await startWithDebits({ env });
    const id = await consented();
    const fault = { service: 'plaid', path: '/signal/evaluate', kind: 'plaid_error' } as const;
    server.upstream.simulator.faults.add({ ...fault, error_code: 'USER_PERMISSION_REVOKED' });
    const answer = await check(id);
    expect([answer.body.decision, reasonsOf(answer), answer.body.action]).toEqual(['stop', ['revoked'], 'restart']);
  });

  it('Signal gets a report of a return whose check it had evaluated before', async () => {
    server = await startWithDebits({ env });
    const id = await consented();
    const error_code = 'CLIENT_TRANSACTION_ID_ALREADY_IN_USE';
    server.upstream.simulator.faults.add({
      service: 'plaid',
      path: '/signal/evaluate',
      kind: 'plaid_error',
      error_code,
    });
    const answer = await check(id, 1_217, { client_transaction_id: 'order-45' });
    expect([answer.body.decision, reasonsOf(answer)]).toEqual(['review', ['provider_unavailable']]);
    ach().returnDebit(await debit(id, 1_217, { idempotency_id: 'order-45' }), 'R01');
    await settled();
    await eventually(async () => {
      await server.jobs.tick();
      return calls('/signal/decision/report').length > 0;
    });
  });

  it('Signal gets a report of a debit that a check did not plainly accept, and of its return', async () => {
    server = await startWithDebits({ env });
    const id = await consented();
    await check(id, 1_217, { client_transaction_id: 'order-42' });
    const transfer = await debit(id, 1_217, { idempotency_id: 'order-42' });
    ach().returnDebit(transfer, 'R01');
    await settled();
    await server.jobs.tick();
    expect(server.ledger.signalTransactions()).toMatchObject([
      { client_transaction_id: 'order-42', initiated: true, returned: 'R01' },
    ]);
  });

  it('Signal gets a report of a return of the only debit of that amount, and of none without a known return code', async () => {
    server = await startWithDebits({ env });
    const id = await consented();
    await check(id, 353, { client_transaction_id: 'order-43' });
    await check(id, 400, { client_transaction_id: 'order-44' });
    ach().returnDebit(await debit(id, 353), 'R01');
    ach().fail(await debit(id, 400), 'PAYMENT_STOPPED');
    await settled();
    await server.jobs.tick();
    const returned = server.ledger.signalTransactions().map((made) => [made.client_transaction_id, made.returned]);
    expect(returned).toEqual([
      ['order-43', 'R01'],
      ['order-44', null],
    ]);
    expect(calls('/signal/decision/report')).toEqual([]);
  });
});

describe('consent', () => {
  it('every link token asks for consent to Signal and more, never among its products', async () => {
    server = await TestServer.start({ env: { DEBIT_CHECK: 'signal', PLAID_CONSENTED_PRODUCTS: 'transactions' } });
    await server.page(await server.createSession(), 'POST', '/link-token', {});
    expect(calls('/link/token/create')[0]?.body).toMatchObject({
      products: ['auth', 'identity'],
      additional_consented_products: ['signal', 'transactions'],
    });
  });

  it('consent to a product that is not enabled locks out no customer, and the log names the setting', async () => {
    server = await TestServer.start({ env: { DEBIT_CHECK: 'signal' }, simulator: { disabledProducts: ['signal'] } });
    for (const customer_id of ['cus_1', 'cus_2']) {
      const answer = await server.page(await server.createSession({ customer_id }), 'POST', '/link-token', {});
      expect(answer.status).toBe(200);
    }
    expect(server.lines.join('')).toContain('PLAID_CONSENTED_PRODUCTS');
    expect(calls('/link/token/create').map(({ status }) => status)).toEqual([400, 200, 200]);
  });

  it.each([
    ['SANDBOX_PRODUCT_NOT_ENABLED', 'SANDBOX_ERROR'],
    ['A_CODE_THAT_PLAID_ADDS', 'INVALID_INPUT'],
    ['PRODUCTS_NOT_SUPPORTED', 'ITEM_ERROR'],
  ])('consent that Plaid refuses with %s locks out no customer', async (error_code, error_type) => {
    server = await TestServer.start({ env: { DEBIT_CHECK: 'signal' } });
    const refusal = { service: 'plaid', path: '/link/token/create', kind: 'plaid_error', times: 1 } as const;
    server.upstream.simulator.faults.add({ ...refusal, error_code, error_type });
    const answer = await server.page(await server.createSession(), 'POST', '/link-token', {});
    expect(answer.status).toBe(200);
    expect(calls('/link/token/create').at(-1)?.body).not.toHaveProperty('additional_consented_products');
  });

  it('a repair at a bank without the product is no end of the access, and other customers are asked still', async () => {
    server = await startWithDebits({ env });
    const { id } = await connectNew();
    const { customer_id } = (await server.merchant('GET', `/v1/connections/${id}`)).body;
    const refusal = { service: 'plaid', path: '/link/token/create', kind: 'plaid_error', times: 1 } as const;
    server.upstream.simulator.faults.add({ ...refusal, error_code: 'PRODUCTS_NOT_SUPPORTED' });
    const repair = await server.createSession({ customer_id, connection: id });
    expect((await server.page(repair, 'POST', '/link-token', {})).status).toBe(200);
    await server.page(await server.createSession({ customer_id: 'cus_2' }), 'POST', '/link-token', {});
    expect(calls('/link/token/create').at(-1)?.body).toMatchObject({ additional_consented_products: ['signal'] });
  });
});
