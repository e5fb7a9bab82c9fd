import { afterEach, describe, expect, it } from 'vitest';
import { SHOP, TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

describe('connections', () => {
  it('the merchant reads connections and lists them page by page', async () => {
    server = await TestServer.start();
    for (const request of [
      { customer_id: 'a' },
      // For another purpose, or the first one would be replaced.
      { customer_id: 'a', purpose: 'payout' as const },
      { customer_id: 'b' },
    ]) {
      await server.complete(await server.createSession(request), await server.publicToken());
    }
    const first = await server.merchant('GET', '/v1/connections?limit=2');
    expect(first.body).toMatchObject({ object: 'list', has_more: true });
    const second = await server.merchant('GET', `/v1/connections?limit=2&cursor=${first.body.next_cursor}`);
    expect(second.body).toMatchObject({ has_more: false, next_cursor: null });
    const ids = [...first.body.data, ...second.body.data].map(({ id }: { id: string }) => id);
    expect(new Set(ids).size).toBe(3);
    const filtered = await server.merchant('GET', '/v1/connections?customer_id=a&status=active');
    expect(filtered.body.data).toHaveLength(2);
    expect((await server.merchant('GET', `/v1/connections/${ids[0]}`)).body).toMatchObject({
      id: ids[0],
      status: 'active',
    });
    expect((await server.merchant('GET', '/v1/connections/con_none')).status).toBe(404);
    expect((await server.merchant('GET', '/v1/connections?status=broken')).status).toBe(422);
    expect((await server.send('GET', '/v1/connections', undefined, { Origin: SHOP })).status).toBe(401);
  });
});
