import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PROOF_KEEP_MS } from '../../server/records/audit.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { Gate } from '../helpers/gate.ts';
import { type Receiver, startReceiver, WEBHOOK_SECRET } from '../helpers/receiver.ts';
import { eventually, TestServer } from '../helpers/server.ts';

let server: TestServer;
let receiver: Receiver;

const { enabled, connect, read, settled } = connectionLifecycle(() => server);
const removed = () => server.ledger.items().filter((item) => item.removed).length;
const remove = (id: string) => server.merchant('DELETE', `/v1/connections/${id}`);

beforeEach(async () => {
  receiver = await startReceiver();
  server = await TestServer.start({
    env: { MERCHANT_WEBHOOK_URL: receiver.url, MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET },
  });
});
afterEach(async () => {
  await server.close();
  await receiver.close();
});

describe('removing a connection', () => {
  it('removing a connection disables its instrument, removes its Item, destroys the access token and notifies the merchant', async () => {
    const { id } = await connect();
    const { status, body } = await remove(id);
    expect([status, body.status]).toEqual([200, 'removed']);
    expect(enabled()).toEqual([]);
    expect(removed()).toBe(1);
    const items = await server.storage.db.selectFrom('items').selectAll().execute();
    expect(items).toMatchObject([{ status: 'removed', access_token_enc: null }]);
    await server.jobs.tick();
    // Several are delivered at once, in no order.
    expect(receiver.types().sort()).toEqual(['connection.active', 'connection.removed', 'session.completed']);
  });

  it('removing a connection twice notifies the merchant once', async () => {
    const { id } = await connect();
    await Promise.all([remove(id), remove(id)]);
    const again = await remove(id);
    expect([again.status, again.body.status]).toEqual([200, 'removed']);
    await server.jobs.tick();
    expect(receiver.types().filter((type) => type === 'connection.removed')).toHaveLength(1);
  });

  it('removing a connection keeps the Item that another account of the login uses', async () => {
    const session = await server.createSession({ account_selection: 'multiple' });
    const { body } = await server.complete(session, await server.publicToken('user_several'));
    const ids = body.connections.map(({ id }: { id: string }) => id);
    for (const id of ids.slice(1)) await remove(id);
    expect([enabled().length, removed()]).toEqual([1, 0]);
    await remove(ids[0]);
    expect([enabled().length, removed()]).toEqual([0, 1]);
  });

  it.each([
    ['Finix', { service: 'finix', path: '/payment_instruments*', kind: 'status', status: 503, times: 3 }],
    ['Plaid', { service: 'plaid', path: '/item/remove', kind: 'status', times: 1 }],
  ] as const)(
    'removing a connection while %s is down returns 202 and completes once it is back',
    async (_name, rule) => {
      const { id } = await connect();
      server.upstream.simulator.faults.add({ ...rule });
      const { status, headers, body } = await remove(id);
      // A merchant who checks before charging is refused at once.
      expect([status, headers.get('Retry-After'), body.status]).toEqual([202, '2', 'revoked']);
      expect((await read(id)).status).toBe('revoked');
      await eventually(async () => {
        await server.jobs.tick();
        server.clockOffset += 60_000;
        return (await read(id)).status === 'removed';
      });
      expect(enabled()).toEqual([]);
      expect(removed()).toBe(1);
      await server.jobs.tick();
      // Several are delivered at once, in no order.
      expect(receiver.types().sort()).toEqual(['connection.active', 'connection.removed', 'session.completed']);
    },
  );

  it('another process completes the removal of a connection that one has left', async () => {
    const { id } = await connect();
    server.upstream.simulator.faults.add({
      service: 'plaid',
      path: '/item/remove',
      kind: 'delay',
      delayMs: 400,
      times: 1,
    });
    const first = remove(id);
    await expect.poll(enabled).toEqual([]);
    const other = await TestServer.start({ upstream: server.upstream, storage: server.storage });
    other.clockOffset = 6 * 60_000;
    await eventually(async () => {
      await other.jobs.tick();
      return (await read(id)).status === 'removed';
    });
    await first;
    expect((await read(id)).status).toBe('removed');
    expect(removed()).toBe(1);
    await other.close();
  });

  it('removing a connection also disables the instrument of a lost create call', async () => {
    const { id } = await connect();
    const tags = { finix_bank_connect_connection: id };
    await fetch(`${server.upstream.finixUrl}/payment_instruments`, {
      method: 'POST',
      headers: {
        Authorization: `Basic ${Buffer.from(`${server.config.finix.username}:${server.config.finix.password}`).toString('base64')}`,
        'Finix-Version': '2022-02-01',
        'Content-Type': 'application/json',
      },
      body: JSON.stringify({
        type: 'BANK_ACCOUNT',
        identity: (await read(id)).finix_identity,
        third_party: 'PLAID',
        third_party_token: server.ledger.processorTokens()[0],
        tags,
      }),
    });
    expect(enabled()).toHaveLength(2);
    await remove(id);
    expect(enabled()).toEqual([]);
  });

  it('only the merchant can remove a connection', async () => {
    const { session, id } = await connect();
    const headers = { Authorization: `Bearer ${session.client_secret}` };
    expect((await server.send('DELETE', `/v1/connections/${id}`, undefined, headers)).status).toBe(401);
    expect((await remove('con_none')).status).toBe(404);
    expect((await read(id)).status).toBe('active');
  });
});

