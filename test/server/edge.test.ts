import { readdir, readFile } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { addressBlock, parseAddress, siteBlock } from '../../server/hosts.ts';
import { createListener } from '../../server/http/listener.ts';
import { SHOP, TestServer } from '../helpers/server.ts';

let server: TestServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** Everything that one connection answers to these bytes. */
function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

describe('the listener', () => {
  it('the listener answers a health check in HTTP/1.0, which has no Host header', async () => {
    server = await TestServer.start();
    const { request } = server;
    const listener = createListener((incoming: Request) => request.call(server, new URL(incoming.url).pathname));
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const { port } = listener.address() as AddressInfo;
    const answer = await exchange(port, 'GET /healthz HTTP/1.0\r\n\r\n');
    await new Promise((resolve) => listener.close(resolve));
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toContain('"status":"ok"');
  });

  it('the listener keeps idle connections longer than balancers do, and limits time and connections', () => {
    const listener = createListener(() => new Response());
    expect(listener.keepAliveTimeout).toBeGreaterThan(600_000);
    expect(listener.requestTimeout).toBeLessThanOrEqual(30_000);
    expect(listener.maxConnections).toBeLessThan(10_000);
  });
});

describe('what strangers send', () => {
  it.each([
    ['/webhooks/plaid', {}, 0],
    ['/webhooks/plaid', { 'Plaid-Verification': 'not a token' }, 0],
    ['/webhooks/plaid', { 'Plaid-Verification': `${'a'.repeat(9_000)}.b.c` }, 0],
    ['/webhooks/finix', { 'Content-Length': '9' }, 0],
    // An empty body is Finix's test of the address, and only the first chunk shows whether this one is.
    ['/webhooks/finix', { 'Transfer-Encoding': 'chunked', 'Finix-Signature': 'sig=1' }, 1],
  ])(
    'a request without credentials to %s with %j is refused after %d chunks of its body',
    async (path, headers, chunks) => {
      server = await TestServer.start();
      let read = 0;
      const body = new ReadableStream(
        {
          pull(controller) {
            read += 1;
            controller.enqueue(new Uint8Array(9));
          },
        },
        { highWaterMark: 0 },
      );
      const init = { method: 'POST', headers, body, duplex: 'half' } as RequestInit;
      const response = await server.request(path, init);
      expect(response.status).toBe(401);
      expect(response.headers.get('Connection')).toBe('close');
      expect(read).toBe(chunks);
    },
  );

  it('requests for public sessions are limited before they are parsed', async () => {
    server = await TestServer.start({ env: { PUBLIC_SESSIONS: 'on' } });
    const statuses = [];
    for (let i = 0; i < 32; i++) {
      statuses.push((await server.send('POST', '/v1/sessions', '{"wrong":1', { Origin: SHOP })).status);
    }
    expect(statuses.filter((status) => status === 400 || status === 422)).toHaveLength(30);
    expect(statuses.slice(30)).toEqual([429, 429]);
  });

  it('a refused body gets at most twenty errors, however many fields are wrong', async () => {
    server = await TestServer.start();
    const fields = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`field_${i}`, i]));
    const { body } = await server.merchant('POST', '/v1/sessions', { customer_id: 'c', ...fields });
    expect(body.errors).toHaveLength(20);
    expect(body.errors.at(-1).message).toBe('has 481 more errors');
  });

  it('requests to complete a repair are limited', async () => {
    server = await TestServer.start();
    const session = await server.createSession();
    const { body } = await server.complete(session, await server.publicToken());
    const repair = await server.createSession({ connection: body.connections[0].id });
    const statuses = [];
    for (let i = 0; i < 125; i++) statuses.push((await server.complete(repair, `made-up-${i}`)).status);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(5);
  });
});

