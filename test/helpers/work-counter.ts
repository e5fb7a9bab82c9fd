import pg from 'pg';
import { vi } from 'vitest';
import type { SqliteDatabase } from '../../server/storage/sqlite.ts';

/** What was asked of a database. */
export interface Work {
  /** Transactions that wrote something, each of which waits for the disk. */
  commits: number;
  /** Queries, and on PostgreSQL also the beginning and the end of each transaction. */
  statements: number;
  /** Messages that were answered before the next one was sent. */
  roundTrips: number;
  /** The statements in order, to find where they come from. */
  texts: string[];
}

const WRITES = /^\s*(insert|update|delete)\b|^\s*with\b[\s\S]*\b(insert into|update|delete from)\b/i;
const CONTROL = /^\s*(begin|savepoint|release|rollback|pragma)\b/i;

let counted: Work | undefined;

/**
 * Counts at the drivers, below everything of ours: each statement that reaches a database is counted, from whichever
 * part it comes. PostgreSQL's are counted until `vi.restoreAllMocks()`, SQLite's in databases that go through
 * `countingDatabase`.
 */
export function countWork(dialect: 'sqlite' | 'postgres'): Work {
  const work: Work = { commits: 0, statements: 0, roundTrips: 0, texts: [] };
  counted = work;
  if (dialect === 'postgres') countPostgres(work);
  return work;
}

function countPostgres(work: Work): void {
  const send = pg.Client.prototype.query as (...parameters: unknown[]) => unknown;
  /** Of each connection with an open transaction, whether that has written. */
  const open = new WeakMap<object, { hasWritten: boolean }>();
  const unanswered = new WeakMap<object, number>();
  vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...parameters: unknown[]) {
    const [query] = parameters as [string | { text: string }];
    const text = typeof query === 'string' ? query : query.text;
    const before = unanswered.get(this) ?? 0;
    if (before === 0) work.roundTrips++;
    unanswered.set(this, before + 1);
    for (const statement of text.split(';').filter((part) => part.trim() !== '')) {
      work.statements++;
      work.texts.push(statement.trim());
      const transaction = open.get(this);
      if (/^\s*begin/i.test(statement)) open.set(this, { hasWritten: false });
      else if (/^\s*(commit|rollback)/i.test(statement)) {
        if (transaction?.hasWritten && /^\s*commit/i.test(statement)) work.commits++;
        open.delete(this);
      } else if (WRITES.test(statement)) {
        if (transaction) transaction.hasWritten = true;
        else work.commits++;
      }
    }
    const answer = send.apply(this, parameters);
    const isAnswered = () => unanswered.set(this, (unanswered.get(this) ?? 1) - 1);
    (answer as Promise<unknown>).then(isAnswered, isAnswered);
    return answer;
  } as never);
}

/**
 * A SQLite database whose statements are counted. Its prototypes are frozen, so that nothing can be put in place of
 * their methods.
 */
export function countingDatabase(db: SqliteDatabase): SqliteDatabase {
  let isOpen = false;
  const count = (sql: string) => {
    if (!counted || CONTROL.test(sql)) return;
    counted.statements++;
    counted.roundTrips++;
    counted.texts.push(sql);
    if (!isOpen && WRITES.test(sql)) counted.commits++;
  };
  return {
    exec(sql) {
      db.exec(sql);
      if (/^BEGIN/i.test(sql)) isOpen = true;
      if (/^(COMMIT|ROLLBACK)$/i.test(sql)) isOpen = false;
      if (counted && /^COMMIT/i.test(sql)) counted.commits++;
    },
    prepare(sql) {
      const statement = db.prepare(sql);
      const run = <R>(call: () => R): R => {
        count(sql);
        return call();
      };
      return {
        all: (...parameters) => run(() => statement.all(...parameters)),
        run: (...parameters) => run(() => statement.run(...parameters)),
        columns: () => statement.columns(),
      };
    },
    close: () => db.close(),
  };
}