describe('while Plaid does not remove the Item', () => {
  it.each([
    ['that another one has replaced', 'replaced', () => connect()],
    ['of an erased customer', 'customer_erased', () => server.merchant('DELETE', '/v1/customers/cus_1')],
  ] as const)('the last event of a connection %s is its revocation', async (_name, reason, end) => {
    const { id } = await connect();
    server.upstream.simulator.faults.add({ service: 'plaid', path: '/item/remove', kind: 'status', status: 503 });
    await end();
    const ofConnection = () => receiver.received.filter(({ body }) => body.data.id === id).map(({ body }) => body);
    await eventually(async () => {
      await server.jobs.tick();
      return ofConnection().some(({ type }) => type === 'connection.revoked');
    });
    expect((await read(id)).status).toBe('revoked');
    const inOrder = ofConnection().sort((a, b) => a.data.updated_at.localeCompare(b.data.updated_at));
    expect(inOrder.at(-1)).toMatchObject({ type: 'connection.revoked', reason, data: { status: 'revoked' } });
    expect(inOrder.filter(({ type }) => type === 'connection.revoked')).toHaveLength(1);
  });
});

describe('erasing a customer', () => {
  const erase = (id = 'cus_1') => server.merchant('DELETE', `/v1/customers/${id}`);

  const everything = async () => {
    const tables = [
      'sessions',
      'connections',
      'customers',
      'idempotency',
      'deliveries',
      'audit',
      'inbound_events',
    ] as const;
    const rows = tables.map((table) => server.storage.db.selectFrom(table).selectAll().execute());
    return JSON.stringify(await Promise.all(rows));
  };

  it('erasing a customer removes all connections and every row that names the customer', async () => {
    const identity = { first_name: 'Ada', last_name: 'Lovelace', email: 'ada@example.com' };
    const authorization = { text: 'I authorize Acme to debit my account.', version: '1' };
    const session = await server.createSession({ identity, authorization, metadata: { note: 'Ada’s order' } });
    const asked = await server.complete(session, await server.publicToken());
    const accepted = { accepted: true, text_sha256: asked.body.authorization.text_sha256 };
    const { body } = await server.complete(session, await server.publicToken(), { authorization: accepted });
    const [connection] = body.connections;
    const { fingerprint } = await read(connection.id);
    expect(await everything()).toContain(fingerprint);
    await server.createSession({ identity });
    await server.createSession({ customer_id: 'cus_2', identity: { first_name: 'Grace' } });
    await server.jobs.tick();

    const answer = await erase();
    expect([answer.status, answer.body]).toEqual([200, { object: 'customer', customer_id: 'cus_1', status: 'erased' }]);
    expect(enabled()).toEqual([]);
    expect(removed()).toBe(1);
    expect((await server.merchant('GET', '/v1/connections?customer_id=cus_1')).body.data).toEqual([]);
    const kept = await read(connection.id);
    expect(kept).toMatchObject({ status: 'removed', metadata: {}, account: { mask: null } });
    expect(kept.customer_id).toMatch(/^erased_\w{24}$/);
    expect(await everything()).toContain('cus_2');
    // The proof of what was authorized stays.
    expect(kept.authorization?.text).toBe(authorization.text);
    expect(await everything()).not.toMatch(/cus_1\b|Ada|ada@example/);
    expect(await everything()).not.toContain(fingerprint);
  });

  it('erasing a customer leaves no delivery that names the customer, in any status', async () => {
    await connect();
    await server.jobs.tick();
    receiver.answer = { status: 410 };
    const { id } = await connect();
    await server.jobs.tick();
    receiver.answer = { status: 204 };
    expect((await erase()).status).toBe(200);
    expect(await everything()).not.toMatch(/cus_1\b/);

    const { body } = await server.merchant('GET', '/v1/webhook-deliveries?limit=100');
    expect(new Set(body.data.map(({ type }: { type: string }) => type))).toEqual(new Set(['connection.removed']));
    receiver.received.length = 0;
    for (const delivery of body.data) await server.merchant('POST', `/v1/webhook-deliveries/${delivery.id}/resend`);
    await server.jobs.tick();
    const webhook = receiver.received.find(({ body }) => body.data.id === id);
    expect(webhook?.body).toMatchObject({
      type: 'connection.removed',
      data: { status: 'removed', authorization: null },
    });
    expect(receiver.received.map(({ text }) => text).join()).not.toMatch(/cus_1\b|"mask":"\d/);
  });

  it('an erased customer gets another id in each row, which no real customer can have', async () => {
    const mine = await connect();
    const session = await server.createSession({ customer_id: 'erased' });
    const { body } = await server.complete(session, await server.publicToken());
    await erase();
    const { body: list } = await server.merchant('GET', '/v1/connections?customer_id=erased');
    expect(list.data.map(({ id }: { id: string }) => id)).toEqual([body.connections[0].id]);
    await erase('erased');
    const names = [await read(mine.id), await read(body.connections[0].id)].map(({ customer_id }) => customer_id);
    expect(new Set(names).size).toBe(2);
  });

  it('erasing a customer ends the client secret at once, also while the erasure goes on', async () => {
    const { session } = await connect();
    expect((await server.page(session, 'GET', '')).status).toBe(200);
    server.upstream.simulator.faults.add({ service: 'plaid', path: '/item/remove', kind: 'status', status: 503 });
    expect((await erase()).body.status).toBe('erasing');
    expect((await server.page(session, 'GET', '')).status).toBe(401);
  });

  it('erasing a customer while Finix is down returns 202 and completes by itself', async () => {
    const { id } = await connect();
    server.upstream.simulator.faults.add({ service: 'finix', path: '/payment_instruments*', kind: 'status', times: 2 });
    const { status, headers, body } = await erase();
    expect([status, headers.get('Retry-After'), body.status]).toEqual([202, '2', 'erasing']);
    expect((await read(id)).status).toBe('revoked');
    await eventually(async () => {
      server.clockOffset += 60_000;
      await server.jobs.tick();
      const [waiting] = await server.storage.db.selectFrom('erasures').selectAll().execute();
      return waiting === undefined;
    });
    expect(enabled()).toEqual([]);
    expect((await erase()).status).toBe(200);
  });

  it('erasing a customer waits for a session whose create call is in flight, and removes what it connects', async () => {
    const call = new Gate();
    let isCreating = false;
    await server.close();
    server = await TestServer.start({
      wrapClients: ({ plaid, finix }) => ({
        plaid,
        finix: {
          ...finix,
          async createPaymentInstrument(request) {
            isCreating = true;
            await call.passed;
            return finix.createPaymentInstrument(request);
          },
        },
      }),
    });
    const session = await server.createSession();
    const done = server.complete(session, await server.publicToken());
    // Before this call, the worker finds the erasure in the row and creates nothing.
    await eventually(async () => isCreating);
    expect((await erase()).status).toBe(202);
    call.open();
    await done;
    await eventually(async () => {
      server.clockOffset += 5_000;
      await server.jobs.tick();
      return (await erase()).status === 200;
    });
    await settled();
    expect(enabled()).toEqual([]);
    expect(removed()).toBe(1);
  });

  it('erasing an unknown customer succeeds and changes nothing', async () => {
    expect((await erase('unknown')).status).toBe(200);
  });
});

describe('proof', () => {
  it('an authorization’s receipt and audit are deleted two years after its connection was removed, with it', async () => {
    const authorization = { text: 'I authorize Acme.', version: '1' };
    const session = await server.createSession({ authorization });
    const asked = await server.complete(session, await server.publicToken());
    const accepted = { accepted: true, text_sha256: asked.body.authorization.text_sha256 };
    const { body } = await server.complete(session, await server.publicToken(), { authorization: accepted });
    const { id } = body.connections[0];
    const audit = async () => (await server.storage.db.selectFrom('audit').select('id').execute()).length;

    server.clockOffset = PROOF_KEEP_MS + 86_400_000;
    await server.jobs.tick();
    expect((await read(id)).authorization).not.toBeNull();
    await remove(id);
    server.clockOffset += PROOF_KEEP_MS - 86_400_000;
    await server.jobs.tick();
    expect((await read(id)).authorization).not.toBeNull();
    expect(await audit()).toBeGreaterThan(0);
    server.clockOffset += 2 * 86_400_000;
    await server.jobs.tick();
    expect(await read(id)).toMatchObject({ code: 'not_found' });
    expect(await audit()).toBe(0);
  });
});
