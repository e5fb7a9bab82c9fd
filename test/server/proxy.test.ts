import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage, request } from 'node:http';
import { createServer as createHttpsServer, request as httpsRequest } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RunningSimulator, startSimulator } from '../../demo/simulator/index.ts';
import { createHttpClient } from '../../server/clients/http-client.ts';
import { tunnelTo } from '../../server/clients/proxy.ts';
import type { Session } from '../../widget/contract.ts';
import { bundle } from '../helpers/bundle.ts';
import { createCertificates, opensslMissing } from '../helpers/certificates.ts';
import { patient } from '../helpers/patience.mjs';
import { WEBHOOK_SECRET } from '../helpers/receiver.ts';
import { eventually, MERCHANT_KEY, SHOP, TestServer, testEnvironment } from '../helpers/server.ts';

const PLAID = 'sandbox.plaid.com';
const FINIX = 'finix.sandbox-payments-api.com';
const HOOKS = 'hooks.shop.example';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

/** A proxy that leads every CONNECT to one port of this machine. @returns its port and the hosts it was asked for */
async function startProxy(target: number, credentials?: string): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const proxy = createHttpServer((_, response) => {
    asked.push('a request without CONNECT');
    response.writeHead(405).end();
  });
  proxy.on('connect', ({ url = '', headers }: IncomingMessage, socket: Socket) => {
    asked.push(url);
    socket.on('error', () => {});
    const right = credentials === undefined || headers['proxy-authorization'] === credentials;
    if (!right) return socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
    const outside = connect(target, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      outside.pipe(socket);
      socket.pipe(outside);
    });
    outside.on('error', () => socket.destroy());
    for (const one of [socket, outside]) {
      sockets.add(one);
      one.on('close', () => sockets.delete(one));
    }
    return undefined;
  });
  const port = await listening(proxy);
  cleanUp.push(() => {
    for (const socket of sockets) socket.destroy();
  });
  return { port, asked };
}

const missing = opensslMissing();
if (missing) console.warn(`skipped: a server that may only leave through a proxy: ${missing}`);

