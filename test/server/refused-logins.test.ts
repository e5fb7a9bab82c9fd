import { afterEach, describe, expect, it } from 'vitest';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { beginInJobs, eventHandled, holdCreate } from '../helpers/hold-create.ts';
import { eventually, TestServer, type TestServerOptions } from '../helpers/server.ts';

/**
 * Plaid or Finix refuses an account for good because its customer has just taken it back, or because its login has just
 * broken: before or after the event about that.
 */

let server: TestServer;
afterEach(() => server.close());
const { webhooks, bank, enabled, item, connect, read, settled, expectStatus } = connectionLifecycle(() => server);

const TIMING = { slowBaseMs: 50, slowCapMs: 100 };
const UPDATE_TOKEN = 'public-sandbox-99999999-9999-9999-9999-999999999999';
const PROCESSOR_TOKEN = { service: 'plaid', path: '/processor/token/create', kind: 'plaid_error' } as const;

const start = async (options: TestServerOptions = {}) => {
  server = await TestServer.start({ timing: TIMING, ...options });
};
const renumber = () => bank().renumber(item().item_id);
const revoke = () => bank().revokePermission(item().item_id);
const revokeAccount = () => bank().revokeAccount(item().item_id, item().account_ids[0] ?? '');
const breakLogin = () => bank().breakLogin(item().item_id);
const withhold = () => bank().withholdNumbers(item().item_id);
const rowOf = (id: string) =>
  server.storage.db.selectFrom('connections').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

/** A connection whose next instrument Finix is about to make. */
async function renewing(): Promise<{ id: string; finish: () => Promise<void> }> {
  const held = holdCreate(2);
  await start(held);
  const { id } = await connect();
  return { id, finish: await beginInJobs(server, held, 'AUTH/DEFAULT_UPDATE', renumber) };
}

/** The refusal comes first, and the webhook about its cause later. */
async function expectBetween(finish: () => Promise<void>, id: string, act: () => void): Promise<void> {
  webhooks().hold();
  act();
  await finish();
  const between = await expectStatus(id, 'needs_repair');
  expect(between.payment_instrument).toBeNull();
  // Its events still come, and its customer can repair it.
  expect(item().removed).toBe(false);
  await webhooks().release();
}

const TAKEN_BACK = [
  ['the permission', 'ITEM/USER_PERMISSION_REVOKED', revoke],
  ['the account', 'ITEM/USER_ACCOUNT_REVOKED', revokeAccount],
] as const;

describe('an account that Finix refuses during a renewal because its customer has taken it back', () => {
  it.each(TAKEN_BACK)(
    '%s: the connection is revoked when %s comes after the refusal',
    async (_name, _type, takeBack) => {
      const { id, finish } = await renewing();
      await expectBetween(finish, id, takeBack);
      await expectStatus(id, 'revoked');
      expect(enabled()).toEqual([]);
    },
  );

  it.each(TAKEN_BACK)(
    '%s: the connection is revoked when %s comes before the refusal',
    async (_name, type, takeBack) => {
      const { id, finish } = await renewing();
      takeBack();
      await eventually(async () => (await read(id)).status === 'revoked');
      await finish();
      await eventHandled(server, type);
      await expectStatus(id, 'revoked');
      expect(enabled()).toEqual([]);
    },
  );

  it('a permission that is given again brings the connection its instrument', async () => {
    const { id, finish } = await renewing();
    await expectBetween(finish, id, revoke);
    await expectStatus(id, 'revoked');
    const session = await server.createSession({ connection: id });
    await server.page(session, 'POST', '/link-token', {});
    bank().signInAgain(item().item_id);
    await server.complete(session, UPDATE_TOKEN);
    await eventually(async () => {
      await server.jobs.tick();
      return (await read(id)).status === 'active';
    });
    const { payment_instrument } = await expectStatus(id, 'active');
    expect(enabled()).toEqual([payment_instrument]);
  });

  it('a removal in the meantime stays', async () => {
    const { id, finish } = await renewing();
    webhooks().hold();
    revoke();
    const removing = server.merchant('DELETE', `/v1/connections/${id}`);
    await eventually(async () => (await rowOf(id)).goal !== 'instrument');
    await finish();
    await removing;
    await webhooks().release();
    await expectStatus(id, 'removed');
    expect(enabled()).toEqual([]);
  });
});

describe('an account that Plaid refuses during a renewal because its customer has taken it back', () => {
  // Of a login without accounts Plaid reports that none can be debited.
  it.each(TAKEN_BACK)(
    '%s: the connection is revoked when %s comes after the refusal',
    async (_name, _type, takeBack) => {
      await start();
      const { id } = await connect();
      const { faults } = server.upstream.simulator;
      faults.add({ ...PROCESSOR_TOKEN, kind: 'status', status: 503, times: 1 });
      renumber();
      await eventHandled(server, 'AUTH/DEFAULT_UPDATE');
      faults.add({ ...PROCESSOR_TOKEN, error_code: 'NO_AUTH_ACCOUNTS' });
      await expectBetween(async () => {}, id, takeBack);
      await expectStatus(id, 'revoked');
      expect(enabled()).toEqual([]);
    },
  );

  it.each(['USER_PERMISSION_REVOKED', 'ITEM_NOT_FOUND'])('%s revokes the connection without an event', async (code) => {
    await start();
    const { id } = await connect();
    server.upstream.simulator.faults.add({ ...PROCESSOR_TOKEN, error_code: code });
    renumber();
    await expectStatus(id, 'revoked');
    expect(await rowOf(id)).toMatchObject({ reason: code, payment_instrument: null });
    expect(enabled()).toEqual([]);
  });
});

