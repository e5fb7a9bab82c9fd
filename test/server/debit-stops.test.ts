import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FaultRule } from '../../demo/simulator/index.ts';
import { UpstreamError } from '../../server/clients/outbound.ts';
import type { PlaidAccount } from '../../server/clients/plaid.ts';
import type { Clients } from '../../server/create-server.ts';
import type { Session } from '../../widget/contract.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { Gate } from '../helpers/gate.ts';
import { lateInstrumentAnswers } from '../helpers/late-answer.ts';
import { patient } from '../helpers/patience.mjs';
import { type Answer, eventually, TestServer } from '../helpers/server.ts';

let server: TestServer;
const { webhooks, bank, enabled, item, connect, read, expectStatus, settled } = connectionLifecycle(() => server);

/** What Link's update mode gives: a token that is not to be exchanged. */
const UPDATE_TOKEN = 'public-sandbox-99999999-9999-9999-9999-999999999999';
const PLAID = { service: 'plaid', path: '/accounts/get' } as const;

const fault = (rule: FaultRule) => server.upstream.simulator.faults.add(rule);
const remove = (id: string) => server.merchant('DELETE', `/v1/connections/${id}`);
const erase = () => server.merchant('DELETE', '/v1/customers/cus_1');
const calls = (method: string, path: string) =>
  server.ledger.calls().filter((call) => call.method === method && call.path === path).length;
const permissionRevoked = (webhook_code = 'USER_PERMISSION_REVOKED') =>
  webhooks().plaid(`${server.config.publicUrl}/webhooks/plaid`, {
    webhook_type: 'ITEM',
    webhook_code,
    item_id: item().item_id,
    error: { error_type: 'ITEM_ERROR', error_code: 'USER_PERMISSION_REVOKED' },
  });

beforeEach(async () => {
  server = await TestServer.start({ answerWithinMs: 100, timing: { slowBaseMs: 50, slowCapMs: 100 } });
});
afterEach(() => server.close());

/** The page does not wait here for the end of the work. */
async function connected(): Promise<string> {
  const session = await server.createSession();
  await server.complete(session, await server.publicToken());
  return eventually(async () => {
    const { body } = await server.merchant('GET', `/v1/sessions/${session.id}`);
    return body.status === 'completed' && (body.connections[0].id as string);
  });
}

/** A connection whose customer has signed in again while Plaid answers 500, so that its repair waits. */
async function expectRepairWaits(): Promise<{ id: string; session: Session }> {
  const id = await connected();
  bank().breakLogin(item().item_id);
  await expectStatus(id, 'needs_repair');
  const session = await server.createSession({ connection: id });
  await server.page(session, 'POST', '/link-token', {});
  bank().signInAgain(item().item_id);
  fault({ ...PLAID, kind: 'status', status: 500 });
  expect((await server.complete(session, UPDATE_TOKEN)).status).toBe(202);
  return { id, session };
}

/** Plaid works again, and the repair goes on to its end. */
async function repairEnds(session: Session): Promise<Session> {
  server.upstream.simulator.faults.clear();
  return eventually(async () => {
    await server.jobs.tick();
    server.clockOffset += 1_000;
    const { body } = await server.merchant('GET', `/v1/sessions/${session.id}`);
    return body.status !== 'processing' && (body as Session);
  });
}

