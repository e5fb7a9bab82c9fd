import { afterEach, describe, expect, it } from 'vitest';
import { type Receiver, startReceiver, WEBHOOK_SECRET } from '../helpers/receiver.ts';
import { eventually, TestServer } from '../helpers/server.ts';

let server: TestServer;
let receiver: Receiver | undefined;

afterEach(async () => {
  await server.close();
  await receiver?.close();
  receiver = undefined;
});

const DAY = 24 * 3600_000;

async function expectLink(more: object = {}, headers: Record<string, string> = {}) {
  const answer = await server.merchant('POST', '/v1/links', { customer_id: 'cus_1', ...more }, headers);
  expect(answer.status).toBe(201);
  return answer.body;
}

const pathOf = (url: string) => new URL(url).pathname;

async function open(url: string, headers: Record<string, string> = { Origin: 'http://localhost:3000' }) {
  return server.send('POST', `${pathOf(url)}/session`, undefined, headers);
}

/** The page's part: opens the link and completes the session behind it. */
async function expectConnectedThrough(url: string, username?: string) {
  const { body } = await open(url);
  const session = { id: body.session, client_secret: body.client_secret };
  const completed = await server.complete(session as never, await server.publicToken(username));
  expect(completed.status).toBe(200);
  return completed.body;
}

describe('creating a link', () => {
  it('creating a link returns 201 with an address of 43 base64url characters that no other answer has', async () => {
    server = await TestServer.start();
    const link = await expectLink();
    expect(link).toMatchObject({
      object: 'link',
      status: 'open',
      mode: 'connect',
      customer_id: 'cus_1',
      connections: [],
    });
    expect(link.id).toMatch(/^lnk_\w+$/);
    expect(link.url).toMatch(/^http:\/\/localhost:3000\/c\/[A-Za-z0-9_-]{43}$/);
    expect(Date.parse(link.expires_at) - Date.parse(link.created_at)).toBe(7 * DAY);
    const { url: _, ...rest } = link;
    expect((await server.merchant('GET', `/v1/links/${link.id}`)).body).toEqual(rest);
  });

  it('creating a link stores only an id derived from the address', async () => {
    server = await TestServer.start();
    const link = await expectLink({ identity: { email: 'jane@example.com' } });
    const row = await server.storage.db.selectFrom('links').selectAll().executeTakeFirstOrThrow();
    expect(JSON.stringify(row)).not.toContain(pathOf(link.url).slice('/c/'.length + 22));
    expect(JSON.stringify(row)).not.toContain('jane@example.com');
    const audit = await server.storage.db.selectFrom('audit').selectAll().execute();
    expect(JSON.stringify(audit)).not.toContain(pathOf(link.url).slice('/c/'.length));
  });

  it('creating a link with the same Idempotency-Key and body returns the same link and address', async () => {
    server = await TestServer.start();
    const key = { 'Idempotency-Key': 'rent-november' };
    const first = await expectLink({}, key);
    expect(await expectLink({}, key)).toEqual(first);
    const other = await server.merchant('POST', '/v1/links', { customer_id: 'cus_2' }, key);
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    const session = await server.merchant('POST', '/v1/sessions', { customer_id: 'cus_1' }, key);
    expect(session).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
  });

  it.each([
    [{ expires_in_days: 22 }, 'expires_in_days'],
    [{ expires_in_days: 0 }, 'expires_in_days'],
    [{ return_url: 'javascript:alert(1)' }, 'return_url'],
    [{ return_url: 'http://shop.example/' }, 'return_url'],
    [{ return_url: 'shop' }, 'return_url'],
    [{ return_url: 'https://' }, 'return_url'],
    [{ return_url: 'https://user:secret@shop.example/' }, 'return_url'],
    [{ merchant: { id: 'm', name: 'Shop', logo_url: 'logo.png' } }, 'merchant.logo_url'],
    [{ merchant: { id: 'm', name: 'Shop', support_url: 'https://user@shop.example/' } }, 'merchant.support_url'],
    [{ merchant: { id: 'm', name: 'A name that is longer than thirty characters' } }, 'merchant.name'],
    [{ merchant: { id: 'm', name: 'Shop', logo_url: 'http://shop.example/logo.png' } }, 'merchant.logo_url'],
    [{ allowed_origins: ['https://*.shop.example'] }, 'allowed_origins.0'],
    [{ connection: 'con_unknown' }, 'connection'],
  ])('creating a link refuses %j by the name of the field', async (more, path) => {
    server = await TestServer.start();
    const answer = await server.merchant('POST', '/v1/links', { customer_id: 'cus_1', ...more });
    expect(answer).toMatchObject({ status: 422, body: { code: 'invalid_request', errors: [{ path }] } });
  });

  it('creating a link is for the merchant only', async () => {
    server = await TestServer.start();
    expect((await server.send('POST', '/v1/links', { customer_id: 'cus_1' }, {})).status).toBe(401);
  });
});

