import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningSimulator, startSimulator } from '../../demo/simulator/index.ts';
import { linkItem, plaidClient, products, refusal } from './client.ts';

let running: RunningSimulator;
beforeEach(async () => {
  running = await startSimulator();
});
afterEach(() => running.close());

const ALL = {
  legal_name: 'Jane Doe',
  email_address: 'jane@example.com',
  phone_number: '+14155550123',
  address: { street: '1 Main St', city: 'Malakoff', region: 'NY', postal_code: '14236', country: 'US' },
};

async function match(username: string, user: object) {
  const client = plaidClient(running.plaidUrl);
  const { accessToken } = await linkItem(client, username);
  const { accounts } = (await client.identityMatch({ access_token: accessToken, user })).data;
  return accounts[0];
}

async function scores(username: string, user: object) {
  const account = await match(username, user);
  const fields = [account?.legal_name, account?.email_address, account?.phone_number, account?.address];
  return fields.map((field) => field?.score);
}

describe('Identity Match', () => {
  it.each([
    ['user_owner_match', [100, 100, 100, 100]],
    ['user_owner_partial', [78, 0, 80, 75]],
    ['user_owner_mismatch', [22, 0, 0, 14]],
    ['user_owner_unknown', [null, null, null, null]],
  ])('Identity Match gives %s its scores', async (username, expected) => {
    expect(await scores(username, ALL)).toEqual(expected);
  });

  it('Identity Match scores nothing that was not given', async () => {
    expect(await scores('user_owner_match', { legal_name: 'Jane Doe' })).toEqual([100, null, null, null]);
    expect(await scores('user_owner_match', {})).toEqual([null, null, null, null]);
  });

  it.each([
    ['Alberta Bobbeth Charleson', 100],
    ['alberta charleson', 99],
    ['Alerta Charleson', 91],
    ['Maria Charleson', 58],
    ['Maya Okafor', 18],
  ])('Identity Match compares %s with the owner of user_good', async (legal_name, score) => {
    expect((await match('user_good', { legal_name }))?.legal_name?.score).toBe(score);
  });

  it('Identity Match finds the owner’s own email address, phone number and postal code', async () => {
    const own = { email_address: 'accountholder0@example.com', phone_number: '+1 (415) 555-0123' };
    expect(await scores('user_good', { ...own, address: { postal_code: '14236' } })).toEqual([null, 100, 100, 100]);
    const other = { email_address: 'x@example.com', phone_number: '+12125550100', address: { postal_code: '10001' } };
    expect(await scores('user_good', other)).toEqual([null, 0, 0, 20]);
  });

  it('Identity Match identity match returns what it noticed in the name, and no balance', async () => {
    expect((await match('user_business', { legal_name: 'Harborline Coffee LLC' }))?.legal_name).toMatchObject({
      score: 100,
      is_business_name_detected: true,
    });
    const relative = await match('user_good', { legal_name: 'Maria Charleson' });
    expect(relative?.legal_name?.is_first_name_or_last_name_match).toBe(true);
    expect(relative?.balances).toMatchObject({ available: null, current: null });
  });

  it.each([
    ['user_owner_not_enabled', { error_code: 'PRODUCT_NOT_ENABLED', error_type: 'ITEM_ERROR', status: 400 }],
    ['user_owner_not_supported', { error_code: 'PRODUCTS_NOT_SUPPORTED', error_type: 'ITEM_ERROR' }],
    ['user_owner_down', { error_code: 'INTERNAL_SERVER_ERROR', error_type: 'API_ERROR', status: 500 }],
    ['user_manually_verified', { error_code: 'PRODUCTS_NOT_SUPPORTED' }],
  ])('Identity Match refuses %s as Plaid does', async (username, expected) => {
    const client = plaidClient(running.plaidUrl);
    const { accessToken: access_token } = await linkItem(client, username);
    expect(await refusal(client.identityMatch({ access_token, user: ALL }))).toMatchObject(expected);
  });

  it('Identity Match needs the product and the consent', async () => {
    const client = plaidClient(running.plaidUrl);
    const { accessToken: access_token } = await linkItem(client, 'user_good', products('auth'));
    const call = () => refusal(client.identityMatch({ access_token, user: ALL }));
    expect(await call()).toMatchObject({ error_code: 'ADDITIONAL_CONSENT_REQUIRED' });
    running.simulator.settings.disabledProducts = ['identity'];
    expect(await call()).toMatchObject({ error_code: 'INVALID_PRODUCT' });
  });

  it('Identity Match refuses a field that it does not know', async () => {
    const client = plaidClient(running.plaidUrl);
    const { accessToken: access_token } = await linkItem(client);
    const user = { legal_name: 'Jane Doe', first_name: 'Jane' } as never;
    expect(await refusal(client.identityMatch({ access_token, user }))).toMatchObject({ error_code: 'UNKNOWN_FIELDS' });
  });
});

describe('how an account was verified, and whose it is', () => {
  it.each([
    ['user_good', 'INSTANT_AUTH', undefined, 'personal'],
    ['user_instant_match', 'INSTANT_MATCH', undefined, 'personal'],
    ['user_pending_verification', 'AUTOMATED_MICRODEPOSITS', 'pending_automatic_verification', 'personal'],
    ['user_manually_verified', 'SAME_DAY_MICRODEPOSITS', 'manually_verified', 'personal'],
    ['user_database_verified', 'DATABASE_INSIGHTS', 'database_insights_pass', 'personal'],
    ['user_business', 'INSTANT_AUTH', undefined, 'business'],
    ['user_holder_unknown', 'INSTANT_AUTH', undefined, null],
  ])('the verification is in the Item and the account of %s', async (username, method, status, holder) => {
    const client = plaidClient(running.plaidUrl);
    const { accessToken: access_token } = await linkItem(client, username);
    const { item, accounts } = (await client.accountsGet({ access_token })).data;
    expect([item.auth_method, accounts[0]?.verification_status, accounts[0]?.holder_category]).toEqual([
      method,
      status,
      holder,
    ]);
  });
});
