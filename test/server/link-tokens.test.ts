import type { LinkTokenCreateRequest } from 'plaid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SHOP, TestServer } from '../helpers/server.ts';

let server: TestServer;

/** What Plaid was asked. */
function linkTokenRequests(): LinkTokenCreateRequest[] {
  const calls = server.ledger.calls().filter(({ path }) => path === '/link/token/create');
  return calls.map(({ body }) => body as LinkTokenCreateRequest);
}

afterEach(() => server.close());

describe('link tokens', () => {
  beforeEach(async () => {
    server = await TestServer.start();
  });

  it('link tokens are new at every call, for the two products that Finix asks for', async () => {
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

  it('link tokens are asked for in a language that Link speaks', async () => {
    const session = await server.createSession({ language: 'ar' });
    await server.page(session, 'POST', '/link-token', {});
    await server.page(session, 'POST', '/link-token', { language: 'pt-BR' });
    expect(linkTokenRequests().map(({ language }) => language)).toEqual(['en', 'pt']);
  });

  it('link tokens are made without prefilled data when Plaid refuses it', async () => {
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

  it('link tokens are made without a webhook address that Plaid refuses because it is local', async () => {
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

  it('link tokens are tried again once when Plaid stumbles, and refused as plaid_unavailable when it stays down', async () => {
    const session = await server.createSession();
    const fault = { service: 'plaid', path: '/link/token/create', kind: 'status' } as const;
    server.upstream.simulator.faults.add({ ...fault, times: 1 });
    expect((await server.page(session, 'POST', '/link-token', {})).status).toBe(200);
    server.upstream.simulator.faults.add({ ...fault, times: 2 });
    const down = await server.page(session, 'POST', '/link-token', {});
    expect([down.status, down.body.code, down.body.retryable]).toEqual([503, 'plaid_unavailable', true]);
    expect(down.headers.get('Retry-After')).toBeTruthy();
  });

  it('a link token that fails because of wrong keys informs the operator, not the customer', async () => {
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

  it('link tokens refuse a return_url on a foreign origin', async () => {
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

  it('link tokens are refused once the session is over', async () => {
    const session = await server.createSession();
    server.clockOffset = 24 * 3600_000;
    const { status, body } = await server.page(session, 'POST', '/link-token', {});
    expect([status, body.code]).toEqual([409, 'session_expired']);
    expect((await server.page(session, 'GET', '')).body.status).toBe('expired');
  });

  it('link tokens are limited in number for one session', async () => {
    const session = await server.createSession();
    const answers = [];
    for (let i = 0; i < 61; i++) answers.push(await server.page(session, 'POST', '/link-token', {}));
    expect(answers[0]?.status).toBe(200);
    expect(answers.at(-1)?.status).toBe(429);
    expect(Number(answers.at(-1)?.headers.get('Retry-After'))).toBeGreaterThan(0);
  });
});
