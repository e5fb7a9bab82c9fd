import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { StorageUnavailableError } from '../../server/storage/errors.ts';
import { openStorage, type Storage } from '../../server/storage/open.ts';
import type { SessionTable } from '../../server/storage/tables.ts';
import { Fenced, QUICK_ATTEMPTS } from '../../server/work/retry.ts';
import { claim, HeldSession, RELEASED } from '../../server/work/session-lease.ts';
import { TIMING, type Timing } from '../../server/work/timing.ts';
import { Gate } from '../helpers/gate.ts';
import { patient } from '../helpers/patience.mjs';
import { eventually, TestServer } from '../helpers/server.ts';
import { forEachStorage } from '../helpers/storages.ts';
import { rows } from './storage/rows.ts';

const FINIX_CREATE = { service: 'finix', path: '/payment_instruments', method: 'POST' } as const;
const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

forEachStorage((_name, kind) => {
  describe('a worker whose write fails because storage goes away', () => {
    const owner = 'worker-1';

    async function held(storage: Storage, failing: Pick<Storage, 'transaction'>): Promise<HeldSession> {
      const { now } = storage;
      const row = { ...rows.sessions, lease_owner: owner, next_at: 0, lease_until: (await now()) + TIMING.leaseMs };
      await storage.db.insertInto('sessions').values(row).execute();
      return new HeldSession({ ...storage, ...failing }, row, TIMING, new AbortController().signal, 'running');
    }

    it('a worker whose write fails does not take another worker’s claim for its own', async () => {
      const storage = await kind.open();
      let writes = 0;
      const worker = await held(storage, {
        async transaction(scope, fn) {
          if (writes++ > 0) return storage.transaction(scope, fn);
          // A lease of the process's own counts as free for it.
          await claim(storage, owner, rows.sessions.id, TIMING);
          throw new StorageUnavailableError('test, before the commit');
        },
      });
      await expect(worker.write({ recovery_point: 'instrument_created' })).rejects.toThrow(Fenced);
      const session = await storage.db.selectFrom('sessions').selectAll().executeTakeFirstOrThrow();
      expect(session.recovery_point).toBe('item_linked');
    });

    it('a worker whose write fails knows its own claim when only the answer to its commit was lost', async () => {
      const storage = await kind.open();
      let writes = 0;
      const worker = await held(storage, {
        async transaction(scope, fn) {
          const written = await storage.transaction(scope, fn);
          if (writes++ === 0) throw new StorageUnavailableError('test, after the commit');
          return written;
        },
      });
      await worker.write({ recovery_point: 'identity_ready' });
      expect(worker.row).toMatchObject({ recovery_point: 'identity_ready', version: rows.sessions.version + 1 });
    });
  });
});

