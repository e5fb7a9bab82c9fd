import { afterEach, expect, it } from 'vitest';
import { decideCreateCalls } from '../helpers/decide-create-calls.ts';
import { Gate } from '../helpers/gate.ts';
import { lateInstrumentAnswers } from '../helpers/late-answer.ts';
import { eventually, TestServer } from '../helpers/server.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0).reverse()) await server.close();
});

/** Longer than the test takes. */
const simulator = { listLagMs: 60_000 };
const quietMs = 2_000;

it('an instrument whose answer came to a worker that was overtaken is adopted before any list shows it', async () => {
  const answer = new Gate();
  const wrapClients = lateInstrumentAnswers(answer.passed);
  const first = await TestServer.start({ quietMs, simulator, wrapClients });
  servers.push(first);
  const session = await first.createSession();
  const completing = first.complete(session, await first.publicToken());
  await eventually(async () => first.ledger.instruments().length === 1);
  await first.connector.stop(0);
  await completing;
  answer.open();
  const answered = first.storage.db.selectFrom('create_calls').select('id').where('outcome', '=', 'made');
  await eventually(async () => (await answered.execute()).length === 1);

  const second = await TestServer.start({ quietMs, upstream: first.upstream, storage: first.storage });
  servers.push(second);
  const body = await eventually(async () => {
    await second.jobs.tick();
    const read = await second.merchant('GET', `/v1/sessions/${session.id}`);
    return read.body.status === 'completed' && read.body;
  });
  const [made, ...more] = first.ledger.instruments();
  expect([body.connections[0].payment_instrument, more]).toEqual([made?.id, []]);
  await decideCreateCalls(second);
  expect(first.ledger.instruments().map(({ enabled }) => enabled)).toEqual([true]);
});
