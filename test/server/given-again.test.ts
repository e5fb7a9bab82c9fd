import { afterEach, describe, expect, it } from 'vitest';
import type { Clients } from '../../server/create-server.ts';
import type { Session } from '../../widget/contract.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { Gate } from '../helpers/gate.ts';
import { type Answer, eventually, TestServer, type TestServerOptions } from '../helpers/server.ts';

/** A permission that is taken back and given again: late copies of its events come while its repair is written. */

let server: TestServer;
afterEach(() => server.close());
const { webhooks, bank, enabled, item, connect, read, settled, expectStatus } = connectionLifecycle(() => server);

const UPDATE_TOKEN = 'public-sandbox-99999999-9999-9999-9999-999999999999';
const REVOKED = 'ITEM/USER_PERMISSION_REVOKED';

async function start(options: TestServerOptions = {}): Promise<void> {
  server = await TestServer.start({ timing: { slowBaseMs: 50, slowCapMs: 100 }, ...options });
}

/** Delivers once more what was sent first, signed at `at`: with the same second it is the same webhook. */
async function expectDelivered(type: string, at: number): Promise<void> {
  const first = webhooks()
    .sent()
    .find((one) => one.type === type);
  if (!first) throw new Error(`no ${type} was sent`);
  const { status } = await server.request('/webhooks/plaid', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Plaid-Verification': webhooks().signPlaid(first.body, at) },
    body: first.body,
  });
  expect(status).toBe(200);
}

/** Each copy is signed in a second of its own. */
function sendCopy(type: string): Promise<void> {
  server.clockOffset += 2_000;
  return expectDelivered(type, Date.now() + server.clockOffset);
}

/** The customer opens Link's update mode and signs in again. */
async function signIn(id: string): Promise<Session> {
  const session = await server.createSession({ connection: id });
  await server.page(session, 'POST', '/link-token', {});
  bank().signInAgain(item().item_id);
  return session;
}

async function repair(id: string): Promise<Answer> {
  return server.complete(await signIn(id), UPDATE_TOKEN);
}

async function revokedConnection(): Promise<string> {
  const { id } = await connect();
  bank().revokePermission(item().item_id);
  await expectStatus(id, 'revoked');
  return id;
}

async function expectActive(id: string): Promise<void> {
  const { payment_instrument } = await expectStatus(id, 'active');
  expect(enabled()).toEqual([payment_instrument]);
}

/** Holds the next transaction about a customer. */
function holdTransaction() {
  const gate = new Gate();
  const held = { isHeld: false, open: () => gate.open() };
  const { transaction } = server.storage;
  server.storage.transaction = async (scope, fn) => {
    if (!held.isHeld && scope.startsWith('customer:')) {
      held.isHeld = true;
      await gate.passed;
    }
    return transaction(scope, fn);
  };
  return held;
}

const isHeld = (held: { isHeld: boolean }) => eventually(async () => held.isHeld);

describe('a repair that reads its account', () => {
  /**
   * @param before runs before the repair begins
   * @returns the repair, which has yet to read the account, and what lets it go on
   */
  async function reading(before?: () => Promise<void>): Promise<{ id: string; done: Promise<Answer>; go: () => void }> {
    const gate = new Gate();
    let reads = 0;
    const wrapClients = ({ plaid, finix }: Clients): Clients => ({
      finix,
      plaid: {
        ...plaid,
        async getAccounts(token) {
          reads += 1;
          // The first is of connecting.
          if (reads === 2) await gate.passed;
          return plaid.getAccounts(token);
        },
      },
    });
    await start({ wrapClients });
    const id = await revokedConnection();
    await before?.();
    const done = repair(id);
    await eventually(async () => reads === 2);
    return { id, done, go: () => gate.open() };
  }

  it('a late copy of the revocation does not end a repair whose login Plaid calls good', async () => {
    const { id, done, go } = await reading();
    await sendCopy(REVOKED);
    await settled();
    go();
    expect((await done).body.status).toBe('completed');
    await expectActive(id);
  });

  it('a late copy of the revocation that was read just before the repair began does not end it', async () => {
    let copy: ReturnType<typeof holdTransaction> | undefined;
    const { id, done, go } = await reading(async () => {
      const held = holdTransaction();
      copy = held;
      await sendCopy(REVOKED);
      await isHeld(held);
      // The repair begins before the time that the copy has read, as it may between its two reads of the database.
      server.clockOffset -= 1_000;
    });
    copy?.open();
    await settled();
    go();
    expect((await done).body.status).toBe('completed');
    await expectActive(id);
  });

  it('a second revocation ends it, and the connection stays revoked', async () => {
    const { id, done, go } = await reading();
    server.clockOffset += 2_000;
    bank().revokePermission(item().item_id);
    await settled();
    go();
    expect((await done).body.code).toBe('restart_required');
    await expectStatus(id, 'revoked');
    expect(enabled()).toEqual([]);
  });
});

it('a late copy of a revocation that looks for a repair just before one is written does not revoke again', async () => {
  await start();
  const id = await revokedConnection();
  const copy = holdTransaction();
  await sendCopy(REVOKED);
  await isHeld(copy);
  expect((await repair(id)).body.status).toBe('completed');
  copy.open();
  await expectActive(id);
});

it('a late copy of a login’s break that comes while its repair is written does not break the login again', async () => {
  let written: ReturnType<typeof holdTransaction> | undefined;
  let isRepairing = false;
  const wrapClients = ({ plaid, finix }: Clients): Clients => ({
    finix,
    plaid: {
      ...plaid,
      async getItemError(token) {
        const code = await plaid.getItemError(token);
        // The last that a repair asks before it writes.
        if (isRepairing) written ??= holdTransaction();
        return code;
      },
    },
  });
  await start({ wrapClients });
  const { id } = await connect();
  bank().breakLogin(item().item_id);
  await expectStatus(id, 'needs_repair');
  const session = await signIn(id);
  isRepairing = true;
  const done = server.complete(session, UPDATE_TOKEN);
  await eventually(async () => written?.isHeld);
  const copy = holdTransaction();
  await sendCopy('ITEM/ERROR');
  await isHeld(copy);
  written?.open();
  expect((await done).body.status).toBe('completed');
  copy.open();
  await expectStatus(id, 'active');
});

it('a revocation that is delivered again after the repair leaves another copy of it a late copy', async () => {
  await start();
  const { id } = await connect();
  webhooks().hold();
  bank().revokePermission(item().item_id);
  webhooks().drop();
  const at = Date.now();
  await expectDelivered(REVOKED, at);
  await expectStatus(id, 'revoked');
  expect((await repair(id)).body.status).toBe('completed');
  await expectDelivered(REVOKED, at);
  await expectActive(id);
  await expectDelivered(REVOKED, at - 1_000);
  await expectActive(id);
  expect((await read(id)).status).toBe('active');
});