forEachStorage((_name, kind) => {
  describe('a result that is joined to the next write', () => {
    async function worker(): Promise<{ storage: Storage; held: HeldSession }> {
      const storage = await kind.open();
      const row = { ...rows.sessions, next_at: 0, lease_until: (await storage.now()) + TIMING.leaseMs };
      await storage.db.insertInto('sessions').values(row).execute();
      return { storage, held: new HeldSession(storage, row, TIMING, new AbortController().signal, 'running') };
    }
    const stored = (storage: Storage) =>
      storage.db.selectFrom('sessions').select(['recovery_point', 'finix_identity', 'tries']).executeTakeFirstOrThrow();

    it('is seen at once, and committed together with it', async () => {
      const { storage, held } = await worker();
      const order: string[] = [];
      held.join({ recovery_point: 'identity_ready' }, async () => void order.push('joined'));
      expect(held.row.recovery_point).toBe('identity_ready');
      expect((await stored(storage)).recovery_point).toBe('item_linked');
      await held.write({ tries: 7 }, async () => void order.push('own'));
      expect(await stored(storage)).toMatchObject({ recovery_point: 'identity_ready', tries: 7 });
      expect(order).toEqual(['joined', 'own']);
      expect(held.row.version).toBe(rows.sessions.version + 1);
    });

    it('waits for the next write when this one is refused', async () => {
      const { storage, held } = await worker();
      held.join({ recovery_point: 'identity_ready' });
      const refused = held.write({ tries: 7 }, () => Promise.reject(new Error('refused')));
      await expect(refused).rejects.toThrow('refused');
      expect(held.row).toMatchObject({ recovery_point: 'identity_ready', tries: rows.sessions.tries });
      await held.write({});
      expect(await stored(storage)).toMatchObject({ recovery_point: 'identity_ready', tries: rows.sessions.tries });
    });

    it('is refused with every other write once the worker has released the session', async () => {
      const { storage, held } = await worker();
      await held.write(RELEASED);
      held.join({ finix_identity: 'ID9' });
      await expect(held.write({ recovery_point: 'finished' })).rejects.toThrow(Fenced);
      expect(await stored(storage)).toMatchObject({ recovery_point: 'item_linked', finix_identity: 'ID1' });
      const { lease_until } = await storage.db.selectFrom('sessions').selectAll().executeTakeFirstOrThrow();
      expect(lease_until).toBe(0);
    });

    it('is dropped when it is refused itself, with all that came after it', async () => {
      const { storage, held } = await worker();
      held.join({ tries: 7 });
      held.join({}, () => Promise.reject(new Error('refused')));
      held.join({ recovery_point: 'identity_ready', finix_identity: 'ID9' });
      await expect(held.write({})).rejects.toThrow('refused');
      expect(held.row).toMatchObject({ recovery_point: 'item_linked', finix_identity: 'ID1', tries: 7 });
      await held.write({});
      expect(await stored(storage)).toEqual({ recovery_point: 'item_linked', finix_identity: 'ID1', tries: 7 });
    });
  });
});

/** A server with a session in progress that has no worker: the answer to the commit that took the token was lost. */
async function expectLeftAlone(answerWithinMs?: number, timing?: Partial<Timing>) {
  const dataDir = await mkdtemp(join(tmpdir(), 'fbc-leases-'));
  const opened = await openStorage({ dataDir });
  cleanUp.push(
    () => rm(dataDir, { recursive: true, force: true }),
    () => opened.close(),
  );
  let losesAnswer = true;
  const storage: Storage = {
    ...opened,
    async transaction(scope, fn) {
      const written = await opened.transaction(scope, fn);
      const taken = (written as { session?: SessionTable } | undefined)?.session?.status === 'processing';
      if (!taken || !losesAnswer) return written;
      losesAnswer = false;
      throw new StorageUnavailableError('test, after the commit');
    },
  };
  const server = await TestServer.start({
    storage,
    ...(answerWithinMs === undefined ? {} : { answerWithinMs }),
    ...(timing && { timing }),
  });
  cleanUp.push(() => server.close());
  const session = await server.createSession();
  const token = await server.publicToken();
  expect((await server.complete(session, token)).status).toBe(503);
  return { server, session, token };
}

describe('a session whose worker has released it in the middle of a call', () => {
  it('is free for another instance also when the call ends, and has one instrument in the end', async () => {
    const answered = new Gate();
    let isMade = false;
    const quietMs = patient(500);
    const first = await TestServer.start({
      quietMs,
      wrapClients: ({ plaid, finix }) => ({
        plaid,
        finix: {
          ...finix,
          async createPaymentInstrument(request) {
            const made = await finix.createPaymentInstrument(request);
            isMade = true;
            await answered.passed;
            return made;
          },
        },
      }),
    });
    const { upstream, storage } = first;
    const other = await TestServer.start({ upstream, storage, quietMs });
    cleanUp.push(
      () => first.close(),
      () => other.close(),
    );
    const session = await first.createSession();
    const completing = first.complete(session, await first.publicToken());
    await eventually(async () => isMade);
    await first.connector.stop(0);
    expect((await completing).status).toBe(202);
    const row = () => storage.db.selectFrom('sessions').selectAll().executeTakeFirstOrThrow();
    const released = await row();
    expect([released.lease_owner, released.lease_until]).toEqual([null, 0]);
    answered.open();
    const calls = () => storage.db.selectFrom('create_calls').select('outcome').execute();
    await eventually(async () => (await calls()).some(({ outcome }) => outcome === 'made'));
    expect(await row()).toEqual(released);
    await eventually(async () => {
      await other.jobs.tick();
      return (await row()).status === 'completed' && (await calls()).length === 0;
    });
    expect(other.ledger.instruments()).toHaveLength(1);
    expect(other.ledger.instruments()[0]?.['enabled']).toBe(true);
  });
});

