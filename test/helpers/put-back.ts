import { sql } from 'kysely';
import type { Storage } from '../../server/storage/open.ts';

/** What the database held at one moment. */
export type Copy = Map<string, Record<string, unknown>[]>;

/** Facts about the schema, which no copy and no replica is behind on. */
const OWN = new Set(['schema_migrations']);

/** A copy as a backup makes one, or what a replica has been sent so far. */
export async function copyOf(storage: Storage): Promise<Copy> {
  const copy: Copy = new Map();
  for (const { name } of await storage.db.introspection.getTables()) {
    if (OWN.has(name)) continue;
    const { rows } = await sql<Record<string, unknown>>`select * from ${sql.table(name)}`.execute(storage.db);
    copy.set(name, rows);
  }
  return copy;
}

/** Restores the copy under servers that run, as when a replica that was behind is promoted. */
export async function putBack(storage: Storage, copy: Copy): Promise<void> {
  await storage.transaction('retention', async (trx) => {
    for (const [name, rows] of copy) {
      await sql`delete from ${sql.table(name)}`.execute(trx);
      for (const row of rows) {
        const columns = Object.keys(row).map((column) => sql.ref(column));
        const values = Object.values(row).map((value) => sql`${value}`);
        await sql`insert into ${sql.table(name)} (${sql.join(columns)}) values (${sql.join(values)})`.execute(trx);
      }
    }
  });
}
