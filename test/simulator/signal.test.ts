import type { PlaidApi } from 'plaid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningSimulator, startSimulator } from '../../demo/simulator/index.ts';
import { finix, finixError, linkItem, plaidClient, processorToken, products, refusal } from './client.ts';

let running: RunningSimulator;
let client: PlaidApi;
beforeEach(async () => {
  running = await startSimulator();
  client = plaidClient(running.plaidUrl);
});
afterEach(() => running.close());

async function open(username = 'user_good', ...more: string[]) {
  const { accessToken: access_token } = await linkItem(client, username, products('auth', 'identity', ...more));
  const account_id = (await client.accountsGet({ access_token })).data.accounts[0]?.account_id ?? '';
  return { access_token, account_id };
}

describe('a balance', () => {
  it('a balance is the bank’s, without the time of asking', async () => {
    const { access_token } = await open('user_low_balance');
    const { accounts } = (await client.accountsBalanceGet({ access_token })).data;
    expect(accounts[0]?.balances).toMatchObject({ available: 12, current: 20, iso_currency_code: 'USD' });
    expect(accounts[0]?.balances.last_updated_datetime).toBeNull();
  });

  it('a balance can be null, and is refused while the bank is down or wants a login', async () => {
    const { access_token } = await open('user_no_balance');
    expect((await client.accountsBalanceGet({ access_token })).data.accounts[0]?.balances.available).toBeNull();
    const down = await open('user_balance_down');
    expect(await refusal(client.accountsBalanceGet({ access_token: down.access_token }))).toMatchObject({
      error_code: 'INSTITUTION_DOWN',
      status: 400,
    });
    const [item] = running.simulator.ledger.items();
    running.simulator.bank.breakLogin(item?.item_id ?? '');
    expect(await refusal(client.accountsBalanceGet({ access_token }))).toMatchObject({
      error_code: 'ITEM_LOGIN_REQUIRED',
      display_message: null,
    });
  });
});

describe('Signal', () => {
  it.each([
    [3.53, 10, 'ACCEPT'],
    [12.17, 60, 'REVIEW'],
    [27.53, 90, 'REROUTE'],
    [100, 5, 'ACCEPT'],
  ])('Signal scores %d dollars as the Sandbox does', async (amount, score, result) => {
    const debit = { ...(await open('user_good', 'signal')), client_transaction_id: 'order_1', amount };
    const { scores, ruleset } = (await client.signalEvaluate(debit)).data;
    expect(scores?.bank_initiated_return_risk?.score).toBe(score);
    expect(ruleset).toMatchObject({ ruleset_key: 'default', result });
  });

  it.each([
    ['user_low_balance', 11, 'ACCEPT'],
    ['user_low_balance', 13, 'REROUTE'],
    ['user_no_balance', 1, 'REVIEW'],
  ])('Signal goes by the balance of %s with a ruleset of that kind: %d dollars', async (username, amount, result) => {
    const debit = { ...(await open(username, 'signal')), client_transaction_id: 'order_1', amount };
    const { scores, ruleset } = (await client.signalEvaluate({ ...debit, ruleset_key: 'balance' })).data;
    expect([scores, ruleset?.result]).toEqual([null, result]);
  });

  it('Signal gives the same answer to the same debit, and none to another with its id', async () => {
    const debit = { ...(await open('user_good', 'signal')), client_transaction_id: 'order_1', amount: 12.17 };
    const [one, two] = [await client.signalEvaluate(debit), await client.signalEvaluate(debit)];
    expect(two.data.scores).toEqual(one.data.scores);
    expect(await refusal(client.signalEvaluate({ ...debit, amount: 5 }))).toMatchObject({
      error_type: 'SIGNAL_ERROR',
      error_code: 'CLIENT_TRANSACTION_ID_ALREADY_IN_USE',
    });
  });

  it('Signal needs the product, the consent and the ruleset', async () => {
    const debit = { ...(await open()), client_transaction_id: 'order_1', amount: 5 };
    expect(await refusal(client.signalEvaluate(debit))).toMatchObject({ error_code: 'ADDITIONAL_CONSENT_REQUIRED' });
    const agreed = { ...(await open('user_good', 'signal')), client_transaction_id: 'order_1', amount: 5 };
    const unknown = await refusal(client.signalEvaluate({ ...agreed, ruleset_key: 'nope' }));
    expect(unknown).toMatchObject({ error_code: 'RULESET_NOT_FOUND' });
    running.simulator.settings.disabledProducts = ['signal'];
    expect(await refusal(client.signalEvaluate(agreed))).toMatchObject({ error_code: 'INVALID_PRODUCT' });
  });

  it.each([
    ['cents as text', { amount: '5' as never }, 'INVALID_FIELD'],
    ['no amount', { amount: undefined as never }, 'MISSING_FIELDS'],
    ['an id of 37 characters', { client_transaction_id: 'x'.repeat(37) }, 'INVALID_FIELD'],
    ['an unknown field', { currency: 'USD' } as object, 'UNKNOWN_FIELDS'],
  ])('Signal refuses %s', async (_title, more, error_code) => {
    const debit = { ...(await open('user_good', 'signal')), client_transaction_id: 'order_1', amount: 5, ...more };
    expect(await refusal(client.signalEvaluate(debit))).toMatchObject({ error_code });
  });

  it('Signal takes the report of a return for a debit that was made only', async () => {
    const item = await open('user_good', 'signal');
    const id = { client_transaction_id: 'order_1' };
    await client.signalEvaluate({ ...item, ...id, amount: 27.53 });
    const report = () => client.signalReturnReport({ ...id, return_code: 'R01' });
    expect(await refusal(report())).toMatchObject({ error_code: 'SIGNAL_TRANSACTION_NOT_INITIATED' });
    await client.signalDecisionReport({ ...id, initiated: true, decision_outcome: 'APPROVE' as never });
    await report();
    await client.signalDecisionReport({ ...id, initiated: false });
    expect(await refusal(report())).toMatchObject({ error_code: 'SIGNAL_TRANSACTION_NOT_INITIATED' });
    expect(running.simulator.ledger.signalTransactions()).toMatchObject([{ ...id, returned: 'R01' }]);
    const wrong = client.signalReturnReport({ ...id, return_code: 'INSUFFICIENT_FUNDS' });
    expect(await refusal(wrong)).toMatchObject({ error_code: 'INVALID_FIELD' });
  });
});

