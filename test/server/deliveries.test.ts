import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AddressRefused, checkAddress, isPublicAddress } from '../../server/clients/outbound-address.ts';
import { createMerchantWebhooks } from '../../server/deliveries/send.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { type Receiver, startReceiver, WEBHOOK_SECRET } from '../helpers/receiver.ts';
import { TestServer } from '../helpers/server.ts';

const MINUTE_MS = 60_000;

let server: TestServer;
let receiver: Receiver;

const { bank, item, connect, read, settled } = connectionLifecycle(() => server);
const rows = () => server.storage.db.selectFrom('deliveries').selectAll().orderBy('created_at').execute();

beforeEach(async () => {
  receiver = await startReceiver();
  server = await TestServer.start({
    env: { MERCHANT_WEBHOOK_URL: receiver.url, MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET },
  });
});
afterEach(async () => {
  await server.close();
  await receiver.close();
});

describe('events of the merchant', () => {
  it('the merchant receives signed events of a new connection and its session, with the merchant’s view of them', async () => {
    const { session, id } = await connect();
    await server.jobs.tick();
    expect(receiver.types()).toEqual(['connection.active', 'session.completed']);
    expect(receiver.received.every(({ isSigned }) => isSigned)).toBe(true);
    const [first, second] = receiver.received;
    expect(first?.body.data).toEqual(await read(id));
    expect(Object.keys(first?.body)).toEqual(['type', 'timestamp', 'data']);
    expect(second?.body.data).toEqual((await server.merchant('GET', `/v1/sessions/${session.id}`)).body);
    expect(first?.headers['webhook-id']).toMatch(/^msg_/);
    expect(first?.headers['content-type']).toBe('application/json');
    await server.jobs.tick();
    expect(receiver.received).toHaveLength(2);
  });

  it('a webhook carries one signature for each secret while a secret is rotated', async () => {
    await server.close();
    const next = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
    server = await TestServer.start({
      env: { MERCHANT_WEBHOOK_URL: receiver.url, MERCHANT_WEBHOOK_SECRET: `${next}, ${WEBHOOK_SECRET}` },
    });
    await connect();
    await server.jobs.tick();
    const { text, headers, isSigned } = receiver.received[0] ?? expect.fail('no webhook came');
    expect(isSigned).toBe(true);
    expect(() => new Webhook(next).verify(text, headers as Record<string, string>)).not.toThrow();
    expect(String(headers['webhook-signature']).split(' ')).toHaveLength(2);
  });

  it('the merchant receives an event with its reason when a connection waits, breaks, is revoked or fails', async () => {
    await connect('user_pending_verification');
    await server.jobs.tick();
    expect(receiver.types()).toEqual(['connection.pending_verification', 'session.completed']);
    receiver.received.length = 0;

    await server.close();
    server = await TestServer.start({
      env: { MERCHANT_WEBHOOK_URL: receiver.url, MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET },
    });
    await connect();
    bank().breakLogin(item().item_id);
    await settled();
    bank().revokePermission(item().item_id);
    await settled();
    expect(receiver.types()).toEqual([
      'connection.active',
      'session.completed',
      'connection.needs_repair',
      'connection.revoked',
    ]);
    expect(receiver.received.map(({ body }) => body.reason)).toEqual([
      undefined,
      undefined,
      'ITEM_LOGIN_REQUIRED',
      'USER_PERMISSION_REVOKED',
    ]);
    const times = receiver.received.map(({ body }) => body.data.updated_at).filter((time) => time !== undefined);
    expect(times).toEqual([...times].sort());
    // The session ends in the millisecond in which its connection became active, or after it.
    expect(new Set(times).size).toBeGreaterThanOrEqual(3);
  });

  it('the merchant receives an event of a session that failed and of one that must be restarted', async () => {
    const failed = await server.createSession();
    await server.complete(failed, await server.publicToken('user_finix_refuses'));
    const again = await server.createSession({ customer_id: 'cus_2' });
    await server.complete(again, await server.publicToken('user_login_required'));
    await server.jobs.tick();
    expect(receiver.types()).toEqual(['connection.failed', 'session.failed', 'session.restart_required']);
    const consumed = await server.createSession({ customer_id: 'cus_3' });
    const token = await server.publicToken();
    await server.complete(await server.createSession({ customer_id: 'cus_4' }), token);
    await server.complete(consumed, token);
    await server.jobs.tick();
    expect(receiver.types().slice(3)).toEqual(['connection.active', 'session.completed', 'session.restart_required']);
    receiver.received.length = 3;
    expect(receiver.received.at(-1)?.body.data).toMatchObject({ id: again.id, error: { code: 'restart_required' } });
  });

  it('without MERCHANT_WEBHOOK_URL no delivery is stored or sent', async () => {
    await server.close();
    server = await TestServer.start();
    await connect();
    await server.jobs.tick();
    expect(await rows()).toEqual([]);
  });
});

