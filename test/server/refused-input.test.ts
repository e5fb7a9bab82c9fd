import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Problem } from '../../widget/contract.ts';
import { MERCHANT_KEY, TestServer } from '../helpers/server.ts';

/** Input that must be refused by the name of what is wrong with it. */

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.close());

describe('a cursor', () => {
  it.each(['/v1/sessions', '/v1/connections', '/v1/links', '/v1/audit', '/v1/webhook-deliveries'])(
    'that no page of the list has given is refused by its name: %s',
    async (path) => {
      for (const cursor of ['abc', '1', 'msg_1', '17_xyz', '%C3%A9', '-1_aud_1']) {
        const { status, body } = await server.merchant('GET', `${path}?cursor=${cursor}`);
        expect([cursor, status, body.code, body.errors]).toEqual([
          cursor,
          422,
          'invalid_request',
          [{ path: 'cursor', message: 'must be next_cursor of a page of this list' }],
        ]);
      }
    },
  );

  it('of another list is refused', async () => {
    const session = await server.createSession();
    expect((await server.merchant('GET', `/v1/links?cursor=${session.id}`)).status).toBe(422);
    expect((await server.merchant('GET', `/v1/sessions?cursor=${session.id}`)).status).toBe(200);
  });
});

describe('a query', () => {
  it.each([
    ['/v1/connections?customer_id=a&customer_id=b', 'customer_id'],
    ['/v1/sessions?limit=5&limit=6', 'limit'],
    ['/v1/links?status=open&status=opened', 'status'],
    ['/v1/audit?merchant_id=a&merchant_id=a', 'merchant_id'],
    ['/v1/webhook-deliveries?status=dead&status=pending', 'status'],
  ])('with a name that comes twice is refused by that name: %s', async (path, name) => {
    const { status, body } = await server.merchant('GET', path);
    expect([status, body.errors]).toEqual([422, [{ path: name, message: 'must be given once' }]]);
  });

  it('with many names that come twice is refused with a short list', async () => {
    const names = Array.from({ length: 40 }, (_, i) => `a${i}=1&a${i}=2`).join('&');
    const { status, body } = await server.merchant('GET', `/v1/audit?${names}`);
    expect(status).toBe(422);
    expect(body.errors.length).toBeLessThanOrEqual(20);
  });
});

describe('a text that the customer is shown', () => {
  it.each([
    ['merchant.name', { merchant: { id: 'm_1', name: ' \u00a0' } }],
    ['authorization.text', { authorization: { text: ' \n\t', version: '1' } }],
  ])('is refused by its name where it is blank: %s', async (path, more) => {
    for (const call of ['/v1/sessions', '/v1/links']) {
      const { status, body } = await server.merchant('POST', call, { customer_id: 'cus_1', ...more });
      expect([status, body.errors]).toEqual([422, [{ path, message: 'must not be blank' }]]);
    }
  });
});

describe('a field of the identity', () => {
  it.each([
    ['identity.first_name', { first_name: ' ' }],
    ['identity.last_name', { last_name: '\u00a0\u2003' }],
    ['identity.business_name', { business_name: '  ' }],
    ['identity.doing_business_as', { doing_business_as: ' ' }],
    ['identity.personal_address.line1', { personal_address: { line1: ' ' } }],
    ['identity.personal_address.line2', { personal_address: { line2: ' ' } }],
    ['identity.business_address.city', { business_address: { city: ' ' } }],
    ['identity.business_address.postal_code', { business_address: { postal_code: ' ' } }],
  ])('is refused by its name where it is blank: %s', async (path, identity) => {
    for (const call of ['/v1/sessions', '/v1/links']) {
      const { status, body } = await server.merchant('POST', call, { customer_id: 'cus_1', identity });
      expect([status, body.errors]).toEqual([422, [{ path, message: 'must not be blank' }]]);
    }
  });
});

describe('an erasure', () => {
  it.each([
    ['129 characters', 'c'.repeat(129)],
    ['8,000 characters', Array.from({ length: 1_000 }, (_, i) => `customer${i}`.slice(0, 8)).join('')],
  ])('of an id of %s is refused by its name', async (_name, id) => {
    const { status, body } = await server.merchant('DELETE', `/v1/customers/${id}`);
    expect([status, body.errors]).toEqual([
      422,
      [{ path: 'customer_id', message: 'must have at most 128 characters' }],
    ]);
  });

  it('of an id of 128 characters is carried out', async () => {
    const { status } = await server.merchant('DELETE', `/v1/customers/${'c'.repeat(128)}`);
    expect(status).toBe(200);
  });
});

describe('a body with Content-Encoding', () => {
  const send = async (encoding: string, body: BodyInit) => {
    const response = await server.request('/v1/sessions', {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${MERCHANT_KEY}`,
        'Content-Type': 'application/json',
        'Content-Encoding': encoding,
      },
      body,
    });
    return { status: response.status, body: (await response.json()) as Partial<Problem> };
  };
  const json = JSON.stringify({ customer_id: 'cus_1' });

  it.each(['gzip', 'br', 'deflate', 'gzip, identity'])('of %s is refused by the header’s name', async (encoding) => {
    const { status, body } = await send(encoding, encoding === 'gzip' ? new Uint8Array(gzipSync(json)) : json);
    expect([status, body.code]).toEqual([415, 'unsupported_media_type']);
    expect(body.detail).toContain('Content-Encoding');
    expect(body.errors).toMatchObject([{ path: 'Content-Encoding' }]);
  });

  it.each(['identity', 'IDENTITY', ''])('of %j is read', async (encoding) => {
    expect((await send(encoding, json)).status).toBe(201);
  });
});
