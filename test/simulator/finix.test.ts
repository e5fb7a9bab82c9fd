import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningSimulator, startSimulator } from '../../demo/simulator/index.ts';
import { finix, finixError, linkItem, plaidClient, processorToken, products } from './client.ts';

let running: RunningSimulator;
let now: number;

beforeEach(async () => {
  now = Date.UTC(2026, 10, 23);
  running = await startSimulator({ now: () => now });
});
afterEach(() => running.close());

async function newIdentity(): Promise<string> {
  return String((await finix(running, 'POST', '/identities', { entity: {} })).body['id']);
}

async function newProcessorToken(username?: string, initial?: ReturnType<typeof products>): Promise<string> {
  const client = plaidClient(running.plaidUrl);
  return processorToken(client, (await linkItem(client, username, initial)).accessToken);
}

const instrumentOf = (identity: string, token: string, more: Record<string, unknown> = {}) => ({
  type: 'BANK_ACCOUNT',
  third_party: 'PLAID',
  third_party_token: token,
  identity,
  ...more,
});

const newInstrument = (identity: string, token: string, more?: Record<string, unknown>) =>
  finix(running, 'POST', '/payment_instruments', instrumentOf(identity, token, more));

function listed(body: Record<string, unknown>, name: string): Record<string, unknown>[] {
  return (body['_embedded'] as Record<string, Record<string, unknown>[]>)[name] ?? [];
}

describe('who may ask, and how', () => {
  it.each([
    ['a wrong password', { authorization: `Basic ${btoa('US:no')}` }, { status: 401, code: 'UNKNOWN' }],
    ['no Finix-Version', { 'finix-version': undefined }, { status: 400, code: 'BAD_REQUEST' }],
    ['an unknown Accept', { accept: 'text/html' }, { status: 406, code: 'NOT_ACCEPTABLE' }],
    ['another content type', { 'content-type': 'text/plain' }, { status: 400, code: 'BAD_REQUEST' }],
  ])('a Finix call is refused with %s', async (_title, headers, expected) => {
    expect(finixError(await finix(running, 'POST', '/identities', { entity: {} }, headers))).toMatchObject(expected);
  });

  it('Finix answers in hal+json, with a request id', async () => {
    const { headers } = await finix(running, 'GET', '/identities');
    expect(headers.get('content-type')).toBe('application/hal+json;charset=UTF-8');
    expect(headers.get('x-request-id')).toBeTruthy();
  });
});

describe('identities', () => {
  it('identities are made, read, changed and found by email', async () => {
    const entity = { first_name: 'Ada', last_name: 'Byron', email: 'ada@example.com' };
    const body = { entity, identity_roles: ['BUYER'], tags: { customer: 'cus_1' } };
    const made = await finix(running, 'POST', '/identities', body);
    expect(made.status).toBe(201);
    const id = String(made.body['id']);
    expect(id).toMatch(/^ID\w{22}$/);
    await finix(running, 'PUT', `/identities/${id}`, { entity: { first_name: 'Augusta' } });
    const read = await finix(running, 'GET', `/identities/${id}`);
    expect(read.body['entity']).toMatchObject({ first_name: 'Augusta', last_name: 'Byron' });
    await newIdentity();
    const found = await finix(running, 'GET', '/identities?email=ada%40example.com');
    expect(listed(found.body, 'identities').map((identity) => identity['id'])).toEqual([id]);
  });

  it.each([
    ['first_name over 20 characters', { first_name: 'x'.repeat(21) }, 'entity.first_name'],
    ['email over 100 characters', { email: `${'x'.repeat(95)}@example.com` }, 'entity.email'],
    ['a two-letter country', { personal_address: { country: 'US' } }, 'entity.personal_address.country'],
    ['a spelled-out region', { personal_address: { region: 'California' } }, 'entity.personal_address.region'],
    ['an unknown field', { nickname: 'x' }, 'entity.nickname'],
  ])('identities are refused with %s', async (_title, entity, field) => {
    const answer = await finix(running, 'POST', '/identities', { entity });
    expect(finixError(answer)).toMatchObject({ status: 422, code: 'INVALID_FIELD', field });
  });

  it('identities are refused with more than 50 tags, long keys or long values', async () => {
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, 'v']));
    for (const tags of [many, { ['k'.repeat(41)]: 'v' }, { k: 'v'.repeat(501) }]) {
      expect((await finix(running, 'POST', '/identities', { entity: {}, tags })).status).toBe(422);
    }
  });
});