describe('a delivery', () => {
  it('a delivery that is refused is retried under the same id for three days, then listed as dead', async () => {
    receiver.answer = { status: 500 };
    await connect();
    const pending = async () => (await rows()).filter(({ status }) => status === 'pending');
    for (let waiting = await pending(); waiting.length > 0; waiting = await pending()) {
      const due = Math.min(...waiting.map(({ next_at }) => next_at));
      const ahead = due - (await server.storage.now());
      const before = receiver.received.length;
      if (ahead > MINUTE_MS) {
        server.clockOffset += ahead - MINUTE_MS;
        await server.jobs.tick();
        expect(receiver.received).toHaveLength(before);
      }
      server.clockOffset += Math.max(0, due - (await server.storage.now()));
      await server.jobs.tick();
    }
    const ids = new Set(receiver.received.map(({ headers }) => headers['webhook-id']));
    expect([ids.size, receiver.received.length]).toEqual([2, 20]);
    expect(server.clockOffset).toBeGreaterThan(3 * 24 * 60 * MINUTE_MS);
    const { body } = await server.merchant('GET', '/v1/webhook-deliveries?status=dead');
    expect(body.data).toHaveLength(2);
    expect(body.data[1]).toMatchObject({
      object: 'webhook_delivery',
      type: 'connection.active',
      status: 'dead',
      attempts: 10,
      last_status: 500,
      last_error: 'HTTP 500',
      next_attempt_at: null,
    });

    receiver.answer = { status: 204 };
    const [id] = ids;
    const resent = await server.merchant('POST', `/v1/webhook-deliveries/${id}/resend`);
    expect([resent.status, resent.body.status]).toEqual([200, 'pending']);
    await server.jobs.tick();
    expect(receiver.received.at(-1)?.headers['webhook-id']).toBe(id);
    expect((await server.merchant('GET', '/v1/webhook-deliveries?status=delivered')).body.data).toMatchObject([
      { id, last_status: 204, last_error: null },
    ]);
  });

  it('a delivery waits for as long as Retry-After asks', async () => {
    receiver.answer = { status: 503, headers: { 'Retry-After': '3600' } };
    await connect();
    await server.jobs.tick();
    for (const row of await rows()) expect(row.next_at - Date.now()).toBeGreaterThan(3_590_000);
  });

  it('a delivery does not follow a redirect', async () => {
    const other = await startReceiver();
    receiver.answer = { status: 307, headers: { Location: other.url } };
    await connect();
    await server.jobs.tick();
    expect(other.received).toEqual([]);
    expect((await rows())[0]?.last_error).toBe('HTTP 307: redirects are not followed');
    await other.close();
  });

  it('a 410 response stops all deliveries until the merchant resends one', async () => {
    receiver.answer = { status: 410 };
    await connect();
    await server.jobs.tick();
    const count = receiver.received.length;
    receiver.answer = { status: 204 };
    bank().breakLogin(item().item_id);
    await settled();
    server.clockOffset = 86_400_000;
    await server.jobs.tick();
    expect(receiver.received).toHaveLength(count);
    expect(new Set((await rows()).map(({ status }) => status))).toEqual(new Set(['dead']));
    const last = (await rows()).at(-1);
    await server.merchant('POST', `/v1/webhook-deliveries/${last?.id}/resend`);
    await server.jobs.tick();
    expect(receiver.types().at(-1)).toBe('connection.needs_repair');
  });

  it('a delivery to a silent receiver times out and is retried', async () => {
    const webhooks = createMerchantWebhooks(
      { url: 'http://127.0.0.1:9/hooks', secrets: [WEBHOOK_SECRET] },
      server.config,
      { timeoutMs: 100 },
    );
    expect(await webhooks.send('msg_1', '{}')).toMatchObject({
      status: null,
      error: expect.stringContaining('no answer'),
    });
  });

  it('a delivery that one process stored is sent by another', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'fbc-deliveries-'));
    const { openStorage } = await import('../../server/storage/open.ts');
    const storage = await openStorage({ dataDir });
    const env = { MERCHANT_WEBHOOK_URL: receiver.url, MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET };
    const first = await TestServer.start({ env, storage });
    const session = await first.createSession();
    await first.complete(session, await first.publicToken());
    await first.close();
    const second = await TestServer.start({ env, storage });
    await second.jobs.tick();
    expect(receiver.types()).toEqual(['connection.active', 'session.completed']);
    await second.close();
    await storage.close();
    await rm(dataDir, { recursive: true, force: true });
  });
});

