import type { PlaidApi } from 'plaid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningSimulator, startSimulator } from '../../demo/simulator/index.ts';
import { countries, linkItem, linkTokenRequest, plaidClient, processorToken, products, refusal } from './client.ts';

let running: RunningSimulator;
let client: PlaidApi;
let now: number;

beforeEach(async () => {
  now = Date.UTC(2026, 10, 23);
  running = await startSimulator({ now: () => now });
  client = plaidClient(running.plaidUrl);
});
afterEach(() => running.close());

const MINUTE = 60_000;

describe('the simulated Plaid, through the real SDK', () => {
  it('the simulated Plaid leads from a public token to a processor token', async () => {
    const { accessToken } = await linkItem(client);
    const { accounts, item } = (await client.accountsGet({ access_token: accessToken })).data;
    expect(accounts.map(({ subtype }) => subtype)).toEqual([
      'checking',
      'savings',
      'cd',
      'credit card',
      'money market',
      'student',
    ]);
    expect(item.institution_name).toBe('First Platypus Bank');
    expect(await processorToken(client, accessToken)).toMatch(/^processor-sandbox-/);
    const auth = (await client.authGet({ access_token: accessToken })).data;
    expect(auth.numbers.ach).toHaveLength(2);
    const owners = (await client.identityGet({ access_token: accessToken })).data.accounts[0]?.owners;
    expect(owners?.[0]?.names).toEqual(['Alberta Bobbeth Charleson']);
  });

  it('the simulated Plaid makes link tokens that live four hours, or thirty minutes in update mode', async () => {
    const fresh = (await client.linkTokenCreate(linkTokenRequest())).data;
    expect(fresh.link_token).toMatch(/^link-sandbox-/);
    expect(Date.parse(fresh.expiration)).toBe(now + 240 * MINUTE);
    const { accessToken } = await linkItem(client);
    const update = linkTokenRequest({ access_token: accessToken, products: undefined });
    expect(Date.parse((await client.linkTokenCreate(update)).data.expiration)).toBe(now + 30 * MINUTE);
  });

  it('the simulated Plaid a link token can be read again, with what it was made for', async () => {
    const request = linkTokenRequest({ redirect_uri: 'https://shop.example/return' });
    const { link_token } = (await client.linkTokenCreate(request)).data;
    const { metadata, link_sessions } = (await client.linkTokenGet({ link_token })).data;
    expect(metadata).toMatchObject({
      initial_products: ['auth', 'identity'],
      redirect_uri: 'https://shop.example/return',
    });
    expect(link_sessions).toEqual([]);
  });

  it('the simulated Plaid gives every Item new account ids and the same numbers', async () => {
    const first = await linkItem(client);
    const second = await linkItem(client);
    const [a, b] = await Promise.all(
      [first, second].map(
        async ({ accessToken }) => (await client.authGet({ access_token: accessToken })).data.numbers.ach[0],
      ),
    );
    expect(a?.account).toBe(b?.account);
    expect(a?.account_id).not.toBe(b?.account_id);
  });

  it('the simulated Plaid puts a request id on every answer, good or bad', async () => {
    const good = (await client.linkTokenCreate(linkTokenRequest())).data;
    const bad = await refusal(client.linkTokenGet({ link_token: 'link-sandbox-none' }));
    expect(good.request_id).toMatch(/^\w{15}$/);
    expect(bad['request_id']).toMatch(/^\w{15}$/);
  });
});

describe('what Plaid does not know', () => {
  it.each([
    ['POST', '/nowhere'],
    ['GET', '/item/get'],
    ['POST', '/'],
  ])('%s %s is an error of Plaid’s own shape', async (method, path) => {
    const response = await fetch(`${running.plaidUrl}${path}`, { method });
    expect([response.status, response.headers.get('content-type')]).toEqual([404, 'application/json; charset=utf-8']);
    expect(await response.json()).toMatchObject({ error_type: 'INVALID_REQUEST', error_code: 'NOT_FOUND' });
  });
});

