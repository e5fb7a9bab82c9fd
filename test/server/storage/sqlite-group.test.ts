import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Generated, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StorageUnavailableError } from '../../../server/storage/errors.ts';
import { openSqliteFile, type SqliteDatabase } from '../../../server/storage/sqlite.ts';
import { SqliteDriver } from '../../../server/storage/sqlite-dialect.ts';

interface Tables {
  notes: { id: Generated<number>; text: string };
}

let folder: string;
/** A second process's view: what has not been committed is not in it. */
let outside: SqliteDatabase;
let driver: SqliteDriver;
let db: Kysely<Tables>;
/** Statements that begin or end transactions, as they reach SQLite. */
let steps: string[];
/** Takes the place of the next COMMIT. */
let atCommit: (() => void) | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fbc-group-'));
  const file = await openSqliteFile(folder, () => {});
  outside = await openSqliteFile(folder, () => {});
  steps = [];
  atCommit = undefined;
  const watched: SqliteDatabase = {
    prepare: (text) => file.prepare(text),
    close: () => file.close(),
    exec(text) {
      steps.push(text);
      if (text === 'COMMIT' && atCommit) {
        const instead = atCommit;
        atCommit = undefined;
        return instead();
      }
      return file.exec(text);
    },
  };
  driver = new SqliteDriver(watched, () => {});
  db = new Kysely<Tables>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => driver,
      createIntrospector: (kysely) => new SqliteIntrospector(kysely),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
  await sql`create table notes (id integer primary key, text text not null unique)`.execute(db);
});

afterEach(async () => {
  await driver.destroy();
  outside.close();
  await rm(folder, { recursive: true, force: true });
});

const note = (text: string) => db.transaction().execute((trx) => trx.insertInto('notes').values({ text }).execute());
const commits = () => steps.filter((step) => step === 'COMMIT').length;
const seenOutside = () =>
  outside
    .prepare('select text from notes order by text')
    .all()
    .map(({ text }) => text);

test('transactions and writes that come together are committed once', async () => {
  await Promise.all([note('a'), note('b'), db.insertInto('notes').values({ text: 'c' }).execute(), note('d')]);
  expect(seenOutside()).toEqual(['a', 'b', 'c', 'd']);
  expect(commits()).toBe(1);
});

test('no caller learns of success before it is on the disk', async () => {
  const seen: unknown[] = [];
  await Promise.all(['a', 'b', 'c'].map((text) => note(text).then(() => seen.push(...seenOutside()))));
  expect(seen).toEqual(['a', 'b', 'c', 'a', 'b', 'c', 'a', 'b', 'c']);
});

test('a member of a group that fails is undone by itself', async () => {
  const failing = db.transaction().execute(async (trx) => {
    await trx.insertInto('notes').values({ text: 'undone' }).execute();
    throw new Error('changed my mind');
  });
  const [first, failed, last] = await Promise.allSettled([note('a'), failing, note('b')]);
  expect([first.status, failed.status, last.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(seenOutside()).toEqual(['a', 'b']);
});

test('a statement that is refused leaves what others have written', async () => {
  const settled = await Promise.allSettled([
    note('a'),
    note('a'),
    db.insertInto('notes').values({ text: 'a' }).execute(),
    note('b'),
  ]);
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
  expect(seenOutside()).toEqual(['a', 'b']);
});

test('a commit that fails is every member’s failure, and leaves nothing', async () => {
  atCommit = () => {
    throw Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 });
  };
  const settled = await Promise.allSettled([
    note('a'),
    note('b'),
    db.insertInto('notes').values({ text: 'c' }).execute(),
  ]);
  for (const end of settled) {
    expect(end).toMatchObject({ status: 'rejected', reason: expect.any(StorageUnavailableError) });
  }
  expect(seenOutside()).toEqual([]);
  await note('afterwards');
  expect(seenOutside()).toEqual(['afterwards']);
});

test('a reader of what is not on the disk yet gets it only when it is', async () => {
  const order: string[] = [];
  atCommit = () => {
    order.push('commit fails');
    throw Object.assign(new Error('disk I/O error'), { code: 'ERR_SQLITE_ERROR', errcode: 10 });
  };
  const writing = note('a').catch(() => {});
  const reading = db
    .selectFrom('notes')
    .selectAll()
    .execute()
    .then(
      () => order.push('read'),
      (error: unknown) => order.push(error instanceof StorageUnavailableError ? 'not read' : String(error)),
    );
  await Promise.all([writing, reading]);
  expect(order).toEqual(['commit fails', 'not read']);
});

test('a caller that gives up over what is not on the disk yet does so only when it is', async () => {
  const order: string[] = [];
  const writing = note('a').then(() => order.push('written'));
  const fenced = db
    .transaction()
    .execute(async (trx) => {
      const found = await trx.selectFrom('notes').selectAll().execute();
      if (found.length > 0) throw new Error('another caller was faster');
    })
    .catch(() => order.push(`given up, ${seenOutside().join()} is on the disk`));
  await Promise.all([writing, fenced]);
  expect(order.sort()).toEqual(['given up, a is on the disk', 'written']);
});

test('a caller that is refused because of what is not on the disk yet learns of it only when it is', async () => {
  const order: string[] = [];
  const writing = note('a').then(() => order.push('written'));
  const refused = db
    .insertInto('notes')
    .values({ text: 'a' })
    .execute()
    .catch(() => order.push(`refused, ${seenOutside().join()} is on the disk`));
  await Promise.all([writing, refused]);
  expect(order.sort()).toEqual(['refused, a is on the disk', 'written']);
});

test('another process writes between two groups', async () => {
  await note('a');
  outside.exec("insert into notes (text) values ('from outside')");
  await note('b');
  expect(seenOutside()).toEqual(['a', 'b', 'from outside']);
});

test('reading alone begins no transaction', async () => {
  await db.selectFrom('notes').selectAll().execute();
  expect(steps).toEqual([]);
});
