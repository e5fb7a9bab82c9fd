import { afterEach, describe, expect, it } from 'vitest';
import { debits, startWithDebits } from '../helpers/debits.ts';
import { Gate } from '../helpers/gate.ts';
import type { Answer, TestServer } from '../helpers/server.ts';

/** What Signal learns of a debit and its return is the same, whichever of them is known first. */

let server: TestServer;
afterEach(() => server.close());

const { ach, bring, connectNew, debit, events, expectStatus, settled, webhooks } = debits(() => server);

const env = { DEBIT_CHECK: 'signal', CHECK_TIMEOUT_SECONDS: '60' };

/** A server whose questions to Signal are held, by the debit's id. */
async function startHolding(
  returns: 'act' | 'report' = 'report',
): Promise<Map<string, { reached: Gate; passed: Gate }[]>> {
  const held = new Map<string, { reached: Gate; passed: Gate }[]>();
  server = await startWithDebits({
    // One connection does for every order of events.
    env: { ...env, RETURNS: returns },
    // A request that has stopped in a test renews its lease no more.
    timing: { checkLeaseMs: 3600_000 },
    wrapClients: (clients) => ({
      ...clients,
      plaid: {
        ...clients.plaid,
        async evaluateDebit(asked, timeoutMs) {
          const gates = held.get(asked.clientTransactionId)?.shift();
          const answer = await clients.plaid.evaluateDebit(asked, timeoutMs);
          gates?.reached.open();
          await gates?.passed.passed;
          return answer;
        },
      },
    }),
  });
  return held;
}

async function consented(): Promise<string> {
  const { id } = await connectNew();
  for (const { item_id } of server.ledger.items()) server.upstream.simulator.bank.grantConsent(item_id, ['signal']);
  return id;
}

function check(connection: string, amount: number, client_transaction_id: string): Promise<Answer> {
  const body = { amount, currency: 'USD', client_transaction_id };
  return server.merchant('POST', `/v1/connections/${connection}/check`, body);
}

/** Bodies of Finix's events about a debit: made, failed, taken back. */
async function expectEventsOf(connection: string, amount: number, name: string): Promise<Record<Event, string[]>> {
  const before = webhooks().sent().length;
  webhooks().hold();
  const transfer = await debit(connection, amount, { idempotency_id: name });
  const made = webhooks().sent().slice(before);
  ach().returnDebit(transfer, 'R10', { form: 'reversal' });
  const later = webhooks()
    .sent()
    .slice(before + made.length);
  webhooks().drop();
  const bodies = (of: typeof made) => of.filter(({ service }) => service === 'finix').map(({ body }) => body);
  const isReversal = (body: string) => body.includes('"REVERSAL"');
  const some = {
    created: bodies(made),
    failed: bodies(later).filter((body) => !isReversal(body)),
    returned: bodies(later).filter(isReversal),
  };
  for (const one of Object.values(some)) expect(one).toHaveLength(1);
  return some;
}

/** Brings an event, and waits until it is handled. */
async function expectHappens(bodies: string[]): Promise<void> {
  for (const body of bodies) expect(await bring(body)).toBe(200);
  await expect.poll(async () => (await events()).every(({ status }) => status !== 'received')).toBe(true);
}

async function expectReported(name: string, expected: { initiated: boolean | null }, order: Step[]): Promise<void> {
  const isReported = async () => {
    await server.jobs.tick();
    const { initiated, returned } = reported(name) ?? {};
    return { order, initiated, returned };
  };
  await expect.poll(isReported).toEqual({ order, ...expected, returned: 'R10' });
}

type Event = 'created' | 'failed' | 'returned';
type Step = Event | 'answered';

function orders<T>(of: readonly T[]): T[][] {
  if (of.length === 0) return [[]];
  return of.flatMap((first) => orders(of.filter((one) => one !== first)).map((rest) => [first, ...rest]));
}

const EVERY = orders<Step>(['answered', 'created', 'failed', 'returned']);
/** The answer at each place among the events, which come as they were made. */
const AROUND = EVERY.filter(
  (order) => order.filter((step) => step !== 'answered').join() === 'created,failed,returned',
);

/** Few for one test, which must not take long on a busy machine: all that begin with a step, or those of AROUND. */
function ordersFor(first?: Step): Step[][] {
  return first === undefined ? AROUND : EVERY.filter(([step]) => step === first);
}

const reported = (name: string) =>
  server.ledger.signalTransactions().find(({ client_transaction_id }) => client_transaction_id === name);

