import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MERCHANT_KEY, SHOP, TestServer } from '../helpers/server.ts';

const HOUR = 3600_000;

let server: TestServer;

afterEach(() => server.close());

describe('credentials', () => {
  beforeEach(async () => {
    server = await TestServer.start({ env: { MERCHANT_API_KEY: `${MERCHANT_KEY},the-next-merchant-key` } });
  });

  it('each of the listed merchant keys is accepted', async () => {
    const headers = { Authorization: 'Bearer the-next-merchant-key' };
    expect((await server.send('POST', '/v1/sessions', { customer_id: 'c' }, headers)).status).toBe(201);
  });

  it.each([[undefined], ['Bearer wrong'], ['Basic abc'], ['Bearer ']])(
    'the credential %s is refused with 401',
    async (header) => {
      const headers: Record<string, string> = header === undefined ? {} : { Authorization: header };
      const { status, body } = await server.send('POST', '/v1/sessions', { customer_id: 'c' }, headers);
      expect([status, body.code]).toEqual([401, 'unauthorized']);
    },
  );

  it.each<Record<string, string>>([
    { Origin: SHOP, 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Site': 'same-site' },
    { 'Sec-Fetch-Mode': 'navigate' },
    { Origin: SHOP, 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-origin' },
  ])('the merchant key is refused from a browser, known by %j', async (headers) => {
    const { status, body } = await server.merchant('POST', '/v1/sessions', { customer_id: 'c' }, headers);
    expect([status, body.code]).toEqual([403, 'merchant_key_in_browser']);
    expect(server.lines.join('')).toContain('the merchant key came from a browser');
  });

  it('the merchant key is accepted from a server whose framework sends an Origin', async () => {
    // As SvelteKit's own fetch on Node sends them.
    const headers = { Origin: 'https://shop.example', 'Sec-Fetch-Mode': 'cors' };
    expect((await server.merchant('POST', '/v1/sessions', { customer_id: 'c' }, headers)).status).toBe(201);
  });

  it('a page can read its session until an hour after it can no longer be completed', async () => {
    const session = await server.createSession();
    await server.complete(session, await server.publicToken());
    server.clockOffset = 24 * HOUR + HOUR - 60_000;
    expect((await server.page(session, 'GET', '')).status).toBe(200);
    server.clockOffset = 24 * HOUR + HOUR;
    expect((await server.page(session, 'GET', '')).status).toBe(401);
  });

  it('a page can’t read a session that was canceled, or of a customer who was erased', async () => {
    const canceled = await server.createSession();
    await server.merchant('POST', `/v1/sessions/${canceled.id}/cancel`);
    expect((await server.page(canceled, 'GET', '')).status).toBe(401);
    const erased = await server.createSession();
    await server.complete(erased, await server.publicToken());
    expect((await server.merchant('DELETE', '/v1/customers/cus_1')).body.status).toBe('erased');
    expect((await server.page(erased, 'GET', '')).status).toBe(401);
  });

  it('a page sees less of the session than the merchant', async () => {
    const session = await server.createSession({ metadata: { order: '7' } });
    await server.complete(session, await server.publicToken());
    const page = await server.page(session, 'GET', '');
    const merchant = await server.merchant('GET', `/v1/sessions/${session.id}`);
    expect(Object.keys(page.body.connections[0]).sort()).toEqual(
      ['account', 'created_at', 'id', 'institution', 'object', 'payment_instrument', 'status', 'updated_at'].sort(),
    );
    expect(merchant.body.connections[0]).toMatchObject({ customer_id: 'cus_1', metadata: { order: '7' } });
    expect(merchant.body.connections[0].finix_identity).toMatch(/^ID/);
    expect(JSON.stringify([page.body, merchant.body])).not.toMatch(/access-|processor-|public-sandbox|_secret_/);
  });

  it('a client secret that is wrong, of another session, or missing is refused', async () => {
    const [a, b] = [await server.createSession(), await server.createSession()];
    for (const secret of [b.client_secret, `${a.client_secret}x`, `${a.id}_secret_${'A'.repeat(43)}`, a.id]) {
      const answer = await server.page({ ...a, client_secret: secret }, 'GET', '');
      expect([answer.status, answer.body.code]).toEqual([401, 'unauthorized']);
    }
    for (const id of ['ses_AAAAAAAAAAAAAAAAAAAAAAAA', 'x', 'ses_'.padEnd(4000, 'a'), '%F0%9F%8F%A6'.repeat(300)]) {
      expect((await server.page({ ...a, id }, 'GET', '')).status).toBe(401);
    }
  });

  it('a foreign origin and a cross-site request without one are refused, and an absent origin is accepted', async () => {
    const session = await server.createSession();
    const foreign = await server.page(session, 'GET', '', undefined, { Origin: 'https://evil.example' });
    expect([foreign.status, foreign.body.code]).toEqual([403, 'origin_not_allowed']);
    expect((await server.page(session, 'GET', '', undefined, { Origin: 'null' })).status).toBe(403);
    const auth = { Authorization: `Bearer ${session.client_secret}` };
    const crossSite = await server.send('GET', `/v1/sessions/${session.id}`, undefined, {
      ...auth,
      'Sec-Fetch-Site': 'cross-site',
    });
    expect(crossSite.status).toBe(403);
    expect((await server.send('GET', `/v1/sessions/${session.id}`, undefined, auth)).status).toBe(200);
    expect((await server.page(session, 'GET', '', undefined, { Origin: 'http://localhost:3000' })).status).toBe(200);
  });

  it('an allowed page can read answers and errors, without cookies', async () => {
    const preflight = await server.request(`/v1/sessions`, {
      method: 'OPTIONS',
      headers: {
        Origin: SHOP,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization,content-type',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('Access-Control-Allow-Origin')).toBe(SHOP);
    expect(preflight.headers.get('Access-Control-Allow-Headers')?.toLowerCase()).toContain('authorization');
    expect(preflight.headers.get('Access-Control-Allow-Credentials')).toBeNull();
    const refused = await server.send('GET', '/v1/sessions/ses_x', undefined, {
      Origin: SHOP,
      Authorization: 'Bearer x',
    });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('Access-Control-Allow-Origin')).toBe(SHOP);
    expect(refused.headers.get('Access-Control-Expose-Headers')).toContain('X-Request-Id');
  });

  it('a page with a refused origin can read that and nothing else, and the log names the origin once', async () => {
    const origin = 'http://127.0.0.1:5201';
    const session = await server.createSession();
    const preflight = await server.request(`/v1/sessions/${session.id}`, {
      method: 'OPTIONS',
      headers: { Origin: origin, 'Access-Control-Request-Method': 'GET' },
    });
    expect([preflight.status, preflight.headers.get('Access-Control-Allow-Origin')]).toEqual([204, null]);
    expect(preflight.headers.get('Vary')).toContain('Origin');
    // As a page sends it to learn why: no header that would need a preflight.
    for (const path of ['/v1/sessions', `/v1/sessions/${session.id}`]) {
      const { status, body, headers } = await server.send('GET', path, undefined, { Origin: origin });
      expect([status, body.code]).toEqual([403, 'origin_not_allowed']);
      expect(headers.get('Access-Control-Allow-Origin')).toBe(origin);
      const allowed = await server.send('GET', path, undefined, { Origin: SHOP });
      expect([allowed.status, allowed.body.code]).toEqual([401, 'unauthorized']);
    }
    for (let i = 0; i < 2; i++) {
      const refused = await server.page(session, 'GET', '', undefined, { Origin: origin });
      expect([refused.status, refused.body.code, refused.body.action]).toEqual([
        403,
        'origin_not_allowed',
        'contact_merchant',
      ]);
      expect(refused.headers.get('Access-Control-Allow-Origin')).toBe(origin);
      expect(refused.headers.get('Vary')).toContain('Origin');
      expect(JSON.stringify(refused.body)).not.toContain(session.id);
    }
    const warnings = server.lines.filter((line) => line.includes('ALLOWED_ORIGINS'));
    expect(warnings).toHaveLength(1);
    expect(JSON.parse(warnings[0] ?? '{}')).toMatchObject({ level: 40, origin });
    for (const path of ['/v1/nothing', '/v1/connections', '/v1/sessions']) {
      const other = await server.send('POST', path, '{', { Origin: origin, Authorization: 'Bearer x' });
      const isReadable = other.headers.get('Access-Control-Allow-Origin') !== null;
      expect(isReadable, path).toBe(other.body.code === 'origin_not_allowed');
    }
  });

  it('the log names at most a hundred refused origins', async () => {
    const session = await server.createSession();
    for (let i = 0; i < 120; i++) {
      await server.page(session, 'GET', '', undefined, { Origin: `https://shop-${i}.example` });
    }
    expect(server.lines.filter((line) => line.includes('ALLOWED_ORIGINS'))).toHaveLength(100);
  });

  it('reads that are the merchant’s are closed to the page', async () => {
    const session = await server.createSession();
    for (const path of ['/v1/connections', '/v1/connections/con_x']) {
      const auth = { Authorization: `Bearer ${session.client_secret}` };
      expect((await server.send('GET', path, undefined, auth)).status).toBe(401);
    }
    expect((await server.page(session, 'POST', '/cancel')).status).toBe(401);
  });
});
