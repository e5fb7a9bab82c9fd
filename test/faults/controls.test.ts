import { rm } from 'node:fs/promises';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { openStorage } from '../../server/storage/open.ts';
import { updateRow } from '../../server/storage/row-writes.ts';
import { migratedDatabase } from '../helpers/migrated-database.ts';
import { rows } from '../server/storage/rows.ts';
import { noFence } from './controls.ts';

it('“no fence” lets a worker write whose version is out of date, in both ways that the server writes', async () => {
  const dataDir = await migratedDatabase();
  const complete = await openStorage({ dataDir });
  try {
    await complete.db.insertInto('sessions').values(rows.sessions).execute();
    const { id, version } = rows.sessions;
    const write = (storage: typeof complete, isBuilt: boolean) =>
      storage.transaction('rows', async (trx) => {
        const late = { id, version: version + 7 };
        const written = isBuilt
          ? await trx
              .updateTable('sessions')
              .set({ tries: 1 })
              .where('id', '=', id)
              .where('version', '=', late.version)
              .returningAll()
              .execute()
          : (await sql`${updateRow('sessions', late, { tries: 1, version: 3 })} returning *`.execute(trx)).rows;
        return written.length;
      });
    expect([await write(complete, true), await write(complete, false)]).toEqual([0, 0]);
    expect([await write(noFence(complete), true), await write(noFence(complete), false)]).toEqual([1, 1]);
  } finally {
    await complete.close();
    await rm(dataDir, { recursive: true, force: true });
  }
});
