import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningSimulator, SIMULATOR_CREDENTIALS, startSimulator } from '../../demo/simulator/index.ts';
import { type Receiver, startReceiver } from '../helpers/receiver.ts';

let running: RunningSimulator;
beforeEach(async () => {
  running = await startSimulator({ laterMs: 0 });
});
afterEach(() => running.close());

// biome-ignore lint/suspicious/noExplicitAny: a test reads any body from the wire; a wrong shape fails its expectation.
type Answer = { status: number; body: any };

async function control(method: string, path = '', body?: unknown, headers: object = {}): Promise<Answer> {
  const response = await fetch(`${running.controlUrl}${path}`, {
    method,
    headers: { 'Content-Type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

async function plaid(path: string, body: object): Promise<Answer> {
  const { clientId, secret } = SIMULATOR_CREDENTIALS.plaid;
  const response = await fetch(`${running.plaidUrl}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ client_id: clientId, secret, ...body }),
  });
  return { status: response.status, body: await response.json() };
}

async function connect(webhook?: string): Promise<{ access_token: string; item_id: string }> {
  const { body } = await plaid('/sandbox/public_token/create', {
    institution_id: 'ins_109508',
    initial_products: ['auth', 'identity'],
    ...(webhook ? { options: { webhook } } : {}),
  });
  return (await plaid('/item/public_token/exchange', { public_token: body.public_token })).body;
}

describe('the control API', () => {
  it('the control API lists addresses, credentials, events and itself', async () => {
    const { body } = await control('GET');
    expect(body).toMatchObject({ plaidUrl: running.plaidUrl, finix: SIMULATOR_CREDENTIALS.finix });
    expect(body.events).toContain('permission_revoked');
    expect(body.controls).toContain('POST /_control/faults');
  });

  it('the control API adds a fault, ends it, and ends all of them', async () => {
    const fault = { service: 'plaid', path: '/accounts/get', kind: 'plaid_error', error_code: 'INSTITUTION_DOWN' };
    const { access_token } = await connect();
    const added = await control('POST', '/faults', fault);
    expect(added).toEqual({ status: 201, body: { id: 'fault_1' } });
    expect((await plaid('/accounts/get', { access_token })).body.error_code).toBe('INSTITUTION_DOWN');
    expect((await control('DELETE', '/faults/fault_1')).status).toBe(200);
    expect((await plaid('/accounts/get', { access_token })).status).toBe(200);
    await control('POST', '/faults', fault);
    await control('DELETE', '/faults');
    expect((await plaid('/accounts/get', { access_token })).status).toBe(200);
    expect((await control('DELETE', '/faults/fault_1')).status).toBe(404);
  });

  it.each([
    ['/faults', { service: 'bank', path: 'x', kind: 'timeout' }, 'service'],
    ['/faults', { service: 'plaid', path: '/item/get', kind: 'plaid_error', error_code: 'NO_SUCH' }, 'error_type'],
    ['/scenario', { username: 'user_unknown' }, 'user_unknown'],
    ['/events', { event: 'flood' }, 'event'],
    ['/events', { event: 'debit_returned', transfer: 'TR1', code: '1' }, 'return code'],
    ['/clock', { now: 'yesterday' }, 'now'],
    ['/faults', { service: 'plaid', path: '/item/get', kind: 'plaid_error' }, 'error_code'],
    ['/faults', { service: 'finix', path: '/identities', kind: 'plaid_error', error_code: 'NO_ACCOUNTS' }, 'finix'],
    ['/faults', { service: 'plaid', path: '/item/get', kind: 'finix_error', error_code: 'INVALID_FIELD' }, 'plaid'],
    ['/faults', { service: 'link', path: '/api/open', kind: 'plaid_error', error_code: 'NO_ACCOUNTS' }, 'link'],
    ['/clock', {}, 'now or advance_ms'],
    ['/clock', { advance_ms: Number.MAX_SAFE_INTEGER }, '9998'],
    ['/clock', { advance_ms: -Number.MAX_SAFE_INTEGER }, '1970'],
    ['/clock', { now: '9999-12-31T23:59:59Z' }, '9998'],
    ['/webhooks', { action: 'burn' }, 'action'],
  ])('the control API refuses what it does not know at %s: %j', async (path, body, named) => {
    expect(await control('POST', path, body)).toEqual({ status: 422, body: { error: expect.stringContaining(named) } });
  });

  it('the control API refuses an event about a bank that is not connected', async () => {
    expect(await control('POST', '/events', { event: 'login_broken' })).toEqual({
      status: 404,
      body: { error: 'No bank is connected.' },
    });
    const wrong = await control('POST', '/events', { event: 'login_broken', payment_instrument: 'PInone' });
    expect([wrong.status, wrong.body.error]).toEqual([404, expect.stringContaining('PInone')]);
    const transfer = await control('POST', '/events', { event: 'debit_succeeded', transfer: 'TRnone' });
    expect([transfer.status, transfer.body.error]).toEqual([404, expect.stringContaining('TRnone')]);
  });

  it('the control API chooses the scenario of customers who name none', async () => {
    await control('POST', '/scenario', { username: 'user_several' });
    await connect();
    const { body } = await control('GET', '/ledger/items');
    expect(body.data.map(({ username }: { username: string }) => username)).toEqual(['user_several']);
    expect((await control('GET', '/scenarios')).body.data.length).toBeGreaterThan(40);
  });

  it('the control API moves the clock, by which tokens expire', async () => {
    const { body } = await plaid('/sandbox/public_token/create', {
      institution_id: 'ins_109508',
      initial_products: ['auth'],
    });
    const before = Date.parse((await control('GET', '/clock')).body.now);
    const moved = await control('POST', '/clock', { advance_ms: 31 * 60_000 });
    expect(Date.parse(moved.body.now) - before).toBeGreaterThanOrEqual(31 * 60_000);
    const late = await plaid('/item/public_token/exchange', { public_token: body.public_token });
    expect(late.body.error_code).toBe('INVALID_PUBLIC_TOKEN');
    const set = await control('POST', '/clock', { now: '2030-01-01T00:00:00Z' });
    expect(set.body.now).toMatch(/^2030-01-01T00:00:0/);
    expect((await control('POST', '/clock', { advance_ms: Number.MAX_SAFE_INTEGER })).status).toBe(422);
    expect((await control('GET', '/clock')).body.now).toMatch(/^2030-01-01T00:00:/);
  });

  it.each([
    ['GET', '/clocks', 404, 'GET /_control lists them'],
    ['POST', '/', 404, 'GET /_control lists them'],
    ['PUT', '/clock', 405, 'GET and POST'],
    ['DELETE', '', 405, 'GET'],
    ['GET', '/faults/fault_1', 405, 'DELETE'],
  ])('the control API answers %s %s with JSON that lists what it has', async (method, path, status, named) => {
    const answer = await control(method, path, method === 'GET' ? undefined : {});
    expect(answer).toEqual({ status, body: { error: expect.stringContaining(named) } });
  });

  it('the control API leaves the clock to the program that brought one', async () => {
    await running.close();
    running = await startSimulator({ now: Date.now });
    expect((await control('POST', '/clock', { advance_ms: 1 })).status).toBe(409);
  });

  it('the control API shows the ledger, whole and in parts, and forgets everything on reset', async () => {
    await connect();
    await control('POST', '/faults', { service: 'finix', path: '/*', kind: 'reset' });
    await control('PATCH', '/settings', { laterMs: 7, webhookCopies: 2 });
    await control('POST', '/clock', { advance_ms: 10 * 3600_000 });
    const { body } = await control('GET', '/ledger');
    expect([body.items.length, body.calls.length]).toEqual([1, 2]);
    expect((await control('GET', '/ledger/secrets')).status).toBe(404);
    expect((await control('POST', '/reset', {})).status).toBe(200);
    expect((await control('GET', '/ledger')).body).toMatchObject({ items: [], calls: [], webhooks: [] });
    expect((await control('GET', '/settings')).body).toMatchObject({ laterMs: 0, webhookCopies: 1 });
    expect(Date.parse((await control('GET', '/clock')).body.now)).toBeLessThan(Date.now() + 60_000);
    // The connection would be cut if the fault were still there.
    const { status } = await fetch(`${running.finixUrl}/identities`, { headers: { Authorization: 'Basic eA==' } });
    expect(status).toBe(401);
  });

  it('the control API is closed to pages: no simple request changes anything, no other host name reads anything', async () => {
    await connect();
    const simple = await control('POST', '/reset', {}, { 'Content-Type': 'text/plain' });
    expect(simple.status).toBe(415);
    expect((await control('GET', '/ledger/items')).body.data).toHaveLength(1);
    const answer = await running.simulator.app.request('http://rebound.example/_control/ledger');
    expect(answer.status).toBe(404);
    const read = await fetch(`${running.controlUrl}/ledger`, { headers: { Origin: 'https://evil.example' } });
    expect(read.headers.get('Access-Control-Allow-Origin')).toBeNull();
  });
});

describe('an event', () => {
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(() => receiver.close());

  it.each([
    ['login_broken', 'ERROR'],
    ['login_repaired', 'LOGIN_REPAIRED'],
    ['permission_revoked', 'USER_PERMISSION_REVOKED'],
    ['account_revoked', 'USER_ACCOUNT_REVOKED'],
    ['account_opened', 'NEW_ACCOUNTS_AVAILABLE'],
    ['numbers_withheld', 'PRODUCT_PERMISSIONS_REQUIRED'],
    ['numbers_changed', 'DEFAULT_UPDATE'],
    ['disconnect_announced', 'PENDING_DISCONNECT'],
  ])('an event %s has Plaid send %s', async (event, code) => {
    const { item_id } = await connect(receiver.url);
    expect(await control('POST', '/events', { event })).toEqual({ status: 200, body: { item_id } });
    await control('POST', '/webhooks', { action: 'settle' });
    expect(receiver.received.map(({ body }) => body.webhook_code)).toEqual([code]);
  });

  it('an event waits while webhooks are held', async () => {
    await connect(receiver.url);
    await control('POST', '/webhooks', { action: 'hold' });
    await control('POST', '/events', { event: 'login_broken' });
    await control('POST', '/events', { event: 'login_repaired' });
    expect(receiver.received).toEqual([]);
    await control('POST', '/webhooks', { action: 'release_reversed' });
    expect(receiver.received.map(({ body }) => body.webhook_code)).toEqual(['LOGIN_REPAIRED', 'ERROR']);
  });

  it('an event about a debit has Finix send it', async () => {
    await control('PATCH', '/settings', { laterMs: 3600_000, finixWebhook: { url: receiver.url, secret: 'whs' } });
    const { access_token } = await connect();
    const { accounts } = (await plaid('/accounts/get', { access_token })).body;
    const { account_id } = accounts.find(({ subtype }: { subtype: string }) => subtype === 'checking');
    const made = await plaid('/processor/token/create', { access_token, account_id, processor: 'finix' });
    const identity = await finix('/identities', { entity: { first_name: 'A' }, identity_roles: ['BUYER'] });
    const instrument = await finix('/payment_instruments', {
      type: 'BANK_ACCOUNT',
      third_party: 'PLAID',
      third_party_token: made.body.processor_token,
      identity: identity.id,
    });
    const transfer = await finix('/transfers', {
      amount: 1000,
      currency: 'USD',
      source: instrument.id,
      merchant: 'MUsimulator',
    });
    await control('POST', '/events', { event: 'debit_returned', transfer: transfer.id, code: 'R01' });
    const disabled = await control('POST', '/events', {
      event: 'instruments_disabled',
      payment_instrument: instrument.id,
    });
    expect(disabled.status).toBe(200);
    await control('POST', '/webhooks', { action: 'settle' });
    const types = receiver.received.map(({ body }) => `${body.entity}/${body.type}`);
    expect(types).toEqual(expect.arrayContaining(['transfer/updated', 'instrument/updated']));
    expect((await control('GET', '/ledger/transfers')).body.data[0]).toMatchObject({ state: 'FAILED' });
  });
});

// biome-ignore lint/suspicious/noExplicitAny: a test reads any body from the wire.
async function finix(path: string, body: object): Promise<any> {
  const { username, password } = SIMULATOR_CREDENTIALS.finix;
  const response = await fetch(`${running.finixUrl}${path}`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'Finix-Version': '2022-02-01',
      Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
    },
    body: JSON.stringify(body),
  });
  return response.json();
}
