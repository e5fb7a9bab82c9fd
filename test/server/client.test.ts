import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Client, createClient, parseWebhook } from '../../widget/client.ts';
import { type Receiver, startReceiver, WEBHOOK_SECRET } from '../helpers/receiver.ts';
import { MERCHANT_KEY, TestServer } from '../helpers/server.ts';

let server: TestServer;
let receiver: Receiver;
let client: Client;
const sent: string[] = [];

beforeEach(async () => {
  receiver = await startReceiver();
  server = await TestServer.start({
    env: { MERCHANT_WEBHOOK_URL: receiver.url, MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET },
  });
  sent.length = 0;
  client = createClient({
    endpoint: 'https://connect.example/',
    apiKey: MERCHANT_KEY,
    fetch: async (input, init) => {
      const { pathname, search } = new URL(String(input));
      sent.push(`${init?.method} ${pathname}${search}`);
      return server.request(pathname + search, init);
    },
  });
});
afterEach(async () => {
  await server.close();
  await receiver.close();
});

async function connect(customer_id = 'cus_1', user = 'user_one_account'): Promise<string> {
  const session = await client.sessions.create({ customer_id });
  const { body } = await server.complete(session, await server.publicToken(user));
  return body.connections[0].id;
}

describe('the client of a merchant’s back end', () => {
  it('the client creates a session whose secret the page can use, and reads and cancels it', async () => {
    const session = await client.sessions.create({ customer_id: 'cus_1', metadata: { order: '7' } });
    expect(session.client_secret).toMatch(/^ses_\w+_secret_/);
    const { body } = await server.page(session, 'GET', '');
    expect(body.id).toBe(session.id);
    expect(await client.sessions.retrieve(session.id)).toMatchObject({ id: session.id, status: 'open' });
    expect(await client.sessions.cancel(session.id)).toMatchObject({ status: 'canceled' });
  });

  it('the client gets the same session for the same idempotency key, and another for each call without one', async () => {
    const request = { customer_id: 'cus_1' };
    const [first, again] = [
      await client.sessions.create(request, { idempotencyKey: 'order-1' }),
      await client.sessions.create(request, { idempotencyKey: 'order-1' }),
    ];
    expect(again).toEqual(first);
    expect((await client.sessions.create(request)).id).not.toBe((await client.sessions.create(request)).id);
    await expect(client.sessions.create({ customer_id: 'cus_2' }, { idempotencyKey: 'order-1' })).rejects.toMatchObject(
      {
        name: 'ApiError',
        code: 'idempotency_key_reused',
        status: 422,
        retryable: false,
      },
    );
  });

  it('the client names the fields that are wrong, with the request’s id for support', async () => {
    const error = await client.sessions.create({ customer_id: '' }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'invalid_request',
      status: 422,
      requestId: expect.stringMatching(/./),
      problem: { errors: [{ path: 'customer_id' }] },
    });
  });

  it('the client lists connections, page by page where there are many', async () => {
    const session = await client.sessions.create({ customer_id: 'cus_1', account_selection: 'multiple' });
    await server.complete(session, await server.publicToken('user_several'));
    const all = await client.connections.list({ customer_id: 'cus_1' });
    expect(all.data.length).toBeGreaterThan(1);
    const first = await client.connections.list({ customer_id: 'cus_1', limit: 1 });
    expect(first).toMatchObject({ has_more: true, data: [{ id: all.data[0]?.id }] });
    const ids: string[] = [];
    for await (const { id } of client.connections.each({ customer_id: 'cus_1', status: 'active' })) ids.push(id);
    expect(ids).toEqual(all.data.map(({ id }) => id));
  });

  it('the client lists sessions by customer and status, an expired one as it is shown', async () => {
    await connect();
    const open = await client.sessions.create({ customer_id: 'cus_1' });
    await client.sessions.create({ customer_id: 'cus_2' });
    const ids = async (query: Parameters<Client['sessions']['list']>[0]) =>
      (await client.sessions.list(query)).data.map(({ id, status }) => [id, status]);
    expect(await ids({ customer_id: 'cus_1', status: 'open' })).toEqual([[open.id, 'open']]);
    expect(await ids({ customer_id: 'cus_1', status: 'completed' })).toHaveLength(1);
    expect(await client.sessions.list({ limit: 1 })).toMatchObject({ has_more: true, data: [{ object: 'session' }] });
    server.clockOffset = 25 * 3600_000;
    expect(await ids({ customer_id: 'cus_1', status: 'open' })).toEqual([]);
    expect(await ids({ customer_id: 'cus_1', status: 'expired' })).toEqual([[open.id, 'expired']]);
  });

  it('the client removes a connection, and erases a customer', async () => {
    const id = await connect();
    expect(await client.connections.remove(id)).toMatchObject({ id, status: 'removed' });
    expect(await client.customers.erase('cus_1')).toMatchObject({ object: 'customer', customer_id: 'cus_1' });
  });
});