describe('while a repair waits for Plaid', () => {
  it('a revocation during a repair disables the instrument at once, and the repair does not end as active', async () => {
    const { id, session } = await expectRepairWaits();
    bank().revokePermission(item().item_id);
    await eventually(async () => enabled().length === 0);
    expect((await read(id)).status).toBe('revoked');
    bank().signInAgain(item().item_id);
    expect((await repairEnds(session)).status).toBe('restart_required');
    await expectStatus(id, 'revoked');
    expect(enabled()).toEqual([]);
  });

  it('a removal during a repair is accepted and disables the instrument at once', async () => {
    const { id, session } = await expectRepairWaits();
    const answer = await remove(id);
    expect([answer.status, answer.body.status]).toEqual([200, 'removed']);
    expect(enabled()).toEqual([]);
    expect(await repairEnds(session)).toMatchObject({ status: 'failed', error: { code: 'session_failed' } });
    await expectStatus(id, 'removed');
    expect(enabled()).toEqual([]);
  });

  it('an erasure during a repair disables the instrument at once, and ends the repair', async () => {
    const { id, session } = await expectRepairWaits();
    await erase();
    expect(enabled()).toEqual([]);
    await eventually(async () => {
      await server.jobs.tick();
      server.clockOffset += 1_000;
      return (await erase()).body.status === 'erased';
    });
    expect(['canceled', 'failed']).toContain((await server.merchant('GET', `/v1/sessions/${session.id}`)).body.status);
    await expectStatus(id, 'removed');
  });

  it('after a revocation during a repair the customer signs in once more, and that repair counts', async () => {
    const { id, session } = await expectRepairWaits();
    bank().revokePermission(item().item_id);
    await eventually(async () => enabled().length === 0);
    await repairEnds(session);
    bank().signInAgain(item().item_id);
    const again = await server.complete(session, UPDATE_TOKEN);
    expect([200, 202]).toContain(again.status);
    expect((await repairEnds(session)).status).toBe('completed');
    const { payment_instrument } = await expectStatus(id, 'active');
    expect(enabled()).toEqual([payment_instrument]);
  });

  it('two copies of a revocation during a repair are not taken for repetitions of each other', async () => {
    const { id, session } = await expectRepairWaits();
    webhooks().settings.copies = 2;
    permissionRevoked();
    await eventually(async () => enabled().length === 0);
    expect((await repairEnds(session)).status).toBe('restart_required');
    await expectStatus(id, 'revoked');
    expect(enabled()).toEqual([]);
  });
});

describe('while the answer to a create call of Finix is on its way', () => {
  /** @returns the answer to come, and the connection that waits for its instrument */
  async function connecting(): Promise<{ done: Promise<Answer>; id: string; answer: () => void }> {
    await server.close();
    const answered = new Gate();
    server = await TestServer.start({ wrapClients: lateInstrumentAnswers(answered.passed) });
    const session = await server.createSession();
    const done = server.complete(session, await server.publicToken());
    await eventually(async () => server.ledger.instruments().length === 1);
    const row = await server.storage.db.selectFrom('connections').select('id').executeTakeFirstOrThrow();
    return { done, id: row.id, answer: () => answered.open() };
  }

  it('a revocation during a create call is in the row at once, and what the call makes is disabled', async () => {
    const { done, id, answer } = await connecting();
    permissionRevoked();
    await eventually(async () => (await read(id)).status === 'revoked');
    answer();
    const { body } = await done;
    expect(body.code ?? body.status).toBe('restart_required');
    await expectStatus(id, 'revoked');
    expect(enabled()).toEqual([]);
  });

  it('a removal during a create call is accepted, and what the call makes is disabled', async () => {
    const { done, id, answer } = await connecting();
    expect((await remove(id)).status).toBe(200);
    answer();
    expect((await done).body).toMatchObject({ status: 'failed', error: { code: 'session_failed' } });
    await expectStatus(id, 'removed');
    await settled();
    expect(enabled()).toEqual([]);
  });

  it('an erasure during a create call removes the connection, and what the call makes is disabled', async () => {
    const { done, id, answer } = await connecting();
    expect((await erase()).body.status).toBe('erasing');
    expect((await read(id)).status).toBe('removed');
    answer();
    expect((await done).body.status).toBe('failed');
    expect(enabled()).toEqual([]);
    expect((await erase()).body.status).toBe('erased');
  });
});

it('an erasure while the first call for an account fails ends the session at once', async () => {
  await server.close();
  const failing = new Gate();
  let isCalled = false;
  const wrapClients = ({ plaid, finix }: Clients): Clients => ({
    plaid: {
      ...plaid,
      createProcessorToken: async (...request) => {
        if (server.ledger.instruments().length === 0) return plaid.createProcessorToken(...request);
        isCalled = true;
        await failing.passed;
        throw new UpstreamError('plaid', 'processor/token/create', 'busy', 'TEST');
      },
    },
    finix,
  });
  server = await TestServer.start({ wrapClients });
  // The identity exists already, so nothing is written before the call.
  await connect();
  const session = await server.createSession();
  const done = server.complete(session, await server.publicToken());
  await eventually(async () => isCalled);
  expect((await erase()).status).toBe(202);
  failing.open();
  expect((await done).status).toBeLessThan(500);
  const { status } = await server.storage.db
    .selectFrom('sessions')
    .select('status')
    .where('id', '=', session.id)
    .executeTakeFirstOrThrow();
  expect(status).toBe('failed');
  await eventually(async () => (await erase()).body.status === 'erased');
  expect(enabled()).toEqual([]);
});