describe('credentials and versions', () => {
  it('the simulated Plaid refuses a wrong secret with 400', async () => {
    const wrong = plaidClient(running.plaidUrl, { secret: 'nope' });
    expect(await refusal(wrong.linkTokenCreate(linkTokenRequest()))).toMatchObject({
      status: 400,
      error_type: 'INVALID_INPUT',
      error_code: 'INVALID_API_KEYS',
    });
  });

  it('the simulated Plaid refuses another API version', async () => {
    const old = plaidClient(running.plaidUrl, { version: '2019-05-29' });
    expect(await refusal(old.linkTokenCreate(linkTokenRequest()))).toMatchObject({
      error_code: 'INCOMPATIBLE_API_VERSION',
    });
  });

  it('the simulated Plaid keeps credentials out of its records', async () => {
    await linkItem(client);
    await fetch(`${running.plaidUrl}/link/token/get`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_id: 'simulator-client-id',
        secret: 'simulator-plaid-secret',
        link_token: 'link-x',
      }),
    });
    const calls = running.simulator.ledger.calls();
    expect(calls).toHaveLength(3);
    expect(JSON.stringify(calls)).not.toContain('simulator-plaid-secret');
  });
});

describe('tokens', () => {
  it('a public token is exchanged once', async () => {
    const { publicToken } = await linkItem(client);
    expect(await refusal(client.itemPublicTokenExchange({ public_token: publicToken }))).toMatchObject({
      status: 400,
      error_type: 'INVALID_INPUT',
      error_code: 'INVALID_PUBLIC_TOKEN',
    });
  });

  it('a public token lives thirty minutes', async () => {
    const create = () =>
      client.sandboxPublicTokenCreate({ institution_id: 'ins_109508', initial_products: products('auth') });
    const [inTime, tooLate] = [(await create()).data.public_token, (await create()).data.public_token];
    now += 30 * MINUTE - 1;
    await client.itemPublicTokenExchange({ public_token: inTime });
    now += 1;
    expect(await refusal(client.itemPublicTokenExchange({ public_token: tooLate }))).toMatchObject({
      error_code: 'INVALID_PUBLIC_TOKEN',
    });
  });

  it('removing an Item takes its access token out of use', async () => {
    const { accessToken } = await linkItem(client);
    await client.itemRemove({ access_token: accessToken });
    expect(await refusal(client.accountsGet({ access_token: accessToken }))).toMatchObject({
      error_type: 'ITEM_ERROR',
      error_code: 'ITEM_NOT_FOUND',
    });
    expect(await refusal(client.itemRemove({ access_token: accessToken }))).toMatchObject({
      error_code: 'ITEM_NOT_FOUND',
    });
  });

  it('access tokens that were never given out are refused', async () => {
    const call = client.itemGet({ access_token: 'access-sandbox-00000000-0000-0000-0000-000000000000' });
    expect(await refusal(call)).toMatchObject({ error_code: 'INVALID_ACCESS_TOKEN' });
  });
});

describe('processor tokens', () => {
  it('processor tokens are refused for other processors, unknown accounts and credit cards', async () => {
    const { accessToken } = await linkItem(client);
    const { accounts } = (await client.accountsGet({ access_token: accessToken })).data;
    const ask = (account_id: string, processor: string) =>
      refusal(
        client.processorTokenCreate({
          access_token: accessToken,
          account_id,
          processor: processor as Parameters<PlaidApi['processorTokenCreate']>[0]['processor'],
        }),
      );
    const idOf = (subtype: string) => accounts.find((account) => account.subtype === subtype)?.account_id ?? '';
    expect(await ask(idOf('checking'), 'dwolla')).toMatchObject({ error_code: 'INVALID_PRODUCT' });
    expect(await ask('nothing', 'finix')).toMatchObject({ error_code: 'INVALID_ACCOUNT_ID' });
    expect(await ask(idOf('credit card'), 'finix')).toMatchObject({ error_code: 'ITEM_NOT_SUPPORTED' });
  });
});

