import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningSimulator, startSimulator } from '../../demo/simulator/index.ts';
import {
  countries,
  finix,
  linkItem,
  linkTokenRequest,
  plaidClient,
  processorToken,
  products,
  refusal,
} from './client.ts';
import { type Contracts, loadContracts } from './openapi.ts';

const dir = process.env['CONTRACTS_DIR'];
const why = dir ? '' : ' (skipped: CONTRACTS_DIR does not name a folder with plaid.yml and finix.yml)';

describe.skipIf(!dir)(`the simulator against the providers’ OpenAPI documents${why}`, () => {
  let running: RunningSimulator;
  let contracts: Contracts;
  beforeEach(async () => {
    contracts = await loadContracts(dir ?? '');
    running = await startSimulator();
  });
  afterEach(() => running.close());

  function violations(requests: boolean): string[] {
    return running.simulator.ledger.calls().flatMap(({ service, method, path, query, body, status, response }) => {
      if (service === 'link') return [];
      return [
        ...(requests ? contracts.checkRequest(service, method, path, body, query) : []),
        ...contracts.checkResponse(service, method, path, status ?? 0, response),
      ];
    });
  }

  it('the simulator answers every Plaid call as documented, and takes nothing that is not', async () => {
    const client = plaidClient(running.plaidUrl);
    const { accessToken } = await linkItem(client);
    const access_token = accessToken;
    const full = linkTokenRequest({
      webhook: 'https://shop.example/webhooks/plaid',
      redirect_uri: 'https://shop.example/return',
      hosted_link: {},
      account_filters: { depository: { account_subtypes: ['checking', 'savings'] as never } },
      user: { client_user_id: 'c', email_address: 'a@example.com', phone_number: '+14155550010' },
    });
    const { link_token } = (await client.linkTokenCreate(full)).data;
    await client.linkTokenGet({ link_token });
    await client.linkTokenCreate(linkTokenRequest({ access_token, products: undefined }));
    await processorToken(client, accessToken);
    await client.authGet({ access_token });
    await client.identityGet({ access_token });
    await client.itemGet({ access_token });
    const user = { legal_name: 'Ada', email_address: 'ada@example.com', phone_number: '+14155550123' };
    await client.identityMatch({ access_token, user: { ...user, address: { street: '1 Main St', country: 'US' } } });
    await client.accountsBalanceGet({ access_token });
    await client.itemWebhookUpdate({ access_token, webhook: 'https://shop.example/new' });
    await client.institutionsGetById({ institution_id: 'ins_109511', country_codes: countries('US') });
    await client.sandboxItemResetLogin({ access_token });
    await client.itemGet({ access_token });
    await client.itemRemove({ access_token });
    const oauth = await linkItem(client, 'user_pending_verification', products('auth', 'identity'), 'ins_127287');
    await client.accountsGet({ access_token: oauth.accessToken });
    expect(violations(true)).toEqual([]);
    expect(running.simulator.ledger.calls()).toHaveLength(20);
  });

  it('the simulator answers for Signal and for processor tokens as documented', async () => {
    const client = plaidClient(running.plaidUrl);
    const { accessToken: access_token } = await linkItem(client, 'user_good', products('auth', 'identity', 'signal'));
    const account_id = (await client.accountsGet({ access_token })).data.accounts[0]?.account_id ?? '';
    const processor_token = await processorToken(client, access_token);
    await client.processorTokenPermissionsSet({ processor_token, products: products('auth', 'identity') });
    await client.processorTokenPermissionsGet({ processor_token });
    await client.signalPrepare({ access_token });
    const client_transaction_id = 'order_1';
    await client.signalEvaluate({ access_token, account_id, client_transaction_id, amount: 27.53 });
    const balance = { client_transaction_id: 'order_2', ruleset_key: 'balance', amount: 5 };
    await client.signalEvaluate({ access_token, account_id, ...balance });
    await client.signalDecisionReport({ client_transaction_id, initiated: true });
    await client.signalReturnReport({ client_transaction_id, return_code: 'R01' });
    expect(violations(true)).toEqual([]);
  });

  it('the simulator answers every call about a transfer as documented', async () => {
    const client = plaidClient(running.plaidUrl);
    const token = await processorToken(client, (await linkItem(client)).accessToken);
    const identity = String((await finix(running, 'POST', '/identities', { entity: {} })).body['id']);
    const instrument = { type: 'BANK_ACCOUNT', third_party: 'PLAID', third_party_token: token, identity };
    const source = (await finix(running, 'POST', '/payment_instruments', instrument)).body['id'];
    const debit = { amount: 1000, currency: 'USD', merchant: 'MU1', source, idempotency_id: 'order_1' };
    const id = String((await finix(running, 'POST', '/transfers', debit)).body['id']);
    await finix(running, 'GET', `/transfers/${id}`);
    await finix(running, 'PUT', `/transfers/${id}`, { tags: { order: '1' } });
    running.simulator.ach.succeed(id);
    running.simulator.ach.returnDebit(id, 'R01');
    await finix(running, 'POST', `/transfers/${id}/reversals`, { refund_amount: 100 });
    await finix(running, 'GET', `/transfers/${id}/reversals`);
    await finix(running, 'GET', '/transfers?state=ALL&type=DEBITS&limit=20');
    expect(violations(true)).toEqual([]);
  });

  it('the simulator refuses in Plaid’s documented shape', async () => {
    const client = plaidClient(running.plaidUrl);
    await refusal(client.linkTokenCreate(linkTokenRequest({ client_name: '' })));
    await refusal(client.itemPublicTokenExchange({ public_token: 'public-sandbox-none' }));
    const { accessToken } = await linkItem(client, 'user_rate_limited');
    await refusal(client.accountsGet({ access_token: accessToken }));
    running.simulator.faults.add({ service: 'plaid', path: '/item/get', kind: 'status' });
    await refusal(client.itemGet({ access_token: accessToken }));
    expect(violations(false)).toEqual([]);
  });

  it('the simulator answers every Finix call as documented, and takes nothing that is not', async () => {
    const client = plaidClient(running.plaidUrl);
    const token = await processorToken(client, (await linkItem(client)).accessToken);
    const entity = {
      first_name: 'Ada',
      last_name: 'Byron',
      email: 'ada@example.com',
      phone: '4155550123',
      personal_address: { line1: '1 Main St', city: 'Malakoff', region: 'NY', postal_code: '14236', country: 'USA' },
    };
    const made = await finix(running, 'POST', '/identities', {
      entity,
      identity_roles: ['BUYER'],
      type: 'PERSONAL',
      tags: { customer: 'cus_1' },
    });
    const identity = String(made.body['id']);
    await finix(running, 'GET', `/identities/${identity}`);
    await finix(running, 'PUT', `/identities/${identity}`, { entity: { last_name: 'King' } });
    await finix(running, 'GET', '/identities?email=ada%40example.com&limit=100');
    const body = { type: 'BANK_ACCOUNT', third_party: 'PLAID', third_party_token: token, identity, tags: { a: 'b' } };
    const id = (await finix(running, 'POST', '/payment_instruments', body)).body['id'];
    await finix(running, 'GET', `/payment_instruments/${id}`);
    await finix(running, 'PUT', `/payment_instruments/${id}`, { enabled: false });
    await finix(running, 'GET', `/payment_instruments?owner_identity_id=${identity}&type=BANK_ACCOUNT&limit=20`);
    expect(violations(true)).toEqual([]);
  });

  it('the simulator refuses in Finix’s documented shape', async () => {
    await finix(running, 'POST', '/identities', { entity: { email: 'no-address' } });
    await finix(running, 'GET', '/payment_instruments/PInone');
    await finix(running, 'GET', '/identities', undefined, { authorization: undefined });
    running.simulator.faults.add({ service: 'finix', path: '/identities', kind: 'status', status: 503 });
    await finix(running, 'GET', '/identities');
    expect(violations(false)).toEqual([]);
  });

  it('the contract check notices a wrong answer, an undocumented field and an unknown parameter', () => {
    const body = { access_token: 'a', colour: 'blue' };
    expect(contracts.checkRequest('plaid', 'POST', '/accounts/get', body)).toHaveLength(1);
    expect(contracts.checkRequest('finix', 'GET', '/identities', undefined, { colour: 'blue' })).toHaveLength(1);
    expect(contracts.checkResponse('plaid', 'POST', '/item/public_token/exchange', 200, {})).toHaveLength(3);
    expect(contracts.checkResponse('finix', 'POST', '/identities', 201, { id: 7 })).toHaveLength(1);
    expect(contracts.checkRequest('finix', 'POST', '/nowhere', {})).toHaveLength(1);
  });
});
