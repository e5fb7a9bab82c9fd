import type { LinkTokenCreateRequest } from 'plaid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MERCHANT_KEY, SHOP, TestServer } from '../helpers/server.ts';

let server: TestServer;

/** What Plaid was asked. */
function linkTokenRequests(): LinkTokenCreateRequest[] {
  const calls = server.ledger.calls().filter(({ path }) => path === '/link/token/create');
  return calls.map(({ body }) => body as LinkTokenCreateRequest);
}

afterEach(() => server.close());

describe('creating a session as the merchant', () => {
  beforeEach(async () => {
    server = await TestServer.start();
  });

  it('answers 201 with the session and its client secret', async () => {
    const { status, headers, body } = await server.merchant('POST', '/v1/sessions', { customer_id: 'cus_1' });
    expect(status).toBe(201);
    expect(headers.get('X-Request-Id')).toMatch(/^req_/);
    expect(body).toMatchObject({
      object: 'session',
      status: 'open',
      mode: 'connect',
      customer_id: 'cus_1',
      connections: [],
      error: null,
    });
    expect(body.id).toMatch(/^ses_[A-Za-z0-9]{24}$/);
    expect(body.client_secret).toMatch(new RegExp(`^${body.id}_secret_[A-Za-z0-9_-]{43}$`));
    expect(Date.parse(body.expires_at) - Date.parse(body.created_at)).toBe(24 * 3600_000);
  });

  it('stores no client secret', async () => {
    const session = await server.createSession();
    const row = await server.storage.db.selectFrom('sessions').selectAll().executeTakeFirstOrThrow();
    expect(JSON.stringify(row)).not.toContain(session.client_secret?.split('_secret_')[1]);
  });

  it('gives an identical answer to the same Idempotency-Key and body, whatever the order of its members', async () => {
    const headers = { 'Idempotency-Key': 'order-1' };
    const first = await server.merchant('POST', '/v1/sessions', { customer_id: 'c', purpose: 'debit' }, headers);
    const again = await server.merchant('POST', '/v1/sessions', { purpose: 'debit', customer_id: 'c' }, headers);
    expect(again.status).toBe(201);
    expect(again.body).toEqual(first.body);
  });

  it('gives one session to many requests with the same Idempotency-Key at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        server.merchant('POST', '/v1/sessions', { customer_id: 'c' }, { 'Idempotency-Key': 'at-once' }),
      ),
    );
    expect(new Set(answers.map(({ body }) => body.client_secret)).size).toBe(1);
    expect(await server.storage.db.selectFrom('sessions').select('id').execute()).toHaveLength(1);
  });

  it('refuses an Idempotency-Key with another body', async () => {
    const headers = { 'Idempotency-Key': 'order-2' };
    await server.merchant('POST', '/v1/sessions', { customer_id: 'c' }, headers);
    const { status, body } = await server.merchant('POST', '/v1/sessions', { customer_id: 'd' }, headers);
    expect([status, body.code]).toEqual([422, 'idempotency_key_reused']);
  });

  it('takes an Idempotency-Key anew after 24 hours', async () => {
    const headers = { 'Idempotency-Key': 'order-3' };
    const first = await server.merchant('POST', '/v1/sessions', { customer_id: 'c' }, headers);
    server.clockOffset = 24 * 3600_000 + 1;
    const later = await server.merchant('POST', '/v1/sessions', { customer_id: 'd' }, headers);
    expect(later.status).toBe(201);
    expect(later.body.id).not.toBe(first.body.id);
  });

  it.each([
    [{}, 'customer_id'],
    [{ customer_id: '' }, 'customer_id'],
    [{ customer_id: 7 }, 'customer_id'],
    [{ customer_id: 'c', purpose: 'gift' }, 'purpose'],
    [{ customer_id: 'c', extra: 1 }, 'extra'],
    [{ customer_id: 'c', identity: { first_name: 'A name of more than 20 characters' } }, 'identity.first_name'],
    [{ customer_id: 'c', identity: { email: 'nobody' } }, 'identity.email'],
    [{ customer_id: 'c', identity: { personal_address: { country: 'US' } } }, 'identity.personal_address.country'],
    [{ customer_id: 'c', identity: { ssn: '1' } }, 'identity.ssn'],
    [{ customer_id: 'c', authorization: { text: 'I agree' } }, 'authorization.version'],
    [{ customer_id: 'c', metadata: { order: 7 } }, 'metadata.order'],
    [{ customer_id: 'c', language: 'english please' }, 'language'],
  ])('refuses %j naming %s', async (body, path) => {
    const answer = await server.merchant('POST', '/v1/sessions', body);
    expect(answer.status).toBe(422);
    expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
    expect(answer.body).toMatchObject({ code: 'invalid_request', retryable: false, status: 422 });
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toContain(path);
    expect(await server.storage.db.selectFrom('sessions').select('id').execute()).toHaveLength(0);
  });

  it('refuses what is not JSON, not called JSON, or too large', async () => {
    const auth = { Authorization: `Bearer ${MERCHANT_KEY}` };
    const broken = await server.send('POST', '/v1/sessions', '{', auth);
    expect([broken.status, broken.body.code]).toEqual([400, 'invalid_json']);
    const form = await server.send('POST', '/v1/sessions', 'a=1', { ...auth, 'Content-Type': 'text/plain' });
    expect([form.status, form.body.code]).toEqual([415, 'unsupported_media_type']);
    const large = await server.send('POST', '/v1/sessions', JSON.stringify({ x: 'y'.repeat(300_000) }), auth);
    expect(large.headers.get('Connection')).toBe('close');
    expect([large.status, large.body.code]).toEqual([413, 'body_too_large']);
  });

  it('takes the longest legal body in any script', async () => {
    const metadata = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`key_${i}`, '語'.repeat(500)]));
    const authorization = { text: '語'.repeat(10_000), version: '1' };
    const answer = await server.merchant('POST', '/v1/sessions', { customer_id: 'c', authorization, metadata });
    expect(answer.status).toBe(201);
  });

  it.each([
    [{ customer_id: 'a\ud800' }, 'customer_id'],
    [{ customer_id: 'a\0b' }, 'customer_id'],
    [{ customer_id: 'c', authorization: { text: 'a\0b', version: '1' } }, 'authorization.text'],
    [{ customer_id: 'c', metadata: { a: '\udc00' } }, 'metadata.a'],
  ])('refuses text that storage can’t hold as it is: %j', async (body, path) => {
    const answer = await server.merchant('POST', '/v1/sessions', body);
    expect([answer.status, answer.body.errors[0].path]).toEqual([422, path]);
  });

  it('refuses bytes that are not UTF-8, and addresses with control characters', async () => {
    const headers = { Authorization: `Bearer ${MERCHANT_KEY}`, 'Content-Type': 'application/json' };
    const body = new Uint8Array([...new TextEncoder().encode('{"customer_id":"a'), 0xff, 0xfe, 0x22, 0x7d]);
    expect((await server.request('/v1/sessions', { method: 'POST', headers, body })).status).toBe(400);
    for (const path of ['/v1/sessions/%00', '/v1/connections/%00', '/v1/connections/%E0%A4%A']) {
      expect((await server.merchant('GET', path)).status).toBe(404);
    }
  });

  it('says which methods an address has', async () => {
    const { status, headers, body } = await server.merchant('DELETE', '/v1/sessions');
    expect([status, body.code]).toEqual([405, 'method_not_allowed']);
    expect(headers.get('Allow')).toContain('POST');
  });
});