describe('scenarios by user name', () => {
  it('user_down_after_link: the bank is down with status 400', async () => {
    const { accessToken } = await linkItem(client, 'user_down_after_link');
    expect(await refusal(client.accountsGet({ access_token: accessToken }))).toMatchObject({
      status: 400,
      error_type: 'INSTITUTION_ERROR',
      error_code: 'INSTITUTION_DOWN',
    });
  });

  it('user_login_required: the Item has that error, also in item/get', async () => {
    const { accessToken } = await linkItem(client, 'user_login_required');
    expect(await refusal(client.accountsGet({ access_token: accessToken }))).toMatchObject({
      error_code: 'ITEM_LOGIN_REQUIRED',
    });
    const { item } = (await client.itemGet({ access_token: accessToken })).data;
    expect(item.error?.error_code).toBe('ITEM_LOGIN_REQUIRED');
  });

  it('user_rate_limited: two refusals for each Item, then an answer', async () => {
    for (const { accessToken } of [
      await linkItem(client, 'user_rate_limited'),
      await linkItem(client, 'user_rate_limited'),
    ]) {
      const read = () => client.accountsGet({ access_token: accessToken });
      expect(await refusal(read())).toMatchObject({ status: 429, error_type: 'RATE_LIMIT_EXCEEDED' });
      expect(await refusal(read())).toMatchObject({ status: 429 });
      expect((await read()).status).toBe(200);
    }
  });

  it('user_spent_token: the exchange is refused', async () => {
    expect(await refusal(linkItem(client, 'user_spent_token'))).toMatchObject({ error_code: 'INVALID_PUBLIC_TOKEN' });
  });

  it('user_pending_verification: the numbers are not ready until the deposits are verified', async () => {
    const { accessToken } = await linkItem(client, 'user_pending_verification');
    const account = (await client.accountsGet({ access_token: accessToken })).data.accounts[0];
    expect(account?.verification_status).toBe('pending_automatic_verification');
    expect(await refusal(client.authGet({ access_token: accessToken }))).toMatchObject({
      error_code: 'PRODUCT_NOT_READY',
    });
    await client.sandboxItemSetVerificationStatus({
      access_token: accessToken,
      account_id: account?.account_id ?? '',
      verification_status: 'automatically_verified' as Parameters<
        PlaidApi['sandboxItemSetVerificationStatus']
      >[0]['verification_status'],
    });
    expect((await client.authGet({ access_token: accessToken })).data.numbers.ach).toHaveLength(1);
  });

  it('user_no_accounts and user_ineligible: nothing that could be debited', async () => {
    const none = await linkItem(client, 'user_no_accounts');
    expect(await refusal(client.accountsGet({ access_token: none.accessToken }))).toMatchObject({
      error_code: 'NO_ACCOUNTS',
    });
    const wrong = await linkItem(client, 'user_ineligible');
    const { accounts } = (await client.accountsGet({ access_token: wrong.accessToken })).data;
    expect(accounts.map(({ type }) => type)).toEqual(['credit', 'loan']);
  });

  it('an unknown user name, and a password that names an error, are refused with that error', async () => {
    expect(await refusal(linkItem(client, 'unknown'))).toMatchObject({ error_code: 'INVALID_CREDENTIALS' });
    const locked = client.sandboxPublicTokenCreate({
      institution_id: 'ins_109508',
      initial_products: products('auth'),
      options: { override_username: 'user_good', override_password: 'error_ITEM_LOCKED' },
    });
    expect(await refusal(locked)).toMatchObject({ error_code: 'ITEM_LOCKED' });
  });
});

describe('smaller calls', () => {
  it('the simulated Plaid resets a login', async () => {
    const { accessToken } = await linkItem(client);
    expect((await client.sandboxItemResetLogin({ access_token: accessToken })).data.reset_login).toBe(true);
    expect(await refusal(client.accountsGet({ access_token: accessToken }))).toMatchObject({
      error_code: 'ITEM_LOGIN_REQUIRED',
    });
  });

  it('the simulated Plaid knows its institutions', async () => {
    const call = (id: string) => client.institutionsGetById({ institution_id: id, country_codes: countries('US') });
    expect((await call('ins_109511')).data.institution.name).toBe('Tartan Bank');
    expect(await refusal(call('ins_0'))).toMatchObject({ error_code: 'INVALID_INSTITUTION' });
  });

  it('the simulated Plaid refuses auth for an Item that was linked without it', async () => {
    const { accessToken } = await linkItem(client, 'user_good', products('transactions'));
    expect(await refusal(client.authGet({ access_token: accessToken }))).toMatchObject({
      error_code: 'ADDITIONAL_CONSENT_REQUIRED',
    });
  });
});