describe.skipIf(missing)('a server that may only leave through a proxy', { timeout: patient(60_000) }, () => {
  let main: string;
  beforeAll(async () => {
    main = await bundle('server/main.ts');
  });

  /** Plaid, Finix and the merchant as they are outside: by name, over TLS. */
  async function startOutside(upstream: RunningSimulator): Promise<{ port: number; ca: string; events: string[] }> {
    const certificates = createCertificates([PLAID, FINIX, HOOKS]);
    cleanUp.push(() => certificates.remove());
    const events: string[] = [];
    const outside = createHttpsServer(certificates.options, (incoming, outgoing) => {
      const host = incoming.headers.host ?? '';
      if (host === HOOKS) {
        events.push(String(incoming.headers['webhook-id']));
        return outgoing.writeHead(200).end();
      }
      const base = new URL(host === PLAID ? upstream.plaidUrl : upstream.finixUrl);
      const path = `${base.pathname}${incoming.url}`;
      const { method, headers } = incoming;
      const inner = request({ host: base.hostname, port: base.port, path, method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(outgoing);
      });
      return incoming.pipe(inner);
    });
    return { port: await listening(outside), ca: certificates.ca, events };
  }

  async function startServer(env: Record<string, string>): Promise<{ url: string; output: () => string }> {
    const dataDir = await mkdtemp(join(tmpdir(), 'fbc-proxy-'));
    cleanUp.push(() => rm(dataDir, { recursive: true, force: true }));
    const child: ChildProcess = spawn(process.execPath, [main], {
      env: { PATH: process.env['PATH'], ...testEnvironment(), DATA_DIR: dataDir, PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanUp.push(() => child.kill('SIGKILL'));
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    const port = await eventually(async () => /"port":(\d+)[^\n]*"listening"/.exec(output)?.[1], 30_000);
    return { url: `http://127.0.0.1:${port}`, output: () => output };
  }

  async function connectBank(url: string, upstream: RunningSimulator): Promise<Session> {
    const call = async (path: string, key: string, body: object) => {
      const headers = { Authorization: `Bearer ${key}`, Origin: SHOP, 'Content-Type': 'application/json' };
      return (await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).json();
    };
    const session = (await call('/v1/sessions', MERCHANT_KEY, { customer_id: 'cus_1' })) as Session;
    const helper = await TestServer.start({ upstream });
    cleanUp.push(() => helper.close());
    const request = { public_token: await helper.publicToken(), accounts: [] };
    return (await call(`/v1/sessions/${session.id}/complete`, session.client_secret ?? '', request)) as Session;
  }

  it.each([
    ['HTTPS_PROXY', 'NO_PROXY'],
    ['https_proxy', 'no_proxy'],
  ])(
    'a server that may only leave through a proxy reaches Plaid, Finix and the merchant through %s',
    async (name, except) => {
      const upstream = await startSimulator();
      cleanUp.push(() => upstream.close());
      const outside = await startOutside(upstream);
      const proxy = await startProxy(outside.port, `Basic ${Buffer.from('user:p@ss').toString('base64')}`);
      const { url, output } = await startServer({
        [name]: `http://user:p%40ss@127.0.0.1:${proxy.port}`,
        [except]: 'elsewhere.example',
        NODE_EXTRA_CA_CERTS: outside.ca,
        MERCHANT_WEBHOOK_URL: `https://${HOOKS}/events`,
        MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET,
      });
      expect(await connectBank(url, upstream)).toMatchObject({
        status: 'completed',
        connections: [{ status: 'active' }],
      });
      await eventually(async () => outside.events.length > 0, 20_000);
      expect(new Set(proxy.asked)).toEqual(new Set([`${PLAID}:443`, `${FINIX}:443`, `${HOOKS}:443`]));
      expect(output()).not.toContain('p%40ss');
      expect(output()).not.toContain('p@ss');
    },
  );

  it('a server whose proxy refuses it has neither provider: nothing is exchanged and then stuck', async () => {
    const upstream = await startSimulator();
    cleanUp.push(() => upstream.close());
    const outside = await startOutside(upstream);
    const proxy = await startProxy(outside.port, 'Basic something-else');
    const { url } = await startServer({
      HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
      NODE_EXTRA_CA_CERTS: outside.ca,
    });
    // Its answer takes the whole time that a customer waits.
    connectBank(url, upstream).catch(() => {});
    // Finix as well, when the server is so slow that its jobs ask both for the time of day.
    await eventually(async () => proxy.asked.filter((host) => host === `${PLAID}:443`).length >= 3, 20_000);
    expect(upstream.simulator.ledger.items().filter(({ exchanged }) => exchanged)).toEqual([]);
    expect(upstream.simulator.ledger.instruments()).toEqual([]);
  });
});

describe('a proxy of the environment', () => {
  it('a proxy of the environment is never used for this machine', async () => {
    const nowhere = await startProxy(1);
    const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]);
    for (const name of names) process.env[name] = `http://127.0.0.1:${nowhere.port}`;
    cleanUp.push(() => {
      for (const name of names) delete process.env[name];
    });
    const server = await TestServer.start({ env: { HTTPS_PROXY: `http://127.0.0.1:${nowhere.port}` } });
    cleanUp.push(() => server.close());
    expect((await server.connect()).answer.body.status).toBe('completed');
    expect(nowhere.asked).toEqual([]);
  });

  it('a proxy of the environment is used for the question for the time, before any other call', async () => {
    const nowhere = await startProxy(1);
    const server = await TestServer.start({
      env: {
        PLAID_BASE_URL: `https://${PLAID}`,
        FINIX_BASE_URL: `https://${FINIX}`,
        HTTPS_PROXY: `http://127.0.0.1:${nowhere.port}`,
      },
    });
    cleanUp.push(() => server.close());
    // Retention needs the time by two clocks.
    await server.jobs.tick();
    await expect.poll(() => new Set(nowhere.asked)).toEqual(new Set([`${PLAID}:443`, `${FINIX}:443`]));
  });

  it('a proxy’s password with a lone % is sent as it is', async () => {
    const proxy = await startProxy(1, `Basic ${Buffer.from('user:50%off').toString('base64')}`);
    const settings = { url: `http://user:50%off@127.0.0.1:${proxy.port}`, except: [] };
    const http = createHttpClient('https://api.example', settings);
    const request = { method: 'GET', path: '/', headers: {}, timeoutMs: patient(5_000) };
    const error = await http.send(request).catch((thrown: unknown) => thrown);
    expect(proxy.asked).toEqual(['api.example:443']);
    expect(error).toMatchObject({ name: 'NoAnswer', code: 'ECONNRESET', wasSent: false });
  });

  it.each([
    ['never answers', ''],
    ['begins an answer that does not end', 'HTTP/1.1 200 Connection established\r\n'],
  ])('a proxy that %s is given up in time, and its connection ended', async (_, begin) => {
    let ended = 0;
    const proxy = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.write(begin));
      const drops = setInterval(() => begin && socket.write('A: b\r\n'), 20);
      socket.on('close', () => {
        clearInterval(drops);
        ended += 1;
      });
    });
    const settings = { url: `http://127.0.0.1:${await listening(proxy)}`, except: [] };
    const agent = tunnelTo(new URL('https://api.example'), settings, 200);
    const call = httpsRequest({ host: 'api.example', agent });
    const failed = once(call, 'error');
    call.end();
    expect(await failed).toMatchObject([{ code: 'PROXY_TIMEOUT' }]);
    await expect.poll(() => ended).toBe(1);
  });

  it.each([
    ['refuses', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno', 'PROXY_403'],
    ['wants a password', 'HTTP/1.1 407 Proxy Authentication Required\r\n\r\n', 'PROXY_407'],
    ['is busy', 'HTTP/1.0 503 Service Unavailable\r\n\r\n', 'PROXY_503'],
    ['ends within its answer', 'HTTP/1.1 200 Conn', 'ECONNRESET'],
    ['opens the tunnel and ends', 'HTTP/1.1 200 OK\r\n\r\n', 'ECONNRESET'],
    ['opens the tunnel with another success and ends', 'HTTP/1.1 204 No Content\r\n\r\n', 'ECONNRESET'],
    ['is none', 'SSH-2.0-OpenSSH_9.2\r\n', 'HPE_INVALID_CONSTANT'],
  ])('nothing was sent through a proxy that %s', async (_, answer, code) => {
    const proxy = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(answer));
    });
    const http = createHttpClient('https://api.example', {
      url: `http://127.0.0.1:${await listening(proxy)}`,
      except: [],
    });
    const request = { method: 'POST', path: '/', headers: {}, body: '{}', timeoutMs: patient(5_000) };
    const error = await http.send(request).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'NoAnswer', code, wasSent: false });
  });

  it.each([
    ['https://api.example', [], true],
    ['https://api.example', ['*'], false],
    ['https://api.example', ['example'], false],
    ['https://api.example', ['.example'], false],
    ['https://api.example', ['*.example'], false],
    ['https://api.example', ['API.EXAMPLE'], false],
    ['https://api.example', ['pi.example'], true],
    ['https://api.example', ['api.example:443'], false],
    ['https://api.example', ['api.example:8443'], true],
    ['https://localhost:8443', [], false],
    ['https://127.0.0.2', [], false],
    ['https://[::1]', [], false],
    ['http://api.example', [], true],
  ])('a proxy for %s with NO_PROXY %j: used %s', (url, except, isUsed) => {
    const settings = { url: 'http://proxy.example:3128', except: [...except] };
    const isTunneled = tunnelTo(new URL(url), settings) !== undefined;
    // What is not TLS leaves through no proxy: there is no such call.
    expect(isTunneled).toBe(isUsed && url.startsWith('https:'));
  });
});