describe('a link that is opened', () => {
  it('a link leads to a connected bank, and is completed once', async () => {
    receiver = await startReceiver();
    server = await TestServer.start({
      env: { MERCHANT_WEBHOOK_URL: receiver.url, MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET },
    });
    const link = await expectLink({ metadata: { lease: '7' } });
    const session = await expectConnectedThrough(link.url);
    const read = await server.merchant('GET', `/v1/links/${link.id}`);
    expect(read.body).toMatchObject({
      status: 'completed',
      connections: [{ id: session.connections[0].id, status: 'active', metadata: { lease: '7' } }],
    });
    expect((await open(link.url)).status).toBe(404);
    await server.jobs.tick();
    const [event] = receiver.received.map(({ body }) => body).filter(({ type }) => type === 'link.completed');
    expect(event.data).toMatchObject({ id: link.id, status: 'completed', connections: [{ status: 'active' }] });
    expect(JSON.stringify(receiver.received)).not.toContain('/c/');
  });

  it('a link gives each opening a session of its own, and closes the one before', async () => {
    server = await TestServer.start();
    const link = await expectLink();
    const first = (await open(link.url)).body;
    const second = (await open(link.url)).body;
    expect(second.session).not.toBe(first.session);
    expect((await server.merchant('GET', `/v1/sessions/${first.session}`)).body.status).toBe('canceled');
    expect((await server.merchant('GET', `/v1/sessions/${second.session}`)).body.status).toBe('open');
    expect((await server.merchant('GET', `/v1/links/${link.id}`)).body.status).toBe('opened');
  });

  it('a link repairs a connection', async () => {
    server = await TestServer.start();
    const session = await server.createSession();
    const { body } = await server.complete(session, await server.publicToken());
    const [connection] = body.connections;
    const link = await expectLink({ connection: connection.id });
    expect(link.mode).toBe('repair');
    const opened = await server.merchant('GET', `/v1/sessions/${(await open(link.url)).body.session}`);
    expect(opened.body).toMatchObject({ mode: 'repair', connections: [{ id: connection.id }] });
  });

  it('a link is changed by a press only, never by a GET', async () => {
    server = await TestServer.start();
    const link = await expectLink();
    await server.request(pathOf(link.url));
    await server.request(`${pathOf(link.url)}/session`);
    expect((await server.merchant('GET', `/v1/links/${link.id}`)).body.status).toBe('open');
  });

  it('a link can be opened 30 times an hour', async () => {
    server = await TestServer.start();
    const link = await expectLink();
    for (let i = 0; i < 30; i++) expect((await open(link.url)).status).toBe(201);
    const refused = await open(link.url);
    expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
    expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(0);
    server.clockOffset = 3600_000;
    expect((await open(link.url)).status).toBe(201);
  });

  it('a link is not opened by a page of another site', async () => {
    server = await TestServer.start();
    const link = await expectLink();
    expect((await open(link.url, { Origin: 'https://evil.example' })).status).toBe(403);
    expect((await open(link.url, { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
  });
});

describe('an address that leads nowhere', () => {
  it('a link gets the same answer whether its address is wrong, expired, revoked or used', async () => {
    server = await TestServer.start();
    const expired = await expectLink({ expires_in_days: 1 });
    const revoked = await expectLink();
    const used = await expectLink();
    await expectConnectedThrough(used.url);
    await server.merchant('POST', `/v1/links/${revoked.id}/revoke`);
    server.clockOffset = 2 * DAY;
    const token = pathOf(revoked.url).slice('/c/'.length);
    const flipped = (token[0] === 'A' ? 'B' : 'A') + token.slice(1);
    const urls = [
      expired.url,
      revoked.url,
      used.url,
      `http://localhost:3000/c/${flipped}`,
      'http://localhost:3000/c/x',
    ];
    const answers = await Promise.all(urls.map((url) => open(url)));
    const shown = answers.map(({ status, body: { request_id: _, ...body } }) => ({ status, body }));
    expect(new Set(shown.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(shown[0]).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  it('guessing addresses of links is rate limited, without a database write', async () => {
    server = await TestServer.start();
    const statuses = [];
    for (let i = 0; i < 70; i++) statuses.push((await open(`http://localhost:3000/c/${'A'.repeat(43)}`)).status);
    expect(statuses.filter((status) => status === 404)).toHaveLength(60);
    expect(statuses.filter((status) => status === 429)).toHaveLength(10);
    expect(await server.storage.db.selectFrom('rate_limits').selectAll().execute()).toEqual([]);
  });
});

describe('the end of a link', () => {
  it('a job expires a link when its time is over, with a webhook and without the customer’s data', async () => {
    receiver = await startReceiver();
    server = await TestServer.start({
      env: { MERCHANT_WEBHOOK_URL: receiver.url, MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET },
    });
    const link = await expectLink({ expires_in_days: 2, identity: { email: 'jane@example.com' } });
    server.clockOffset = 2 * DAY;
    expect((await server.merchant('GET', `/v1/links/${link.id}`)).body.status).toBe('expired');
    await server.jobs.tick();
    const row = await server.storage.db.selectFrom('links').selectAll().executeTakeFirstOrThrow();
    expect(row).toMatchObject({ status: 'expired', request_enc: null });
    await server.jobs.tick();
    expect(receiver.types()).toEqual(['link.expired']);
  });

  it('revoking a link also closes the session behind it', async () => {
    server = await TestServer.start();
    const link = await expectLink();
    const { body } = await open(link.url);
    const revoked = await server.merchant('POST', `/v1/links/${link.id}/revoke`);
    expect(revoked).toMatchObject({ status: 200, body: { status: 'revoked' } });
    expect((await server.merchant('GET', `/v1/sessions/${body.session}`)).body.status).toBe('canceled');
    expect((await server.merchant('POST', `/v1/links/${link.id}/revoke`)).body.status).toBe('revoked');
    expect((await server.merchant('POST', '/v1/links/lnk_unknown/revoke')).status).toBe(404);
  });

  it('revoking a link whose bank is being connected is refused, and the bank is connected', async () => {
    server = await TestServer.start({ answerWithinMs: 1 });
    const link = await expectLink();
    const { body } = await open(link.url);
    const session = { id: body.session, client_secret: body.client_secret } as never;
    server.upstream.simulator.faults.add({
      ...{ service: 'finix', path: '/payment_instruments', method: 'POST' },
      ...{ kind: 'status', status: 500, times: 1 },
    });
    expect((await server.complete(session, await server.publicToken())).status).toBe(202);
    const revoked = await server.merchant('POST', `/v1/links/${link.id}/revoke`);
    expect(revoked).toMatchObject({ status: 409, body: { code: 'session_busy', action: 'wait' } });
    await eventually(async () => {
      await server.jobs.tick();
      return (await server.merchant('GET', `/v1/links/${link.id}`)).body.status === 'completed';
    });
  });

  it('revoking a link that has expired closes the session behind it', async () => {
    server = await TestServer.start();
    const link = await expectLink({ expires_in_days: 1 });
    server.clockOffset = DAY - 60_000;
    const { body } = await open(link.url);
    server.clockOffset = DAY + 60_000;
    await server.jobs.tick();
    expect((await server.merchant('POST', `/v1/links/${link.id}/revoke`)).body.status).toBe('expired');
    expect((await server.merchant('GET', `/v1/sessions/${body.session}`)).body.status).toBe('canceled');
    const session = { id: body.session, client_secret: body.client_secret };
    expect((await server.complete(session as never, await server.publicToken())).status).toBe(401);
  });

  it('a link that has expired is completed by a session that was opened in time, with both events', async () => {
    receiver = await startReceiver();
    server = await TestServer.start({
      env: { MERCHANT_WEBHOOK_URL: receiver.url, MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET },
    });
    const link = await expectLink({ expires_in_days: 1 });
    server.clockOffset = DAY - 60_000;
    const { body } = await open(link.url);
    server.clockOffset = DAY + 60_000;
    await server.jobs.tick();
    const session = { id: body.session, client_secret: body.client_secret };
    expect((await server.complete(session as never, await server.publicToken())).status).toBe(200);
    expect((await server.merchant('GET', `/v1/links/${link.id}`)).body.status).toBe('completed');
    await server.jobs.tick();
    await expect.poll(() => receiver?.types()).toEqual(expect.arrayContaining(['link.expired', 'link.completed']));
  });

  it('erasing a customer ends their links and leaves nothing of the customer', async () => {
    server = await TestServer.start();
    const link = await expectLink({ customer_id: 'cus_erased', identity: { first_name: 'Zerafina' } });
    await server.merchant('DELETE', '/v1/customers/cus_erased');
    expect((await open(link.url)).status).toBe(404);
    const row = await server.storage.db.selectFrom('links').selectAll().executeTakeFirstOrThrow();
    expect(row.request_enc).toBeNull();
    expect(row.customer_id).not.toBe('cus_erased');
  });
});

describe('lists of links', () => {
  it('the list of links is filtered by customer, merchant and status, page by page', async () => {
    server = await TestServer.start();
    const mine = await expectLink({ merchant: { id: 'm_1', name: 'Corner Shop' } });
    await expectLink({ customer_id: 'cus_2' });
    await expectLink({ customer_id: 'cus_3' });
    await server.merchant('POST', `/v1/links/${mine.id}/revoke`);
    const list = async (query: string) => (await server.merchant('GET', `/v1/links?${query}`)).body;
    expect((await list('customer_id=cus_1')).data).toMatchObject([{ id: mine.id, status: 'revoked' }]);
    expect((await list('merchant_id=m_1')).data).toHaveLength(1);
    expect((await list('status=open')).data).toHaveLength(2);
    const first = await list('limit=2');
    const second = await list(`limit=2&cursor=${first.next_cursor}`);
    expect([...first.data, ...second.data]).toHaveLength(3);
    expect(second).toMatchObject({ has_more: false, next_cursor: null });
  });
});

it('a link has its address as a QR code in SVG, without code in it', async () => {
  server = await TestServer.start();
  const link = await expectLink();
  const response = await server.request(`/v1/links/${link.id}/qr.svg`, {
    headers: { Authorization: 'Bearer merchant-key-of-the-tests-0123456789' },
  });
  expect(response.headers.get('Content-Type')).toBe('image/svg+xml');
  const svg = await response.text();
  expect(svg).toMatch(/^<svg /);
  expect(svg).not.toContain('<script');
});
