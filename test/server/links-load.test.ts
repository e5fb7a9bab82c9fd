import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Storage } from '../../server/storage/open.ts';
import type { LinkTable } from '../../server/storage/tables.ts';
import { TestServer } from '../helpers/server.ts';
import { forEachStorage } from '../helpers/storages.ts';
import { countWork, type Work } from '../helpers/work-counter.ts';
import { rows } from './storage/rows.ts';

/** What a platform has open at a time. */
const LINKS = 10_000;
/** Rows in one statement: both databases limit its parameters. */
const BATCH = 500;
const DAY = 24 * 3600_000;

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

async function addOpenLinks({ db }: Storage): Promise<void> {
  const now = Date.now();
  for (let from = 0; from < LINKS; from += BATCH) {
    const values = Array.from(
      { length: BATCH },
      (_, i): LinkTable => ({
        ...rows.links,
        id: `lnk_${randomBytes(16).toString('hex')}`,
        customer_id: `customer-${from + i}`,
        status: 'open',
        connection_id: null,
        session_id: null,
        created_at: now,
        updated_at: now,
        expires_at: now + 7 * DAY,
      }),
    );
    await db.insertInto('links').values(values).execute();
  }
}

/** The clock of the database is asked whenever a second is over. */
const withoutClock = ({ texts }: Work) => texts.filter((text) => !/^select \(extract\(epoch/.test(text));

const open = (server: TestServer, url: string) =>
  server.send('POST', `${new URL(url).pathname}/session`, undefined, { Origin: 'http://localhost:3000' });

forEachStorage((dialect, kind) => {
  async function start(): Promise<TestServer> {
    const server = await TestServer.start({ storage: await kind.open() });
    cleanUp.push(() => server.close());
    return server;
  }

  describe(`ten thousand open links (${dialect})`, () => {
    it('cost the jobs not one statement more, and no read of the table', async () => {
      const work = countWork(dialect);
      const server = await start();
      await server.jobs.tick();
      Object.assign(work, { commits: 0, statements: 0, texts: [] });
      await server.jobs.tick();
      const without = { ...work, texts: [...work.texts] };
      await addOpenLinks(server.storage);
      await sql`analyze`.execute(server.storage.db);
      Object.assign(work, { commits: 0, statements: 0, texts: [] });
      await server.jobs.tick();
      expect(work.commits).toBe(without.commits);
      expect(withoutClock(work)).toEqual(withoutClock(without));
      expect((await planOfDueLinks(server.storage)).toLowerCase()).toMatch(/links_due/);
    });

    it('are opened by one durable commit each', async () => {
      const work = countWork(dialect);
      const server = await start();
      await addOpenLinks(server.storage);
      const { body: link } = await server.merchant('POST', '/v1/links', { customer_id: 'cus_1' });
      await server.storage.now();
      work.commits = 0;
      expect((await open(server, link.url)).status).toBe(201);
      expect(work.commits).toBe(1);
    });
  });

  it(`a flood of wrong addresses sends the database nothing (${dialect})`, async () => {
    const work = countWork(dialect);
    const server = await start();
    Object.assign(work, { commits: 0, statements: 0, texts: [] });
    const statuses = new Set<number>();
    for (let i = 0; i < 200; i++) {
      const response = await server.request(`/c/${randomBytes(32).toString('base64url')}`);
      statuses.add(response.status);
    }
    expect([...statuses].sort()).toEqual([404, 429]);
    expect(work.texts.filter((text) => !/\bnow\b|clock|julianday|unixepoch/i.test(text))).toEqual([]);
    expect(work.commits).toBe(0);
  });
});

async function planOfDueLinks({ db, dialect }: Storage): Promise<string> {
  const query = sql`select id from links where status in ('open', 'opened') and expires_at <= ${Date.now()}
    order by expires_at limit 64`;
  const plan = dialect === 'postgres' ? sql`explain ${query}` : sql`explain query plan ${query}`;
  return JSON.stringify((await plan.execute(db)).rows);
}
