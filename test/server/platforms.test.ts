import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Session } from '../../widget/contract.ts';
import { SHOP, TestServer } from '../helpers/server.ts';

let server: TestServer;

beforeEach(async () => {
  server = await TestServer.start();
});

afterEach(() => server.close());

const BAKERY = 'https://bakery.example';
const GYM = 'https://gym.example';
const bakery = { merchant: { id: 'm_bakery', name: 'Corner Bakery' }, allowed_origins: [BAKERY] };
const gym = { customer_id: 'cus_2', merchant: { id: 'm_gym', name: 'Iron Gym' }, allowed_origins: [GYM] };

const readFrom = (session: Session, origin: string) => server.page(session, 'GET', '', undefined, { Origin: origin });

/** What Plaid was sent. */
const linkTokenRequest = () => server.ledger.calls().find(({ path }) => path === '/link/token/create')?.body;

function preflight(session: Session, origin: string): Response | Promise<Response> {
  return server.request(`/v1/sessions/${session.id}/link-token`, {
    method: 'OPTIONS',
    headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' },
  });
}

describe('a session of one of a platform’s merchants', () => {
  it('a session of a platform’s merchant carries that merchant’s name, also into Link', async () => {
    const session = await server.createSession(bakery);
    expect(session.merchant).toEqual({ name: 'Corner Bakery' });
    const token = await server.page(session, 'POST', '/link-token', {}, { Origin: BAKERY });
    expect(token.body.merchant).toEqual({ name: 'Corner Bakery' });
    expect(linkTokenRequest()).toMatchObject({ client_name: 'Corner Bakery' });
  });

  it('a session of a platform’s merchant uses its own Link customization', async () => {
    const session = await server.createSession({ ...bakery, link_customization: 'bakery' });
    await server.page(session, 'POST', '/link-token', {}, { Origin: BAKERY });
    expect(linkTokenRequest()).toMatchObject({ link_customization_name: 'bakery' });
  });

  it('a session of a platform’s merchant is used from its own origins and the platform’s, and from no other merchant’s', async () => {
    const session = await server.createSession(bakery);
    await server.createSession(gym);
    expect((await readFrom(session, BAKERY)).status).toBe(200);
    expect((await readFrom(session, SHOP)).status).toBe(200);
    expect(await readFrom(session, GYM)).toMatchObject({ status: 403, body: { code: 'origin_not_allowed' } });
  });

  it('a session of a platform’s merchant is not opened by the secret of another merchant’s session', async () => {
    const one = await server.createSession(bakery);
    const other = await server.createSession(gym);
    const answer = await readFrom({ ...one, client_secret: other.client_secret ?? '' }, BAKERY);
    expect(answer.status).toBe(401);
  });

  it('the origins of a platform’s merchant are allowed in preflights, by the session in the path', async () => {
    const one = await server.createSession(bakery);
    const other = await server.createSession(gym);
    const allowed = async (session: Session, origin: string) =>
      (await preflight(session, origin)).headers.get('Access-Control-Allow-Origin');
    const shared = await server.createSession({ customer_id: 'cus_3' });
    expect(await allowed(one, BAKERY)).toBe(BAKERY);
    expect(await allowed(other, GYM)).toBe(GYM);
    for (const session of [one, other, shared]) expect(await allowed(session, SHOP)).toBe(SHOP);
    expect((await preflight(one, BAKERY)).headers.get('Vary')).toContain('Origin');
    // An origin holds for its own session and for no other, known or not, in any spelling.
    const unknown = { ...one, id: `ses_${'A'.repeat(24)}` };
    for (const session of [other, shared, unknown]) expect(await allowed(session, BAKERY)).toBeNull();
    for (const origin of [`${BAKERY}.evil.example`, `${BAKERY}:8443`, 'http://bakery.example', 'null', `${BAKERY}/`]) {
      expect([origin, await allowed(one, origin)]).toEqual([origin, null]);
    }
  });

  it('a session of a platform’s merchant may return its customer to a page on its own origin', async () => {
    const session = await server.createSession(bakery);
    const ask = (return_url: string) =>
      server.page(session, 'POST', '/link-token', { mode: 'hosted', return_url }, { Origin: BAKERY });
    expect((await ask(`${BAKERY}/thanks`)).status).toBe(200);
    expect(await ask(`${GYM}/thanks`)).toMatchObject({ status: 422, body: { errors: [{ path: 'return_url' }] } });
  });

  it('a session of a platform’s merchant makes connections that are listed by the merchant', async () => {
    const session = await server.createSession(bakery);
    const completed = await server.page(
      session,
      'POST',
      '/complete',
      { public_token: await server.publicToken(), accounts: [] },
      { Origin: BAKERY },
    );
    const [{ id }] = completed.body.connections;
    const list = async (query: string) => (await server.merchant('GET', `/v1/connections?${query}`)).body.data;
    expect(await list('merchant_id=m_bakery')).toMatchObject([{ id, merchant_id: 'm_bakery' }]);
    expect(await list('merchant_id=m_gym')).toEqual([]);
    const sessions = async (query: string) => (await server.merchant('GET', `/v1/sessions?${query}`)).body.data;
    expect(await sessions('merchant_id=m_bakery&status=completed')).toMatchObject([{ id: session.id }]);
    expect(await sessions('merchant_id=m_gym')).toEqual([]);
  });
});

describe('merchants of a platform that have a customer in common', () => {
  async function expectConnectedAt(merchant: { id: string; name: string }): Promise<string> {
    const session = await server.createSession({ merchant });
    const { body } = await server.complete(session, await server.publicToken());
    expect(body.status).toBe('completed');
    return body.connections[0].id;
  }

  it.each(['/v1/sessions', '/v1/links'])('%s refuses to repair a connection of another merchant', async (path) => {
    const connection = await expectConnectedAt(bakery.merchant);
    const ask = (merchant: object) => server.merchant('POST', path, { customer_id: 'cus_1', connection, merchant });
    expect(await ask(gym.merchant)).toMatchObject({ status: 422, body: { errors: [{ path: 'connection' }] } });
    expect((await ask(bakery.merchant)).status).toBe(201);
  });

  it('the same account connected at two merchants is two connections', async () => {
    const first = await expectConnectedAt(bakery.merchant);
    const second = await expectConnectedAt(gym.merchant);
    expect(second).not.toBe(first);
    const { body } = await server.merchant('GET', '/v1/connections?customer_id=cus_1&status=active');
    expect(body.data.map(({ id }: { id: string }) => id).sort()).toEqual([first, second].sort());
  });

  it('the session behind a link of one merchant refuses the origin of another', async () => {
    await server.createSession(gym);
    const link = await server.merchant('POST', '/v1/links', { customer_id: 'cus_1', ...bakery });
    const path = `${new URL(link.body.url).pathname}/session`;
    const { body } = await server.send('POST', path, undefined, { Origin: 'http://localhost:3000' });
    const session = { id: body.session, client_secret: body.client_secret } as Session;
    expect((await readFrom(session, BAKERY)).status).toBe(200);
    expect(await readFrom(session, GYM)).toMatchObject({ status: 403, body: { code: 'origin_not_allowed' } });
  });
});
