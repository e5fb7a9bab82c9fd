import { afterEach, describe, expect, it } from 'vitest';
import type { FaultRule } from '../../demo/simulator/index.ts';
import type { CreateCallTable } from '../../server/storage/tables.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { Gate } from '../helpers/gate.ts';
import { patient } from '../helpers/patience.mjs';
import { eventually, QUICK, TestServer } from '../helpers/server.ts';

/** Which create calls are sent to Finix, and by which worker. */

let server: TestServer;
afterEach(() => server.close());
const { bank, item, enabled, connect, expectStatus } = connectionLifecycle(() => server);

const IDENTITY = { service: 'finix', path: '/identities', method: 'POST' } as const;
const INSTRUMENT = { service: 'finix', path: '/payment_instruments', method: 'POST' } as const;
/** Longer than a worker may take from its intent to its call, and shorter than its lease. */
const FROZEN_MS = 20_000;

const fault = (rule: FaultRule) => server.upstream.simulator.faults.add(rule);
const callsTo = (path: string) =>
  server.ledger
    .calls()
    .filter((call) => call.path === path)
    .map(({ method }) => method);

/** The process is frozen once, right after it has stored that it is about to send a call of this kind. */
function freezeAfterIntent(kind: CreateCallTable['kind']): void {
  const { storage } = server;
  const { transaction } = storage;
  let isFrozen = false;
  storage.transaction = async (scope, fn) => {
    const written = await transaction(scope, fn);
    if (isFrozen) return written;
    const intent = await storage.db.selectFrom('create_calls').select('id').where('kind', '=', kind).executeTakeFirst();
    isFrozen = intent !== undefined;
    if (isFrozen) server.clockOffset += FROZEN_MS;
    return written;
  };
}

describe('a worker that was frozen between its intent and its create call', () => {
  it.each([
    ['instrument', INSTRUMENT.path],
    ['identity', IDENTITY.path],
  ] as const)('a frozen worker sends no create call of an %s before it has looked', async (kind, path) => {
    server = await TestServer.start(QUICK);
    freezeAfterIntent(kind);
    const { answer } = await server.connect();
    expect(answer.body.status).toBe('completed');
    // Another worker may have created in the meantime.
    expect(callsTo(path)).toEqual(['GET', 'POST']);
  });
});

it('an identity is created only by the session that holds the customer’s turn', async () => {
  const looked = new Gate();
  const creating = new Gate();
  let isLooking = false;
  let isCreating = false;
  server = await TestServer.start({
    ...QUICK,
    wrapClients: ({ plaid, finix }) => ({
      plaid,
      finix: {
        ...finix,
        async listIdentities(since) {
          const found = await finix.listIdentities(since);
          isLooking = true;
          await looked.passed;
          return found;
        },
      },
    }),
  });
  const { upstream, storage } = server;
  const other = await TestServer.start({
    ...QUICK,
    timeoutMs: patient(5_000),
    upstream,
    storage,
    wrapClients: ({ plaid, finix }) => ({
      plaid,
      finix: {
        ...finix,
        async createIdentity(request) {
          isCreating = true;
          await creating.passed;
          return finix.createIdentity(request);
        },
      },
    }),
  });
  fault({ ...IDENTITY, kind: 'status', times: 1 });
  const first = await server.createSession();
  const completing = server.complete(first, await server.publicToken());
  await eventually(async () => isLooking);
  // Its turn is over for the other server, whose session makes the identity from here on.
  other.clockOffset = 76_000;
  const second = await other.createSession();
  const completingToo = other.complete(second, await other.publicToken());
  await eventually(async () => isCreating);
  const versionOf = () =>
    storage.db.selectFrom('sessions').select('version').where('id', '=', first.id).executeTakeFirstOrThrow();
  const { version } = await versionOf();
  looked.open();
  await eventually(async () => (await versionOf()).version > version);
  creating.open();
  expect((await completingToo).body.status).toBe('completed');
  expect((await completing).body.status).toBe('completed');
  expect(server.ledger.identities()).toHaveLength(1);
  await other.close();
});

it('two sessions that both find no identity of their customer create one', async () => {
  const together = new Gate();
  let arrived = 0;
  server = await TestServer.start({
    ...QUICK,
    wrapClients: ({ plaid, finix }) => ({
      finix,
      plaid: {
        ...plaid,
        async getAccounts(accessToken) {
          const login = await plaid.getAccounts(accessToken);
          arrived++;
          if (arrived === 2) together.open();
          await together.passed;
          return login;
        },
      },
    }),
  });
  const answers = await Promise.all([server.connect(), server.connect()]);
  expect(answers.map(({ answer }) => answer.body.status)).toEqual(['completed', 'completed']);
  expect(callsTo(IDENTITY.path)).toEqual(['POST']);
});

it('a session waits for the identity that another session of its customer is just creating', async () => {
  const creating = new Gate();
  let creates = 0;
  server = await TestServer.start({
    ...QUICK,
    wrapClients: ({ plaid, finix }) => ({
      plaid,
      finix: {
        ...finix,
        async createIdentity(request) {
          creates++;
          await creating.passed;
          return finix.createIdentity(request);
        },
      },
    }),
  });
  const completing = server.connect();
  await eventually(async () => creates === 1);
  const second = await server.createSession();
  const completingToo = server.complete(second, await server.publicToken());
  // It has asked for its turn, and waits.
  await eventually(async () => {
    const sessions = server.storage.db.selectFrom('sessions');
    const row = await sessions.select('waited_ms').where('id', '=', second.id).executeTakeFirstOrThrow();
    return row.waited_ms > 0;
  });
  creating.open();
  const answers = [(await completing).answer, await completingToo];
  expect(answers.map(({ body }) => body.status)).toEqual(['completed', 'completed']);
  // Finix's list, which may be late, was not needed.
  expect(callsTo(IDENTITY.path)).toEqual(['POST']);
});

it('an instrument that replaces another has a tag of its own, by which a lost call is found', async () => {
  server = await TestServer.start(QUICK);
  const { id } = await connect();
  const [old] = enabled();
  fault({ ...INSTRUMENT, kind: 'timeout', when: 'after', times: 1 });
  bank().renumber(item().item_id);
  await eventually(async () => server.ledger.instruments().length === 2);
  const { payment_instrument } = await expectStatus(id, 'active');
  expect(payment_instrument).not.toBe(old);
  expect(enabled()).toEqual([payment_instrument]);
  const tags = server.ledger
    .instruments()
    .map((made) => (made['tags'] as Record<string, string>)['finix_bank_connect_connection']);
  expect(tags).toEqual([id, `${id}.1`]);
});
