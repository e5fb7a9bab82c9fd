import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { project } from '../../build/project.ts';
import { connectBank } from '../../docs/snippets/testing/connect-bank.mjs';
import { freePort } from '../helpers/free-port.ts';
import { leaveChromium, sharedChromium } from '../helpers/launch-chromium.ts';
import { patient } from '../helpers/patience.mjs';

// The quickstart as a newcomer follows it: the built `dev`, the page and the back ends of docs/quickstart.md, on ports
// of the test's own.
const main = join(project, 'dist/server/main.js');
const files = join(project, 'docs/snippets/quickstart');

/** For every program alike: the temporary folder is where one finds the settings of another. */
const PLAIN = { PATH: process.env['PATH'], TMPDIR: tmpdir(), PYTHONDONTWRITEBYTECODE: '1' };
/** Programs that start on a busy machine. */
const STARTS_MS = patient(60_000);
/** Three programs and a browser, each of which may be slow. */
const TEST_MS = patient(180_000);

let browser: Browser;
beforeAll(async () => {
  if (!existsSync(main)) throw new Error('These tests are about what was built. Run: npm run build');
  browser = await sharedChromium();
});
afterAll(() => leaveChromium(browser));

const started: ChildProcess[] = [];
let folder: string;
let port: number;
let shop: number;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fbc-quickstart-'));
  port = await freePort();
  shop = await freePort();
});
afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const closed = once(child, 'close');
    child.kill('SIGTERM');
    await closed;
  }
  await rm(folder, { recursive: true, force: true });
});

function start(program: string, args: string[], env: Record<string, string> = {}) {
  const child = spawn(program, args, { cwd: folder, env: { ...PLAIN, ...env } });
  started.push(child);
  const printed = { out: '', all: '' };
  child.stdout.on('data', (chunk) => (printed.out += chunk));
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed.all += chunk));
  return { child, printed };
}

/** `dev`, once it has printed what a back end and a page need. */
async function expectDevStarted() {
  const simulator = await freePort();
  const args = [main, 'dev', '--quiet', '--port', String(port), '--simulator-port', String(simulator)];
  const { child, printed } = start(process.execPath, args, { ALLOWED_ORIGINS: `http://localhost:${shop}` });
  await expect.poll(() => printed.all, { timeout: STARTS_MS }).toContain('Press Ctrl+C');
  const settings = Object.fromEntries(
    [...printed.out.matchAll(/^ {2}export (\w+)=(\S+)$/gm)].map(([, name, value]) => [name, value]),
  );
  const link = /<script src="([^"]+)">/.exec(printed.out)?.[1] ?? '';
  return { child, printed, settings: settings as Record<string, string>, link };
}

/** Prints the settings of the running one, as another terminal gets them. */
const settingsOf = (which: number) =>
  spawnSync(process.execPath, [main, 'dev', '--settings', '--port', String(which)], { encoding: 'utf8', env: PLAIN });

describe('the quickstart', () => {
  const python = spawnSync('python3', ['--version']).status === 0;
  const backEnds: [string, string, string[], boolean][] = [
    ['Node', process.execPath, ['server.mjs'], true],
    [python ? 'Python' : 'Python (skipped: there is no python3)', 'python3', ['server.py'], python],
  ];

  describe.each(backEnds)('with a back end in %s', (_name, program, args, isThere) => {
    test.skipIf(!isThere)('ends in a connected bank and a checked charge', { timeout: TEST_MS }, async () => {
      const { settings, link } = await expectDevStarted();
      cpSync(files, folder, { recursive: true });
      const page = readFileSync(join(files, 'index.html'), 'utf8')
        .replace('http://127.0.0.1:4010/link/link-initialize.js', link)
        .replace('http://localhost:4000', settings['CONNECT_URL'] ?? '');
      await writeFile(join(folder, 'index.html'), page);
      await mkdir(join(folder, 'node_modules'));
      await symlink(project, join(folder, 'node_modules/finix-bank-connect'), 'junction');
      const { printed } = start(program, args, { ...settings, PORT: String(shop) });
      await expect.poll(() => printed.all, { timeout: STARTS_MS }).toContain(`http://localhost:${shop}`);

      const customer = await browser.newPage({ reducedMotion: 'reduce' });
      // It bounds a failure: a page of a busy machine may need a while for its first answers.
      customer.setDefaultTimeout(patient(40_000));
      try {
        await customer.goto(`http://localhost:${shop}`);
        await connectBank(customer);
        await customer.getByRole('button', { name: 'Pay', exact: true }).click();
        await customer.getByText(/^Charge PI\w+: the check is ok$/).waitFor();
      } finally {
        await customer.close();
      }
      const stolen = await fetch(`http://localhost:${shop}/checkout`, {
        method: 'POST',
        body: new URLSearchParams({ bank_account: 'con_of_another_customer' }),
      });
      expect([stolen.status, await stolen.text()]).toEqual([402, 'Please connect your bank again.']);
    });
  });
});

describe('the dev command', { timeout: TEST_MS }, () => {
  test('gives its settings to other commands, and keeps nothing when it ends', async () => {
    const { child } = await expectDevStarted();
    const { status, stdout } = settingsOf(port);
    expect(status).toBe(0);
    const setting = (name: string) => new RegExp(`^export ${name}='(.+)'$`, 'm').exec(stdout)?.[1] ?? '';
    const script = 'eval "$1"; exec "$2" "$3" doctor --json --no-webhook';
    const doctor = spawnSync('sh', ['-c', script, 'sh', stdout, process.execPath, main], {
      encoding: 'utf8',
      env: PLAIN,
    });
    const { checks } = JSON.parse(doctor.stdout) as { checks: { id: string; status: string }[] };
    expect(checks.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(checks).toContainEqual(expect.objectContaining({ id: 'merchant_api', status: 'ok' }));

    const dataDir = setting('DATA_DIR');
    expect(existsSync(dataDir)).toBe(true);
    const closed = once(child, 'close');
    child.kill('SIGTERM');
    expect(await closed).toEqual([0, null]);
    expect(existsSync(dataDir)).toBe(false);
    await expect(fetch(setting('PLAID_BASE_URL'))).rejects.toThrow();
    expect(settingsOf(port)).toMatchObject({ status: 1, stderr: expect.stringContaining(`dev --port ${port}`) });
  });

  test('names the option for a port that is taken, and leaves no simulator behind', async () => {
    const { settings } = await expectDevStarted();
    const simulator = await freePort();
    const again = start(process.execPath, [main, 'dev', '--port', String(port), '--simulator-port', String(simulator)]);
    const [code] = (await once(again.child, 'close')) as [number];
    expect([code, again.printed.all]).toEqual([1, `Port ${port} is in use: choose another one with --port.\n`]);
    await expect(fetch(`http://127.0.0.1:${simulator}`)).rejects.toThrow();
    expect((await fetch(`${settings['CONNECT_URL']}/healthz`)).status).toBe(200);
    expect(settingsOf(port).status).toBe(0);
  });
});
