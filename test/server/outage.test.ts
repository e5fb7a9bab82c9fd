import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { StorageUnavailableError } from '../../server/storage/errors.ts';
import { openStorage, type Storage } from '../../server/storage/open.ts';
import type { SessionTable } from '../../server/storage/tables.ts';
import { patient } from '../helpers/patience.mjs';
import { eventually, TestServer } from '../helpers/server.ts';

const EXCHANGE = '/item/public_token/exchange';
const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** A database that can be away, or go away just after a commit. */
async function unsteadyStorage() {
  const dataDir = await mkdtemp(join(tmpdir(), 'fbc-outage-'));
  const opened = await openStorage({ dataDir });
  cleanUp.push(
    () => rm(dataDir, { recursive: true, force: true }),
    () => opened.close(),
  );
  const outage = { isGone: false, refusals: 0, losesAnswerOf: (_written: unknown): boolean => false };
  const check = () => {
    if (!outage.isGone) return;
    outage.refusals += 1;
    throw new StorageUnavailableError('test');
  };
  const storage: Storage = {
    ...opened,
    now: async () => {
      check();
      return opened.now();
    },
    async transaction(scope, fn) {
      check();
      const written = await opened.transaction(scope, fn);
      if (outage.losesAnswerOf(written)) {
        outage.losesAnswerOf = () => false;
        throw new StorageUnavailableError('test, after the commit');
      }
      return written;
    },
  };
  return { storage, outage };
}

async function serverOver(storage: Storage): Promise<TestServer> {
  const server = await TestServer.start({ storage, quietMs: 800 });
  cleanUp.push(() => server.close());
  return server;
}

const exchanges = (server: TestServer) => server.ledger.calls().filter(({ path }) => path === EXCHANGE);
const instruments = (server: TestServer) => server.ledger.instruments().length;
const restarts = (server: TestServer) => server.lines.filter((line) => line.includes('restart_required'));

describe('storage that goes away', () => {
  it('storage that goes away while Plaid answers the exchange costs no bank: the answer is kept until storage is back', async () => {
    const { storage, outage } = await unsteadyStorage();
    const server = await serverOver(storage);
    server.upstream.simulator.faults.add({ service: 'plaid', path: EXCHANGE, kind: 'delay', delayMs: 200 });
    const session = await server.createSession();
    const completing = server.complete(session, await server.publicToken());
    await eventually(async () => exchanges(server).length === 1);
    outage.isGone = true;
    await eventually(async () => exchanges(server)[0]?.status === 200);
    await eventually(async () => outage.refusals > 1);
    outage.isGone = false;
    expect((await completing).body.status).toBe('completed');
    expect(exchanges(server)).toHaveLength(1);
    expect(restarts(server)).toEqual([]);
  });

  it('storage that goes away between two steps is waited for under the same lease, by the same process', async () => {
    const { storage, outage } = await unsteadyStorage();
    const server = await serverOver(storage);
    server.upstream.simulator.faults.add({ service: 'plaid', path: '/accounts/get', kind: 'delay', delayMs: 200 });
    const session = await server.createSession();
    const completing = server.complete(session, await server.publicToken());
    await eventually(async () => server.ledger.calls().some(({ path }) => path === '/accounts/get'));
    outage.isGone = true;
    await eventually(async () => outage.refusals > 1);
    outage.isGone = false;
    expect((await completing).body.status).toBe('completed');
    expect(instruments(server)).toBe(1);
  });

  it.each(['item_linked', 'identity_ready', 'finished'])(
    'storage that goes away after the commit of %s: the write is found, not repeated',
    async (point) => {
      const { storage, outage } = await unsteadyStorage();
      const server = await serverOver(storage);
      const session = await server.createSession();
      const token = await server.publicToken();
      outage.losesAnswerOf = (written) => (written as SessionTable | undefined)?.recovery_point === point;
      expect((await server.complete(session, token)).body.status).toBe('completed');
      expect([exchanges(server).length, instruments(server)]).toEqual([1, 1]);
    },
  );

  it('storage that goes away before a public token is committed: 503 with Retry-After, and the token stays valid', async () => {
    const { storage, outage } = await unsteadyStorage();
    const server = await serverOver(storage);
    const session = await server.createSession();
    const token = await server.publicToken();
    outage.isGone = true;
    const refused = await server.complete(session, token);
    expect([refused.status, refused.body.code]).toEqual([503, 'storage_unavailable']);
    expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect(exchanges(server)).toEqual([]);
    outage.isGone = false;
    expect((await server.complete(session, token)).body.status).toBe('completed');
  });

  it('storage that goes away after a public token was committed: the page that sends it again has it processed at once', async () => {
    const { storage, outage } = await unsteadyStorage();
    const server = await serverOver(storage);
    const session = await server.createSession();
    const token = await server.publicToken();
    outage.losesAnswerOf = (written) => (written as { kind?: string } | undefined)?.kind === 'work';
    expect((await server.complete(session, token)).status).toBe(503);
    const began = performance.now();
    expect((await server.complete(session, token)).body.status).toBe('completed');
    // Far less than a lease, which another worker would have to wait for.
    expect(performance.now() - began).toBeLessThan(patient(5_000));
    expect(exchanges(server)).toHaveLength(1);
  });
});

describe('a worker that is overtaken while Plaid answers its exchange', () => {
  /**
   * Takes the session over in the database, as another process would, and does there what that one has done by then.
   */
  async function overtake(status: 'exchanging' | 'spent') {
    const { storage } = await unsteadyStorage();
    const server = await serverOver(storage);
    server.upstream.simulator.faults.add({ service: 'plaid', path: EXCHANGE, kind: 'delay', delayMs: 200, times: 1 });
    const session = await server.createSession();
    const completing = server.complete(session, await server.publicToken());
    await eventually(async () => exchanges(server).length === 1);
    const ended = status === 'spent';
    await storage.db
      .updateTable('sessions')
      .set((eb) => ({
        version: eb('version', '+', 1),
        lease_owner: 'another worker',
        status: ended ? 'restart_required' : 'processing',
        lease_until: 0,
      }))
      .where('id', '=', session.id)
      .execute();
    await storage.db.updateTable('items').set({ status }).execute();
    await completing;
    return { server, session };
  }

  it('an overtaken worker leaves the access token to the present one', async () => {
    const { server, session } = await overtake('exchanging');
    await server.jobs.tick();
    expect((await server.page(session, 'GET', '')).body.status).toBe('completed');
    expect(exchanges(server)).toHaveLength(1);
  });

  it('an overtaken worker has the login removed at Plaid when the customer was asked to connect again', async () => {
    const { server } = await overtake('spent');
    await server.jobs.tick();
    expect(server.ledger.items()[0]?.removed).toBe(true);
  });
});
