import { afterEach, expect, it } from 'vitest';
import type { Clients } from '../../server/create-server.ts';
import { Gate } from '../helpers/gate.ts';
import { TestServer } from '../helpers/server.ts';

/** What a customer waits for, counted in calls that follow one another, and not in time. */

let server: TestServer;
afterEach(async () => {
  await server.close();
});

interface Call {
  name: string;
  /** The calls that were answered when it was sent: it may have waited for each. */
  after: Call[];
}

/** The longest row of calls of which each may have waited for the one before. */
function longestChain(calls: readonly Call[]): string[] {
  const chainOf = ({ name, after }: Call): string[] => [...longestChain(after), name];
  return calls.map(chainOf).reduce((longest, chain) => (chain.length > longest.length ? chain : longest), []);
}

/** Calls that can be in flight at the same time are held until they are. */
async function expectCallsOfOneBank(ownership: 'off' | 'report'): Promise<string[]> {
  const calls: Call[] = [];
  const answered: Call[] = [];
  const identitySent = new Gate();
  const tokenLimited = new Gate();
  const completed = new Gate();
  /** What is sent opens a gate, or is answered only when one is open. */
  const held: Record<string, { opens?: Gate; waitsFor?: Gate; opensAfter?: Gate }> = {
    createIdentity: { opens: identitySent, waitsFor: tokenLimited },
    createProcessorToken: { waitsFor: identitySent },
    limitProcessorToken: { opensAfter: tokenLimited },
    matchOwner: { waitsFor: completed },
  };
  const recording = <T extends object>(client: T): T =>
    new Proxy(client, {
      get(target, key) {
        const method: unknown = Reflect.get(target, key);
        const name = String(key);
        if (typeof method !== 'function' || name === 'warmUp') return method;
        return async (...args: unknown[]) => {
          const { opens, waitsFor, opensAfter } = held[name] ?? {};
          const call: Call = { name, after: [...answered] };
          calls.push(call);
          opens?.open();
          await waitsFor?.passed;
          try {
            return await method.apply(target, args);
          } finally {
            answered.push(call);
            opensAfter?.open();
          }
        };
      },
    });
  server = await TestServer.start({
    wrapClients: ({ plaid, finix }: Clients) => ({ plaid: recording(plaid), finix: recording(finix) }),
  });
  const identity = { first_name: 'Alberta', last_name: 'Charleson' };
  const session = await server.createSession({ customer_id: 'cus_1', identity, ownership });
  const publicToken = await server.publicToken();
  calls.length = 0;
  answered.length = 0;
  const { body } = await server.complete(session, publicToken);
  expect(body.status).toBe('completed');
  expect(calls.filter(({ name }) => name === 'matchOwner')).toHaveLength(ownership === 'report' ? 1 : 0);
  const chain = longestChain(calls);
  completed.open();
  return chain;
}

const FIVE_CALLS = [
  'exchangePublicToken',
  'getAccounts',
  'createProcessorToken',
  'limitProcessorToken',
  'createPaymentInstrument',
];

it.each(['off', 'report'] as const)(
  'a customer waits for five calls that follow one another, with ownership: %s',
  async (ownership) => {
    expect(await expectCallsOfOneBank(ownership)).toEqual(FIVE_CALLS);
  },
);

it('a processor token is not made for an owner who may be refused', async () => {
  const gate = new Gate();
  const asked = new Gate();
  let tokens = 0;
  server = await TestServer.start({
    wrapClients: ({ plaid, finix }) => ({
      finix,
      plaid: {
        ...plaid,
        async matchOwner(...args) {
          asked.open();
          await gate.passed;
          return plaid.matchOwner(...args);
        },
        createProcessorToken(...args) {
          tokens += 1;
          return plaid.createProcessorToken(...args);
        },
      },
    }),
  });
  const identity = { first_name: 'Alberta', last_name: 'Charleson' };
  const session = await server.createSession({ customer_id: 'cus_1', identity, ownership: 'require' });
  const completing = server.complete(session, await server.publicToken('user_owner_mismatch'));
  await asked.passed;
  await expect.poll(() => server.ledger.identities().length).toBe(1);
  gate.open();
  expect((await completing).body.code).toBe('owner_mismatch');
  expect(tokens).toBe(0);
});
