import { afterEach, describe, expect, it } from 'vitest';
import { SHOP, TestServer } from '../helpers/server.ts';

let server: TestServer;

afterEach(() => server.close());

describe('public mode', () => {
  const asPage = { Origin: SHOP };

  it('public mode is off unless it is set on', async () => {
    server = await TestServer.start();
    const { status, body } = await server.send('POST', '/v1/sessions', {}, asPage);
    expect([status, body.code]).toEqual([401, 'public_sessions_off']);
  });

  it('public mode gives a page a session for a customer of its own', async () => {
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
  ])('public mode refuses %j', async (body) => {
    server = await TestServer.start({ env: { PUBLIC_SESSIONS: 'on' } });
    expect((await server.send('POST', '/v1/sessions', body, asPage)).status).toBe(422);
  });

  it('public mode refuses a foreign origin, an absent one, and ignores an Idempotency-Key', async () => {
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

  it('public mode is limited in rate for one address', async () => {
    server = await TestServer.start({ env: { PUBLIC_SESSIONS: 'on' } });
    const statuses = [];
    for (let i = 0; i < 61; i++) statuses.push((await server.send('POST', '/v1/sessions', {}, asPage)).status);
    expect(statuses[0]).toBe(201);
    expect(statuses).toContain(429);
  });
});
