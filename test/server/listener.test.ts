import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createListener, type ListenerLimits } from '../../server/http/listener.ts';
import { Gate } from '../helpers/gate.ts';
import { eventually, MERCHANT_KEY, SHOP, TestServer } from '../helpers/server.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** The whole server behind a real port. */
async function start(limits: ListenerLimits = {}, env: Record<string, string> = {}) {
  const server = await TestServer.start({ env: { LOG_LEVEL: 'trace', ...env } });
  cleanUp.push(() => server.close());
  const incoming: IncomingMessage[] = [];
  const listener = createListener((request, bindings) => {
    incoming.push(bindings.incoming as IncomingMessage);
    return server.fetch(request, bindings);
  }, limits);
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  cleanUp.push(() => {
    listener.closeAllConnections();
    return new Promise((resolve) => listener.close(resolve));
  });
  const { port } = listener.address() as AddressInfo;
  return { server, port, incoming };
}

interface Caller {
  socket: Socket;
  /** Everything that came so far. */
  answer(): string;
  /** Resolves with everything when the server has closed the connection. */
  closed: Promise<string>;
}

function call(port: number, bytes: string | Buffer = ''): Caller {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  // A reset is one of the ways to be refused.
  socket.on('error', () => {});
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(text)));
  cleanUp.push(() => socket.destroy());
  if (bytes.length > 0) socket.write(bytes);
  return { socket, answer: () => text, closed };
}

const head = (path: string, ...headers: string[]) =>
  [`POST ${path} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n');
const MERCHANT = [`Authorization: Bearer ${MERCHANT_KEY}`, 'Content-Type: application/json'];
const FINIX = 'Finix-Signature: timestamp=1, sig=2';

describe('a body that is cut off', () => {
  const BODIES = [
    ['of a declared length', `${head('/v1/sessions', ...MERCHANT, 'Content-Length: 100')}{"customer`],
    ['of a webhook', `${head('/webhooks/finix', FINIX, 'Content-Length: 100')}{"id`],
    ['in the middle of a chunk', `${head('/v1/sessions', ...MERCHANT, 'Transfer-Encoding: chunked')}50\r\n{"cus`],
    ['between two chunks', `${head('/webhooks/finix', FINIX, 'Transfer-Encoding: chunked')}5\r\n{"cus\r\n`],
    [
      'by a chunk that is none',
      `${head('/v1/sessions', ...MERCHANT, 'Transfer-Encoding: chunked')}5\r\n{"cus\r\nzz\r\n`,
    ],
  ] as const;
  const ENDINGS = [
    ['with a goodbye', (socket: Socket) => socket.end()],
    ['with a reset', (socket: Socket) => socket.resetAndDestroy()],
  ] as const;

  it.each(BODIES.flatMap(([name, bytes]) => ENDINGS.map(([how, end]) => [`${name}, ${how}`, bytes, end] as const)))(
    'a body that is cut off %s, is the caller’s, and a line at debug',
    async (_name, bytes, end) => {
      const { server, port } = await start();
      const { socket } = call(port, bytes);
      await eventually(async () => server.received > 0);
      end(socket);
      const lines = () => server.lines.map((line) => JSON.parse(line));
      await eventually(async () => lines().find(({ msg }) => msg === 'request'));
      const requests = lines().filter(({ msg }) => msg === 'request');
      expect(requests.map(({ level, status, code }) => [level, status, code])).toEqual([[20, 400, 'invalid_json']]);
      const headers = { Authorization: `Bearer ${MERCHANT_KEY}` };
      const metrics = await (await server.request('/metrics', { headers })).text();
      expect(metrics).not.toMatch(/status="5\d\d"/);
    },
  );
});