describe('credentials', () => {
  beforeEach(async () => {
    server = await TestServer.start({ env: { MERCHANT_API_KEY: `${MERCHANT_KEY},the-next-merchant-key` } });
  });

  it('take each of the listed merchant keys', async () => {
    const headers = { Authorization: 'Bearer the-next-merchant-key' };
    expect((await server.send('POST', '/v1/sessions', { customer_id: 'c' }, headers)).status).toBe(201);
  });

  it.each([[undefined], ['Bearer wrong'], ['Basic abc'], ['Bearer ']])('refuse %s with 401', async (header) => {
    const headers: Record<string, string> = header === undefined ? {} : { Authorization: header };
    const { status, body } = await server.send('POST', '/v1/sessions', { customer_id: 'c' }, headers);
    expect([status, body.code]).toEqual([401, 'unauthorized']);
  });

  it('refuse the merchant key from a browser, also from an allowed origin', async () => {
    const { status, body } = await server.merchant('POST', '/v1/sessions', { customer_id: 'c' }, { Origin: SHOP });
    expect([status, body.code]).toEqual([403, 'merchant_key_in_browser']);
  });

  it('show the page less of the session than the merchant', async () => {
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

  it('refuse a client secret that is wrong, of another session, or of none', async () => {
    const [a, b] = [await server.createSession(), await server.createSession()];
    for (const secret of [b.client_secret, `${a.client_secret}x`, `${a.id}_secret_${'A'.repeat(43)}`, a.id]) {
      const answer = await server.page({ ...a, client_secret: secret }, 'GET', '');
      expect([answer.status, answer.body.code]).toEqual([401, 'unauthorized']);
    }
    const nobody = { ...a, id: 'ses_AAAAAAAAAAAAAAAAAAAAAAAA' };
    expect((await server.page(nobody, 'GET', '')).status).toBe(401);
  });

  it('refuse a foreign origin and a cross-site request without one, and accept an absent origin', async () => {
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

  it('let an allowed page read answers and errors, without cookies', async () => {
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
    const foreign = await server.send('GET', '/v1/sessions/ses_x', undefined, { Origin: 'https://evil.example' });
    expect(foreign.headers.get('Access-Control-Allow-Origin')).toBeNull();
  });

  it('reads stay closed to the page where only the merchant may ask', async () => {
    const session = await server.createSession();
    for (const path of ['/v1/connections', '/v1/connections/con_x']) {
      const auth = { Authorization: `Bearer ${session.client_secret}` };
      expect((await server.send('GET', path, undefined, auth)).status).toBe(401);
    }
    expect((await server.page(session, 'POST', '/cancel')).status).toBe(401);
  });
});

describe('link tokens', () => {
  beforeEach(async () => {
    server = await TestServer.start();
  });

  it('are new at every call, for the two products that Finix asks for', async () => {
    const session = await server.createSession({
      customer_id: 'jane@example.com',
      identity: { first_name: 'Jane', last_name: 'Doe', email: 'jane@example.com' },
    });
    const first = await server.page(session, 'POST', '/link-token', {});
    const second = await server.page(session, 'POST', '/link-token');
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(first.body.link_token).not.toBe(second.body.link_token);
    expect(Date.parse(first.body.expires_at)).toBeGreaterThan(Date.now());
    const [sent] = linkTokenRequests();
    expect(sent).toMatchObject({
      client_name: 'Acme',
      language: 'en',
      country_codes: ['US'],
      products: ['auth', 'identity'],
    });
    expect(sent?.user?.client_user_id).not.toContain('jane');
  });

  it('are asked for in a language that Link speaks', async () => {
    const session = await server.createSession({ language: 'ar' });
    await server.page(session, 'POST', '/link-token', {});
    await server.page(session, 'POST', '/link-token', { language: 'pt-BR' });
    expect(linkTokenRequests().map(({ language }) => language)).toEqual(['en', 'pt']);
  });

  it('are made without prefilled data when Plaid refuses it', async () => {
    server.upstream.simulator.faults.add({
      service: 'plaid',
      path: '/link/token/create',
      kind: 'plaid_error',
      error_code: 'INVALID_USER_IDENTITY_DATA',
      status: 403,
      times: 1,
    });
    const session = await server.createSession({ identity: { email: 'jane@example.com' } });
    expect((await server.page(session, 'POST', '/link-token', {})).status).toBe(200);
  });

  it('are made without a webhook address that Plaid refuses because it is local', async () => {
    server.upstream.simulator.faults.add({
      service: 'plaid',
      path: '/link/token/create',
      kind: 'plaid_error',
      error_code: 'INVALID_FIELD',
      times: 1,
    });
    const session = await server.createSession();
    expect((await server.page(session, 'POST', '/link-token', {})).status).toBe(200);
    expect(linkTokenRequests().map(({ webhook }) => webhook)).toEqual([
      'http://localhost:3000/webhooks/plaid',
      undefined,
    ]);
  });

  it('are tried again once when Plaid stumbles, and refused as plaid_unavailable when it stays down', async () => {
    const session = await server.createSession();
    const fault = { service: 'plaid', path: '/link/token/create', kind: 'status' } as const;
    server.upstream.simulator.faults.add({ ...fault, times: 1 });
    expect((await server.page(session, 'POST', '/link-token', {})).status).toBe(200);
    server.upstream.simulator.faults.add({ ...fault, times: 2 });
    const down = await server.page(session, 'POST', '/link-token', {});
    expect([down.status, down.body.code, down.body.retryable]).toEqual([503, 'plaid_unavailable', true]);
    expect(down.headers.get('Retry-After')).toBeTruthy();
  });

  it('tell the operator, not the customer, that the keys are wrong', async () => {
    server.upstream.simulator.faults.add({
      service: 'plaid',
      path: '/link/token/create',
      kind: 'plaid_error',
      error_code: 'INVALID_API_KEYS',
    });
    const session = await server.createSession();
    const { status, body } = await server.page(session, 'POST', '/link-token', {});
    expect([status, body.code, body.action]).toEqual([502, 'provider_misconfigured', 'contact_merchant']);
    expect(JSON.stringify(body)).not.toContain('INVALID_API_KEYS');
    expect(server.lines.join()).toContain('INVALID_API_KEYS');
    expect(server.lines.join()).not.toContain('simulator-plaid-secret');
  });

  it('refuse a return_url on a foreign origin', async () => {
    const session = await server.createSession();
    const { status, body } = await server.page(session, 'POST', '/link-token', {
      return_url: 'https://evil.example/x',
    });
    expect([status, body.errors[0].path]).toEqual([422, 'return_url']);
    for (const return_url of [`blob:${SHOP}/x`, 'https://user:word@shop.example/', `${SHOP}/\0`]) {
      expect((await server.page(session, 'POST', '/link-token', { return_url })).status).toBe(422);
    }
    expect((await server.page(session, 'POST', '/link-token', { return_url: `${SHOP}/done` })).status).toBe(200);
  });

  it('are refused once the session is over', async () => {
    const session = await server.createSession();
    server.clockOffset = 24 * 3600_000;
    const { status, body } = await server.page(session, 'POST', '/link-token', {});
    expect([status, body.code]).toEqual([409, 'session_expired']);
    expect((await server.page(session, 'GET', '')).body.status).toBe('expired');
  });

  it('are limited in number for one session', async () => {
    const session = await server.createSession();
    const answers = [];
    for (let i = 0; i < 61; i++) answers.push(await server.page(session, 'POST', '/link-token', {}));
    expect(answers[0]?.status).toBe(200);
    expect(answers.at(-1)?.status).toBe(429);
    expect(Number(answers.at(-1)?.headers.get('Retry-After'))).toBeGreaterThan(0);
  });
});

describe('canceling a session', () => {
  beforeEach(async () => {
    server = await TestServer.start();
  });

  it('closes it at once, and again without effect', async () => {
    const session = await server.createSession();
    expect((await server.merchant('POST', `/v1/sessions/${session.id}/cancel`)).body.status).toBe('canceled');
    expect((await server.merchant('POST', `/v1/sessions/${session.id}/cancel`)).status).toBe(200);
    expect((await server.page(session, 'POST', '/link-token', {})).body.code).toBe('session_canceled');
    expect((await server.complete(session, await server.publicToken())).body.code).toBe('session_canceled');
    expect(server.ledger.items()[0]?.exchanged).toBe(false);
  });

  it('is refused after completion, and 404 for a session that is not there', async () => {
    const session = await server.createSession();
    await server.complete(session, await server.publicToken());
    const { status, body } = await server.merchant('POST', `/v1/sessions/${session.id}/cancel`);
    expect([status, body.code]).toEqual([409, 'session_already_completed']);
    expect((await server.merchant('POST', '/v1/sessions/ses_none/cancel')).status).toBe(404);
  });
});

describe('public mode', () => {
  const asPage = { Origin: SHOP };

  it('is off unless it is set on', async () => {
    server = await TestServer.start();
    const { status, body } = await server.send('POST', '/v1/sessions', {}, asPage);
    expect([status, body.code]).toEqual([401, 'public_sessions_off']);
  });

  it('gives a page a session for a customer of its own', async () => {
    server = await TestServer.start({ env: { PUBLIC_SESSIONS: 'on' } });
    const first = await server.send(
      'POST',
      '/v1/sessions',
      { identity: { first_name: 'Jane' }, language: 'es' },
      asPage,
    );
    const second = await server.send('POST', '/v1/sessions', undefined, asPage);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(first.body.customer_id).toMatch(/^anon_/);
    expect(first.body.customer_id).not.toBe(second.body.customer_id);
    for (const { body } of [first, second]) await server.complete(body, await server.publicToken());
    expect(server.ledger.identities()).toHaveLength(2);
  });

  it.each([
    { customer_id: 'cus_1' },
    { finix_identity: 'ID1' },
    { purpose: 'payout' },
    { authorization: { text: 'x', version: '1' } },
    { metadata: {} },
    { identity: { phone: '+14155550100' } },
    { connection: 'con_1' },
  ])('refuses %j', async (body) => {
    server = await TestServer.start({ env: { PUBLIC_SESSIONS: 'on' } });
    expect((await server.send('POST', '/v1/sessions', body, asPage)).status).toBe(422);
  });

  it('refuses a foreign origin, an absent one, and ignores an Idempotency-Key', async () => {
    server = await TestServer.start({ env: { PUBLIC_SESSIONS: 'on' } });
    expect((await server.send('POST', '/v1/sessions', {}, { Origin: 'https://evil.example' })).status).toBe(403);
    expect((await server.send('POST', '/v1/sessions', {}, {})).status).toBe(401);
    const key = { ...asPage, 'Idempotency-Key': 'shared' };
    const [a, b] = [
      await server.send('POST', '/v1/sessions', {}, key),
      await server.send('POST', '/v1/sessions', {}, key),
    ];
    expect(a.body.id).not.toBe(b.body.id);
  });

  it('is limited in rate for one address', async () => {
    server = await TestServer.start({ env: { PUBLIC_SESSIONS: 'on' } });
    const statuses = [];
    for (let i = 0; i < 61; i++) statuses.push((await server.send('POST', '/v1/sessions', {}, asPage)).status);
    expect(statuses[0]).toBe(201);
    expect(statuses).toContain(429);
  });
});
