import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { SIMULATOR_CREDENTIALS, startSimulator } from '../../demo/simulator/index.ts';
import { startDemo } from '../../demo/start-demo.ts';
import { patient } from '../helpers/patience.mjs';
import { connectServerHere } from './connect-server-here.ts';

/** Everything that `npm run demo` runs after the build. */
const SERVE = 'dist/demo/serve.js';

let folder = '';
let running: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fbc-journey-'));
});
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  running = [];
  // The connect server of a demo that was killed ends by itself a moment later, and writes until then.
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});

function start(args: string[], env: Record<string, string> = {}) {
  const clean = { PATH: process.env['PATH'] ?? '', TMPDIR: folder, ...env };
  const child = spawn(process.execPath, [SERVE, ...args], { env: clean, stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  const output = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    output.out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output.err += chunk.toString();
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, output, ended };
}

async function expectAddress({ output }: ReturnType<typeof start>): Promise<string> {
  await expect.poll(() => output.out, { timeout: patient(15_000) }).toMatch(/http:/);
  const addresses = output.out.match(/https?:\/\/\S+/g) ?? [];
  expect(addresses, 'one address, so that there is no choice').toHaveLength(1);
  return addresses[0] ?? '';
}

test('It prints one address, serves the shop there, and leaves nothing behind when it is stopped', async () => {
  const demo = start(['--port', '0']);
  const url = await expectAddress(demo);
  const page = await fetch(url);
  expect(page.status).toBe(200);
  expect(await page.text()).not.toMatch(/\{\{|connect\.example/);
  expect(readdirSync(folder)).toHaveLength(1);
  demo.child.kill('SIGTERM');
  expect(await demo.ended).toBe(0);
  expect(readdirSync(folder)).toEqual([]);
  expect(demo.output.err).toBe('');
});

test('Ended with npm, by any signal to npm, it leaves nothing behind', async () => {
  const env = { PATH: process.env['PATH'] ?? '', TMPDIR: folder, npm_lifecycle_event: 'demo' };
  // npm's own shell, which a signal to npm ends without a word to what it runs. The colon keeps it from handing itself
  // over.
  const shell = spawn('sh', ['-c', `'${process.execPath}' ${SERVE} --port 0; :`], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push(shell);
  let out = '';
  shell.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  await expect.poll(() => out, { timeout: patient(15_000) }).toMatch(/http:\S+/);
  expect(readdirSync(folder)).toHaveLength(1);
  shell.kill('SIGKILL');
  // Longer than the server may take to its next recovery point.
  await expect.poll(() => readdirSync(folder), { timeout: patient(30_000) }).toEqual([]);
  await expect
    .poll(() => fetch(/http:\S+/.exec(out)?.[0] ?? '').catch(() => 'gone'), { timeout: patient(15_000) })
    .toBe('gone');
});

test('A busy port gives way to the next', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  try {
    const url = new URL(await expectAddress(start(['--port', String(port)])));
    expect(Number(url.port)).toBeGreaterThan(port);
  } finally {
    taken.close();
  }
});

test('Half of the credentials is no choice: it names what is missing', async () => {
  const demo = start(['--port', '0'], {
    PLAID_CLIENT_ID: 'id',
    PLAID_SECRET: 'a-secret-of-plaid',
    FINIX_USERNAME: ' ',
  });
  expect(await demo.ended).toBe(1);
  expect(demo.output.err).toContain('FINIX_USERNAME and FINIX_PASSWORD are not');
  expect(demo.output.err).not.toContain('a-secret-of-plaid');
  expect(readdirSync(folder)).toEqual([]);
});

test('Credentials for real money are refused', async () => {
  const env = { PLAID_CLIENT_ID: 'i', PLAID_SECRET: 's', FINIX_USERNAME: 'u', FINIX_PASSWORD: 'p', FINIX_ENV: 'live' };
  const demo = start(['--port', '0'], env);
  expect(await demo.ended).toBe(1);
  expect(demo.output.err).toContain('only uses sandboxes');
});

test('With all credentials it uses the sandboxes and Plaid’s own script, and prints that', async () => {
  const env = { PLAID_CLIENT_ID: 'i', PLAID_SECRET: 's', FINIX_USERNAME: 'u', FINIX_PASSWORD: 'p' };
  const demo = start(['--port', '0'], env);
  const page = await (await fetch(`${await expectAddress(demo)}/coffee`)).text();
  expect(demo.output.out).toContain('real sandboxes');
  expect(page).not.toContain('link-initialize.js');
});

test('With credentials it asks the providers that the settings name', async () => {
  const simulator = await startSimulator();
  const { plaid, finix } = SIMULATOR_CREDENTIALS;
  const demo = start(['--port', '0'], {
    PLAID_CLIENT_ID: plaid.clientId,
    PLAID_SECRET: plaid.secret,
    PLAID_BASE_URL: simulator.plaidUrl,
    FINIX_USERNAME: finix.username,
    FINIX_PASSWORD: finix.password,
    FINIX_BASE_URL: simulator.finixUrl,
  });
  try {
    const url = await expectAddress(demo);
    const [connect] = /http:[^"]+(?=\/finix-bank-connect\.js)/.exec(await (await fetch(`${url}/coffee`)).text()) ?? [];
    const json = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' };
    const { client_secret: secret } = (await (await fetch(`${url}/api/session`, json)).json()) as Record<
      string,
      string
    >;
    const [session] = secret?.split('_secret_') ?? [];
    const headers = { ...json.headers, Authorization: `Bearer ${secret}` };
    const answer = await fetch(`${connect}/v1/sessions/${session}/link-token`, { ...json, headers });
    expect(answer.status).toBe(200);
    expect(simulator.simulator.ledger.linkTokens()).toHaveLength(1);
  } finally {
    await simulator.close();
  }
});

test('It explains itself, and refuses what it does not know', async () => {
  const help = start(['--help']);
  expect(await help.ended).toBe(0);
  expect(help.output.out).toContain('npm run demo -- --port');
  const wrong = start(['--prot', '1']);
  expect(await wrong.ended).toBe(2);
  expect(wrong.output.err).toContain('--prot');
});

/** What the demo at the address answers to a visitor who knows it by another name. */
function askAs(host: string, { port }: URL, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: '/coffee?a=1', headers: { ...headers, Host: `${host}:${port}` } };
    get(options, (response) => resolve(response.resume())).on('error', reject);
  });
}

test('A visitor who typed another name of this machine comes to the address that the demo prints', async () => {
  const demo = await startDemo({ runConnectServer: connectServerHere });
  onTestFinished(demo.close);
  const url = new URL(demo.url);
  const visit = (host: string) => askAs(host, url, { Accept: 'text/html,application/xhtml+xml' });
  for (const name of ['localhost', 'shop.localhost', 'LOCALHOST']) {
    const { statusCode, headers } = await visit(name);
    expect([statusCode, headers.location]).toEqual([307, new URL('/coffee?a=1', url).href]);
  }
  expect((await visit(url.hostname)).statusCode).toBe(200);
});

test('It answers to its own names only, stays out of other sites’ frames, and refuses a form that is none', async () => {
  const demo = await startDemo({ runConnectServer: connectServerHere });
  onTestFinished(demo.close);
  const url = new URL(demo.url);
  expect((await askAs('localhost', url)).statusCode).toBe(200);
  expect((await askAs('demo.attacker.example', url)).statusCode).toBe(421);
  const page = await fetch(new URL('/coffee', url));
  expect(page.headers.get('Content-Security-Policy')).toBe("frame-ancestors 'self'");
  const refused = await fetch(new URL('/checkout', url), { method: 'POST', body: '{"bank_account": 1}' });
  expect(refused.status).toBe(422);
});
