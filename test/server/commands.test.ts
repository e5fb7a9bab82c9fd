import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openStorage } from '../../server/storage/open.ts';
import type { Session } from '../../widget/contract.ts';
import { bundle } from '../helpers/bundle.ts';
import { freePort } from '../helpers/free-port.ts';
import { patient } from '../helpers/patience.mjs';
import { eventually, MERCHANT_KEY, testEnvironment } from '../helpers/server.ts';
import { rows } from './storage/rows.ts';

/** Processes that start on a busy machine. */
const PATIENCE_MS = patient(60_000);

let main: string;
let folder: string;
let dataDir: string;
const cleanUp: (() => unknown)[] = [];
beforeAll(async () => {
  main = await bundle('server/main.ts');
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fbc-commands-'));
  dataDir = join(folder, 'data');
  cleanUp.push(() => rm(folder, { recursive: true, force: true }));
});
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

function start(args: string[], env: Record<string, string | undefined>): { child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, [main, ...args], { env: { PATH: process.env['PATH'], ...env } });
  cleanUp.push(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  return { child, output: () => output };
}

async function run(args: string[], env: Record<string, string | undefined> = { DATA_DIR: dataDir }) {
  const { child, output } = start(args, env);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: output() };
}

async function serve(more: Record<string, string> = {}): Promise<{ url: string; output: () => string }> {
  // Nothing is called at Plaid or Finix: an address without a server will do.
  const upstream = { PLAID_BASE_URL: 'http://127.0.0.1:9', FINIX_BASE_URL: 'http://127.0.0.1:9' };
  const { output } = start([], { ...testEnvironment(upstream), DATA_DIR: dataDir, PORT: '0', ...more });
  const port = await eventually(async () => /"port":(\d+)[^\n]*"listening"/.exec(output())?.[1], 30_000);
  return { url: `http://127.0.0.1:${port}`, output };
}

describe('backup', { timeout: PATIENCE_MS }, () => {
  it('backup copies what was committed, while the database is in use, and needs no settings but DATA_DIR', async () => {
    const storage = await openStorage({ dataDir });
    cleanUp.push(() => storage.close());
    await storage.db.insertInto('sessions').values(rows.sessions).execute();
    const copy = join(folder, 'copy', 'finix-bank-connect.sqlite');
    await mkdir(join(folder, 'copy'), { mode: 0o700 });
    const { code, output } = await run(['backup', copy]);
    expect(output).toContain(copy);
    expect(code).toBe(0);
    expect((await stat(copy)).mode & 0o077).toBe(0);
    const restored = await openStorage({ dataDir: join(folder, 'copy') });
    cleanUp.push(() => restored.close());
    expect(await restored.db.selectFrom('sessions').selectAll().execute()).toEqual([rows.sessions]);
  });

  it('backup copies a database of another version as it is', async () => {
    const storage = await openStorage({ dataDir });
    const newer = { name: '9999-newer', applied_at: 0 };
    await storage.db
      .withTables<{ schema_migrations: typeof newer }>()
      .insertInto('schema_migrations')
      .values(newer)
      .execute();
    await storage.close();
    expect(await run(['backup', join(folder, 'copy.sqlite')])).toMatchObject({ code: 0 });
  });

  it('backup replaces no file', async () => {
    await (await openStorage({ dataDir })).close();
    const copy = join(folder, 'copy.sqlite');
    expect((await run(['backup', copy])).code).toBe(0);
    const { code, output } = await run(['backup', copy]);
    expect(code).toBe(1);
    expect(output).toContain('already exists');
  });

  it('backup makes nothing where there is no database', async () => {
    const { code, output } = await run(['backup', join(folder, 'copy.sqlite')]);
    expect(code).toBe(1);
    expect(output).toContain('DATA_DIR');
    expect(await readdir(folder)).toEqual([]);
  });

  it('a backup is left to pg_dump with PostgreSQL', async () => {
    const env = { DATABASE_URL: 'postgres://127.0.0.1:9/none' };
    const { code, output } = await run(['backup', join(folder, 'copy.sqlite')], env);
    expect([code, output]).toEqual([1, expect.stringContaining('pg_dump')]);
  });

  it.each([[['backup']], [['backup', 'one', 'two']], [['back-up', 'one']], [['rotate-keys', 'now']]])(
    'and others called wrongly explain themselves: %j',
    async (args) => {
      const { code, output } = await run(args);
      expect(code).toBe(2);
      expect(output).toMatch(/error: .*\n.*--help/s);
    },
  );
});

describe('rotate-keys', { timeout: PATIENCE_MS }, () => {
  it('rotate-keys exits with 1 when a value could not be opened', async () => {
    const storage = await openStorage({ dataDir });
    const access_token_enc = 'v1.AAAAAAAA.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA.AAAA';
    await storage.db
      .insertInto('items')
      .values({ ...rows.items, access_token_enc })
      .execute();
    await storage.close();
    const env = { ...testEnvironment(), DATA_DIR: dataDir };
    const { code, output } = await run(['rotate-keys'], env);
    expect([code, output]).toEqual([1, expect.stringContaining('1 could not be opened')]);
    expect(await run(['rotate-keys', '--json'], env)).toMatchObject({
      code: 1,
      output: expect.stringContaining('"unreadable":1'),
    });
  });
});

