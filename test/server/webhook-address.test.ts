import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestServer } from '../helpers/server.ts';

const OLD = 'https://old.example';
const NEW = 'https://new.example';
const hooks = (address: string) => `${address}/webhooks/plaid`;
const UPDATE = { service: 'plaid', path: '/item/webhook/update' } as const;

let old: TestServer;
const cleanUp: (() => unknown)[] = [];
beforeEach(async () => {
  // No receiver is there: the subject is where a webhook would go.
  old = await TestServer.start({ simulator: { deliver: async () => new Response() }, env: { PUBLIC_URL: OLD } });
  cleanUp.push(() => old.close());
});
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** A server with the new address on the same database, an hour after what came before. */
async function moved(hoursLater = 1): Promise<TestServer> {
  const { upstream, storage } = old;
  const server = await TestServer.start({ upstream, storage, env: { PUBLIC_URL: NEW } });
  cleanUp.push(() => server.close());
  server.clockOffset = hoursLater * 3600_000;
  return server;
}

async function expectConnected(server: TestServer, customer_id = 'cus_1', username?: string): Promise<void> {
  const { answer } = await server.connect({ customer_id, username });
  expect(answer.body.status).toBe('completed');
}

const addresses = () => old.ledger.items().map(({ webhook }) => webhook);
const updates = () => old.ledger.calls().filter(({ path }) => path === UPDATE.path).length;
const items = () => old.storage.db.selectFrom('items').selectAll().orderBy('created_at').execute();

describe('the address for webhooks of an Item', () => {
  it('the webhook address of an Item follows PUBLIC_URL, once, and is left alone where it is right', async () => {
    await expectConnected(old);
    await expectConnected(old, 'cus_2');
    const server = await moved(0);
    await expectConnected(server, 'cus_3');
    expect((await items()).map(({ webhook_url }) => webhook_url)).toEqual([OLD, OLD, NEW].map(hooks));
    server.clockOffset = 3600_000;
    await server.jobs.tick();
    await server.jobs.tick();
    expect(addresses()).toEqual([NEW, NEW, NEW].map(hooks));
    expect((await items()).map(({ webhook_url }) => webhook_url)).toEqual([NEW, NEW, NEW].map(hooks));
    expect(updates()).toBe(2);
  });

  it('the webhook address of an Item is sent to Plaid where it was never known', async () => {
    await expectConnected(old);
    await old.storage.db.updateTable('items').set({ webhook_url: null }).execute();
    const server = await moved();
    await server.jobs.tick();
    expect([updates(), (await items())[0]?.webhook_url]).toEqual([1, hooks(NEW)]);
  });

  it('the webhook address waits for an Item that is just being connected', async () => {
    await expectConnected(old);
    await (await moved(0)).jobs.tick();
    expect(updates()).toBe(0);
  });

  it('the webhook address is retried later when Plaid can’t be reached, and other Items go on in the meantime', async () => {
    await expectConnected(old);
    await expectConnected(old, 'cus_2');
    const server = await moved();
    old.upstream.simulator.faults.add({ ...UPDATE, kind: 'status', status: 500, times: 1 });
    await server.jobs.tick();
    expect([...addresses()].sort()).toEqual([NEW, OLD].map(hooks));
    await server.jobs.tick();
    expect(updates()).toBe(2);
    server.clockOffset += 10 * 60_000;
    await server.jobs.tick();
    expect(addresses()).toEqual([NEW, NEW].map(hooks));
  });

  it('the webhook address is given up for an Item that Plaid no longer has', async () => {
    await expectConnected(old);
    const server = await moved();
    old.upstream.simulator.faults.add({ ...UPDATE, kind: 'plaid_error', error_code: 'ITEM_NOT_FOUND', times: 1 });
    for (let i = 0; i < 2; i++) await server.jobs.tick();
    expect(updates()).toBe(1);
  });

  it('the update of webhook addresses goes on where a process was stopped', async () => {
    await expectConnected(old);
    // Taken on, and left.
    const server = await moved();
    const now = await server.storage.now();
    await old.storage.db
      .updateTable('items')
      .set({ next_at: now + 5 * 60_000 })
      .execute();
    await server.jobs.tick();
    expect(updates()).toBe(0);
    server.clockOffset += 6 * 60_000;
    await server.jobs.tick();
    expect(addresses()).toEqual([hooks(NEW)]);
  });

  it('the webhook address is not set back and forth by instances that disagree', async () => {
    await expectConnected(old);
    const servers = [old, await moved(0)];
    await old.storage.db.updateTable('items').set({ created_at: 0 }).execute();
    for (let i = 0; i < 4; i++) for (const server of servers) await server.jobs.tick();
    expect(updates()).toBe(1);
  });

  it('Plaid’s ITEM/WEBHOOK_UPDATE_ACKNOWLEDGED becomes an entry in the audit of the Item’s connections', async () => {
    const server = await TestServer.start();
    cleanUp.push(() => server.close());
    await expectConnected(server);
    await server.storage.db
      .updateTable('items')
      .set({ webhook_url: hooks(OLD), created_at: 0 })
      .execute();
    await server.jobs.tick();
    await server.upstream.simulator.webhooks.settled();
    await expect
      .poll(async () =>
        (await server.storage.db.selectFrom('audit').select('action').execute()).map(({ action }) => action),
      )
      .toContain('plaid.webhook_update_acknowledged');
  });
});
