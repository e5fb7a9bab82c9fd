import { afterEach, expect, it } from 'vitest';
import type { Clients } from '../../server/create-server.ts';
import { debits, startWithDebits } from '../helpers/debits.ts';
import { Gate } from '../helpers/gate.ts';
import { beginInJobs, eventHandled, holdCreate } from '../helpers/hold-create.ts';
import { eventually, QUICK, TestServer } from '../helpers/server.ts';

/** AUTH/DEFAULT_UPDATE while a task, and no session, makes the connection's instrument. */

let server: TestServer;
afterEach(() => server.close());
const { ach, bank, debit, enabled, item, connect, events, read, settled, expectStatus } = debits(() => server);

const UPDATE = 'AUTH/DEFAULT_UPDATE';

/** Plaid signs in whole seconds: the same words within one would be the same webhook. */
async function renumberAgain(): Promise<void> {
  server.clockOffset += 2_000;
  const known = (await events()).length;
  bank().renumber(item().item_id);
  await eventually(async () => (await events()).length > known);
}

/** It is active with an instrument that was made after the last numbers, and nothing else is enabled. */
async function expectRenewed(id: string, ...earlier: string[]): Promise<void> {
  const { payment_instrument } = await expectStatus(id, 'active');
  expect(earlier).not.toContain(payment_instrument);
  await eventually(async () => {
    await server.jobs.tick();
    return enabled().length === 1;
  });
  expect(enabled()).toEqual([payment_instrument]);
}

it.each([
  ['before Finix has carried it out', false],
  ['after Finix has carried it out', true],
])('new numbers during a renewal’s create call, %s, bring another instrument', async (_name, isCarriedOut) => {
  const held = holdCreate(2, isCarriedOut);
  server = await TestServer.start(held);
  const { id } = await connect();
  const finish = await beginInJobs(server, held, UPDATE, () => bank().renumber(item().item_id));
  await renumberAgain();
  await eventHandled(server, UPDATE);
  await finish();
  await expectRenewed(id, held.made);
});

it('new numbers after a renewal’s create call whose answer was lost bring another instrument', async () => {
  server = await TestServer.start(QUICK);
  const { id } = await connect();
  const create = { service: 'finix', path: '/payment_instruments', method: 'POST' } as const;
  server.upstream.simulator.faults.add({ ...create, kind: 'timeout', when: 'after', times: 1 });
  bank().renumber(item().item_id);
  await eventually(async () => server.ledger.instruments().length === 2);
  await eventHandled(server, UPDATE);
  const between = String(server.ledger.instruments().at(-1)?.id);
  await renumberAgain();
  await expectRenewed(id, between);
});

it('new numbers while the first instrument of a verified account is made bring another one', async () => {
  const held = holdCreate(1, true);
  server = await TestServer.start(held);
  const { id } = await connect('user_pending_verification');
  const verify = () => bank().verify(item().item_id, 'automatically_verified');
  const finish = await beginInJobs(server, held, 'AUTH/AUTOMATICALLY_VERIFIED', verify);
  bank().renumber(item().item_id);
  await eventHandled(server, UPDATE);
  await finish();
  await expectRenewed(id, held.made);
});

it('new numbers while the instrument of a return is being disabled bring another one', async () => {
  const gate = new Gate();
  const wrapClients = ({ plaid, finix }: Clients): Clients => ({
    plaid,
    finix: {
      ...finix,
      disablePaymentInstrument: async (id) => {
        await gate.passed;
        return finix.disablePaymentInstrument(id);
      },
    },
  });
  server = await startWithDebits({ wrapClients });
  const { id } = await connect();
  const old = (await read(id)).payment_instrument ?? '';
  const transfer = await debit(id);
  ach().succeed(transfer);
  ach().returnDebit(transfer, 'R04');
  await eventually(async () => (await read(id)).status === 'needs_repair');
  bank().renumber(item().item_id);
  await eventually(async () => (await events()).some(({ type, tries }) => type === UPDATE && tries > 0));
  gate.open();
  await eventually(async () => {
    server.clockOffset += 1_000;
    await server.jobs.tick();
    return (await read(id)).status === 'active';
  });
  await settled();
  await expectRenewed(id, old);
});
