import { afterEach, describe, expect, it, vi } from 'vitest';
import { verificationOf } from '../../server/records/verification.ts';
import { TIMING } from '../../server/work/timing.ts';
import type { CreateSessionRequest } from '../../widget/contract.ts';
import { FINIX_SECRET } from '../helpers/debits.ts';
import { Gate } from '../helpers/gate.ts';
import { ENCRYPTION_KEY, TestServer } from '../helpers/server.ts';
import { forEachStorage } from '../helpers/storages.ts';
import { countWork, type Work } from '../helpers/work-counter.ts';

/** Counts, and not times: they are the same on every machine, and what a bank costs follows from them. */
const IDLE_ROUNDS = 10;
/** The rounds of an idle instance come this much faster than a real one's, whose every second has one. */
const FASTER = 10;

vi.mock(import('../../server/storage/sqlite.ts'), async (original) => {
  const module = await original();
  const { countingDatabase } = await import('../helpers/work-counter.ts');
  return {
    ...module,
    openSqliteFile: async (...given) => countingDatabase(await module.openSqliteFile(...given)),
  };
});

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
  vi.restoreAllMocks();
});

/** As the load test's customers: a session, its link token, its bank. */
async function expectConnected(
  server: TestServer,
  customer_id: string,
  request: Partial<CreateSessionRequest> = {},
): Promise<void> {
  const session = await server.createSession({ customer_id, ...request });
  expect((await server.page(session, 'POST', '/link-token', {})).status).toBe(200);
  const { body } = await server.complete(session, await server.publicToken());
  expect(body.status).toBe('completed');
}

forEachStorage((dialect, kind) => {
  describe('one connected bank with one account', () => {
    it('costs few durable commits and few statements', async () => {
      const work = countWork(dialect);
      const server = await TestServer.start({
        storage: await kind.open(),
        env: { MERCHANT_WEBHOOK_URL: 'http://localhost:9/', MERCHANT_WEBHOOK_SECRET: `whsec_${ENCRYPTION_KEY}` },
      });
      cleanUp.push(() => server.close());
      // The first also fills what is kept in memory.
      await expectConnected(server, 'cus_first');
      // The clock that is asked once a second is asked by no single bank.
      await server.storage.now();
      Object.assign(work, { commits: 0, statements: 0, roundTrips: 0, texts: [] });
      await expectConnected(server, 'cus_second');
      report(dialect, 'one bank', work);
      expect(work.commits).toBeLessThanOrEqual(8);
      // The clock is asked before each of the two create calls, and once a second for everything that goes on.
      const clock = work.texts.filter((text) => /^select \(extract\(epoch/.test(text)).length;
      expect(work.statements - Math.max(0, clock - 2)).toBeLessThanOrEqual(40);
      // On PostgreSQL the beginning of a transaction and often its end share one with another statement.
      expect(work.roundTrips - Math.max(0, clock - 2)).toBeLessThanOrEqual(dialect === 'postgres' ? 27 : 37);
    });
  });

  it(`a report about the owner costs a bank one durable commit at most, and its customer no wait (${dialect})`, async () => {
    const work = countWork(dialect);
    const gate = new Gate();
    let asked = 0;
    const server = await TestServer.start({
      storage: await kind.open(),
      wrapClients: (clients) => ({
        ...clients,
        plaid: {
          ...clients.plaid,
          matchOwner: (...args) => {
            asked += 1;
            return gate.passed.then(() => clients.plaid.matchOwner(...args));
          },
        },
      }),
    });
    cleanUp.push(() => server.close());
    const identity = { first_name: 'Alberta', last_name: 'Charleson' };
    const commitsOf = async (customer_id: string, ownership: 'off' | 'report') => {
      await server.storage.now();
      Object.assign(work, { commits: 0, statements: 0, roundTrips: 0, texts: [] });
      await expectConnected(server, customer_id, { identity, ownership });
      return work.commits;
    };
    await commitsOf('cus_first', 'off');
    const off = await commitsOf('cus_off', 'off');
    // Completed although Plaid has yet to answer about the owner.
    const waiting = await commitsOf('cus_report', 'report');
    expect([asked, waiting]).toEqual([1, off]);
    gate.open();
    await expect.poll(() => ownerOf(server, 'cus_report')).toBe('match');
    report(dialect, 'an answer about the owner', work);
    expect(work.commits).toBeLessThanOrEqual(off + 1);
    // An answer that comes in time is written with another change.
    const inTime = await commitsOf('cus_in_time', 'report');
    await expect.poll(() => ownerOf(server, 'cus_in_time')).toBe('match');
    expect(inTime).toBeLessThanOrEqual(off + 1);
  });

  it(`a webhook about other customers of the merchant’s costs one statement (${dialect})`, async () => {
    const work = countWork(dialect);
    const env = { FINIX_WEBHOOK_SECRET: FINIX_SECRET };
    const server = await TestServer.start({ storage: await kind.open(), env });
    cleanUp.push(() => server.close());
    const transfer = (i: number) => ({
      id: `TR${i}`,
      type: 'DEBIT',
      state: 'PENDING',
      source: `PI${i}`,
      destination: 'PI',
    });
    for (const count of [1, 3]) {
      const transfers = Array.from({ length: count }, (_, i) => transfer(i));
      const body = JSON.stringify({ id: `ev_${count}`, entity: 'transfer', type: 'updated', _embedded: { transfers } });
      work.texts = [];
      const headers = { 'Finix-Signature': server.upstream.simulator.webhooks.signFinix(body, FINIX_SECRET) };
      expect((await server.send('POST', '/webhooks/finix', body, headers)).status).toBe(200);
      // PostgreSQL's clock is asked once a second, however many come.
      const own = work.texts.filter((text) => !/^select \(extract\(epoch/.test(text));
      expect(own).toEqual([expect.stringMatching(/^select "payment_instrument" from "connection_instruments"/)]);
    }
  });

  it(`an instance that has nothing to do asks its database little (${dialect})`, async () => {
    const timing = { tickMs: TIMING.tickMs / FASTER };
    const server = await TestServer.start({ storage: await kind.open(), timing });
    cleanUp.push(() => server.close());
    // Every wait is as long as its setting, and retention, which is counted by itself, begins after half of its own.
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const work = countWork(dialect);
    const rounds = () => work.texts.filter((text) => /^select \(select "id" from "sessions"/.test(text)).length;
    const began = performance.now();
    server.jobs.start();
    await expect.poll(rounds).toBeGreaterThanOrEqual(IDLE_ROUNDS);
    await server.jobs.stop();
    // A busy machine takes longer for a round, and then asks less.
    const seconds = work.statements / (((performance.now() - began) * FASTER) / 1000);
    report(dialect, `${IDLE_ROUNDS} rounds of nothing`, work);
    // Every job once, as each time that retention is due; those that are asked for each second are in it once more.
    work.statements = 0;
    await server.jobs.tick();
    report(dialect, 'every job once', work);
    expect(seconds + work.statements / (TIMING.retentionMs / 1000)).toBeLessThanOrEqual(3);
  });
});

async function ownerOf({ storage: { db } }: TestServer, customerId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('connections')
    .select('verification')
    .where('customer_id', '=', customerId)
    .executeTakeFirst();
  return row && verificationOf(row).owner.status;
}

function report(dialect: string, name: string, { commits, statements, roundTrips, texts }: Work): void {
  console.info(`${dialect}, ${name}: ${commits} commits, ${statements} statements, ${roundTrips} round trips`);
  if (process.env['SHOW_STATEMENTS']) for (const text of texts) console.info(`  ${text.slice(0, 160)}`);
}