describe('a caller who has gone before the body is read', () => {
  const jwt = (claims: object) =>
    [{ alg: 'ES256', kid: 'a-key-that-plaid-has-not' }, claims, {}]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
  const invented = `Plaid-Verification: ${jwt({ iat: Math.floor(Date.now() / 1000), request_body_sha256: 'a'.repeat(64) })}`;

  /** The request as the server has it once its caller is gone, and its reading of the body begins only then. */
  async function expectAnswered(
    bytes: (session: string, secret: string) => string,
    status: number,
  ): Promise<TestServer> {
    const { server, port, incoming } = await start();
    const { id, client_secret = '' } = await server.createSession();
    server.lines.length = 0;
    const { now } = server.storage;
    const [reached, gate] = [new Gate(), new Gate()];
    server.storage.now = async (fresh) => {
      reached.open();
      await gate.passed;
      return now(fresh);
    };
    const { socket } = call(port, bytes(id, client_secret));
    await reached.passed;
    socket.resetAndDestroy();
    await eventually(async () => incoming[0]?.closed);
    gate.open();
    const request = await eventually(async () =>
      server.lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'request'),
    );
    expect(request.status).toBe(status);
    return server;
  }

  it.each([
    ['has announced a body', 'Content-Length: 10', ''],
    ['has sent a part of it', 'Content-Length: 10', '{"a'],
    ['has sent a chunk of it', 'Transfer-Encoding: chunked', '5\r\n{"cus\r\n'],
  ])('a caller of a webhook who %s and has gone before it is read is answered', async (_name, length, body) => {
    await expectAnswered(() => `${head('/webhooks/plaid', invented, length)}${body}`, 400);
  });

  it('a caller of a webhook who has sent its whole body and has gone is answered by that body', async () => {
    await expectAnswered(() => `${head('/webhooks/plaid', invented, 'Content-Length: 2')}{}`, 401);
  });

  it('a body that was cut off before it was read is not taken for an empty one', async () => {
    const server = await expectAnswered((session, secret) => {
      const path = `/v1/sessions/${session}/link-token`;
      return head(
        path,
        `Authorization: Bearer ${secret}`,
        'Content-Type: application/json',
        'Transfer-Encoding: chunked',
      );
    }, 400);
    expect(server.ledger.calls().filter(({ path }) => path === '/link/token/create')).toEqual([]);
  });
});

