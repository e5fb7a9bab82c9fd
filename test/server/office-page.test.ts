import { afterEach, describe, expect, it } from 'vitest';
import { MERCHANT_KEY, TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

const on = { env: { LINKS_PAGE: 'on' } };
const CALLS = '/links/new/links';
/** As the page itself sends them. */
const own = {
  Authorization: `Bearer ${MERCHANT_KEY}`,
  Origin: 'http://localhost:3000',
  'Sec-Fetch-Site': 'same-origin',
  'Sec-Fetch-Mode': 'cors',
};

const create = (body: object, headers: Record<string, string> = {}) =>
  server.send('POST', CALLS, body, { ...own, ...headers });

describe('the page of a back office', () => {
  it('is there with LINKS_PAGE=on only', async () => {
    server = await TestServer.start();
    expect((await server.request('/links/new')).status).toBe(404);
    expect((await server.send('GET', CALLS, undefined, own)).status).toBe(404);
  });

  it('lets only its own script run, is kept out of caches, frames and search engines, and holds no key', async () => {
    server = await TestServer.start(on);
    const response = await server.request('/links/new');
    expect(response.status).toBe(200);
    const policy = response.headers.get('Content-Security-Policy') ?? '';
    for (const part of [
      "default-src 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
    ]) {
      expect(policy).toContain(part);
    }
    const [, nonce] = /script-src 'nonce-([^']+)'/.exec(policy) ?? [];
    const page = await response.text();
    expect(page).toContain(`<script nonce="${nonce}">`);
    expect(page).not.toContain(MERCHANT_KEY);
    // A field without a name is never part of an address.
    expect(page).not.toMatch(/<(input|textarea|select)[^>]* name=/);
    expect(page).not.toContain('<form');
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(response.headers.get('X-Robots-Tag')).toContain('noindex');
    expect(await (await server.request('/links/new')).text()).not.toContain(nonce);
  });

  it('makes a link, with its QR code, lists it and revokes it', async () => {
    server = await TestServer.start(on);
    const { status, body } = await create({ customer_id: 'cus_1', purpose: 'debit', expires_in_days: 3 });
    expect(status).toBe(201);
    expect(body.link.url).toMatch(/^http:\/\/localhost:3000\/c\/[\w-]{43}$/);
    expect(body.qr).toMatch(/^<svg /);
    const listed = await server.send('GET', `${CALLS}?status=open&limit=50`, undefined, own);
    expect(listed.body.data).toMatchObject([{ id: body.link.id, customer_id: 'cus_1', status: 'open' }]);
    expect(listed.body.data[0]).not.toHaveProperty('url');
    const revoked = await server.send('POST', `${CALLS}/${body.link.id}/revoke`, undefined, own);
    expect(revoked.body).toEqual({ id: body.link.id, status: 'revoked' });
  });

  it('makes one link of a request that is repeated', async () => {
    server = await TestServer.start(on);
    const key = { 'Idempotency-Key': 'one-press' };
    const first = await create({ customer_id: 'cus_1' }, key);
    expect((await create({ customer_id: 'cus_1' }, key)).body).toEqual(first.body);
  });

  it.each([
    ['without the key', { Authorization: '' }, 401],
    ['with another key', { Authorization: `Bearer ${MERCHANT_KEY}x` }, 401],
    ['from a page of another site', { 'Sec-Fetch-Site': 'cross-site' }, 403],
    ['from a page of the same site', { 'Sec-Fetch-Site': 'same-site' }, 403],
    ['from an allowed shop', { Origin: 'https://shop.example' }, 403],
    ['from an opaque origin', { Origin: 'null' }, 403],
  ])('is refused %s', async (_name, headers, status) => {
    server = await TestServer.start(on);
    expect((await create({ customer_id: 'cus_1' }, headers as Record<string, string>)).status).toBe(status);
    expect((await server.merchant('GET', '/v1/links')).body.data).toEqual([]);
  });

  it('opens no other call of the merchant’s to a browser', async () => {
    server = await TestServer.start(on);
    for (const [method, path] of [
      ['POST', '/v1/links'],
      ['GET', '/v1/links'],
      ['POST', '/v1/sessions'],
      ['GET', '/v1/connections'],
    ] as const) {
      const answer = await server.send(method, path, method === 'POST' ? { customer_id: 'cus_1' } : undefined, own);
      expect(answer).toMatchObject({ status: 403, body: { code: 'merchant_key_in_browser' } });
    }
  });

  it('names the field that is wrong', async () => {
    server = await TestServer.start(on);
    const answer = await create({ customer_id: 'cus_1', identity: { email: 'jane' } });
    expect([answer.status, answer.body.errors[0].path]).toEqual([422, 'identity.email']);
  });

  it('stops a program that tries keys, without a database write', async () => {
    server = await TestServer.start(on);
    const before = await server.storage.db.selectFrom('rate_limits').selectAll().execute();
    const wrong = { ...own, Authorization: 'Bearer guess' };
    const statuses = new Set<number>();
    for (let i = 0; i < 130; i++) statuses.add((await server.send('GET', CALLS, undefined, wrong)).status);
    expect([...statuses].sort()).toEqual([401, 429]);
    expect((await server.send('GET', CALLS, undefined, own)).headers.get('Retry-After')).not.toBeNull();
    expect(await server.storage.db.selectFrom('rate_limits').selectAll().execute()).toEqual(before);
  });

  it('writes the key into no log line', async () => {
    server = await TestServer.start({ env: { LINKS_PAGE: 'on', LOG_LEVEL: 'trace' } });
    await create({ customer_id: 'cus_1' });
    expect(server.lines.join('')).not.toContain(MERCHANT_KEY);
  });
});
