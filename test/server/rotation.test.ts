import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startSimulator } from '../../demo/simulator/index.ts';
import { withdrawKeys } from '../../server/lifecycle/withdraw-keys.ts';
import { createOutbox } from '../../server/records/outbox.ts';
import { assertKeys } from '../../server/storage/check-keys.ts';
import { openStorage, type Storage } from '../../server/storage/open.ts';
import { rotateKeys } from '../../server/storage/rotate-keys.ts';
import { createSecrets } from '../../server/storage/secrets.ts';
import { startReceiver } from '../helpers/receiver.ts';
import { eventually, MERCHANT_KEY, TestServer } from '../helpers/server.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** Servers with other settings over the same rows and providers, as instances that are restarted one by one. */
let server: (env?: Record<string, string>) => Promise<TestServer>;
let storage: Storage;
beforeEach(async () => {
  const upstream = await startSimulator();
  cleanUp.push(() => upstream.close());
  const dataDir = await mkdtemp(join(tmpdir(), 'fbc-rotation-'));
  cleanUp.push(() => rm(dataDir, { recursive: true, force: true }));
  storage = await openStorage({ dataDir });
  cleanUp.push(() => storage.close());
  server = async (env = {}) => {
    const started = await TestServer.start({ env, upstream, storage });
    cleanUp.push(() => started.close());
    return started;
  };
});

const newKey = () => randomBytes(32).toString('base64');

it('The merchant key is changed without a gap: both work while both are listed, and the old one not after', async () => {
  const next = 'merchant-key-number-two-0123456789abcdef';
  const status = async (on: TestServer, key: string) =>
    (await on.request('/v1/connections', { headers: { Authorization: `Bearer ${key}` } })).status;
  const [before, between, after] = [
    await server(),
    await server({ MERCHANT_API_KEY: `${next},${MERCHANT_KEY}` }),
    await server({ MERCHANT_API_KEY: next }),
  ];
  expect([await status(before, MERCHANT_KEY), await status(before, next)]).toEqual([200, 401]);
  expect([await status(between, MERCHANT_KEY), await status(between, next)]).toEqual([200, 200]);
  expect([await status(after, MERCHANT_KEY), await status(after, next)]).toEqual([401, 200]);
});

it('Finix’s webhook secret is changed without a gap: webhooks signed with either are taken while both are listed', async () => {
  const body = JSON.stringify({ id: 'event_1', type: 'updated', entity: 'instrument', _embedded: {} });
  const status = async (on: TestServer, secret: string) => {
    const headers = { 'Finix-Signature': on.upstream.simulator.webhooks.signFinix(body, secret) };
    return (await on.request('/webhooks/finix', { method: 'POST', headers, body })).status;
  };
  const [before, between, after] = [
    await server({ FINIX_WEBHOOK_SECRET: 'old' }),
    await server({ FINIX_WEBHOOK_SECRET: 'new, old' }),
    await server({ FINIX_WEBHOOK_SECRET: 'new' }),
  ];
  expect([await status(before, 'old'), await status(before, 'new')]).toEqual([200, 401]);
  expect([await status(between, 'old'), await status(between, 'new'), await status(between, 'other')]).toEqual([
    200, 200, 401,
  ]);
  expect([await status(after, 'old'), await status(after, 'new')]).toEqual([401, 200]);
});

it('The merchant’s webhook secret is changed without a gap: a webhook carries a signature of each that is listed', async () => {
  const receiver = await startReceiver();
  cleanUp.push(() => receiver.close());
  const [old, fresh] = [`whsec_${newKey()}`, `whsec_${newKey()}`];
  const accepted = async (secrets: string) => {
    receiver.received.length = 0;
    const on = await server({ MERCHANT_WEBHOOK_URL: receiver.url, MERCHANT_WEBHOOK_SECRET: secrets });
    await on.connect({ customer_id: `cus_${newKey()}` });
    const { text, headers } = await eventually(async () => {
      await on.jobs.tick();
      return receiver.received[0];
    });
    return [old, fresh].map((secret) => {
      try {
        new Webhook(secret).verify(text, headers as Record<string, string>);
        return true;
      } catch {
        return false;
      }
    });
  };
  expect(await accepted(old)).toEqual([true, false]);
  expect(await accepted(`${fresh},${old}`)).toEqual([true, true]);
  expect(await accepted(fresh)).toEqual([false, true]);
});

