import { afterEach, describe, expect, it } from 'vitest';
import type { Clients } from '../../server/create-server.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { Gate } from '../helpers/gate.ts';
import { eventually, TestServer, type TestServerOptions } from '../helpers/server.ts';

/**
 * A revocation, a repair after it, and the same event once more: Plaid's events carry no time, so that the second can
 * be a late copy, or another revocation.
 */

const HOUR = 3600_000;
const DOWN = { service: 'plaid', path: '/item/get', kind: 'status', status: 500 } as const;
const TIMING = { slowBaseMs: 50, slowCapMs: 100 };

let server: TestServer;
afterEach(() => server.close());
const { webhooks, bank, enabled, item, connect, events, read, settled, expectStatus } = connectionLifecycle(
  () => server,
);

async function start(options: TestServerOptions = {}): Promise<void> {
  server = await TestServer.start({ timing: TIMING, ...options });
}

/** The customer signs in again, and the page completes the repair. */
async function repair(id: string): Promise<void> {
  const session = await server.createSession({ connection: id });
  await server.page(session, 'POST', '/link-token', {});
  bank().signInAgain(item().item_id);
  await server.complete(session, 'public-sandbox-99999999-9999-9999-9999-999999999999');
  await eventually(async () => (await read(id)).status === 'active');
}

/** A connection that was revoked and repaired. */
async function repaired(): Promise<string> {
  const { id } = await connect();
  bank().revokePermission(item().item_id);
  await expectStatus(id, 'revoked');
  await repair(id);
  // Copies are signed when they are sent.
  server.clockOffset += HOUR;
  return id;
}

function sendCopy(): void {
  const [first] = webhooks()
    .sent()
    .filter(({ type }) => type === 'ITEM/USER_PERMISSION_REVOKED');
  if (!first) throw new Error('nothing was revoked yet');
  const { environment: _environment, ...body } = JSON.parse(first.body);
  webhooks().plaid(first.url, body);
}

async function expectStopped(id: string): Promise<void> {
  await eventually(async () => (await read(id)).status === 'revoked');
  await eventually(async () => {
    await server.jobs.tick();
    return enabled().length === 0;
  });
}

/** When the event in doubt is handled again. */
async function putOff(ms: number): Promise<void> {
  await server.storage.db
    .updateTable('inbound_events')
    .set({ next_at: (await server.storage.now()) + ms })
    .where('facts', 'like', '%stopped%')
    .execute();
}

/** A worker has handled it, and has given it back. */
const isInDoubt = async () =>
  (await events()).some(({ lease_until, facts }) => lease_until === 0 && /stopped/.test(facts));

describe('the same revocation once more, while Plaid does not answer', () => {
  it('a late copy stops the debit at once, and the connection is active again when Plaid calls the login good', async () => {
    await start();
    const id = await repaired();
    const before = await read(id);
    const answer = server.upstream.simulator.faults.add(DOWN);
    sendCopy();
    await expectStopped(id);
    answer();
    const after = await expectStatus(id, 'active');
    expect(after.payment_instrument).not.toBe(before.payment_instrument);
    expect(enabled()).toEqual([after.payment_instrument]);
  });

  it('a second revocation stops the debit at once, and for good', async () => {
    await start();
    const id = await repaired();
    const answer = server.upstream.simulator.faults.add(DOWN);
    bank().revokePermission(item().item_id);
    await expectStopped(id);
    answer();
    await expectStatus(id, 'revoked');
    expect(enabled()).toEqual([]);
  });

  it('several copies bring back one instrument', async () => {
    await start();
    const id = await repaired();
    const answer = server.upstream.simulator.faults.add(DOWN);
    for (let copy = 0; copy < 3; copy++) {
      sendCopy();
      server.clockOffset += 2_000;
    }
    await expectStopped(id);
    answer();
    const { payment_instrument } = await expectStatus(id, 'active');
    expect(enabled()).toEqual([payment_instrument]);
  });

  it('a removal in the meantime stays', async () => {
    await start();
    const id = await repaired();
    const answer = server.upstream.simulator.faults.add(DOWN);
    sendCopy();
    await expectStopped(id);
    await server.merchant('DELETE', `/v1/connections/${id}`);
    answer();
    await expectStatus(id, 'removed');
    expect(enabled()).toEqual([]);
  });

  it('a repair in the meantime counts, and is not undone while Plaid still does not answer the copy', async () => {
    await start();
    const id = await repaired();
    const answer = server.upstream.simulator.faults.add(DOWN);
    sendCopy();
    await expectStopped(id);
    await eventually(isInDoubt);
    await putOff(HOUR);
    answer();
    await repair(id);
    const answerAgain = server.upstream.simulator.faults.add(DOWN);
    await putOff(0);
    await expectStatus(id, 'active');
    answerAgain();
    const { payment_instrument } = await expectStatus(id, 'active');
    expect(enabled()).toEqual([payment_instrument]);
  });

  it('an instrument that an operator has disabled at Finix stays disabled', async () => {
    const secret = 'f'.repeat(64);
    await start({ env: { FINIX_WEBHOOK_SECRET: secret } });
    webhooks().settings.finix = { url: `${server.config.publicUrl}/webhooks/finix`, secret };
    const id = await repaired();
    bank().disableInstruments(item().item_id);
    await expectStatus(id, 'revoked');
    const answer = server.upstream.simulator.faults.add(DOWN);
    sendCopy();
    await webhooks().settled();
    answer();
    await settled();
    const row = await server.storage.db.selectFrom('connections').selectAll().executeTakeFirstOrThrow();
    expect(row).toMatchObject({ status: 'revoked', reason: 'instrument_disabled' });
    expect(enabled()).toEqual([]);
  });
});

