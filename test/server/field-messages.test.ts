import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from '../helpers/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.close());

const customer_id = 'cus_1';

describe('a request with a wrong field', () => {
  it.each<[string, object, string]>([
    ['a missing field', {}, 'customer_id is required.'],
    ['a number in place of text', { customer_id: 7 }, 'customer_id must be a string.'],
    ['null in place of text', { customer_id: null }, 'customer_id must be a string.'],
    ['an empty text', { customer_id: '' }, 'customer_id must not be empty.'],
    ['a long text', { customer_id: 'x'.repeat(5_000) }, 'customer_id must have at most'],
    ['another value than those of a list', { customer_id, purpose: 'gift' }, 'purpose must be "debit", "payout"'],
    ['text in place of an object', { customer_id, identity: 'Jane' }, 'identity must be an object.'],
    ['a field that does not exist', { customer_id, custom: 1 }, 'custom is not a field of this request.'],
    ['a list in place of the body', [], 'The body must be an object.'],
  ])('the answer’s detail names what to change: %s', async (_name, body, detail) => {
    const answer = await server.merchant('POST', '/v1/sessions', body);
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request']);
    expect(answer.body.detail).toContain(detail);
  });

  it.each([
    ['limit=many', 'limit must be a number.'],
    ['limit=1e1', 'limit must be a number.'],
    ['limit=0x10', 'limit must be a number.'],
    ['limit=%2010', 'limit must be a number.'],
    ['limit=', 'limit must be a number.'],
    ['limit=-1', 'limit must be at least 1.'],
    ['limit=99999999999999999999', 'limit must be '],
    ['limit=1.5', 'limit must be a whole number.'],
    ['limit=0', 'limit must be at least 1.'],
    ['limit=101', 'limit must be at most 100.'],
    ['status=lost', 'status must be "open", '],
  ])('a query’s detail names what to change: %s', async (query, detail) => {
    const answer = await server.merchant('GET', `/v1/sessions?${query}`);
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request']);
    expect(answer.body.detail).toContain(detail);
  });

  it('a detail names three fields, and errors names all of them', async () => {
    const body = { a: 1, b: 1, c: 1, d: 1, customer_id };
    const answer = await server.merchant('POST', '/v1/sessions', body);
    expect(answer.body.detail).toBe(
      'a is not a field of this request; b is not a field of this request; c is not a field of this request; see errors for the other fields.',
    );
    expect(answer.body.errors).toHaveLength(4);
  });
});