describe('withdraw-keys', { timeout: PATIENCE_MS }, () => {
  it('withdraw-keys asks for a confirmation, and reports what has ended', async () => {
    const [fresh, leaked] = [randomBytes(32).toString('base64'), testEnvironment()['ENCRYPTION_KEY']];
    const { url } = await serve();
    await fetch(`${url}/v1/sessions`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${MERCHANT_KEY}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ customer_id: 'cus_1' }),
    });
    const env = { ...testEnvironment(), DATA_DIR: dataDir, ENCRYPTION_KEY: `${fresh},${leaked}` };
    expect(await run(['withdraw-keys'], env)).toMatchObject({ code: 2, output: expect.stringContaining('--yes') });
    const { code, output } = await run(['withdraw-keys', '--yes'], env);
    expect([code, output]).toEqual([0, expect.stringContaining('1 sessions canceled, 0 links revoked')]);
    await serve({ ENCRYPTION_KEY: fresh });
  });
});

describe('the help', { timeout: PATIENCE_MS }, () => {
  it('--help names every command and needs no settings', async () => {
    const { code, output } = await run(['--help'], {});
    expect(code).toBe(0);
    for (const command of ['serve', 'backup', 'rotate-keys', '--help']) expect(output).toContain(command);
    expect(output).toContain('PLAID_CLIENT_ID (required)');
  });
});

describe('a start', { timeout: PATIENCE_MS }, () => {
  it('a start next to another server on the same folder works with it, and names who may share the folder', async () => {
    const [one, other] = await Promise.all([serve(), serve()]);
    const made = await fetch(`${one.url}/v1/sessions`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${MERCHANT_KEY}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ customer_id: 'cus_1' }),
    });
    const { id } = (await made.json()) as Session;
    const seen = await fetch(`${other.url}/v1/sessions/${id}`, {
      headers: { Authorization: `Bearer ${MERCHANT_KEY}` },
    });
    expect(await seen.json()).toMatchObject({ id, status: 'open' });
    for (const { output } of [one, other]) {
      await expect.poll(output).toContain('may share the folder');
      expect(output()).toContain(dataDir);
    }
  });

  it('a start with METRICS_PORT shows the metrics there without a credential, nothing else there, and not on PORT', async () => {
    const metrics = await freePort();
    const { url } = await serve({ METRICS_PORT: String(metrics), HOST: '127.0.0.1' });
    const answer = await fetch(`http://127.0.0.1:${metrics}/metrics`);
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('fbc_')]);
    expect((await fetch(`http://127.0.0.1:${metrics}/v1/connections`)).status).toBe(404);
    const elsewhere = await fetch(`http://127.0.0.1:${metrics}/healthz`);
    expect([elsewhere.status, elsewhere.headers.get('Content-Type')]).toEqual([404, 'application/problem+json']);
    for (const { headers } of [answer, elsewhere]) expect(headers.get('X-Request-Id')).toMatch(/^req_/);
    expect((await fetch(`${url}/metrics`, { headers: { Authorization: `Bearer ${MERCHANT_KEY}` } })).status).toBe(404);
  });

  it('a start with HOST listens on that address alone', async () => {
    const { url } = await serve({ HOST: '127.0.0.1' });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    await expect(fetch(`${url.replace('127.0.0.1', '127.0.0.2')}/healthz`)).rejects.toThrow();
    const everywhere = await serve();
    expect((await fetch(`${everywhere.url.replace('127.0.0.1', '127.0.0.2')}/healthz`)).status).toBe(200);
  });

  it('a start on a database that is not there ends with one sentence', async () => {
    const env = { ...testEnvironment(), DATABASE_URL: 'postgres://app:hunter2@127.0.0.1:1/bank', PORT: '0' };
    const { code, output } = await run([], env);
    expect(code).toBe(3);
    expect(output.trim()).toBe(
      'No PostgreSQL answers at 127.0.0.1:1: start it, open the network between, or correct host and port in DATABASE_URL.',
    );
  });

  it('a start names the port that another process has', async () => {
    const taken = createServer().listen(0);
    await once(taken, 'listening');
    cleanUp.push(() => taken.close());
    const { port } = taken.address() as AddressInfo;
    const { code, output } = await run([], { ...testEnvironment(), DATA_DIR: dataDir, PORT: String(port) });
    expect(code).toBe(1);
    expect(output).toContain(`PORT ${port} is in use`);
    const metrics = { METRICS_PORT: String(port), PORT: '0' };
    expect(await run([], { ...testEnvironment(), DATA_DIR: dataDir, ...metrics })).toMatchObject({
      code: 1,
      output: expect.stringContaining(`METRICS_PORT ${port} is in use`),
    });
  });

  it('a start on an address of another machine ends with one sentence', async () => {
    // An address that is for documents alone (RFC 5737).
    const env = { ...testEnvironment(), DATA_DIR: dataDir, PORT: '0', HOST: '192.0.2.1' };
    const { code, output } = await run([], env);
    expect([code, output.trim().split('\n').at(-1)]).toEqual([1, 'HOST 192.0.2.1 is no address of this machine.']);
  });

  it('a start whose folder has a marker that can’t be read ends with one sentence', async () => {
    const marker = join(dataDir, 'finix-bank-connect.marker');
    await mkdir(marker, { recursive: true });
    const { code, output } = await run([], { ...testEnvironment(), DATA_DIR: dataDir, PORT: '0' });
    expect(code).toBe(1);
    expect(output).toContain(`${marker} can't be read (EISDIR)`);
    expect(output).not.toMatch(/^ +at /m);
  });
});
