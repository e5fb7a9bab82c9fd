import { expect, it } from 'vitest';
import { openStorage } from '../../server/storage/open.ts';
import { copyOf, putBack } from '../helpers/put-back.ts';
import { TestServer } from '../helpers/server.ts';
import { migratedOn, withPostgres } from '../helpers/storages.ts';

withPostgres('rows of the embedded database', (server) => {
  it('rows of the embedded database that are copied to PostgreSQL go on there', async () => {
    const embedded = await TestServer.start({ quietMs: 400 });
    const { answer } = await embedded.connect();
    const [connected] = answer.body.connections;
    const waiting = await embedded.createSession();
    await embedded.connector.stop(0);
    await embedded.jobs.stop();
    const storage = await openStorage({ databaseUrl: await migratedOn(server()), dataDir: '/nonexistent' });
    await putBack(storage, await copyOf(embedded.storage));
    const moved = await TestServer.start({ quietMs: 400, upstream: embedded.upstream, storage });
    const { body } = await moved.complete(waiting, await moved.publicToken());
    expect(body.status).toBe('completed');
    expect(moved.ledger.identities()).toHaveLength(1);
    const before = await moved.merchant('GET', `/v1/connections/${connected.id}`);
    expect([before.status, before.body.status]).toEqual([200, 'revoked']);
    expect((await moved.reconcile({ fix: false, since: 0 })).findings).toEqual([]);
    await moved.close();
    await storage.close();
    await embedded.close();
  });
});
