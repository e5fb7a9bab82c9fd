import { afterEach, describe, expect, it } from 'vitest';
import type { Link, Session } from '../../widget/contract.ts';
import { patient } from '../helpers/patience.mjs';
import { type Connected, eventually, SHOP, TestServer } from '../helpers/server.ts';

const DAY = 24 * 3600_000;
let server: TestServer;
afterEach(() => server.close());

type Counted =
  | 'sessions'
  | 'items'
  | 'connections'
  | 'connection_instruments'
  | 'customers'
  | 'idempotency'
  | 'links'
  | 'rate_limits';
const count = async (table: Counted): Promise<number> => {
  const { rows } = await server.storage.db
    .selectFrom(table)
    .select((eb) => eb.fn.countAll<number>().as('rows'))
    .executeTakeFirstOrThrow();
  return Number(rows);
};
const customers = async () =>
  (await server.storage.db.selectFrom('customers').select('customer_id').orderBy('customer_id').execute()).map(
    ({ customer_id }) => customer_id,
  );
const connections = async () =>
  (await server.storage.db.selectFrom('connections').select('id').orderBy('id').execute()).map(({ id }) => id);
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

  it('links are deleted 30 days after their days are over, completed ones after 90; the connection stays', async () => {
    server = await TestServer.start();
    const link = async (request: object = {}) =>
      (await server.merchant('POST', '/v1/links', { customer_id: 'cus_1', ...request })).body as Link;
    const statuses = async () =>
      (await server.storage.db.selectFrom('links').select('status').orderBy('status').execute()).map(
        ({ status }) => status,
      );
    await link({ customer_id: 'cus_expired', return_url: 'https://shop.example/done' });
    await server.merchant('POST', `/v1/links/${(await link()).id}/revoke`);
    const { url = '' } = await link({ customer_id: 'cus_completed' });
    const { body } = await server.send('POST', `${new URL(url).pathname}/session`, undefined, {});
    const session = await server.merchant('GET', `/v1/sessions/${body.session}`);
    const opened = { ...session.body, client_secret: body.client_secret } as Session;
    expect((await server.complete(opened, await server.publicToken())).body.status).toBe('completed');
    await daysOn(7 + 29);
    expect(await statuses()).toEqual(['completed', 'expired', 'revoked']);
    await daysOn(7 + 31);
    expect(await statuses()).toEqual(['completed']);
    await daysOn(7 + 91);
    expect([await count('links'), await count('sessions'), await count('connections')]).toEqual([0, 0, 1]);
    expect(await customers()).toEqual(['cus_completed']);
  });

  it('a removed connection is deleted after two years with its instruments, and its customer keeps the identity', async () => {
    server = await TestServer.start();
    const first = await server.connect({ customer_id: 'cus_1', metadata: { order: '7' } });
    const second = await server.connect({ customer_id: 'cus_1', institution: 'ins_109509' });
    const stays = await server.connect({ customer_id: 'cus_stays' });
    const idOf = ({ answer }: Connected) => answer.body.connections[0].id as string;
    const remove = async (id: string) => {
      await server.merchant('DELETE', `/v1/connections/${id}`);
      await eventually(async () => {
        await server.jobs.tick();
        return (await server.merchant('GET', `/v1/connections/${id}`)).body.status === 'removed';
      });
    };
    await remove(idOf(first));
    // Two years of which one is a leap year have 731 days.
    await daysOn(730);
    expect([await count('connections'), await count('connection_instruments')]).toEqual([3, 3]);
    await remove(idOf(second));
    await daysOn(732);
    expect(await connections()).toEqual([idOf(second), idOf(stays)].sort());
    expect([await count('connection_instruments'), await customers()]).toEqual([2, ['cus_1', 'cus_stays']]);
    expect((await server.merchant('GET', `/v1/connections/${idOf(first)}`)).status).toBe(404);
    await daysOn(730 + 732);
    expect(await connections()).toEqual([idOf(stays)]);
    expect([await count('connection_instruments'), await customers()]).toEqual([1, ['cus_1', 'cus_stays']]);
  });

  it('a removed connection stays as long as a create call may have made another instrument for it', async () => {
    server = await TestServer.start();
    const { answer } = await server.connect();
    const { id } = answer.body.connections[0];
    await server.merchant('DELETE', `/v1/connections/${id}`);
    await eventually(async () => {
      await server.jobs.tick();
      return (await server.merchant('GET', `/v1/connections/${id}`)).body.status === 'removed';
    });
    server.clockOffset = 740 * DAY;
    // Looked for within a minute from now, which no wait in this test takes.
    const look_at = (await server.storage.now()) + 60_000;
    await server.storage.db
      .insertInto('create_calls')
      .values({
        kind: 'instrument',
        ...{ id: 'call_1', connection_id: id, generation: 0, customer_id: null, role: null },
        ...{ tag: id, finix_identity: 'ID1', sent_at: 0, outcome: null, instrument: null, tries: 0, look_at },
      })
      .execute();
    await daysOn(740);
    expect(await count('connections')).toBe(1);
    await server.storage.db.deleteFrom('create_calls').execute();
    await daysOn(741);
    expect(await count('connections')).toBe(0);
  });

  it('a customer of a public session who connects no bank is deleted with the session', async () => {
    server = await TestServer.start({ env: { PUBLIC_SESSIONS: 'on' } });
    const identity = { first_name: 'Alberta', last_name: 'Charleson' };
    const { body } = await server.send('POST', '/v1/sessions', { identity }, { Origin: SHOP });
    await server.complete(body as Session, await server.publicToken('user_finix_refuses'));
    expect([await count('customers'), await count('sessions')]).toEqual([1, 1]);
    await daysOn(34);
    expect([await count('customers'), await count('sessions')]).toEqual([0, 0]);
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
  const logged = (text: string) => server.lines.filter((line) => line.includes(text)).length;

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
    expect(logged('nothing expires or is deleted')).toBe(1);

    server.clockError = 0;
    await server.jobs.tick();
    expect(logged('the clock agrees with')).toBe(1);
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
    expect(logged('neither Plaid nor Finix has responded')).toBe(1);
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