describe('a session whose customer is erased while storage is lost in a step', () => {
  it('ends as failed at once, and leaves no lease', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'fbc-leases-'));
    const opened = await openStorage({ dataDir });
    let isLost = false;
    const storage: Storage = {
      ...opened,
      db: opened.db.withPlugin({
        transformQuery({ node }) {
          if (!isLost || !JSON.stringify(node).includes('"customers"')) return node;
          isLost = false;
          throw new StorageUnavailableError('test');
        },
        transformResult: async ({ result }) => result,
      }),
    };
    cleanUp.push(
      () => rm(dataDir, { recursive: true, force: true }),
      () => opened.close(),
    );
    const server: TestServer = await TestServer.start({
      storage,
      wrapClients: ({ plaid, finix }) => ({
        finix,
        plaid: {
          ...plaid,
          async getAccounts(token) {
            const accounts = await plaid.getAccounts(token);
            expect((await server.merchant('DELETE', '/v1/customers/cus_1')).status).toBe(202);
            isLost = true;
            return accounts;
          },
        },
      }),
    });
    cleanUp.push(() => server.close());
    const session = await server.createSession();
    const { status, body } = await server.complete(session, await server.publicToken());
    expect(isLost).toBe(false);
    expect([status, body.status]).toEqual([200, 'failed']);
    const row = await opened.db.selectFrom('sessions').selectAll().executeTakeFirstOrThrow();
    expect([row.status, row.lease_owner, row.lease_until]).toEqual(['failed', null, 0]);
    expect(server.ledger.instruments()).toEqual([]);
  });
});

describe('a session without a worker', () => {
  it('a session without a worker is begun once when several requests find it at the same time', async () => {
    const { server, session, token } = await expectLeftAlone();
    const begun = await Promise.all([1, 2, 3].map(() => server.connector.resume(session.id)));
    await Promise.all(begun.map((resumption) => resumption?.work));
    expect((await server.complete(session, token)).body.status).toBe('completed');
    expect(server.lines.filter((line) => line.includes('lease lost to another worker'))).toEqual([]);
    expect(server.ledger.instruments()).toHaveLength(1);
  });

  it('a resumed session is waited for no longer than a new one', async () => {
    const { server, session, token } = await expectLeftAlone(300);
    server.upstream.simulator.faults.add({ ...FINIX_CREATE, kind: 'delay', delayMs: 1_200 });
    expect((await server.complete(session, token)).status).toBe(202);
    expect(server.connector.inFlight).toBe(1);
    const shown = await eventually(async () => {
      const { body } = await server.page(session, 'GET', '');
      return body.status === 'processing' ? undefined : body.status;
    });
    expect(shown).toBe('completed');
  });

  it('a session is resumed however often its calls have failed before', async () => {
    const timing = { lookAgainMs: patient(500) };
    const { server, session } = await expectLeftAlone(undefined, timing);
    await server.storage.db
      .updateTable('sessions')
      .set((eb) => ({
        tries: QUICK_ATTEMPTS + 1,
        processing_since: eb('processing_since', '-', TIMING.answerWithinMs),
      }))
      .execute();
    // Each round is another worker's, after the one before has released the session.
    await eventually(async () => {
      server.clockOffset += TIMING.leaseMs + 1_000;
      await server.jobs.tick();
      return (await server.page(session, 'GET', '')).body.status === 'completed';
    });
  });
});
