import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { createLog } from '../../server/log.ts';
import { createServer } from '../../server/server.ts';
import { MERCHANT_KEY, testEnvironment } from '../helpers/server.ts';

/** The grace of a stop is 20 s. */
const FASTER = 20;
vi.mock(import('node:timers/promises'), async (original) => {
  const timers = await original();
  return { ...timers, setTimeout: (ms, ...rest) => timers.setTimeout((ms ?? 0) / FASTER, ...rest) };
});

let dataDir: string;
afterEach(() => rm(dataDir, { recursive: true, force: true }));

it('a server stops although a request has no answer, and logs how many there are', async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'fbc-unanswered-'));
  const lines: string[] = [];
  const upstream = { PLAID_BASE_URL: 'http://127.0.0.1:9', FINIX_BASE_URL: 'http://127.0.0.1:9' };
  const log = createLog({ level: 'warn', secrets: [], write: (line) => lines.push(line) });
  const server = createServer({ ...testEnvironment(upstream), DATA_DIR: dataDir }, { log });
  await server.start();
  let isRead = () => {};
  const reading = new Promise<void>((resolve) => {
    isRead = resolve;
  });
  // Its body never ends, as no listener would let it.
  const body = new ReadableStream({ pull: () => isRead() }, { highWaterMark: 0 });
  const headers = { Authorization: `Bearer ${MERCHANT_KEY}`, 'Content-Type': 'application/json' };
  const init = { method: 'POST', headers, body, duplex: 'half' };
  const answer = server.fetch(new Request('http://localhost:3000/v1/sessions', init as RequestInit));
  await reading;
  await server.stop();
  expect(lines.map((line) => JSON.parse(line))).toContainEqual(expect.objectContaining({ level: 40, requests: 1 }));
  await expect(Promise.race([answer, Promise.resolve('none')])).resolves.toBe('none');
});