it('An erased customer is in no file of the data folder, the write-ahead log included', async () => {
  server = await TestServer.start();
  const session = await server.createSession({
    customer_id: 'cus-canary-4711',
    metadata: { note: 'metadata-canary-4711' },
  });
  await server.complete(session, await server.publicToken());
  const { body } = await server.merchant('DELETE', '/v1/customers/cus-canary-4711');
  expect(body.status).toBe('erased');
  const folder = server.dataDir ?? '';
  const files = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), 'latin1')));
  expect(files.length).toBeGreaterThan(0);
  expect(files.filter((text) => /canary-4711/.test(text))).toEqual([]);
});

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['192.0.2.1:4711', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['[2001:DB8::1]:443', '2001:db8::1'],
  ['2001:0db8:0:0:0:0:0:1', '2001:db8::1'],
  ['"><img src=x>', undefined],
  ['unknown', undefined],
  ['999.1.1.1', undefined],
])('the forwarded address %s is read as %s', (text, address) => {
  expect(parseAddress(text)).toBe(address);
});

it('every spelling of one network is one caller', () => {
  const spellings = ['2001:db8:1:2::5', '2001:0DB8:0001:0002:0:0:0:5', '2001:db8:1:2:ffff::1'];
  expect(new Set(spellings.map(addressBlock)).size).toBe(1);
  expect(addressBlock('2001:db8:1:3::5')).not.toBe(addressBlock('2001:db8:1:2::5'));
  expect(siteBlock('2001:db8:1:2::5')).toBe(siteBlock('2001:db8:1:ff::5'));
  expect(siteBlock('2001:db8:1:102::5')).not.toBe(siteBlock('2001:db8:1:2::5'));
  expect(siteBlock('192.0.2.1')).toBeUndefined();
});

describe('the headers of an answer', () => {
  it('keep it from being framed, guessed, cached, drawn elsewhere and asked for without TLS', async () => {
    server = await TestServer.start({ env: { PUBLIC_URL: 'https://connect.shop.example' } });
    for (const path of ['/healthz', '/v1/connections', '/nothing', '/openapi.json', '/docs']) {
      const { headers } = await server.request(path);
      expect(Object.fromEntries(headers)).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'strict-transport-security': 'max-age=31536000',
        'cross-origin-resource-policy': expect.stringMatching(/^(same|cross)-origin$/),
        'permissions-policy': expect.stringContaining('camera=()'),
        'content-security-policy': expect.stringContaining('default-src'),
      });
    }
  });

  it('ask for TLS only where the address of the server has it', async () => {
    server = await TestServer.start();
    expect((await server.request('/healthz')).headers.has('Strict-Transport-Security')).toBe(false);
  });
});

it.each(['.', '..'])('the customer id %s is refused, because no path could name it', async (customer_id) => {
  server = await TestServer.start();
  const { status, body } = await server.merchant('POST', '/v1/sessions', { customer_id });
  expect([status, body.errors[0].path]).toEqual([422, 'customer_id']);
});

it('metadata with the key __proto__ is refused, and an ordinary one with a name of Object is kept', async () => {
  server = await TestServer.start();
  for (const key of ['__proto__', '\\u005f_proto__']) {
    const text = `{"customer_id":"c","metadata":{"${key}":"lost"}}`;
    const refused = await server.merchant('POST', '/v1/sessions', text);
    expect([refused.status, refused.body.errors]).toMatchObject([422, [{ path: '__proto__' }]]);
  }
  const metadata = { constructor: 'a', toString: 'b', note: '"__proto__": is text here' };
  expect((await server.merchant('POST', '/v1/sessions', { customer_id: 'c', metadata })).status).toBe(201);
});

it.each([
  ['https:shop.example/done', 'https://shop.example/done'],
  ['https://shop.example\\done', 'https://shop.example/done'],
  ['https://ｓｈｏｐ.example/done', 'https://shop.example/done'],
  ['HTTPS://SHOP.EXAMPLE/a/../done', 'https://shop.example/done'],
])('the return_url %s reaches Plaid as it was parsed', async (return_url, parsed) => {
  server = await TestServer.start();
  const session = await server.createSession();
  const { status } = await server.page(session, 'POST', '/link-token', { mode: 'hosted', return_url });
  expect(status).toBe(200);
  const call = server.ledger.calls().findLast(({ path }) => path === '/link/token/create');
  expect(JSON.stringify(call)).toContain(JSON.stringify(parsed));
  expect(JSON.stringify(call)).not.toContain(JSON.stringify(return_url));
});