describe('an account that Finix refuses during a renewal because its login has just broken', () => {
  it.each([
    ['ITEM/ERROR', breakLogin],
    ['AUTH/PRODUCT_PERMISSIONS_REQUIRED', withhold],
  ])('the connection needs repair when %s comes after the refusal', async (_type, breakIt) => {
    const { id, finish } = await renewing();
    await expectBetween(finish, id, breakIt);
    await expectStatus(id, 'needs_repair');
    expect(enabled()).toEqual([]);
  });

  it('a login that is repaired elsewhere brings the connection its instrument', async () => {
    const { id, finish } = await renewing();
    await expectBetween(finish, id, breakLogin);
    await expectStatus(id, 'needs_repair');
    bank().repairLogin(item().item_id);
    const { payment_instrument } = await expectStatus(id, 'active');
    expect(enabled()).toEqual([payment_instrument]);
  });

  it('nothing is decided while Plaid does not answer', async () => {
    const { id, finish } = await renewing();
    const isBack = server.upstream.simulator.faults.add({
      service: 'plaid',
      path: '/item/get',
      kind: 'status',
      status: 500,
    });
    webhooks().hold();
    revoke();
    await finish();
    expect(await rowOf(id)).toMatchObject({ status: 'pending', goal: 'instrument' });
    isBack();
    await expectStatus(id, 'needs_repair');
    await webhooks().release();
    await expectStatus(id, 'revoked');
  });
});

it('an account that Finix refuses during a renewal while Plaid shares it has failed, and its login is removed', async () => {
  await start();
  const { id } = await connect();
  server.upstream.simulator.faults.add({
    service: 'finix',
    path: '/payment_instruments',
    method: 'POST',
    kind: 'finix_error',
    status: 422,
  });
  const { item_id } = item();
  renumber();
  await expectStatus(id, 'failed');
  expect(enabled()).toEqual([]);
  const gone = server.ledger.items().find((one) => one.item_id === item_id);
  expect(gone?.removed).toBe(true);
});

describe('a permission that is taken back while the first instrument is made', () => {
  it.each([
    ['after', true],
    ['before', false],
  ])('a verified account is revoked when the event comes %s the refusal', async (_order, isLater) => {
    const held = holdCreate(1);
    await start(held);
    const { id } = await connect('user_pending_verification');
    const verify = () => bank().verify(item().item_id, 'automatically_verified');
    const finish = await beginInJobs(server, held, 'AUTH/AUTOMATICALLY_VERIFIED', verify);
    if (isLater) {
      await expectBetween(finish, id, revoke);
    } else {
      revoke();
      await eventually(async () => (await read(id)).status === 'revoked');
      await finish();
    }
    await expectStatus(id, 'revoked');
    expect(enabled()).toEqual([]);
  });

  it.each([
    ['after', true],
    ['before', false],
  ])('the customer is asked to connect again when the event comes %s the refusal', async (_order, isLater) => {
    const held = holdCreate(1);
    await start(held);
    const session = await server.createSession();
    const done = server.complete(session, await server.publicToken());
    await eventually(held.isHeld);
    if (isLater) webhooks().hold();
    const { item_id } = item();
    revoke();
    if (!isLater) await eventHandled(server, 'ITEM/USER_PERMISSION_REVOKED');
    held.open();
    expect((await done).body.code).toBe('restart_required');
    if (isLater) await webhooks().release();
    await settled();
    expect(enabled()).toEqual([]);
    await eventually(async () => {
      await server.jobs.tick();
      return server.ledger.items().find((one) => one.item_id === item_id)?.removed;
    });
  });
});

it.each([
  ['after', true],
  ['before', false],
])(
  'a permission that is taken back during a repair’s create call revokes the connection when the event comes %s the refusal',
  async (_order, isLater) => {
    const held = holdCreate(2);
    await start(held);
    // A bank that gives other numbers after a new sign-in.
    const { id } = await connect(undefined, 'ins_127287');
    breakLogin();
    await expectStatus(id, 'needs_repair');
    const session = await server.createSession({ connection: id });
    await server.page(session, 'POST', '/link-token', {});
    bank().signInAgain(item().item_id);
    const done = server.complete(session, UPDATE_TOKEN);
    await eventually(held.isHeld);
    if (isLater) webhooks().hold();
    revoke();
    if (!isLater) await eventHandled(server, 'ITEM/USER_PERMISSION_REVOKED');
    held.open();
    expect((await done).body.code).toBe('restart_required');
    expect(item().removed).toBe(false);
    if (isLater) await webhooks().release();
    await expectStatus(id, 'revoked');
    expect(enabled()).toEqual([]);
  },
);