describe('a slow caller', () => {
  it('a caller whose body comes byte by byte is ended when the time for a request is over', async () => {
    const { port } = await start({ requestMs: 1_000, headersMs: 1_000 });
    const slow = call(port, head('/v1/sessions', ...MERCHANT, 'Content-Length: 1000'));
    const dripping = setInterval(() => slow.socket.write(' '), 50);
    cleanUp.push(() => clearInterval(dripping));
    expect(await slow.closed).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('a caller whose headers come byte by byte is ended when the time for headers is over', async () => {
    const { port } = await start({ requestMs: 5_000, headersMs: 500 });
    const slow = call(port, 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    const dripping = setInterval(() => slow.socket.write('a'), 50);
    cleanUp.push(() => clearInterval(dripping));
    expect(await slow.closed).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('a caller that sends nothing is ended too', async () => {
    const { port } = await start({ requestMs: 5_000, headersMs: 500 });
    expect(await call(port).closed).toMatch(/^(HTTP\/1\.1 408 |$)/);
  });
});

it('a connection beyond the limit is closed, and one that ends frees its place', async () => {
  const { port } = await start({ connections: 2 });
  const [first] = [call(port), call(port)];
  await eventually(async () => first?.socket.readyState === 'open');
  expect(await call(port, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n').closed).toBe('');
  first?.socket.destroy();
  await eventually(async () => {
    const next = call(port, 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    return (await next.closed).startsWith('HTTP/1.1 200 ');
  });
});

describe('a body of a caller without proof', () => {
  it.each([
    ['/v1/sessions', 'Authorization: Bearer wrong'],
    ['/v1/links', 'Authorization: Bearer wrong'],
    ['/v1/sessions/ses_0123456789abcdefghijklmn/complete', 'Authorization: Bearer wrong'],
    ['/webhooks/plaid', 'Plaid-Verification: a.b.c'],
    ['/webhooks/finix', 'Finix-Signature: nonsense'],
  ])('a body to %s is not waited for, also without a declared length', async (path, header) => {
    const { port } = await start();
    const { answer } = call(port, `${head(path, header, 'Transfer-Encoding: chunked')}5\r\n{"cus\r\n`);
    expect(await eventually(async () => answer() || undefined)).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('a body to Finix’s webhook is held up to a limit for one address, and others are served', async () => {
    const { port } = await start();
    const part = Buffer.alloc(1_000_000, ' ');
    const callers = Array.from({ length: 8 }, () =>
      call(port, Buffer.concat([Buffer.from(head('/webhooks/finix', FINIX, 'Content-Length: 1048000')), part])),
    );
    const refused = () => callers.filter(({ answer }) => answer().startsWith('HTTP/1.1 429 '));
    // Four megabytes are four of them.
    await eventually(async () => refused().length === 4);
    for (const { socket } of callers) socket.destroy();
    await eventually(async () => {
      const small = call(port, `${head('/webhooks/finix', FINIX, 'Content-Length: 2', 'Connection: close')}{}`);
      return (await small.closed).startsWith('HTTP/1.1 401 ');
    });
  });
});

describe('a body that is too long', () => {
  it.each([
    ['/v1/sessions', 'Content-Length: 3000000', MERCHANT],
    ['/v1/sessions', 'Transfer-Encoding: chunked', MERCHANT],
    ['/webhooks/finix', 'Content-Length: 3000000', [FINIX]],
    ['/webhooks/finix', 'Transfer-Encoding: chunked', [FINIX]],
  ])(
    'a body that is too long, to %s with %s, is answered, and the connection closed',
    async (path, length, headers) => {
      const { port } = await start();
      const caller = call(port, head(path, length, ...headers));
      const part = Buffer.alloc(64 * 1024, ' ');
      const isChunked = length.startsWith('Transfer');
      const bytes = isChunked ? Buffer.concat([Buffer.from('10000\r\n'), part, Buffer.from('\r\n')]) : part;
      for (let i = 0; i < 40 && caller.answer() === ''; i++) {
        caller.socket.write(bytes);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await eventually(async () => caller.answer() || undefined)).toMatch(
        /^HTTP\/1\.1 413 .*\r\nconnection: close\r\n/is,
      );
      await caller.closed;
    },
  );
});

describe('X-Forwarded-For', () => {
  const forwarded = 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.7\r\nConnection: close\r\n\r\n';
  const warnings = (lines: string[]) => lines.filter((line) => line.includes('TRUSTED_PROXIES'));

  it('X-Forwarded-For from a proxy that is not trusted is ignored, and warned of once', async () => {
    const { server, port } = await start();
    for (let i = 0; i < 3; i++) await call(port, forwarded).closed;
    expect(warnings(server.lines)).toHaveLength(1);
    expect(JSON.parse(warnings(server.lines)[0] ?? '{}')).toMatchObject({
      level: 40,
      proxy: expect.stringMatching(/127\.0\.0\.1$/),
    });
  });

  it('X-Forwarded-For from a trusted proxy is believed, without a warning', async () => {
    const { server, port } = await start({}, { TRUSTED_PROXIES: '127.0.0.1' });
    await call(port, forwarded).closed;
    expect(warnings(server.lines)).toEqual([]);
  });

  it('X-Forwarded-For is the address in the consent record behind a trusted proxy, and the proxy’s own behind another', async () => {
    for (const [trusted, expected] of [
      ['127.0.0.1', '192.0.2.7'],
      ['10.0.0.1', '127.0.0.1'],
    ] as const) {
      const { server, port } = await start({}, { TRUSTED_PROXIES: trusted });
      const text = 'I authorize the debit.';
      const session = await server.createSession({ authorization: { text, version: '1' } });
      const response = await fetch(`http://127.0.0.1:${port}/v1/sessions/${session.id}/complete`, {
        method: 'POST',
        headers: {
          Authorization: `Bearer ${session.client_secret}`,
          Origin: SHOP,
          'Content-Type': 'application/json',
          'X-Forwarded-For': '203.0.113.9, 192.0.2.7',
        },
        body: JSON.stringify({
          public_token: await server.publicToken(),
          accounts: [],
          authorization: { accepted: true, text_sha256: createHash('sha256').update(text).digest('hex') },
        }),
      });
      expect(response.status).toBe(200);
      const { body } = await server.merchant('GET', '/v1/connections');
      expect(body.data[0].authorization.ip).toBe(expected);
    }
  });
});