describe('payment instruments', () => {
  it('payment instruments are made of a live processor token', async () => {
    const identity = await newIdentity();
    const answer = await newInstrument(identity, await newProcessorToken(), { tags: { connection: 'con_1' } });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      identity,
      type: 'BANK_ACCOUNT',
      third_party: 'PLAID',
      enabled: true,
      account_type: 'CHECKING',
      masked_account_number: 'XXXXXXXXXXXX0000',
      bank_account_validation_check: 'NOT_ATTEMPTED',
      tags: { connection: 'con_1' },
    });
  });

  it('payment instruments are new with every call, with the same fingerprint for the same account', async () => {
    const identity = await newIdentity();
    const token = await newProcessorToken();
    const [first, second] = [await newInstrument(identity, token), await newInstrument(identity, token)];
    const other = await newInstrument(identity, await newProcessorToken('user_one_account'));
    expect(first.body['id']).not.toBe(second.body['id']);
    expect(first.body['fingerprint']).toBe(second.body['fingerprint']);
    expect(first.body['fingerprint']).not.toBe(other.body['fingerprint']);
  });

  it('payment instruments are refused with a field that the simulator does not know, and for an unknown identity', async () => {
    const token = await newProcessorToken();
    const identity = await newIdentity();
    expect(finixError(await newInstrument(identity, token, { idempotency_id: 'x' }))).toMatchObject({
      field: 'idempotency_id',
    });
    expect(finixError(await newInstrument('IDnone', token))).toMatchObject({ status: 422, field: 'identity' });
  });

  it('payment instruments are refused without a live token', async () => {
    const identity = await newIdentity();
    const client = plaidClient(running.plaidUrl);
    const { accessToken } = await linkItem(client);
    const removed = await processorToken(client, accessToken);
    await client.itemRemove({ access_token: accessToken });
    for (const token of [removed, 'processor-sandbox-none']) {
      expect(finixError(await newInstrument(identity, token))).toMatchObject({
        status: 422,
        code: 'INVALID_FIELD',
        field: 'third_party_token',
      });
    }
  });

  it.each([
    ['the identity product is missing', 'user_good', products('auth')],
    ['the auth product is missing', 'user_good', products('identity')],
    ['the account is not verified yet', 'user_pending_verification', undefined],
    ['the scenario refuses it', 'user_finix_refuses', undefined],
  ])('payment instruments are refused when %s', async (_title, username, initial) => {
    const token = await newProcessorToken(username, initial);
    const answer = await newInstrument(await newIdentity(), token);
    expect(finixError(answer)).toMatchObject({ status: 422, field: 'third_party_token' });
    expect(running.simulator.ledger.instruments()).toEqual([]);
  });

  it('payment instruments are disabled in place', async () => {
    const made = await newInstrument(await newIdentity(), await newProcessorToken());
    const path = `/payment_instruments/${made.body['id']}`;
    expect((await finix(running, 'PUT', path, { enabled: false })).body).toMatchObject({
      enabled: false,
      disabled_code: 'USER_INITIATED',
    });
    expect((await finix(running, 'GET', path)).body['enabled']).toBe(false);
  });

  it('payment instruments that do not exist are not found', async () => {
    expect(finixError(await finix(running, 'GET', '/payment_instruments/PInone'))).toMatchObject({
      status: 404,
      code: 'NOT_FOUND',
    });
  });
});

describe('lists', () => {
  it('lists show one identity’s instruments page by page, newest first', async () => {
    const token = await newProcessorToken();
    const [identity, other] = [await newIdentity(), await newIdentity()];
    const made: unknown[] = [];
    for (let i = 0; i < 5; i++) made.unshift((await newInstrument(identity, token)).body['id']);
    await newInstrument(other, token);
    const seen: unknown[] = [];
    let cursor: string | null = '';
    let pages = 0;
    while (cursor !== null) {
      const after = cursor ? `&after_cursor=${cursor}` : '';
      const { body } = await finix(
        running,
        'GET',
        `/payment_instruments?owner_identity_id=${identity}&type=BANK_ACCOUNT&limit=2${after}`,
      );
      seen.push(...listed(body, 'payment_instruments').map((instrument) => instrument['id']));
      cursor = (body['page'] as { next_cursor: string | null }).next_cursor;
      pages += 1;
    }
    expect(seen).toEqual(made);
    expect(pages).toBe(3);
  });

  it('lists filter by time and by tag', async () => {
    const token = await newProcessorToken();
    const identity = await newIdentity();
    await newInstrument(identity, token, { tags: { connection: 'a' } });
    now += 1000;
    const late = await newInstrument(identity, token, { tags: { connection: 'b' } });
    const since = new Date(now).toISOString();
    for (const query of [`created_at.gte=${since}`, 'tags.key=connection&tags.value=b']) {
      const { body } = await finix(running, 'GET', `/payment_instruments?${query}`);
      expect(listed(body, 'payment_instruments').map(({ id }) => id)).toEqual([late.body['id']]);
    }
  });

  it('lists refuse unknown parameters, limits over 100 and cursors of nowhere', async () => {
    for (const query of ['fingerprint=FPRx', 'limit=101', 'after_cursor=PInone']) {
      expect((await finix(running, 'GET', `/payment_instruments?${query}`)).status).toBe(422);
    }
  });

  it('lists lag behind by listLagMs, while single reads do not', async () => {
    running.simulator.settings.listLagMs = 500;
    const id = await newIdentity();
    const read = async () => listed((await finix(running, 'GET', '/identities')).body, 'identities');
    expect(await read()).toEqual([]);
    expect((await finix(running, 'GET', `/identities/${id}`)).status).toBe(200);
    now += 500;
    expect(await read()).toHaveLength(1);
  });
});