describe('while Plaid does not answer how a login is', () => {
  let asked: number;

  /** Lets the first `answered` questions have their answer. @returns ends the silence */
  async function silentAfter(answered: number): Promise<() => void> {
    await server.close();
    const back = new Gate();
    asked = 0;
    const wrapClients = ({ plaid, finix }: Clients): Clients => ({
      finix,
      plaid: {
        ...plaid,
        getItemError: async (token) => {
          if (asked++ >= answered) await back.passed;
          return plaid.getItemError(token);
        },
      },
    });
    server = await TestServer.start({ wrapClients });
    return () => back.open();
  }

  it.each<[string, () => void]>([
    ['a revocation', () => bank().revokePermission(item().item_id)],
    ['a revocation that is reported as an error', () => permissionRevoked('ERROR')],
  ])('%s is not held up by an earlier event of the login whose handler asks Plaid', async (_name, revoke) => {
    const answer = await silentAfter(0);
    const { id } = await connect();
    bank().repairLogin(item().item_id);
    await eventually(async () => asked > 0);
    revoke();
    await eventually(async () => enabled().length === 0);
    expect((await read(id)).status).toBe('revoked');
    answer();
    await expectStatus(id, 'revoked');
  });

  it('a revocation after a repair counts', async () => {
    const answer = await silentAfter(1);
    const { id } = await connect();
    bank().breakLogin(item().item_id);
    await expectStatus(id, 'needs_repair');
    bank().repairLogin(item().item_id);
    await expectStatus(id, 'active');
    bank().revokePermission(item().item_id);
    await eventually(async () => enabled().length === 0);
    expect((await read(id)).status).toBe('revoked');
    answer();
    await expectStatus(id, 'revoked');
  });
});

describe('a webhook during a removal', () => {
  it('a webhook during a removal does not delay its end, and changes nothing of what is being removed', async () => {
    const id = await connected();
    bank().breakLogin(item().item_id);
    await expectStatus(id, 'needs_repair');
    fault({ service: 'plaid', path: '/item/remove', kind: 'delay', delayMs: 300, times: 1 });
    const removing = remove(id);
    await eventually(async () => calls('POST', '/item/remove') === 1);
    // As any other writer does that knows nothing of the removal's worker.
    await server.storage.db
      .updateTable('connections')
      .set((eb) => ({ version: eb('version', '+', 1) }))
      .execute();
    const began = performance.now();
    await removing;
    await expectStatus(id, 'removed');
    expect(performance.now() - began).toBeLessThan(patient(10_000));
    const row = await server.storage.db.selectFrom('connections').selectAll().executeTakeFirstOrThrow();
    expect(row.repaired_at).toBeNull();
  });
});

describe('a repair that finds an account which is not verified yet', () => {
  it('a repair that finds an unverified account leaves no instrument enabled, and the verification brings the next', async () => {
    await server.close();
    let isPending = false;
    const pending = (account: PlaidAccount): PlaidAccount =>
      isPending ? { ...account, verificationStatus: 'pending_automatic_verification' } : account;
    const wrapClients = ({ plaid, finix }: Clients): Clients => ({
      finix,
      plaid: {
        ...plaid,
        getAccounts: async (token) => {
          const answer = await plaid.getAccounts(token);
          return { ...answer, accounts: answer.accounts.map(pending) };
        },
      },
    });
    server = await TestServer.start({ wrapClients });
    const { id } = await connect();
    bank().breakLogin(item().item_id);
    await expectStatus(id, 'needs_repair');
    bank().signInAgain(item().item_id);
    const session = await server.createSession({ connection: id });
    await server.page(session, 'POST', '/link-token', {});
    isPending = true;
    expect((await server.complete(session, UPDATE_TOKEN)).body.status).toBe('completed');
    await expectStatus(id, 'pending_verification');
    await eventually(async () => {
      await server.jobs.tick();
      return enabled().length === 0;
    });
    isPending = false;
    webhooks().plaid(`${server.config.publicUrl}/webhooks/plaid`, {
      webhook_type: 'AUTH',
      webhook_code: 'AUTOMATICALLY_VERIFIED',
      item_id: item().item_id,
      account_id: item().account_ids[0],
    });
    const { payment_instrument } = await expectStatus(id, 'active');
    expect(enabled()).toEqual([payment_instrument]);
  });
});