describe('Signal learns of a debit and of its return', () => {
  it.each<[string, number, boolean | null, Step?]>([
    ['a debit that it had accepted', 353, null],
    ['a debit that it had advised against', 2_753, true],
    ['a debit to review, answered first', 1_217, true, 'answered'],
    ['a debit to review, reported first', 1_217, true, 'created'],
    ['a debit to review, failed first', 1_217, true, 'failed'],
    ['a debit to review, taken back first', 1_217, true, 'returned'],
  ])('%s, in any order of the check’s answer and Finix’s events', async (_name, amount, initiated, first) => {
    const held = await startHolding();
    const connection = await consented();
    for (const [index, order] of ordersFor(first).entries()) {
      const name = `order-${index}`;
      const gates = { reached: new Gate(), passed: new Gate() };
      held.set(name, [gates]);
      const answer = check(connection, amount, name);
      await gates.reached.passed;
      const bodies = await expectEventsOf(connection, amount, name);
      for (const step of order) {
        if (step !== 'answered') await expectHappens(bodies[step]);
        else {
          gates.passed.open();
          expect((await answer).status).toBe(200);
        }
      }
      await expectReported(name, { initiated }, order);
    }
  });

  it('a debit whose check died with its instance and is asked again, before, between and after Finix’s events', async () => {
    const held = await startHolding();
    const connection = await consented();
    for (const [index, order] of ordersFor().entries()) {
      const name = `order-${index}`;
      const gates = { reached: new Gate(), passed: new Gate() };
      held.set(name, [gates]);
      const dead = check(connection, 1_217, name);
      await gates.reached.passed;
      const bodies = await expectEventsOf(connection, 1_217, name);
      // Beyond its lease.
      server.clockOffset += 2 * 3600_000;
      for (const step of order) {
        if (step !== 'answered') await expectHappens(bodies[step]);
        else expect((await check(connection, 1_217, name)).body.signal.result).toBe('REVIEW');
      }
      await expectReported(name, { initiated: true }, order);
      gates.passed.open();
      expect((await dead).body).toEqual((await check(connection, 1_217, name)).body);
    }
  });

  it('a debit whose check died with its instance, and whose return stops the check that is asked again', async () => {
    const held = await startHolding('act');
    const connection = await consented();
    const gates = { reached: new Gate(), passed: new Gate() };
    held.set('order-1', [gates]);
    const dead = check(connection, 1_217, 'order-1');
    await gates.reached.passed;
    const { created, failed, returned } = await expectEventsOf(connection, 1_217, 'order-1');
    server.clockOffset += 2 * 3600_000;
    await expectHappens([...returned, ...failed, ...created]);
    await expectStatus(connection, 'revoked');
    expect((await check(connection, 1_217, 'order-1')).body).toMatchObject({ decision: 'stop', signal: null });
    await expectReported('order-1', { initiated: true }, ['returned', 'failed', 'created', 'answered']);
    gates.passed.open();
    expect((await dead).body.decision).toBe('stop');
  });

  it('a debit whose check had no answer in time, because Signal may have evaluated it all the same', async () => {
    server = await startWithDebits({ env });
    const connection = await consented();
    const fault = { service: 'plaid', path: '/signal/evaluate', kind: 'reset', when: 'after' } as const;
    server.upstream.simulator.faults.add(fault);
    expect((await check(connection, 1_217, 'order-1')).body).toMatchObject({ decision: 'review', signal: null });
    ach().returnDebit(await debit(connection, 1_217, { idempotency_id: 'order-1' }), 'R10');
    await settled();
    await expectReported('order-1', { initiated: true }, ['answered', 'returned']);
  });

  it('a debit that Signal does not know, for as long as the question about it may be on its way', async () => {
    server = await startWithDebits({ env });
    const connection = await consented();
    server.upstream.simulator.faults.add({ service: 'plaid', path: '/signal/evaluate', kind: 'reset', times: 1 });
    expect((await check(connection, 1_217, 'order-1')).body.signal).toBeNull();
    ach().returnDebit(await debit(connection, 1_217, { idempotency_id: 'order-1' }), 'R10');
    await settled();
    const isDue = async () => {
      await server.jobs.tick();
      const row = await server.storage.db.selectFrom('checks').select(['tries', 'report_at']).executeTakeFirst();
      return [(row?.tries ?? 0) > 0, row?.report_at !== null];
    };
    await expect.poll(isDue).toEqual([true, true]);
    server.clockOffset += 2 * 3600_000;
    await expect.poll(isDue).toEqual([true, false]);
  });

  it('none of a debit that Signal refused to evaluate', async () => {
    server = await startWithDebits({ env });
    const { id } = await connectNew();
    expect((await check(id, 353, 'order-1')).body.reasons).toMatchObject([{ code: 'consent_required' }]);
    ach().returnDebit(await debit(id, 353, { idempotency_id: 'order-1' }), 'R10');
    await settled();
    await server.jobs.tick();
    const reports = server.ledger.calls().filter(({ path }) => path.startsWith('/signal/') && path.endsWith('/report'));
    expect(reports).toEqual([]);
  });
});
