import { afterEach, describe, expect, it } from 'vitest';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { beginInJobs, eventHandled, holdCreate } from '../helpers/hold-create.ts';
import { type Receiver, startReceiver, WEBHOOK_SECRET } from '../helpers/receiver.ts';
import { eventually, TestServer } from '../helpers/server.ts';

/** A login that breaks while a task, and no session, makes the connection's instrument. */

let server: TestServer;
let receiver: Receiver;
afterEach(async () => {
  await server.close();
  await receiver.close();
});
const { bank, enabled, item, connect, read, settled, expectStatus } = connectionLifecycle(() => server);

async function start(options: Parameters<typeof TestServer.start>[0] = {}): Promise<void> {
  receiver = await startReceiver();
  const env = { MERCHANT_WEBHOOK_URL: receiver.url, MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET };
  server = await TestServer.start({ ...options, env });
}

const handled = (type: string) => eventHandled(server, type);
const rowOf = (id: string) =>
  server.storage.db.selectFrom('connections').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

/** What the merchant has learned of the connection since its account was connected. */
async function sentEvents(): Promise<[type: string, reason: string | undefined][]> {
  await server.jobs.tick();
  return receiver.received
    .filter(({ body }) => body.type.startsWith('connection.'))
    .sort((a, b) => a.body.data.updated_at.localeCompare(b.body.data.updated_at))
    .map(({ body }) => [body.type.replace('connection.', ''), body.reason]);
}

const renewal = (held: ReturnType<typeof holdCreate>) =>
  beginInJobs(server, held, 'AUTH/DEFAULT_UPDATE', () => bank().renumber(item().item_id));
const firstInstrument = (held: ReturnType<typeof holdCreate>) =>
  beginInJobs(server, held, 'AUTH/AUTOMATICALLY_VERIFIED', () =>
    bank().verify(item().item_id, 'automatically_verified'),
  );

const ERROR = ['ITEM/ERROR', 'ITEM_LOGIN_REQUIRED', () => bank().breakLogin(item().item_id)] as const;
const WITHHELD = [
  'AUTH/PRODUCT_PERMISSIONS_REQUIRED',
  'PRODUCT_PERMISSIONS_REQUIRED',
  () => bank().withholdNumbers(item().item_id),
] as const;
const DISCONNECT = [
  'ITEM/PENDING_DISCONNECT',
  'PENDING_DISCONNECT',
  () => bank().announceDisconnect(item().item_id),
] as const;
const EXPIRATION = [
  'ITEM/PENDING_EXPIRATION',
  'PENDING_EXPIRATION',
  () => bank().announceDisconnect(item().item_id, 'PENDING_EXPIRATION'),
] as const;

describe('a login that breaks while the answer to the create call is on its way', () => {
  it.each([ERROR, WITHHELD, DISCONNECT, EXPIRATION])(
    '%s during a renewal: the connection gets its instrument and needs repair',
    async (type, reason, breakLogin) => {
      const held = holdCreate(2, true);
      await start(held);
      const { id } = await connect();
      const finish = await renewal(held);
      breakLogin();
      await handled(type);
      await finish();
      const after = await expectStatus(id, 'needs_repair');
      expect(after.payment_instrument).toBe(held.made);
      expect(enabled()).toEqual([held.made]);
      // The worker was not disturbed.
      expect(held.calls).toBe(2);
      expect((await rowOf(id)).reason).toBe(reason);
      expect(after.consent_expires_at !== null).toBe(type.startsWith('ITEM/PENDING_'));
      const last = (await sentEvents()).slice(-2);
      expect(last).toEqual([
        ['active', undefined],
        ['needs_repair', reason],
      ]);
    },
  );

  it('ITEM/ERROR after the verification: the connection gets its instrument and needs repair', async () => {
    const held = holdCreate(1, true);
    await start(held);
    const { id } = await connect('user_pending_verification');
    const finish = await firstInstrument(held);
    bank().breakLogin(item().item_id);
    await handled('ITEM/ERROR');
    await finish();
    const after = await expectStatus(id, 'needs_repair');
    expect(after.payment_instrument).toBe(held.made);
    expect(enabled()).toEqual([held.made]);
    expect((await rowOf(id)).reason).toBe('ITEM_LOGIN_REQUIRED');
  });

  it('a repair in the meantime leaves the connection active', async () => {
    const held = holdCreate(2, true);
    await start(held);
    const { id } = await connect();
    const finish = await renewal(held);
    bank().breakLogin(item().item_id);
    await handled('ITEM/ERROR');
    bank().repairLogin(item().item_id);
    await handled('ITEM/LOGIN_REPAIRED');
    await finish();
    const after = await expectStatus(id, 'active');
    expect((await rowOf(id)).reason).toBeNull();
    await eventually(async () => {
      await server.jobs.tick();
      return enabled().length === 1;
    });
    expect(enabled()).toEqual([after.payment_instrument]);
  });
});

describe('a login that breaks before Finix reads its account', () => {
  it.each([ERROR, WITHHELD])(
    '%s during a renewal: the connection needs repair, and has not failed',
    async (type, reason, breakLogin) => {
      const held = holdCreate(2);
      await start(held);
      const { id } = await connect();
      const finish = await renewal(held);
      breakLogin();
      await handled(type);
      await finish();
      expect((await expectStatus(id, 'needs_repair')).payment_instrument).toBeNull();
      expect(enabled()).toEqual([]);
      expect((await rowOf(id)).reason).toBe(reason);
      // Numbers that are withheld are shared again in Link's update mode only.
      if (type !== 'ITEM/ERROR') return;
      bank().repairLogin(item().item_id);
      const after = await expectStatus(id, 'active');
      expect(enabled()).toEqual([after.payment_instrument]);
    },
  );

  it('ITEM/ERROR after the verification: a repair brings the first instrument', async () => {
    const held = holdCreate(1);
    await start(held);
    const { id } = await connect('user_pending_verification');
    const finish = await firstInstrument(held);
    bank().breakLogin(item().item_id);
    await handled('ITEM/ERROR');
    await finish();
    expect((await expectStatus(id, 'needs_repair')).payment_instrument).toBeNull();
    bank().repairLogin(item().item_id);
    const after = await expectStatus(id, 'active');
    expect(enabled()).toEqual([after.payment_instrument]);
  });

  it('new numbers of a login that needs its customer leave the connection in need of repair', async () => {
    await start();
    const { id } = await connect();
    const old = (await read(id)).payment_instrument;
    bank().announceDisconnect(item().item_id);
    await expectStatus(id, 'needs_repair');
    bank().renumber(item().item_id);
    const after = await expectStatus(id, 'needs_repair');
    expect(after.payment_instrument).not.toBe(old);
    expect(enabled()).toEqual([after.payment_instrument]);
    expect((await rowOf(id)).reason).toBe('PENDING_DISCONNECT');
    bank().repairLogin(item().item_id);
    expect((await expectStatus(id, 'active')).payment_instrument).toBe(after.payment_instrument);
  });
});

it('a login that breaks between the instrument and the end of its task keeps that instrument', async () => {
  await start();
  const { id } = await connect();
  const { payment_instrument } = await read(id);
  await server.storage.db
    .updateTable('connections')
    .set({ status: 'needs_repair', reason: 'ITEM_LOGIN_REQUIRED', goal: 'instrument', goal_since: 0, next_at: 0 })
    .where('id', '=', id)
    .execute();
  await settled();
  expect((await read(id)).payment_instrument).toBe(payment_instrument);
  expect(enabled()).toEqual([payment_instrument]);
  expect(server.ledger.instruments()).toHaveLength(1);
});
