import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MERCHANT_KEY, TestServer } from '../helpers/server.ts';

let server: TestServer;

afterEach(() => server.close());

describe('creating a session as the merchant', () => {
  beforeEach(async () => {
    server = await TestServer.start();
  });

  it('creating a session returns 201 with the session and its client secret', async () => {
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

  it('a session shows who is asking and what for, to the merchant and to the page, and with a link token', async () => {
    for (const purpose of ['debit', 'payout'] as const) {
      const session = await server.createSession({ purpose });
      const asker = { merchant: { name: 'Acme' }, purpose };
      expect(session).toMatchObject(asker);
      expect((await server.merchant('GET', `/v1/sessions/${session.id}`)).body).toMatchObject(asker);
      expect((await server.page(session, 'GET', '')).body).toMatchObject(asker);
      expect((await server.page(session, 'POST', '/link-token', {})).body).toMatchObject(asker);
      const { body } = await server.complete(session, await server.publicToken());
      expect(body).toMatchObject(asker);
    }
  });

  it('creating a session stores no client secret', async () => {
    const session = await server.createSession();
    const row = await server.storage.db.selectFrom('sessions').selectAll().executeTakeFirstOrThrow();
    expect(JSON.stringify(row)).not.toContain(session.client_secret?.split('_secret_')[1]);
  });

  it('the same Idempotency-Key and body return an identical response, in any order of the body’s members', async () => {
    const headers = { 'Idempotency-Key': 'order-1' };
    const first = await server.merchant('POST', '/v1/sessions', { customer_id: 'c', purpose: 'debit' }, headers);
    const again = await server.merchant('POST', '/v1/sessions', { purpose: 'debit', customer_id: 'c' }, headers);
    expect(again.status).toBe(201);
    expect(again.body).toEqual(first.body);
  });

  it('many requests at once with the same Idempotency-Key create one session', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        server.merchant('POST', '/v1/sessions', { customer_id: 'c' }, { 'Idempotency-Key': 'at-once' }),
      ),
    );
    expect(new Set(answers.map(({ body }) => body.client_secret)).size).toBe(1);
    expect(await server.storage.db.selectFrom('sessions').select('id').execute()).toHaveLength(1);
  });

  it('an Idempotency-Key with another body is refused', async () => {
    const headers = { 'Idempotency-Key': 'order-2' };
    await server.merchant('POST', '/v1/sessions', { customer_id: 'c' }, headers);
    const { status, body } = await server.merchant('POST', '/v1/sessions', { customer_id: 'd' }, headers);
    expect([status, body.code]).toEqual([422, 'idempotency_key_reused']);
    expect(body.errors).toMatchObject([{ path: 'Idempotency-Key' }]);
  });

  it('an Idempotency-Key can be used again after 24 hours', async () => {
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
    // Of this form are the ids that take the place of erased customers': its client secret would open nothing.
    [{ customer_id: `erased_${'a1B2'.repeat(6)}` }, 'customer_id'],
    [{ customer_id: 'c', purpose: 'gift' }, 'purpose'],
    [{ customer_id: 'c', extra: 1 }, 'extra'],
    [{ customer_id: 'c', identity: { first_name: 'A name of more than 20 characters' } }, 'identity.first_name'],
    [{ customer_id: 'c', identity: { email: 'no-address' } }, 'identity.email'],
    [{ customer_id: 'c', identity: { personal_address: { country: 'US' } } }, 'identity.personal_address.country'],
    [{ customer_id: 'c', identity: { ssn: '1' } }, 'identity.ssn'],
    [{ customer_id: 'c', authorization: { text: 'I agree' } }, 'authorization.version'],
    [{ customer_id: 'c', metadata: { order: 7 } }, 'metadata.order'],
    [{ customer_id: 'c', language: 'english please' }, 'language'],
  ])('creating a session refuses %j naming %s', async (body, path) => {
    const answer = await server.merchant('POST', '/v1/sessions', body);
    expect(answer.status).toBe(422);
    expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
    expect(answer.body).toMatchObject({ code: 'invalid_request', retryable: false, status: 422 });
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toContain(path);
    expect(await server.storage.db.selectFrom('sessions').select('id').execute()).toHaveLength(0);
  });

  it('a body that is not JSON, not declared as JSON or too large is refused', async () => {
    const auth = { Authorization: `Bearer ${MERCHANT_KEY}` };
    const broken = await server.send('POST', '/v1/sessions', '{', auth);
    expect([broken.status, broken.body.code]).toEqual([400, 'invalid_json']);
    const form = await server.send('POST', '/v1/sessions', 'a=1', { ...auth, 'Content-Type': 'text/plain' });
    expect([form.status, form.body.code]).toEqual([415, 'unsupported_media_type']);
    expect(form.body.errors).toMatchObject([{ path: 'Content-Type' }]);
    const large = await server.send('POST', '/v1/sessions', JSON.stringify({ x: 'y'.repeat(300_000) }), auth);
    expect(large.headers.get('Connection')).toBe('close');
    expect([large.status, large.body.code]).toEqual([413, 'body_too_large']);
  });

  it('creating a session accepts the longest legal body in any script', async () => {
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
  ])('creating a session refuses text that storage can’t hold as it is: %j', async (body, path) => {
    const answer = await server.merchant('POST', '/v1/sessions', body);
    expect([answer.status, answer.body.errors[0].path]).toEqual([422, path]);
  });

  it('creating a session refuses bytes that are not UTF-8, and addresses with control characters', async () => {
    const headers = { Authorization: `Bearer ${MERCHANT_KEY}`, 'Content-Type': 'application/json' };
    const body = new Uint8Array([...new TextEncoder().encode('{"customer_id":"a'), 0xff, 0xfe, 0x22, 0x7d]);
    expect((await server.request('/v1/sessions', { method: 'POST', headers, body })).status).toBe(400);
    for (const path of ['/v1/sessions/%00', '/v1/connections/%00', '/v1/connections/%E0%A4%A']) {
      expect((await server.merchant('GET', path)).status).toBe(404);
    }
  });

  it('a wrong method is refused with the Allow header of the path', async () => {
    const { status, headers, body } = await server.merchant('DELETE', '/v1/sessions');
    expect([status, body.code]).toEqual([405, 'method_not_allowed']);
    expect(headers.get('Allow')).toContain('POST');
  });
});

describe('canceling a session', () => {
  beforeEach(async () => {
    server = await TestServer.start();
  });

  it('canceling a session closes it at once, and has no further effect when repeated', async () => {
    const session = await server.createSession();
    expect((await server.merchant('POST', `/v1/sessions/${session.id}/cancel`)).body.status).toBe('canceled');
    expect((await server.merchant('POST', `/v1/sessions/${session.id}/cancel`)).status).toBe(200);
    expect((await server.page(session, 'POST', '/link-token', {})).status).toBe(401);
    expect((await server.complete(session, await server.publicToken())).status).toBe(401);
    expect(server.ledger.items()[0]?.exchanged).toBe(false);
  });

  it('canceling is refused after completion, and returns 404 for an unknown session', async () => {
    const session = await server.createSession();
    await server.complete(session, await server.publicToken());
    const { status, body } = await server.merchant('POST', `/v1/sessions/${session.id}/cancel`);
    expect([status, body.code]).toEqual([409, 'session_already_completed']);
    expect((await server.merchant('POST', '/v1/sessions/ses_none/cancel')).status).toBe(404);
  });
});
