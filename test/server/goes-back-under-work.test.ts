import { afterEach, expect, it } from 'vitest';
import type { Clients } from '../../server/create-server.ts';
import { decideCreateCalls } from '../helpers/decide-create-calls.ts';
import { Gate } from '../helpers/gate.ts';
import { copyOf, putBack } from '../helpers/put-back.ts';
import { eventually, TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

/** The first session's accounts, and its processor token, come from Plaid when a test lets them. */
function slowAtPlaid() {
  const held = { accounts: new Gate(), token: new Gate(), asked: 0, slowTokens: 0, slow: '' };
  const wrapClients = ({ plaid, finix }: Clients): Clients => ({
    finix,
    plaid: {
      ...plaid,
      async getAccounts(accessToken) {
        held.asked += 1;
        if (held.asked === 1) {
          held.slow = accessToken;
          await held.accounts.passed;
        }
        return plaid.getAccounts(accessToken);
      },
      async createProcessorToken(accessToken, account) {
        if (accessToken === held.slow) {
          held.slowTokens += 1;
          await held.token.passed;
        }
        return plaid.createProcessorToken(accessToken, account);
      },
    },
  });
  return { held, wrapClients };
}

it.each([
  ['its accounts', 'accounts'],
  ['its processor token', 'token'],
] as const)(
  'a session that waits for %s while the database goes back looks at Finix before it creates',
  async (_of, at) => {
    const { held, wrapClients } = slowAtPlaid();
    server = await TestServer.start({ quietMs: 400, wrapClients });
    const session = await server.createSession();
    const completing = server.complete(session, await server.publicToken());
    await eventually(async () => held.asked === 1);
    const copy = await copyOf(server.storage);
    await server.jobs.tick();
    // The same customer, in another tab: all of it is lost.
    expect((await server.connect()).answer.body.status).toBe('completed');
    if (at === 'token') {
      held.accounts.open();
      await eventually(async () => held.slowTokens === 1);
    }
    await putBack(server.storage, copy);
    await server.jobs.tick();
    held.accounts.open();
    held.token.open();
    const { body } = await completing;
    expect(body.status).toBe('completed');
    await decideCreateCalls(server);
    const enabled = server.ledger.instruments().filter((one) => one['enabled'] === true);
    expect(enabled.map(({ id }) => id)).toEqual([body.connections[0].payment_instrument]);
    const identities = server.ledger.identities().map(({ id }) => ({ finix_identity: id }));
    expect(identities).toHaveLength(1);
    // The next bank uses it, however much later it comes.
    expect(await server.storage.db.selectFrom('customers').select('finix_identity').execute()).toEqual(identities);
  },
);

/** Holds the session that is completed next at `call`, and calls `act` before the transaction that follows on it. */
function beforeAnnouncing(call: 'getAccounts' | 'createProcessorToken', act: () => Promise<void>) {
  const held = { gate: new Gate(), isArmed: false, isThere: false, isNext: false };
  const wrapClients = ({ plaid, finix }: Clients): Clients => {
    const original = plaid[call] as (...args: unknown[]) => Promise<unknown>;
    const slow = async (...args: unknown[]) => {
      if (!held.isArmed) return original(...args);
      held.isArmed = false;
      held.isThere = true;
      await held.gate.passed;
      const answer = await original(...args);
      held.isNext = true;
      return answer;
    };
    return { finix, plaid: { ...plaid, [call]: slow } };
  };
  const watch = (storage: TestServer['storage']) => {
    const { transaction } = storage;
    storage.transaction = async (scope, fn) => {
      const isNow = held.isNext;
      held.isNext = false;
      if (isNow) await act();
      return transaction(scope, fn);
    };
  };
  return { held, wrapClients, watch };
}

it.each([
  ['the first identity', 'getAccounts', 0],
  ['an instrument', 'createProcessorToken', 1],
] as const)(
  'a session looks at Finix before it creates when the database goes back while it announces %s',
  async (_kind, call, before) => {
    let copy: Awaited<ReturnType<typeof copyOf>> | undefined;
    let wasRestored = false;
    const { held, wrapClients, watch } = beforeAnnouncing(call, async () => {
      if (copy) await putBack(server.storage, copy);
      await server.jobs.tick();
      wasRestored = true;
    });
    server = await TestServer.start({ quietMs: 400, wrapClients });
    watch(server.storage);
    for (let bank = 0; bank < before; bank++) await server.connect();
    held.isArmed = true;
    const session = await server.createSession();
    const completing = server.complete(session, await server.publicToken());
    await eventually(async () => held.isThere);
    copy = await copyOf(server.storage);
    await server.jobs.tick();
    // The same customer, in another tab: all of it is lost.
    expect((await server.connect()).answer.body.status).toBe('completed');
    const { length } = server.ledger.instruments();
    held.gate.open();
    const { body } = await completing;
    expect([wasRestored, body.status]).toEqual([true, 'completed']);
    await decideCreateCalls(server);
    const enabled = server.ledger.instruments().filter((one) => one['enabled'] === true);
    expect(enabled.map(({ id }) => id)).toEqual([body.connections[0].payment_instrument]);
    expect(server.ledger.identities()).toHaveLength(1);
    expect(server.ledger.instruments()).toHaveLength(length + 1);
  },
);
