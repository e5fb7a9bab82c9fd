import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStorage } from '../../server/storage/open.ts';
import { canMount } from '../helpers/can-mount.ts';
import { eventually, TestServer } from '../helpers/server.ts';

/** Less than SQLite's log grows to before it is reset, so that a full disk stops the next writes. */
const DISK_BYTES = 3 * 2 ** 20;

const missing = canMount() ? undefined : 'no small disk can be mounted here';
if (missing) console.warn(`skipped: a full disk: ${missing}`);

describe.skipIf(missing)(missing ? `a full disk (skipped: ${missing})` : 'a full disk', () => {
  let server: TestServer;
  const cleanUp: (() => unknown)[] = [];
  let ballast: string;

  beforeEach(async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'fbc-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES},mode=0700`, 'tmpfs', dataDir]);
    chmodSync(dataDir, 0o700);
    const storage = await openStorage({ dataDir });
    server = await TestServer.start({ storage });
    ballast = join(dataDir, 'ballast');
    cleanUp.push(
      () => execFileSync('umount', ['-l', dataDir]),
      () => storage.close(),
      () => server.close(),
    );
  });
  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  });

  /** The rest of the disk, to its last page. */
  function fill(): void {
    for (const bytes of [DISK_BYTES, 4096]) {
      try {
        writeFileSync(ballast, Buffer.alloc(bytes), { flag: 'a' });
      } catch {
        // It is full now.
      }
    }
  }

  /** The log's last pages are consumed. */
  async function expectFull(): Promise<void> {
    await eventually(async () => (await server.send('GET', '/readyz', undefined, {})).status === 503);
  }

  it('a full disk turns /readyz red, is answered with 503 and a sentence, and leaves nothing half done', async () => {
    const session = await server.createSession();
    const token = await server.publicToken();
    fill();
    await expectFull();
    expect((await server.send('GET', '/healthz', undefined, {})).status).toBe(200);
    const refused = await server.merchant('POST', '/v1/sessions', { customer_id: 'cus_2' });
    expect([refused.status, refused.body.code, refused.body.action]).toEqual([503, 'storage_unavailable', 'retry']);
    expect(refused.body.detail).toBe('Nothing was saved. Try again.');
    expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(0);
    // The public token stays the page's: nothing was exchanged.
    expect((await server.complete(session, token)).status).toBe(503);
    expect(server.ledger.calls().filter(({ path }) => path === '/item/public_token/exchange')).toEqual([]);
    // What is stored can still be read.
    expect((await server.merchant('GET', `/v1/sessions/${session.id}`)).body.status).toBe('open');

    rmSync(ballast);
    await eventually(async () => (await server.send('GET', '/readyz', undefined, {})).status === 200);
    expect((await server.complete(session, token)).body.status).toBe('completed');
    const { rows } = await server.storage.db
      .selectFrom('sessions')
      .select((eb) => eb.fn.countAll<number>().as('rows'))
      .executeTakeFirstOrThrow();
    expect(Number(rows)).toBe(1);
  });

  it('a disk that is full in the middle of connecting costs no bank and makes no second one', async () => {
    server.upstream.simulator.faults.add({
      service: 'finix',
      path: '/payment_instruments',
      method: 'POST',
      kind: 'delay',
      delayMs: 300,
      times: 1,
    });
    const session = await server.createSession();
    const completing = server.complete(session, await server.publicToken());
    await eventually(async () => server.ledger.calls().some(({ path }) => path === '/payment_instruments'));
    fill();
    await expectFull();
    await eventually(async () => server.ledger.instruments().length === 1);
    rmSync(ballast);
    expect((await completing).body.status).toBe('completed');
    expect(server.ledger.instruments()).toHaveLength(1);
  });
});