describe('the encryption key', () => {
  const deps = (on: TestServer, ...keys: string[]) => ({
    storage,
    secrets: createSecrets(keys),
    outbox: createOutbox(on.config),
  });

  it('the encryption key is changed without a gap: sessions go on, banks stay, and the old key leaves when it may', async () => {
    const [old, fresh] = [newKey(), newKey()];
    const before = await server({ ENCRYPTION_KEY: old });
    const open = await before.createSession();
    const { answer } = await before.connect({ customer_id: 'cus_2' });
    const between = await server({ ENCRYPTION_KEY: `${fresh},${old}` });
    expect((await between.complete(open, await between.publicToken())).body.status).toBe('completed');
    const rotation = await rotateKeys(storage, createSecrets([fresh, old]), { batch: 10 });
    // The session's secret is derived from the old key until its day is over.
    expect(rotation.keysStillNeeded).toEqual([createSecrets([old]).currentKeyId]);
    await expect(server({ ENCRYPTION_KEY: fresh })).rejects.toThrow(createSecrets([old]).currentKeyId);
    await storage.db.updateTable('sessions').set({ expires_at: 0, link_tokens_until: 0 }).execute();
    await rotateKeys(storage, createSecrets([fresh, old]), { batch: 10 });
    const after = await server({ ENCRYPTION_KEY: fresh });
    const { id } = answer.body.connections[0];
    expect((await after.merchant('DELETE', `/v1/connections/${id}`)).status).toBeLessThan(300);
    // The access token could be opened: Plaid was asked to remove the Item.
    await eventually(async () => {
      await after.jobs.tick();
      return after.ledger.items().filter(({ removed }) => removed).length === 1;
    });
  });

  it('a leaked encryption key is withdrawn at once: its sessions and links end, and banks and work in progress stay', async () => {
    const [leaked, fresh] = [newKey(), newKey()];
    const before = await server({ ENCRYPTION_KEY: leaked });
    const waiting = await before.createSession();
    const link = (await before.merchant('POST', '/v1/links', { customer_id: 'cus_3' })).body;
    const { session: finished, answer } = await before.connect({ customer_id: 'cus_2' });
    const busy = await before.createSession({ customer_id: 'cus_4' });
    await storage.db.updateTable('sessions').set({ status: 'processing' }).where('id', '=', busy.id).execute();
    const between = await server({ ENCRYPTION_KEY: `${fresh},${leaked}` });
    const own = await between.createSession({ customer_id: 'cus_5' });

    expect(await withdrawKeys(deps(between, fresh, leaked), { batch: 10 })).toMatchObject({
      unreadable: 0,
      sessions: 1,
      links: 1,
    });
    const after = await server({ ENCRYPTION_KEY: fresh });
    for (const session of [waiting, finished, busy]) {
      expect((await after.page(session, 'GET', '')).status).toBe(401);
    }
    expect((await after.page(own, 'GET', '')).status).toBe(200);
    expect((await after.merchant('GET', `/v1/sessions/${waiting.id}`)).body.status).toBe('canceled');
    expect((await after.merchant('GET', `/v1/sessions/${busy.id}`)).body.status).toBe('processing');
    expect((await after.request(new URL(link.url).pathname)).status).toBe(404);
    expect((await after.merchant('GET', `/v1/links/${link.id}`)).body.status).toBe('revoked');
    const { id } = answer.body.connections[0];
    expect((await after.merchant('GET', `/v1/connections/${id}`)).body.status).toBe('active');
    // Nothing of the leaked key is left, and a start with it alone is refused.
    await expect(assertKeys(storage, createSecrets([leaked]))).rejects.toThrow();
    expect((await rotateKeys(storage, createSecrets([fresh]), { batch: 10 })).unreadable).toBe(0);
  });

  it('a leaked encryption key stays needed while a value is there that no key opens', async () => {
    const [leaked, fresh, lost] = [newKey(), newKey(), newKey()];
    const before = await server({ ENCRYPTION_KEY: leaked });
    await before.connect();
    const where = { table: 'items', row: 'other', column: 'access_token_enc' };
    const sealed = createSecrets([lost]).seal('token', where);
    await storage.db.updateTable('items').set({ access_token_enc: sealed }).execute();
    expect(await withdrawKeys(deps(before, fresh, leaked), { batch: 10 })).toMatchObject({ unreadable: 1 });
    await expect(assertKeys(storage, createSecrets([fresh]))).rejects.toThrow();
  });
});

it.each([
  ['/v1/sessions', { customer_id: 'cus_1' }],
  ['/v1/links', { customer_id: 'cus_1' }],
])(
  'a repeated Idempotency-Key of %s whose encryption key was withdrawn is refused, and not an internal error',
  async (path, body) => {
    const [leaked, fresh] = [newKey(), newKey()];
    const once = { 'Idempotency-Key': 'order-1' };
    const before = await server({ ENCRYPTION_KEY: leaked });
    expect((await before.merchant('POST', path, body, once)).status).toBe(201);
    const deps = { storage, secrets: createSecrets([fresh, leaked]), outbox: createOutbox(before.config) };
    await withdrawKeys(deps, { batch: 10 });
    const after = await server({ ENCRYPTION_KEY: fresh });
    const answer = await after.merchant('POST', path, body, once);
    expect(answer).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused', retryable: false } });
    expect(answer.body.detail).toContain('Use another Idempotency-Key');
  },
);