describe('the permissions of a processor token', () => {
  it('the permissions of a processor token are everything at first, then what was set', async () => {
    const { access_token } = await open();
    const processor_token = await processorToken(client, access_token);
    const read = async () => (await client.processorTokenPermissionsGet({ processor_token })).data.products;
    expect(await read()).toEqual([]);
    await client.processorTokenPermissionsSet({ processor_token, products: products('auth', 'identity') });
    expect(await read()).toEqual(['auth', 'identity']);
    const unknown = { processor_token: 'processor-sandbox-none', products: [] };
    expect(await refusal(client.processorTokenPermissionsSet(unknown))).toMatchObject({
      error_code: 'INVALID_PROCESSOR_TOKEN',
    });
  });

  it('the permissions of a processor token keep Finix from making an instrument when they are too few', async () => {
    const { access_token } = await open();
    const processor_token = await processorToken(client, access_token);
    await client.processorTokenPermissionsSet({ processor_token, products: products('auth') });
    const { body } = await finix(running, 'POST', '/identities', { entity: {} });
    const instrument = { type: 'BANK_ACCOUNT', third_party: 'PLAID', third_party_token: processor_token };
    const answer = await finix(running, 'POST', '/payment_instruments', { ...instrument, identity: body['id'] });
    expect(finixError(answer)).toMatchObject({ status: 422, field: 'third_party_token' });
  });
});

describe('a fault with a code of Plaid’s', () => {
  it.each([
    ['PASSWORD_RESET_REQUIRED', 'ITEM_ERROR', 400],
    ['ITEM_CONCURRENTLY_DELETED', 'ITEM_ERROR', 400],
    ['INSTITUTION_NOT_AVAILABLE', 'INSTITUTION_ERROR', 400],
    ['UNAUTHORIZED_INSTITUTION', 'INSTITUTION_ERROR', 400],
    ['INVALID_LINK_CUSTOMIZATION', 'INVALID_INPUT', 400],
    ['AUTH_LIMIT', 'RATE_LIMIT_EXCEEDED', 429],
    ['IDENTITY_LIMIT', 'RATE_LIMIT_EXCEEDED', 429],
    ['PRODUCTS_NOT_SUPPORTED', 'ITEM_ERROR', 400],
    ['ADDENDUM_NOT_SIGNED', 'SIGNAL_ERROR', 403],
  ])('a fault with a code of Plaid’s %s has the type %s', async (error_code, error_type, status) => {
    const { access_token } = await open();
    running.simulator.faults.add({ service: 'plaid', path: '/item/get', kind: 'plaid_error', error_code });
    expect(await refusal(client.itemGet({ access_token }))).toMatchObject({ error_code, error_type, status });
  });

  it('a fault with a code of Plaid’s needs the type where Plaid has published no such code', async () => {
    const rule = { service: 'plaid', path: '/item/get', kind: 'plaid_error', error_code: 'NEW_ONE' } as const;
    expect(() => running.simulator.faults.add(rule)).toThrow('error_type');
    running.simulator.faults.add({ ...rule, error_type: 'PROFILE_ERROR' });
    const { access_token } = await open();
    expect(await refusal(client.itemGet({ access_token }))).toMatchObject({
      error_code: 'NEW_ONE',
      error_type: 'PROFILE_ERROR',
    });
  });
});