describe('a client without its settings', () => {
  it('a client without its settings can be created, as frameworks do when they build, and names the missing one when it is used', async () => {
    const none = createClient({ endpoint: undefined, apiKey: MERCHANT_KEY });
    await expect(none.sessions.create({ customer_id: 'cus_1' })).rejects.toThrow(/no endpoint: set CONNECT_URL/);
    const keyless = createClient({ endpoint: 'https://connect.example', apiKey: '', fetch: expectNoCall });
    await expect(keyless.connections.retrieve('con_1')).rejects.toThrow(/no apiKey: set MERCHANT_API_KEY/);
    expect(() => createClient({ endpoint: 'connect.example', apiKey: MERCHANT_KEY })).toThrow(/must be an address/);
  });
});

function expectNoCall(): never {
  throw new Error('A call was made.');
}

describe('requireConnection', () => {
  it('requireConnection returns a connection that is active and the customer’s own', async () => {
    const id = await connect();
    const connection = await client.requireConnection(id, { customerId: 'cus_1' });
    expect(connection.payment_instrument).toMatch(/^PI/);
  });

  it('requireConnection refuses the connection of another customer', async () => {
    const id = await connect('cus_2');
    await expect(client.requireConnection(id, { customerId: 'cus_1' })).rejects.toMatchObject({
      name: 'ConnectionError',
      code: 'customer_mismatch',
    });
  });

  it.each([
    '../sessions/ses_1',
    'con_1/../../customers/cus_1',
    'con_1?x=1',
    '',
    undefined,
    null,
    { id: 'con_1' },
    ['con_1'],
    'ses_0123456789',
    '..',
  ])('requireConnection sends no request for %j, which is no connection’s id', async (id) => {
    await expect(client.requireConnection(id, { customerId: 'cus_1' })).rejects.toMatchObject({
      code: 'connection_not_found',
    });
    expect(sent).toEqual([]);
  });

  it('requireConnection refuses an id that does not exist', async () => {
    await expect(client.requireConnection('con_0', { customerId: 'cus_1' })).rejects.toMatchObject({
      code: 'connection_not_found',
    });
  });

  it.each(['', undefined])(
    'requireConnection throws without a customer (%j), before any request',
    async (customerId) => {
      const id = await connect();
      sent.length = 0;
      await expect(client.requireConnection(id, { customerId: customerId as string })).rejects.toThrow(TypeError);
      expect(sent).toEqual([]);
    },
  );

  it('requireConnection refuses a connection that can not be charged, and shows the customer’s own', async () => {
    const id = await connect('cus_1', 'user_pending_verification');
    const refusal = (status: string) => ({ code: 'connection_not_usable', connection: { id, status } });
    const customerId = 'cus_1';
    await expect(client.requireConnection(id, { customerId })).rejects.toMatchObject(refusal('pending_verification'));
    await client.connections.remove(id);
    await expect(client.requireConnection(id, { customerId })).rejects.toMatchObject(refusal('removed'));
    await expect(client.requireConnection(id, { customerId: 'cus_2' })).rejects.toMatchObject({
      code: 'customer_mismatch',
      connection: null,
    });
  });
});

it('parseWebhook reads what the server sends, and gives each delivery’s id', async () => {
  const id = await connect();
  await server.jobs.tick();
  const events = await Promise.all(
    receiver.received.map(({ text, headers }) => parseWebhook(text, headers, WEBHOOK_SECRET)),
  );
  expect(events).toMatchObject([
    { id: expect.stringMatching(/^msg_/), type: 'connection.active', data: { id, customer_id: 'cus_1' } },
    { id: expect.stringMatching(/^msg_/), type: 'session.completed', data: { object: 'session' } },
  ]);
});