describe('the list of deliveries', () => {
  it('the list of deliveries is for the merchant only, newest first, in pages', async () => {
    for (const customer of ['a', 'b', 'c']) {
      const session = await server.createSession({ customer_id: customer });
      await server.complete(session, await server.publicToken());
    }
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await server.merchant('GET', `/v1/webhook-deliveries?limit=4${cursor && `&cursor=${cursor}`}`);
      seen.push(...body.data.map(({ id }: { id: string }) => id));
      cursor = body.next_cursor ?? '';
    } while (cursor);
    expect(new Set(seen).size).toBe(6);
    expect(seen).toHaveLength(6);
    expect((await server.send('GET', '/v1/webhook-deliveries', undefined, {})).status).toBe(401);
    expect((await server.merchant('POST', '/v1/webhook-deliveries/msg_none/resend')).status).toBe(404);
    expect((await server.merchant('GET', '/v1/webhook-deliveries?status=lost')).status).toBe(422);
  });
});

describe('an address', () => {
  const resolving =
    (...addresses: string[]) =>
    async () =>
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

  it.each([
    '10.0.0.1',
    '127.0.0.1',
    '0.0.0.0',
    '169.254.169.254',
    '168.63.129.16',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
    '2002:a00:1::',
    'ff02::1',
  ])('a webhook address is refused, by itself and behind a name: %s', async (address) => {
    expect(isPublicAddress(address)).toBe(false);
    const options = { loopbackAllowed: false, resolve: resolving(address) };
    await expect(checkAddress('hooks.example', options)).rejects.toThrow(AddressRefused);
    const host = address.includes(':') ? `[${address}]` : address;
    await expect(checkAddress(host, options)).rejects.toThrow(AddressRefused);
  });

  it.each([['8.8.8.8'], ['1.1.1.1'], ['2606:4700::1111'], ['172.32.0.1'], ['2606:4700::1111', '1.1.1.1']])(
    'the webhook addresses %s %s are accepted, and are those connected to',
    async (...addresses) => {
      const named = addresses.filter((address) => address !== undefined);
      const options = { loopbackAllowed: false, resolve: resolving(...named) };
      expect((await checkAddress('hooks.example', options)).map(({ address }) => address)).toEqual(named);
    },
  );

  it('a webhook goes to the second address of its name where there is no way to the first', async () => {
    const url = receiver.url.replace('127.0.0.1', 'localhost');
    const webhooks = createMerchantWebhooks({ url, secrets: [WEBHOOK_SECRET] }, server.config, {
      resolve: resolving('::1', '127.0.0.1'),
    });
    expect(url).toContain('localhost');
    expect(await webhooks.send('msg_1', '{"type":"test"}')).toMatchObject({ status: 204, error: null });
  });

  it('a name with one good address and one that is not is refused as a webhook address', async () => {
    const options = { loopbackAllowed: true, resolve: resolving('8.8.8.8', '10.0.0.1') };
    await expect(checkAddress('hooks.example', options)).rejects.toThrow(AddressRefused);
  });

  it('a webhook address on this machine is accepted in sandboxes only, and where the setting allows it', async () => {
    await expect(checkAddress('localhost', { loopbackAllowed: false })).rejects.toThrow(AddressRefused);
    expect(await checkAddress('127.0.0.1', { loopbackAllowed: true })).toEqual([{ address: '127.0.0.1', family: 4 }]);
    const trap = { loopbackAllowed: true, resolve: resolving('127.0.0.1') };
    await expect(checkAddress('hooks.example', trap)).rejects.toThrow(AddressRefused);
    const live = { plaid: { ...server.config.plaid, environment: 'production' as const }, finix: server.config.finix };
    const webhooks = createMerchantWebhooks({ url: receiver.url, secrets: [WEBHOOK_SECRET] }, live);
    expect(await webhooks.send('msg_1', '{}')).toMatchObject({ status: null, error: 'the address is on this machine' });
    expect(receiver.received).toEqual([]);
  });
});
