import { it } from 'vitest';
import { openStorage } from '../../server/storage/open.ts';
import { patient } from '../helpers/patience.mjs';
import { eventually, TestServer } from '../helpers/server.ts';
import { migratedOn, withOwnPostgres } from '../helpers/storages.ts';

withOwnPostgres('a standby that is promoted', (postgres) => {
  it(
    'a standby that is promoted is noticed with the first connection to it, before the next round of jobs',
    async () => {
      const storage = await openStorage({ databaseUrl: await migratedOn(postgres()), dataDir: '/nonexistent' });
      const server = await TestServer.start({ storage });
      await postgres().promote();
      await eventually(async () => server.createSession().catch(() => undefined));
      await eventually(async () => server.lines.some((line) => line.includes('run reconcile')));
      await server.close();
      await storage.close();
    },
    patient(60_000),
  );
});
