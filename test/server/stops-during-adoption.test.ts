import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { debits, startWithDebits } from '../helpers/debits.ts';
import { Gate } from '../helpers/gate.ts';
import { lateInstrumentAnswers } from '../helpers/late-answer.ts';
import { eventually, type TestServer } from '../helpers/server.ts';

/**
 * Stops that are decided while an instrument is being made. No round of jobs runs here once the instrument is there.
 */

let server: TestServer;
afterEach(() => server.close());
const { ach, bank, debit, enabled, item, connect, read, settled, webhooks } = debits(() => server);

/** Longer than a test: what disables by Finix's list finds nothing there. */
const LAG_MS = 3600_000;

let answered: Gate;

/** The second create call's answer is on its way until `answered` is open. */
async function startWithLateAnswer(): Promise<void> {
  answered = new Gate();
  const wrapClients = lateInstrumentAnswers(answered.passed, () => server.ledger.instruments().length > 1);
  server = await startWithDebits({ wrapClients, simulator: { listLagMs: LAG_MS } });
}

/** A connection with a renewal whose create call Finix has carried out. */
async function renewing(): Promise<string> {
  const { id } = await connect();
  bank().renumber(item().item_id);
  await eventually(async () => server.ledger.instruments().length === 2);
  return id;
}

/** Before the create call is answered: what jobs do until then is not what is tested. */
async function expectRemoved(id: string): Promise<void> {
  await eventually(async () => {
    await server.jobs.tick();
    return (await read(id)).status === 'removed';
  });
}

describe('while the answer to a renewal’s create call is on its way', () => {
  beforeEach(startWithLateAnswer);

  it('a removal ends, and what the call has made is disabled with its answer', async () => {
    const id = await renewing();
    await server.merchant('DELETE', `/v1/connections/${id}`);
    await expectRemoved(id);
    expect(enabled()).toHaveLength(1);
    answered.open();
    await eventually(async () => enabled().length === 0);
  });

  it('an erasure removes the connection, and what the call has made is disabled with its answer', async () => {
    const id = await renewing();
    await server.merchant('DELETE', '/v1/customers/cus_1');
    await expectRemoved(id);
    expect(enabled()).toHaveLength(1);
    answered.open();
    await eventually(async () => enabled().length === 0);
  });
});

describe('a return of the account that comes before its new instrument', () => {
  beforeEach(async () => {
    server = await startWithDebits();
  });

  it.each([
    ['R10', 'revoked'],
    ['R02', 'failed'],
    ['R04', 'needs_repair'],
  ] as const)(
    '%s leaves the connection %s, and its instrument is disabled as soon as it is made',
    async (code, status) => {
      const { id: first } = await connect();
      const transfer = await debit(first);
      ach().succeed(transfer);
      await settled();
      const busy = { service: 'plaid', path: '/processor/token/create', kind: 'status', status: 503 } as const;
      server.upstream.simulator.faults.add(busy);
      const session = await server.createSession();
      const completing = server.complete(session, await server.publicToken());
      const { id } = await eventually(() =>
        server.storage.db.selectFrom('connections').select('id').where('status', '=', 'pending').executeTakeFirst(),
      );
      // Finix's clock has whole milliseconds, and the return is to come after the customer's agreement.
      server.clockOffset += 1_000;
      ach().returnDebit(transfer, code);
      await eventually(async () => (await read(first)).last_return !== null);
      await eventually(async () => enabled().length === 0);
      // Finix reports the new instrument too, and its report has an enabled one of an ended connection disabled.
      webhooks().hold();
      server.upstream.simulator.faults.clear();
      await completing;
      await eventually(async () => server.ledger.instruments().length === 2 && enabled().length === 0);
      expect((await read(id)).status).toBe(status);
      await webhooks().release();
    },
  );
});
