import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../helpers/free-port.ts';
import { testEnvironment } from '../../helpers/server.ts';

/** A child of the benchmark. */
export interface Process {
  url: string;
  /**
   * Milliseconds of processor time that it has used so far, and megabytes of memory that it holds. Linux only; 0
   * elsewhere.
   */
  used(): { cpuMs: number; rssMb: number };
  stop(): Promise<void>;
}

const START_MS = 30_000;

/** Starts a server that reads the usual settings, and waits until it answers. */
export async function startServer(
  args: string[],
  upstreamUrl: string,
  merchantKey: string,
  settings: Record<string, string> = {},
): Promise<Process> {
  const port = await freePort();
  const env = {
    PATH: process.env['PATH'],
    ...testEnvironment({ PLAID_BASE_URL: `${upstreamUrl}/plaid`, FINIX_BASE_URL: `${upstreamUrl}/finix` }),
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    MERCHANT_API_KEY: merchantKey,
    PORT: String(port),
    ...settings,
  };
  // The log is written, as in production, and thrown away.
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const url = `http://127.0.0.1:${port}`;
  const deadline = performance.now() + START_MS;
  for (;;) {
    const answer = await fetch(`${url}/healthz`).catch(() => undefined);
    if (answer?.ok) break;
    if (child.exitCode !== null || performance.now() > deadline) throw new Error('a server did not start');
    await sleep(50);
  }
  return processOf(child, url);
}

/** Starts the upstream, which prints its port itself. */
export async function startUpstreamProcess(args: string[]): Promise<Process> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return processOf(child, `http://127.0.0.1:${line.toString().trim().split(' ')[1]}`);
}

function processOf(child: ChildProcess, url: string): Process {
  const exited = once(child, 'exit');
  return {
    url,
    used() {
      try {
        const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
          .replace(/^.*\) /, '')
          .split(' ');
        const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
        // Fields 14 and 15 of the file, counted in hundredths of a second; the name and number before are cut off.
        const cpuMs = (Number(stat[11]) + Number(stat[12])) * 10;
        return { cpuMs, rssMb: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024 };
      } catch {
        return { cpuMs: 0, rssMb: 0 };
      }
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
