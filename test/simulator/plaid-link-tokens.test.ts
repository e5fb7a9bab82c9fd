import type { PlaidApi } from 'plaid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningSimulator, startSimulator } from '../../demo/simulator/index.ts';
import { linkItem, linkTokenRequest, plaidClient, products, refusal } from './client.ts';

let running: RunningSimulator;
let client: PlaidApi;
let now: number;

beforeEach(async () => {
  now = Date.UTC(2026, 10, 23);
  running = await startSimulator({ now: () => now });
  client = plaidClient(running.plaidUrl);
});
afterEach(() => running.close());

/** Products that this project does not use. */
const UNUSED = [
  'card_switch eu_config payment_configuration payment_initiation employment income_verification base_report',
  'credit_partner_insights cra_options consumer_report_permissible_purpose transfer identity_verification statements',
  'investments investments_auth transactions cashflow_report identity',
].flatMap((line) => line.split(' '));

describe('a link token request is refused', () => {
  const cases: [string, Record<string, unknown>, { error_code: string; status?: number }][] = [
    ['with an unknown field', { colour: 'blue' }, { error_code: 'UNKNOWN_FIELDS' }],
    [
      'with an unknown field of the user',
      { user: { client_user_id: 'c', nick: 'x' } },
      { error_code: 'UNKNOWN_FIELDS' },
    ],
    ['without a language', { language: undefined }, { error_code: 'MISSING_FIELDS' }],
    ['without a user', { user: undefined }, { error_code: 'MISSING_FIELDS' }],
    ['without a name', { client_name: '' }, { error_code: 'INVALID_FIELD' }],
    ['with an unknown language', { language: 'xx' }, { error_code: 'INVALID_FIELD' }],
    ['with an unknown country', { country_codes: ['ZZ'] }, { error_code: 'INVALID_FIELD' }],
    ['without products', { products: [] }, { error_code: 'INVALID_FIELD' }],
    ['with the product balance', { products: ['balance'] }, { error_code: 'INVALID_PRODUCT' }],
    ['with a product twice', { optional_products: ['auth'] }, { error_code: 'INVALID_FIELD' }],
    ['with a query in redirect_uri', { redirect_uri: 'https://a.example/?b=1' }, { error_code: 'INVALID_FIELD' }],
    ['with http in redirect_uri', { redirect_uri: 'http://a.example/' }, { error_code: 'INVALID_FIELD' }],
    ['with an update but no access token', { update: {} }, { error_code: 'INVALID_FIELD' }],
    [
      'with a phone number that is none',
      { user: { client_user_id: 'c', phone_number: '555-1234' } },
      { error_code: 'INVALID_USER_IDENTITY_DATA', status: 403 },
    ],
    [
      'with an email address that is none',
      { user: { client_user_id: 'c', email_address: 'no-address' } },
      { error_code: 'INVALID_USER_IDENTITY_DATA', status: 403 },
    ],
  ];
  it.each(cases)('a link token request is refused: %s', async (_title, more, expected) => {
    expect(await refusal(client.linkTokenCreate(linkTokenRequest(more)))).toMatchObject(expected);
  });

  it('a link token request is refused with a product that is not enabled for the client, in whichever list', async () => {
    running.simulator.settings.disabledProducts = ['signal'];
    const request = linkTokenRequest({ additional_consented_products: products('signal') });
    expect(await refusal(client.linkTokenCreate(request))).toMatchObject({ error_code: 'INVALID_PRODUCT' });
    running.simulator.settings.disabledProducts = [];
    expect((await client.linkTokenCreate(request)).data.link_token).toMatch(/^link-/);
  });

  it('a link token request is refused with products in update mode, but for one that the customer has not shared', async () => {
    const { accessToken } = await linkItem(client);
    const request = linkTokenRequest({ access_token: accessToken });
    expect(await refusal(client.linkTokenCreate(request))).toMatchObject({ error_code: 'INVALID_FIELD' });
    const asked = await client.linkTokenCreate({ ...request, products: products('auth') });
    expect(asked.data.link_token).toMatch(/^link-/);
    const more = { products: undefined, additional_consented_products: products('signal') };
    const consent = await client.linkTokenCreate({ ...request, ...more });
    expect(consent.data.link_token).toMatch(/^link-/);
  });
});

describe('a link token request', () => {
  it('a link token request is taken with every field of Plaid’s document', async () => {
    const filter = { account_subtypes: ['all'] };
    const full = {
      ...linkTokenRequest({ client_name: 'A Quickstart with a Name of More Than Thirty' }),
      user: {
        client_user_id: 'cus_1',
        phone_number: '+14155550123',
        phone_number_verified_time: '2026-01-01T00:00:00Z',
        email_address_verified_time: '2026-01-01T00:00:00Z',
        ssn: '4321',
        id_number: { value: '1', type: 'us_ssn' },
        date_of_birth: '1990-01-31',
      },
      account_filters: {
        depository: { account_subtypes: ['checking'], limited_purpose_types: ['all'] },
        credit: filter,
        loan: filter,
        investment: filter,
        other: filter,
      },
      auth: { database_match_enabled: true, database_insights_enabled: true, flow_type: 'FLEXIBLE_AUTH' },
      hosted_link: { delivery_method: 'sms' },
      access_tokens: [],
      institution_id: 'ins_109508',
      third_party_user_token: 'token',
      enable_multi_item_link: false,
      financekit_supported: true,
      cra_enabled: false,
      user_token: 'user-sandbox-1',
      ...Object.fromEntries(UNUSED.map((name) => [name, {}])),
    };
    // An Android app has no Hosted Link.
    const app = { ...full, hosted_link: undefined, android_package_name: 'com.example.shop' };
    for (const request of [full, app]) {
      expect((await client.linkTokenCreate(request as never)).data.link_token).toMatch(/^link-/);
    }
  });

  it('a link token request is taken in update mode with the fields of its own', async () => {
    const { accessToken } = await linkItem(client);
    const update = { user: true, item_ids: null, reauthorization_enabled: true } as never;
    const request = linkTokenRequest({ access_token: accessToken, products: undefined, update });
    expect((await client.linkTokenCreate(request)).data.link_token).toMatch(/^link-/);
  });
});
