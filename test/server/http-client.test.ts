import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpClient, type HttpRequest, NoAnswer } from '../../server/clients/http-client.ts';
import { bundle } from '../helpers/bundle.ts';
import { createCertificates, opensslMissing } from '../helpers/certificates.ts';
import { freePort } from '../helpers/free-port.ts';
import { patient } from '../helpers/patience.mjs';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** @returns the port of a server whose connections end with the test */
async function portOf(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUp.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function provider(answer: RequestListener, path = '') {
  return createHttpClient(`http://127.0.0.1:${await portOf(createServer(answer))}${path}`, undefined);
}

const request = (more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'POST',
  path: '/accounts/get',
  headers: { 'Content-Type': 'application/json' },
  body: '{"name":"Zoë"}',
  timeoutMs: patient(10_000),
  ...more,
});

/** [code, whether anything was sent]; undefined: there is an answer */
const failureOf = async (sent: Promise<unknown>) => {
  const error = await sent.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof NoAnswer ? [error.code, error.wasSent] : error;
};

describe('a request to a provider', () => {
  it('arrives with its method, path, headers, and its body whole', async () => {
    let received: unknown;
    const http = await provider((incoming, outgoing) => {
      let body = '';
      incoming.setEncoding('utf8').on('data', (part: string) => {
        body += part;
      });
      incoming.on('end', () => {
        const { method, url, headers } = incoming;
        received = { method, url, type: headers['content-type'], length: headers['content-length'], body };
        outgoing.writeHead(201, { 'X-Request-Id': 'r1' }).end('{}');
      });
    }, '/base');
    const answer = await http.send(request({ path: '/payment_instruments?limit=1' }));
    expect(received).toEqual({
      method: 'POST',
      url: '/base/payment_instruments?limit=1',
      type: 'application/json',
      length: '15',
      body: '{"name":"Zoë"}',
    });
    expect(answer).toMatchObject({ status: 201, isOk: true, text: '{}', headers: { 'x-request-id': 'r1' } });
  });

  it.each([307, 308, 400, 500])('is answered with status %i, which is followed nowhere', async (status) => {
    const paths: (string | undefined)[] = [];
    const http = await provider((incoming, outgoing) => {
      paths.push(incoming.url);
      incoming.resume();
      outgoing.writeHead(status, { Location: '/elsewhere' }).end('text');
    });
    expect(await http.send(request())).toMatchObject({ status, isOk: false, text: 'text' });
    expect(paths).toEqual(['/accounts/get']);
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('reads an answer that a gateway has packed with %s', async (encoding, pack) => {
    const http = await provider((incoming, outgoing) => {
      incoming.resume();
      outgoing.writeHead(200, { 'Content-Encoding': encoding }).end(pack('{"name":"Zoë"}'));
    });
    expect(await http.send(request())).toMatchObject({ text: '{"name":"Zoë"}' });
  });

  it.each(['GZIP', 'x-gzip', ' gzip '])('reads an answer whose packing is named %j', async (encoding) => {
    const http = await provider((incoming, outgoing) => {
      incoming.resume();
      outgoing.writeHead(200, { 'Content-Encoding': encoding }).end(gzipSync('{}'));
    });
    expect(await http.send(request())).toMatchObject({ text: '{}' });
  });

  it.each([
    ['HEAD', 200],
    ['POST', 204],
    ['POST', 304],
    ['POST', 200],
  ])('is answered by %s %i without a body, whose headers name a packing', async (method, status) => {
    const http = await provider((incoming, outgoing) => {
      incoming.resume();
      outgoing.writeHead(status, { 'Content-Encoding': 'gzip', Date: 'Thu, 26 Nov 2026 12:00:00 GMT' }).end();
    });
    const answer = await http.send(request({ method, ...(method === 'HEAD' && { body: undefined }) }));
    expect(answer).toMatchObject({ status, text: '', headers: { date: 'Thu, 26 Nov 2026 12:00:00 GMT' } });
  });

  it('is answered by what comes after a note that it is being worked on', async () => {
    const http = await provider((incoming, outgoing) => {
      incoming.resume();
      outgoing.writeProcessing();
      outgoing.writeEarlyHints({ link: '</a>; rel=preload' });
      outgoing.end('{"a":1}');
    });
    expect(await http.send(request())).toMatchObject({ status: 200, text: '{"a":1}' });
  });

  it.each([
    ['changes the protocol', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n'],
    ['is shorter than its Content-Length', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}'],
    ['is longer than its Content-Length', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}extra'],
    ['ends within a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}'],
    ['has too many headers', `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(100)}B: ${'b'.repeat(20_000)}\r\n\r\n{}`],
    ['is no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ])('may have been carried out when its answer %s, which is noticed at once', async (_, answer) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(answer));
    });
    const http = createHttpClient(`http://127.0.0.1:${await portOf(server)}`, undefined);
    const [code, wasSent] = (await failureOf(http.send(request()))) as [string, boolean];
    expect(wasSent).toBe(true);
    expect(code).not.toBe('TIMEOUT');
  });

  it.each([
    ['trailers', 'Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\n{}\r\n0\r\nX: y\r\n\r\n'],
    ['a body that the end of the connection ends', '\r\n{}'],
  ])('reads an answer with %s', async (_, answer) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\n${answer}`));
    });
    const http = createHttpClient(`http://127.0.0.1:${await portOf(server)}`, undefined);
    expect(await http.send(request())).toMatchObject({ status: 200, text: '{}' });
  });

  it('that trickles ends when its time is over', async () => {
    const http = await provider((incoming, outgoing) => {
      incoming.resume();
      const drops = setInterval(() => outgoing.write(' '), 20);
      outgoing.on('close', () => clearInterval(drops));
    });
    expect(await failureOf(http.send(request({ timeoutMs: 300 })))).toEqual(['TIMEOUT', true]);
  });

  it.each<[string, RequestListener, string]>([
    ['is cut off', (_, outgoing) => void outgoing.write('{"half', () => outgoing.destroy()), 'ECONNRESET'],
    ['does not begin', (incoming) => void incoming.socket.destroy(), 'ECONNRESET'],
    [
      'is packed wrongly',
      (_, outgoing) => void outgoing.writeHead(200, { 'Content-Encoding': 'gzip' }).end('{}'),
      'Z_DATA_ERROR',
    ],
    ['is longer than any page', (_, outgoing) => void outgoing.end(Buffer.alloc(17 * 1024 * 1024)), 'TOO_LONG'],
    [
      'is longer than any page when unpacked',
      (_, outgoing) =>
        void outgoing.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync(Buffer.alloc(17 * 1024 * 1024))),
      'ERR_BUFFER_TOO_LARGE',
    ],
  ])('may have been carried out when its answer %s', async (_, answer, code) => {
    const http = await provider((incoming, outgoing) => {
      incoming.resume();
      outgoing.on('error', () => {});
      incoming.on('end', () => answer(incoming, outgoing));
    });
    expect(await failureOf(http.send(request()))).toEqual([code, true]);
  });

  it('cannot have been carried out when no connection was made', async () => {
    const http = createHttpClient(`http://127.0.0.1:${await freePort()}`, undefined);
    expect(await failureOf(http.send(request()))).toEqual(['ECONNREFUSED', false]);
  });

  it('cannot have been carried out when TLS does not begin', async () => {
    const silent = await portOf(createTcpServer());
    const http = createHttpClient(`https://127.0.0.1:${silent}`, undefined);
    expect(await failureOf(http.send(request({ timeoutMs: 200 })))).toEqual(['TIMEOUT', false]);
  });

  it.skipIf(opensslMissing())('cannot have been carried out when the certificate is not trusted', async () => {
    const certificates = createCertificates(['localhost']);
    cleanUp.push(() => certificates.remove());
    let requests = 0;
    const server = createHttpsServer(certificates.options, (_, outgoing) => {
      requests += 1;
      outgoing.end();
    });
    const http = createHttpClient(`https://127.0.0.1:${await portOf(server)}`, undefined);
    const [code, wasSent] = (await failureOf(http.send(request()))) as [string, boolean];
    expect(code).toMatch(/CERT|SIGNED|VERIFY|ISSUER/);
    expect(wasSent).toBe(false);
    expect(requests).toBe(0);
  });

  it('leaves no connection behind when its time is over', async () => {
    let open = 0;
    const server = createServer((incoming) => void incoming.resume());
    server.on('connection', (socket) => {
      open += 1;
      socket.on('close', () => {
        open -= 1;
      });
    });
    const http = createHttpClient(`http://127.0.0.1:${await portOf(server)}`, undefined);
    await Promise.all(Array.from({ length: 3 }, () => failureOf(http.send(request({ timeoutMs: 300 })))));
    await expect.poll(() => open).toBe(0);
  });

  it('keeps no process from ending: a kept connection does not count', async () => {
    const port = await portOf(
      createServer((incoming, outgoing) => {
        incoming.resume();
        outgoing.end('{}');
      }),
    );
    const client = await bundle('server/clients/http-client.ts');
    const program = `import { createHttpClient } from ${JSON.stringify(pathToFileURL(client).href)};
      const http = createHttpClient('http://127.0.0.1:${port}', undefined);
      const { text } = await http.send({ method: 'GET', path: '/', headers: {}, timeoutMs: 3_600_000 });
      setImmediate(() => setImmediate(() => {
        const alive = process.getActiveResourcesInfo().filter((name) => /TCP|Timeout/.test(name));
        console.log(text, JSON.stringify(alive));
      }));`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanUp.push(() => child.kill('SIGKILL'));
    let output = '';
    child.stdout.on('data', (part: Buffer) => {
      output += part.toString();
    });
    const [code] = await once(child, 'close');
    expect([code, output]).toEqual([0, '{} []\n']);
  });

  it('goes on the connection of the one before, until the provider ends it', async () => {
    const connections = new Set<Socket>();
    const http = await provider((incoming, outgoing) => {
      connections.add(incoming.socket);
      incoming.resume();
      const isLast = incoming.url === '/last';
      outgoing.writeHead(200, isLast ? { Connection: 'close' } : {}).end('{}');
    });
    for (let i = 0; i < 5; i++) await http.send(request());
    await http.send(request({ path: '/last' }));
    expect(connections.size).toBe(1);
    await http.send(request());
    expect(connections.size).toBe(2);
  });
});
