import { afterEach, describe, expect, it } from 'vitest';
import type { Session } from '../../widget/contract.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { holdCreate } from '../helpers/hold-create.ts';
import { type Answer, eventually, TestServer } from '../helpers/server.ts';

/** AUTH/DEFAULT_UPDATE while a session works on the login: the old numbers are out of use at once. */

let server: TestServer;
afterEach(() => server.close());
const { bank, enabled, item, events, read, expectStatus, settled } = connectionLifecycle(() => server);

/** What Link's update mode gives: a token that is not to be exchanged. */
const UPDATE_TOKEN = 'public-sandbox-99999999-9999-9999-9999-999999999999';
/** Plaid's OAuth bank of its Sandbox; its accounts have numbers that are tokens. */
const TOKENIZING = 'ins_127287';
/** A page that waits for its session until a test has let it go on. */
const ANSWER_MS = 120_000;

const idsOf = ({ body }: Answer) => body.connections.map(({ id }: { id: string }) => id) as string[];
const instrumentOf = async (id: string) => (await read(id)).payment_instrument;

async function connectSeveral(): Promise<string[]> {
  const session = await server.createSession({ account_selection: 'multiple' });
  return idsOf(await server.complete(session, await server.publicToken('user_several', TOKENIZING)));
}

/** A session whose customer has signed in again in Link. */
async function expectSignedIn(connection: string): Promise<Session> {
  bank().signInAgain(item().item_id);
  const session = await server.createSession({ connection });
  expect((await server.page(session, 'POST', '/link-token', {})).status).toBe(200);
  return session;
}

/** Each connection is active with an enabled instrument, and nothing else is enabled. */
async function expectEachEnabled(ids: string[]): Promise<void> {
  await settled();
  const present = await Promise.all(ids.map((id) => read(id)));
  expect(present.map(({ status }) => status)).toEqual(ids.map(() => 'active'));
  await eventually(async () => {
    await server.jobs.tick();
    return enabled().length === ids.length;
  });
  expect(enabled().sort()).toEqual(present.map(({ payment_instrument }) => payment_instrument).sort());
}

describe('new account numbers while a repair of one account of the login is processed', () => {
  it('are taken on for all accounts while the repair waits for Plaid', async () => {
    server = await TestServer.start({ answerWithinMs: 100, timing: { slowBaseMs: 50, slowCapMs: 100 } });
    const session = await server.createSession({ account_selection: 'multiple' });
    await server.complete(session, await server.publicToken('user_several', TOKENIZING));
    const ids = await eventually(async () => {
      const answer = await server.merchant('GET', `/v1/sessions/${session.id}`);
      return answer.body.status === 'completed' && idsOf(answer);
    });
    const old = enabled();
    expect(old).toHaveLength(ids.length);
    bank().breakLogin(item().item_id);
    for (const id of ids) await expectStatus(id, 'needs_repair');
    const repair = await expectSignedIn(ids[0] ?? '');
    server.upstream.simulator.faults.add({ service: 'plaid', path: '/accounts/get', kind: 'status', status: 500 });
    expect((await server.complete(repair, UPDATE_TOKEN)).status).toBe(202);
    bank().renumber(item().item_id);
    await eventually(async () => {
      await server.jobs.tick();
      return !enabled().some((one) => old.includes(one)) && enabled().length === ids.length;
    });
    expect((await server.merchant('GET', `/v1/sessions/${repair.id}`)).body.status).toBe('processing');
    server.upstream.simulator.faults.clear();
    await eventually(async () => {
      server.clockOffset += 1_000;
      await server.jobs.tick();
      return (await server.merchant('GET', `/v1/sessions/${repair.id}`)).body.status === 'completed';
    });
    await expectEachEnabled(ids);
  });

  it('are taken on once for the other accounts while the repair makes its instrument, and then for its own', async () => {
    const held = holdCreate(5);
    server = await TestServer.start({ wrapClients: held.wrapClients, answerWithinMs: ANSWER_MS });
    const ids = await connectSeveral();
    const [repairedId = '', ...others] = ids;
    expect(others).toHaveLength(3);
    const old = await Promise.all(others.map(instrumentOf));
    const { db } = server.storage;
    await db.updateTable('connections').set({ status: 'needs_repair' }).where('id', '=', repairedId).execute();
    const repair = await expectSignedIn(repairedId);
    const repairing = server.complete(repair, UPDATE_TOKEN);
    await eventually(held.isHeld);
    bank().renumber(item().item_id);
    const renewed = await eventually(async () => {
      await server.jobs.tick();
      const present = await Promise.all(others.map(read));
      const isDone = present.every(({ status }, i) => status === 'active' && present[i]?.payment_instrument !== old[i]);
      return isDone && present.map(({ payment_instrument }) => payment_instrument);
    });
    // The event waits for the repair, and is looked at again.
    const waiting = (await events()).filter(({ type }) => type === 'AUTH/DEFAULT_UPDATE');
    expect(waiting.map(({ status }) => status)).toEqual(['received']);
    await eventually(async () => {
      server.clockOffset += 100;
      await server.jobs.tick();
      return ((await events()).find(({ type }) => type === 'AUTH/DEFAULT_UPDATE')?.tries ?? 0) > 2;
    });
    held.open();
    expect((await repairing).body.status).toBe('completed');
    await eventually(async () => {
      server.clockOffset += 100;
      await server.jobs.tick();
      return (await instrumentOf(repairedId)) !== held.made && (await read(repairedId)).status === 'active';
    });
    await expectEachEnabled(ids);
    expect(await Promise.all(others.map(instrumentOf))).toEqual(renewed);
  });
});

it('new account numbers while a session connects another account: the first one’s old instrument is disabled at once', async () => {
  const held = holdCreate(2);
  server = await TestServer.start({ wrapClients: held.wrapClients, answerWithinMs: ANSWER_MS });
  const session = await server.createSession({ account_selection: 'multiple' });
  const connecting = server.complete(session, await server.publicToken('user_several'));
  await eventually(held.isHeld);
  const [old] = enabled();
  bank().renumber(item().item_id);
  await eventually(async () => {
    await server.jobs.tick();
    return enabled().length === 0;
  });
  held.open();
  const answer = await connecting;
  expect(answer.body.status).toBe('completed');
  await eventually(async () => {
    server.clockOffset += 100;
    await server.jobs.tick();
    return (await events()).every(({ status }) => status !== 'received');
  });
  await expectEachEnabled(idsOf(answer));
  expect(enabled()).not.toContain(old);
});
