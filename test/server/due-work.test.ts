import { afterEach, describe, expect, it } from 'vitest';
import { DUE_LINKS, ENDED_LINKS } from '../../server/connect/hosted-link.ts';
import { DUE_DISABLINGS, DUE_LOOKS } from '../../server/connect/sweep.ts';
import { DUE_DELIVERIES } from '../../server/deliveries/deliveries.ts';
import { DUE_ITEMS, DUE_SESSIONS, DUE_STOP_TASKS, ENDING_SESSIONS } from '../../server/jobs/jobs.ts';
import { DUE_TASKS } from '../../server/lifecycle/connection-tasks.ts';
import { DUE_ERASURES } from '../../server/lifecycle/erase-customer.ts';
import { DUE_REPORTS } from '../../server/lifecycle/signal-reports.ts';
import { type DueQuery, findDue } from '../../server/storage/due.ts';
import { StorageUnavailableError } from '../../server/storage/errors.ts';
import type { Storage } from '../../server/storage/open.ts';
import type { Database } from '../../server/storage/tables.ts';
import { DUE_EVENTS, DUE_STOPS } from '../../server/webhooks/due-events.ts';
import { patient } from '../helpers/patience.mjs';
import { eventually, TestServer } from '../helpers/server.ts';
import { forEachStorage } from '../helpers/storages.ts';
import { rows } from './storage/rows.ts';

const PAST = 1_000;
const FUTURE = 8_000_000_000_000;

interface Kind {
  name: string;
  query: DueQuery;
  table: keyof Database;
  /** A row that is due, and what puts it off. */
  row: object;
  later: object;
}

const due = { status: 'processing', next_at: PAST, lease_until: PAST } as const;
const open = { status: 'open', expires_at: PAST, link_tokens_until: PAST } as const;
const [calls, columns] = DUE_LOOKS as [DueQuery, DueQuery];
const KINDS: Kind[] = [
  { name: 'a session', query: DUE_SESSIONS, table: 'sessions', row: due, later: { lease_until: FUTURE } },
  { name: 'the end of a session', query: ENDING_SESSIONS, table: 'sessions', row: open, later: { expires_at: FUTURE } },
  {
    name: 'a link token’s end',
    query: ENDING_SESSIONS,
    table: 'sessions',
    row: open,
    later: { link_tokens_until: FUTURE },
  },
  { name: 'an Item', query: DUE_ITEMS, table: 'items', row: { status: 'removing' }, later: { next_at: FUTURE } },
  {
    name: 'a create call',
    query: calls,
    table: 'create_calls',
    row: { look_at: PAST, instrument: null },
    later: { look_at: FUTURE },
  },
  {
    name: 'an instrument that must go',
    query: DUE_DISABLINGS,
    table: 'create_calls',
    row: { look_at: PAST },
    later: { look_at: FUTURE },
  },
  { name: 'an older sweep', query: columns, table: 'connections', row: { sweep_at: PAST }, later: { sweep_at: null } },
  {
    name: 'an event',
    query: DUE_EVENTS,
    table: 'inbound_events',
    row: { next_at: PAST },
    later: { lease_until: FUTURE },
  },
  ...['ITEM/USER_PERMISSION_REVOKED', 'ITEM/USER_ACCOUNT_REVOKED'].map(
    (type): Kind => ({
      name: type,
      query: DUE_STOPS,
      table: 'inbound_events',
      row: { next_at: PAST, type },
      later: { type: 'ITEM/ERROR' },
    }),
  ),
  {
    name: 'a task',
    query: DUE_TASKS,
    table: 'connections',
    row: { next_at: PAST, lease_until: 0 },
    later: { goal: null },
  },
  ...(['disable', 'remove'] as const).map(
    (goal): Kind => ({
      name: `the task ${goal}`,
      query: DUE_STOP_TASKS,
      table: 'connections',
      row: { next_at: PAST, lease_until: 0, goal },
      later: { goal: 'instrument' },
    }),
  ),
  { name: 'an erasure', query: DUE_ERASURES, table: 'erasures', row: { next_at: PAST }, later: { next_at: FUTURE } },
  {
    name: 'a hosted link',
    query: DUE_LINKS,
    table: 'hosted_links',
    row: { next_at: PAST },
    later: { next_at: FUTURE },
  },
  { name: 'its end', query: ENDED_LINKS, table: 'hosted_links', row: { ends_at: PAST }, later: { ends_at: FUTURE } },
  {
    name: 'a delivery',
    query: DUE_DELIVERIES,
    table: 'deliveries',
    row: { next_at: PAST },
    later: { next_at: FUTURE },
  },
  { name: 'a report', query: DUE_REPORTS, table: 'checks', row: { report_at: PAST }, later: { report_at: null } },
];

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

forEachStorage((name, kind) => {
  describe('the one query for all work that is due', () => {
    it.each(KINDS)('finds $name once its time has come, and not before', async ({ query, table, row, later }) => {
      const storage = await kind.open();
      expect(await findDue(storage, [query])).toEqual([false]);
      await storage.db
        .insertInto(table)
        .values({ ...rows[table], ...row } as never)
        .execute();
      const others = KINDS.filter((other) => other.table !== table).map((other) => other.query);
      const found = await findDue(storage, [...others, query]);
      expect(found).toEqual([...others.map(() => false), true]);
      await storage.db
        .updateTable(table)
        .set(later as never)
        .execute();
      expect(await findDue(storage, [query])).toEqual([false]);
    });
  });

  it(`a session that a process left behind goes on within 1.5 s (${name})`, async () => {
    const opened = await kind.open();
    let losesAnswer = true;
    const storage: Storage = {
      ...opened,
      async transaction(scope, fn) {
        const written = await opened.transaction(scope, fn);
        const { kind: accepted } = (written ?? {}) as { kind?: string };
        if (losesAnswer && accepted === 'work') throw new StorageUnavailableError('test, after the commit');
        return written;
      },
    };
    const server = await TestServer.start({ storage });
    cleanUp.push(() => server.close());
    const session = await server.createSession();
    expect((await server.complete(session, await server.publicToken())).status).toBe(503);
    losesAnswer = false;
    server.jobs.start();
    cleanUp.push(() => server.jobs.stop());
    await opened.db.updateTable('sessions').set({ lease_owner: null, lease_until: 0 }).execute();
    const began = performance.now();
    await eventually(async () => {
      const row = await opened.db.selectFrom('sessions').select(['lease_owner', 'status']).executeTakeFirst();
      // A session that is completed already has been worked on between two looks.
      return row?.lease_owner || row?.status === 'completed';
    });
    expect(performance.now() - began).toBeLessThan(patient(1_500));
  });
});