it('a revocation that comes while Plaid’s earlier answer about a copy is on its way counts', async () => {
  const answered = new Gate();
  const handed = new Gate();
  let mode: 'usual' | 'down' | 'held' = 'usual';
  let isHeld = false;
  const wrapClients = ({ plaid, finix }: Clients): Clients => ({
    finix,
    plaid: {
      ...plaid,
      getItemError: async (token) => {
        if (mode !== 'held' || isHeld) return plaid.getItemError(token);
        isHeld = true;
        const code = await plaid.getItemError(token);
        answered.open();
        await handed.passed;
        return code;
      },
    },
  });
  await start({ wrapClients });
  const id = await repaired();
  const answer = server.upstream.simulator.faults.add(DOWN);
  sendCopy();
  await expectStopped(id);
  mode = 'held';
  answer();
  // Not awaited: the worker that handles the copy waits for the held answer.
  const asking = eventually(async () => {
    await server.jobs.tick();
    return isHeld;
  });
  await answered.passed;
  // Signed in another second than the copy.
  server.clockOffset += 2_000;
  bank().revokePermission(item().item_id);
  await webhooks().settled();
  await eventually(async () => {
    const all = (await events()).filter(({ type }) => type === 'ITEM/USER_PERMISSION_REVOKED');
    return all.filter(({ status }) => status === 'handled').length >= 2;
  });
  handed.open();
  await asking;
  await expectStatus(id, 'revoked');
  expect(enabled()).toEqual([]);
});

it('a revocation is not handled again after the repair when its process ends before the rest', async () => {
  const hanging = new Gate();
  let isHung = false;
  const wrapClients = ({ plaid, finix }: Clients): Clients => ({
    plaid,
    finix: {
      ...finix,
      disablePaymentInstrument: async (id) => {
        isHung = true;
        await hanging.passed;
        return finix.disablePaymentInstrument(id);
      },
    },
  });
  const timing = { ...TIMING, stopLeaseMs: 10_000, inboundLeaseMs: 1_000_000 };
  await start({ wrapClients, timing });
  const { id } = await connect();
  bank().revokePermission(item().item_id);
  await eventually(async () => isHung);
  const first = server;
  // By its clock the lease of the hanging process on the task is over, and that on the event is not.
  const other = await TestServer.start({ upstream: first.upstream, storage: first.storage, timing });
  try {
    other.clockOffset = 100_000;
    await eventually(async () => {
      await other.jobs.tick();
      return enabled().length === 0;
    });
    const session = await other.createSession({ connection: id });
    await other.page(session, 'POST', '/link-token', {});
    bank().signInAgain(item().item_id);
    await other.complete(session, 'public-sandbox-99999999-9999-9999-9999-999999999999');
    await eventually(async () => (await read(id)).status === 'active');
    other.clockOffset = 3_000_000;
    await eventually(async () => {
      await other.jobs.tick();
      return (await events()).every(({ status }) => status !== 'received');
    });
    expect((await read(id)).status).toBe('active');
    expect(enabled()).toEqual([(await read(id)).payment_instrument]);
  } finally {
    hanging.open();
    await other.close();
  }
});

it('an account that is taken back, shared again and taken back once more by the same words is revoked', async () => {
  let isShared = true;
  const wrapClients = ({ plaid, finix }: Clients): Clients => ({
    finix,
    plaid: {
      ...plaid,
      getAccounts: async (token) => {
        const login = await plaid.getAccounts(token);
        return { ...login, accounts: isShared ? login.accounts : [] };
      },
    },
  });
  await start({ wrapClients });
  const { id } = await connect();
  const takeBack = () =>
    webhooks().plaid(`${server.config.publicUrl}/webhooks/plaid`, {
      webhook_type: 'ITEM',
      webhook_code: 'USER_ACCOUNT_REVOKED',
      item_id: item().item_id,
      account_id: item().account_ids[0],
    });
  isShared = false;
  takeBack();
  await expectStatus(id, 'revoked');
  isShared = true;
  await repair(id);
  server.clockOffset += HOUR;
  takeBack();
  await expectStatus(id, 'active');
  server.clockOffset += HOUR;
  isShared = false;
  takeBack();
  await expectStatus(id, 'revoked');
  expect(enabled()).toEqual([]);
});
