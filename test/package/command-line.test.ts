import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { patient } from '../helpers/patience.mjs';
import { eventually } from '../helpers/server.ts';
import { project } from './imports.ts';

/** Processes that start on a busy machine. */
const PATIENCE_MS = patient(60_000);
const main = join(project, 'dist', 'server', 'main.js');

beforeAll(() => {
  if (!existsSync(main)) throw new Error('These tests are about what was built. Run: npm run build');
});

const started: ChildProcess[] = [];
// Kindly: a program that another one has started ends with it, and is left behind by a kill.
afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const closed = once(child, 'close');
    child.kill('SIGTERM');
    await closed;
  }
});

function start(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [main, ...args], { env: { PATH: process.env['PATH'], ...env } });
  started.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, ended, output: () => output };
}

async function run(args: string[], env?: Record<string, string>) {
  const { ended, output } = start(args, env);
  return { code: await ended, output: output() };
}

describe('the simulator command', { timeout: PATIENCE_MS }, () => {
  async function simulator() {
    const { child, ended, output } = start(['simulator', '--port', '0', '--json']);
    const line = await eventually(async () => /^\{.+\}$/m.exec(output())?.[0], patient(30_000));
    return { child, ended, output, facts: JSON.parse(line) as { url: string; controlUrl: string } };
  }

  it('serves until it is asked to stop, and takes its program with it', async () => {
    const { child, ended, facts } = await simulator();
    expect((await fetch(`${facts.controlUrl}/clock`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    await expect(fetch(facts.controlUrl)).rejects.toThrow();
  });

  it('prints the settings that a server needs, and a line for each call', async () => {
    const { output } = start(['simulator', '--port', '0', '--scenario', 'user_several']);
    const url = await eventually(async () => /FINIX_BASE_URL=(\S+)/.exec(output())?.[1], patient(30_000));
    expect(output()).toMatch(/PLAID_SECRET=\S+\n[\s\S]*Load this script/);
    await fetch(`${url}/identities`);
    await expect.poll(output).toMatch(/finix GET \/identities 401 \d+ ms/);
  });

  const python = spawnSync('python3', ['--version']).status === 0;
  it.skipIf(!python)(`is steered from Python${python ? '' : ' (skipped: there is no python3)'}`, async () => {
    const { facts } = await simulator();
    const program = `import sys; sys.path.insert(0, sys.argv[1])
from simulator import Simulator
simulator = Simulator(sys.argv[2])
simulator.customers_are("user_several")
simulator.fails("finix", "/payment_instruments", kind="timeout", when="after", times=1)
print(simulator.instruments())
try:
    simulator.happens("login_broken")
except ValueError as error:
    print(error)
simulator.reset()`;
    const args = ['-c', program, join(project, 'docs/snippets/testing'), facts.url];
    const env = { PATH: process.env['PATH'], PYTHONDONTWRITEBYTECODE: '1' };
    const { stdout } = await promisify(execFile)('python3', args, { env });
    expect(stdout).toBe('[]\nNo bank is connected.\n');
  });

  it('ends with 2 for wrong arguments and with 1 for a port that is taken', async () => {
    expect(await run(['simulator', '--scenario', 'user_unknown'])).toMatchObject({
      code: 2,
      output: expect.stringContaining('user_several'),
    });
    expect((await run(['simulator', '--port', 'many'])).code).toBe(2);
    expect((await run(['simulator', '--color'])).code).toBe(2);
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const { code, output } = await run(['simulator', '--port', String(port)]);
    taken.close();
    expect([code, output]).toEqual([1, `Port ${port} is in use by another process: choose another one with --port.\n`]);
  });
});

describe('the sandbox command', { timeout: PATIENCE_MS }, () => {
  it('connects a bank with nothing but this package', async () => {
    const { code, output } = await run(['sandbox', '--simulator']);
    expect([code, output]).toEqual([
      0,
      expect.stringMatching(/Finix: the payment instrument[\s\S]*Every step went well/),
    ]);
  });
});

describe('the demo command', { timeout: PATIENCE_MS }, () => {
  it('opens a shop until it is asked to stop', async () => {
    const { child, ended, output } = start(['demo', '--port', '0']);
    const url = await eventually(async () => /Open (http\S+)/.exec(output())?.[1], patient(30_000));
    expect((await fetch(url)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  it('ends with 2 for wrong arguments', async () => {
    expect((await run(['demo', '--port', 'many'])).code).toBe(2);
    expect((await run(['demo', '--colour'])).code).toBe(2);
  });
});

describe('the program', { timeout: PATIENCE_MS }, () => {
  it('ends as its command does', async () => {
    expect((await run(['--version'])).code).toBe(0);
    expect(await run(['doctor'])).toMatchObject({ code: 1, output: expect.stringContaining('FAIL settings') });
    expect(await run(['lst'])).toMatchObject({ code: 2, output: expect.stringContaining('Did you mean list?') });
  });

  it('a command prints nothing about a reader that has gone away', async () => {
    const script = `"$0" "$1" --help | head -1`;
    const { stdout, stderr } = await promisify(execFile)('sh', ['-c', script, process.execPath, main]);
    expect([stdout, stderr]).toEqual(['Usage: finix-bank-connect-server [command] [options]\n', '']);
  });
});
