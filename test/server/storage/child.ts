/**
 * A process of its own on a shared database, for the tests: `increment` counts up in transactions, `append` adds rows
 * until killed.
 */
import { writeSync } from 'node:fs';
import { openStorage } from '../../../server/storage/open.ts';

const [task, options, times] = process.argv.slice(2);
const storage = await openStorage(JSON.parse(options ?? '{}'));

if (task === 'increment') {
  for (let i = 0; i < Number(times); i++) {
    await storage.transaction('customer:1', async (trx) => {
      const counter = await trx
        .selectFrom('rate_limits')
        .select('hits')
        .where('bucket', '=', 'shared')
        .executeTakeFirst();
      if (counter) {
        await trx
          .updateTable('rate_limits')
          .set({ hits: counter.hits + 1 })
          .where('bucket', '=', 'shared')
          .execute();
      } else {
        await trx.insertInto('rate_limits').values({ bucket: 'shared', window_start: 0, hits: 1 }).execute();
      }
    });
  }
} else if (task === 'append') {
  for (let i = 0; ; i++) {
    await storage.transaction('customer:1', async (trx) => {
      await trx
        .insertInto('meta')
        .values({ key: `row-${i}`, value: 'x'.repeat(500) })
        .execute();
    });
    // Unbuffered: what was written here, and nothing else, is acknowledged.
    writeSync(1, `row-${i}\n`);
  }
}
await storage.close();
