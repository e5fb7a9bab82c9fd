import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createServer, type Server } from '../../server/server.ts';
import { MERCHANT_KEY, testEnvironment } from '../helpers/server.ts';

let dataDir: string;
const cleanUp: (() => unknown)[] = [];
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'fbc-mounted-'));
});
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
  await rm(dataDir, { recursive: true, force: true });
});

function create(more: Record<string, string> = {}): Server {
  const upstream = { PLAID_BASE_URL: 'http://127.0.0.1:9', FINIX_BASE_URL: 'http://127.0.0.1:9' };
  const server = createServer({ ...testEnvironment(upstream), DATA_DIR: dataDir, LOG_LEVEL: 'silent', ...more });
  cleanUp.push(() => server.stop());
  return server;
}

const newSession = (url: string) =>
  new Request(url, {
    method: 'POST',
    headers: { Authorization: `Bearer ${MERCHANT_KEY}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ customer_id: 'cus_1' }),
  });

describe('a server inside another program', () => {
  it('a mounted server names wrong settings before anything is opened', () => {
    expect(() => create({ ALLOWED_ORIGINS: '*' })).toThrow('ALLOWED_ORIGINS');
  });

  it('a mounted server starts with its first request, and once', async () => {
    const server = create();
    const answers = await Promise.all([1, 2, 3].map(() => server.fetch(newSession('http://localhost/v1/sessions'))));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect((await server.start()).storage).toBe('sqlite');
  });

  it('a mounted server answers under the path of PUBLIC_URL, whether the host removes that path or not', async () => {
    const server = create({ PUBLIC_URL: 'http://localhost:3000/connect' });
    // Hono removes the path from the request's address; Next.js leaves it there.
    const host = new Hono().mount('/connect', server.fetch);
    expect((await host.request(newSession('http://localhost:3000/connect/v1/sessions'))).status).toBe(201);
    expect((await server.fetch(newSession('http://localhost:3000/connect/v1/sessions'))).status).toBe(201);
    expect((await server.fetch(newSession('http://localhost:3000/connected/v1/sessions'))).status).toBe(404);
  });

  it('a mounted server stops once, after the requests that came before, and refuses what comes later', async () => {
    const server = create();
    await server.start();
    const answer = server.fetch(newSession('http://localhost/v1/sessions'));
    await Promise.all([server.stop(), server.stop()]);
    expect([201, 503]).toContain((await answer).status);
    await expect(create().stop()).resolves.toBeUndefined();
  });

  it('a mounted server tries again to start when its storage could not be opened', async () => {
    const file = join(dataDir, 'a-file');
    const server = create({ DATA_DIR: join(file, 'below') });
    const { writeFile } = await import('node:fs/promises');
    await writeFile(file, '');
    await expect(server.start()).rejects.toThrow();
    await rm(file);
    expect((await server.start()).storage).toBe('sqlite');
  });

  it('a mounted server reports a body parser that ran first, as express.json() in front of it does', async () => {
    const server = create();
    const answer = getRequestListener(server.fetch);
    const http = createHttpServer((request: IncomingMessage & { body?: unknown }, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        request.body = JSON.parse(Buffer.concat(chunks).toString());
        setImmediate(() => answer(request, response));
      });
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    cleanUp.push(() => new Promise((resolve) => http.close(resolve)));
    const { port } = http.address() as AddressInfo;
    for (const path of ['/v1/sessions', '/webhooks/plaid']) {
      const request = newSession(`http://127.0.0.1:${port}${path}`);
      // Without a plausible signature a webhook's body is not even looked for.
      request.headers.set('Plaid-Verification', 'a.b.c');
      const response = await fetch(request);
      expect([response.status, await response.json()]).toMatchObject([
        400,
        { code: 'invalid_json', detail: expect.stringContaining('express.json()') },
      ]);
    }
  });
});
