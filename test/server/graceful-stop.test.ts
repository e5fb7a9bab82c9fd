import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RunningSimulator, startSimulator } from '../../demo/simulator/index.ts';
import { openStorage } from '../../server/storage/open.ts';
import type { Session } from '../../widget/contract.ts';
import { bundle } from '../helpers/bundle.ts';
import { patient } from '../helpers/patience.mjs';
import { eventually, MERCHANT_KEY, TestServer, testEnvironment } from '../helpers/server.ts';

const INSTRUMENTS = { service: 'finix', path: '/payment_instruments', method: 'POST' } as const;
/** How long the process waits for what is on its way. */
const GRACE_MS = 20_000;
/** A process that starts from sources on a busy machine, plus the whole grace. */
const PATIENCE_MS = patient(60_000);

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

let main: string;
beforeAll(async () => {
  main = await bundle('server/main.ts');
});

/** `npm start` as its own process. */
async function startProcess(
  upstream: RunningSimulator,
  dataDir: string,
  env: Record<string, string> = {},
): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [main], {
    env: {
      PATH: process.env['PATH'],
      ...testEnvironment({ PLAID_BASE_URL: upstream.plaidUrl, FINIX_BASE_URL: upstream.finixUrl }),
      DATA_DIR: dataDir,
      PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanUp.push(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const port = await eventually(async () => /"port":(\d+)[^\n]*"listening"/.exec(output)?.[1], 30_000);
  return { child, url: `http://127.0.0.1:${port}` };
}

describe('SIGTERM in the middle of a slow call to Finix', () => {
  it.each([
    ['that is answered within the grace: the customer gets the bank', 1_500, 200],
    ['that is not: the session is left, and another instance goes on at once', 40_000, 202],
  ])('SIGTERM during a slow call to Finix: %s', { timeout: PATIENCE_MS }, async (_name, delayMs, status) => {
    const upstream = await startSimulator();
    cleanUp.push(() => upstream.close());
    const dataDir = await mkdtemp(join(tmpdir(), 'fbc-stop-'));
    cleanUp.push(() => rm(dataDir, { recursive: true, force: true }));
    const storage = await openStorage({ dataDir });
    cleanUp.push(() => storage.close());
    // Another instance on the same database, with a short quiet period so that the test is.
    const other = await TestServer.start({ upstream, storage, quietMs: 500 });
    cleanUp.push(() => other.close());
    const { child, url } = await startProcess(upstream, dataDir);

    upstream.simulator.faults.add({ ...INSTRUMENTS, kind: 'delay', delayMs, times: 1 });
    const session = (await other.createSession()) as Session;
    const answer = fetch(`${url}/v1/sessions/${session.id}/complete`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${session.client_secret}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ public_token: await other.publicToken(), accounts: [] }),
    });
    await eventually(async () =>
      other.ledger.calls().some((call) => call.method === 'POST' && call.path === INSTRUMENTS.path),
    );

    const began = performance.now();
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(code).toBe(0);
    expect(performance.now() - began).toBeLessThan(GRACE_MS + patient(5_000));
    expect((await answer).status).toBe(status);

    const row = await storage.db
      .selectFrom('sessions')
      .selectAll()
      .where('id', '=', session.id)
      .executeTakeFirstOrThrow();
    expect([row.lease_owner, row.lease_until]).toEqual([null, 0]);
    await eventually(async () => {
      await other.jobs.tick();
      return (await other.page(session, 'GET', '')).body.status === 'completed';
    });
    const enabled = other.ledger.instruments().filter((instrument) => instrument['enabled'] === true);
    expect(enabled).toHaveLength(1);
  });
});

describe('kept connections at SIGTERM', () => {
  it('an idle one is closed, a request on another is answered first, and the process ends by itself', {
    timeout: PATIENCE_MS,
  }, async () => {
    const { child, url } = await startAlone();
    const exited = once(child, 'exit');
    const idle = await keptConnection(url);
    const busy = await keptConnection(url);
    const body = JSON.stringify({ customer_id: 'cus_1' });
    const head = ['POST /v1/sessions HTTP/1.1', 'Host: x', `Authorization: Bearer ${MERCHANT_KEY}`];
    const type = ['Content-Type: application/json', `Content-Length: ${body.length}`];
    busy.socket.write(`${[...head, ...type].join('\r\n')}\r\n\r\n${body.slice(0, 5)}`);
    // By then the first bytes of the other connection have arrived as well.
    await fetch(`${url}/healthz`);
    child.kill('SIGTERM');
    await expect.poll(() => idle.isClosed()).toBe(true);
    expect(busy.isClosed()).toBe(false);
    busy.socket.write(body.slice(5));
    await expect.poll(() => busy.isClosed()).toBe(true);
    expect(busy.received()).toContain('HTTP/1.1 201 Created');
    expect(busy.received()).toContain('"id":"ses_');
    // After the time for a stop it would end with 1.
    expect((await exited)[0]).toBe(0);
  });
});

/** A server process with a simulator and a database of its own. */
async function startAlone(settings: Record<string, string> = {}) {
  const upstream = await startSimulator();
  cleanUp.push(() => upstream.close());
  const dataDir = await mkdtemp(join(tmpdir(), 'fbc-stop-'));
  cleanUp.push(() => rm(dataDir, { recursive: true, force: true }));
  return startProcess(upstream, dataDir, settings);
}

/** A connection that has had one answer. */
async function keptConnection(url: string) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  cleanUp.push(() => socket.destroy());
  let received = '';
  let isClosed = false;
  socket.setEncoding('utf8').on('data', (text: string) => {
    received += text;
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    isClosed = true;
  });
  socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  await eventually(async () => received.includes('"ok"'));
  received = '';
  return { socket, received: () => received, isClosed: () => isClosed };
}

describe('SHUTDOWN_DELAY_SECONDS', () => {
  it('after SIGTERM /readyz is red for as long, while everything else still works, and then the port closes', {
    timeout: PATIENCE_MS,
  }, async () => {
    const { child, url } = await startAlone({ SHUTDOWN_DELAY_SECONDS: String(patient(3)) });
    const exited = once(child, 'exit');
    const ready = async () => {
      const answer = await fetch(`${url}/readyz`);
      return { status: answer.status, body: await answer.json() };
    };
    expect(await ready()).toMatchObject({ status: 200, body: { status: 'ready' } });
    const began = performance.now();
    child.kill('SIGTERM');
    const red = await eventually(async () => {
      const found = await ready();
      return found.status === 503 && found;
    });
    expect(red.body).toEqual({ status: 'stopping' });
    // A balancer that has not looked yet still sends customers here.
    const created = await fetch(`${url}/v1/sessions`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${MERCHANT_KEY}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ customer_id: 'cus_1' }),
    });
    expect(created.status).toBe(201);
    await eventually(async () => (await fetch(`${url}/healthz`).catch(() => undefined)) === undefined);
    expect(performance.now() - began).toBeGreaterThan(patient(2_900));
    expect((await exited)[0]).toBe(0);
  });
});
