import { afterEach, describe, expect, it } from 'vitest';
import { patient } from '../helpers/patience.mjs';
import { eventually, TestServer } from '../helpers/server.ts';

const DAY = 24 * 3600_000;
let server: TestServer;
afterEach(() => server.close());

const count = async (table: 'sessions' | 'items' | 'connections' | 'idempotency' | 'rate_limits'): Promise<number> => {
  const { rows } = await server.storage.db
    .selectFrom(table)
    .select((eb) => eb.fn.countAll<number>().as('rows'))
    .executeTakeFirstOrThrow();
  return Number(rows);
};
/** A round of all jobs, so many days from now. */
const daysOn = async (days: number) => {
  server.clockOffset = days * DAY;
  await server.jobs.tick();
};

describe('what is too old to keep', () => {
  it('completed sessions are deleted after 90 days; the connection and its login stay', async () => {
    server = await TestServer.start();
    const session = await server.createSession();
    const { body } = await server.complete(session, await server.publicToken());
    await daysOn(90);
    expect(await count('sessions')).toBe(1);
    await daysOn(92);
    expect([await count('sessions'), await count('connections'), await count('items')]).toEqual([0, 1, 1]);
    const connection = await server.merchant('GET', `/v1/connections/${body.connections[0].id}`);
    expect(connection.body).toMatchObject({
      status: 'active',
      payment_instrument: body.connections[0].payment_instrument,
    });
  });

  it('sessions without a connection are deleted after 30 days, with all their rows', async () => {
    server = await TestServer.start();
    const refused = await server.createSession();
    await server.complete(refused, await server.publicToken('user_finix_refuses'));
    const canceled = await server.createSession();
    await server.merchant('POST', `/v1/sessions/${canceled.id}/cancel`);
    await server.createSession();
    await daysOn(2);
    expect(await count('sessions')).toBe(3);
    await daysOn(34);
    await daysOn(68);
    expect([await count('sessions'), await count('connections'), await count('items')]).toEqual([0, 0, 0]);
  });

  it('idempotency keys are deleted after a day, and counters after two hours', async () => {
    server = await TestServer.start();
    await server.merchant('POST', '/v1/sessions', { customer_id: 'cus_1' }, { 'Idempotency-Key': 'key-1' });
    const session = await server.createSession();
    await server.page(session, 'POST', '/link-token', {});
    expect([await count('idempotency'), await count('rate_limits')]).toEqual([1, 1]);
    await daysOn(1.01);
    expect(await count('idempotency')).toBe(0);
  });
});

describe('a clock that is ahead of the providers’', () => {
  const everything = async () => {
    const { db } = server.storage;
    return {
      sessions: await db.selectFrom('sessions').select(['id', 'status']).execute(),
      items: await db.selectFrom('items').select(['id', 'status']).execute(),
      receipts: await db.selectFrom('connections').select(['id', 'authorization_receipt']).execute(),
      keys: await db.selectFrom('idempotency').select('key').execute(),
      audit: await db.selectFrom('audit').select('id').execute(),
    };
  };
  const said = (text: string) => server.lines.filter((line) => line.includes(text)).length;

  it('a clock that is ahead deletes nothing and ends nothing, is logged once, and is trusted again when it is right', async () => {
    const authorization = { text: 'I authorize Acme to debit my account.', version: '1' };
    server = await TestServer.start();
    const session = await server.createSession({ authorization });
    const asked = await server.complete(session, await server.publicToken());
    const accepted = { accepted: true, text_sha256: asked.body.authorization.text_sha256 };
    const { body } = await server.complete(session, await server.publicToken(), { authorization: accepted });
    await server.merchant('DELETE', `/v1/connections/${body.connections[0].id}`);
    await server.merchant('POST', '/v1/sessions', { customer_id: 'cus_2' }, { 'Idempotency-Key': 'key-1' });
    // In Link, with a login that is of no use once the session has ended.
    const { session: open } = await server.connect({ customer_id: 'cus_3', username: 'user_good' });
    await server.jobs.tick();
    const before = await everything();

    server.clockError = 1_100 * DAY;
    for (let round = 0; round < 3; round++) await server.jobs.tick();
    expect(await everything()).toEqual(before);
    expect(said('nothing is deleted or ended for its age')).toBe(1);

    server.clockError = 0;
    await server.jobs.tick();
    expect(said('the clock agrees with')).toBe(1);
    expect((await server.page(open, 'GET', '')).body.status).toBe('open');
    await daysOn(95);
    await daysOn(130);
    expect([await count('sessions'), await count('idempotency')]).toEqual([0, 0]);
  });

  it('deletes nothing before a provider has responded', async () => {
    server = await TestServer.start({
      env: { FINIX_BASE_URL: 'http://127.0.0.1:9', PLAID_BASE_URL: 'http://127.0.0.1:9' },
    });
    const session = await server.createSession();
    await server.merchant('POST', `/v1/sessions/${session.id}/cancel`);
    await daysOn(100);
    expect(await count('sessions')).toBe(1);
    expect(said('neither Plaid nor Finix has responded')).toBe(1);
  });
});

describe('after the clock was set back', () => {
  it('after the clock was set back, work that was due in a far future goes on now', async () => {
    server = await TestServer.start({ quietMs: 200, answerWithinMs: 100 });
    const instrument = { service: 'finix', path: '/payment_instruments' } as const;
    server.upstream.simulator.faults.add({ ...instrument, kind: 'status', status: 503, times: 20 });
    const session = await server.createSession();
    expect((await server.complete(session, await server.publicToken())).status).toBe(202);
    await server.connector.stop(0);
    await eventually(async () => server.connector.inFlight === 0);
    const farAhead = Date.now() + DAY;
    await server.storage.db
      .updateTable('sessions')
      .set({ next_at: farAhead, lease_until: farAhead, lease_owner: 'a worker of the future' })
      .where('id', '=', session.id)
      .execute();
    server.upstream.simulator.faults.clear();
    const other = await TestServer.start({ upstream: server.upstream, storage: server.storage, quietMs: 200 });
    // The first round fixes the times, the second goes on.
    await other.jobs.tick();
    await other.jobs.tick();
    expect((await other.page(session, 'GET', '')).body.status).toBe('completed');
    await other.close();
  });

  it('after the clock was set back, a duplicate instrument is disabled now, also when the clock was wrong by less than an hour', async () => {
    server = await TestServer.start({ timeoutMs: patient(300), quietMs: patient(450) });
    const instrument = { service: 'finix', path: '/payment_instruments', method: 'POST' } as const;
    server.upstream.simulator.faults.add({
      ...instrument,
      kind: 'timeout',
      when: 'after',
      delayMs: patient(1_800),
      times: 1,
    });
    const session = await server.createSession();
    expect((await server.complete(session, await server.publicToken())).body.status).toBe('completed');
    const enabled = () => server.ledger.instruments().filter((made) => made['enabled'] === true).length;
    await expect.poll(() => server.ledger.instruments().length).toBe(2);
    await server.storage.db
      .updateTable('connections')
      .set({ sweep_at: Date.now() + 3600_000 })
      .execute();
    await server.jobs.tick();
    await server.jobs.tick();
    expect(enabled()).toBe(1);
  });
});
