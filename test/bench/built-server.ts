import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SIMULATOR_CREDENTIALS } from '../../demo/simulator/index.ts';

/** `dist/`, as seen from the built benchmark in `dist/bench/`. */
export const dist = join(import.meta.dirname, '..');

export interface BuiltServer {
  url: string;
  merchantKey: string;
  stop(): Promise<void>;
}

/** How long a start may take before it counts as failed: far beyond any time of interest. */
const START_TIMEOUT_MS = 30_000;

/** Starts the built production server as its own process, with the embedded storage in a new folder. */
export async function startBuiltServer(
  upstream: { plaidUrl: string; finixUrl: string },
  settings: Record<string, string> = {},
): Promise<BuiltServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'finix-bank-connect-bench-'));
  const { plaid, finix } = SIMULATOR_CREDENTIALS;
  const merchantKey = randomBytes(24).toString('base64url');
  const child = spawn(process.execPath, [join(dist, 'server', 'main.js')], {
    env: {
      PATH: process.env['PATH'],
      PLAID_CLIENT_ID: plaid.clientId,
      PLAID_SECRET: plaid.secret,
      PLAID_ENV: 'sandbox',
      PLAID_CLIENT_NAME: 'Bench',
      PLAID_BASE_URL: upstream.plaidUrl,
      FINIX_USERNAME: finix.username,
      FINIX_PASSWORD: finix.password,
      FINIX_ENV: 'sandbox',
      FINIX_BASE_URL: upstream.finixUrl,
      MERCHANT_API_KEY: merchantKey,
      ALLOWED_ORIGINS: 'https://shop.example',
      PUBLIC_URL: 'http://localhost:3000',
      ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      DATA_DIR: dataDir,
      PORT: '0',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let output = '';
  const port = new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`The server did not start:\n${output}`)), START_TIMEOUT_MS);
    const read = (text: Buffer) => {
      output += text.toString();
      // The log is one JSON object a line; only the line of the start has the port.
      const found = /"port":(\d+)[^\n]*"msg":"listening"/.exec(output)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(Number(found));
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`The server ended with ${code}:\n${output}`));
    });
  });
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    return { url: `http://127.0.0.1:${await port}`, merchantKey, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** `/metrics`, which asks for the merchant's key on this port. */
export async function readMetrics({ url, merchantKey }: BuiltServer): Promise<string> {
  const response = await fetch(`${url}/metrics`, { headers: { Authorization: `Bearer ${merchantKey}` } });
  if (!response.ok) throw new Error(`/metrics answered ${response.status}.`);
  return response.text();
}
