import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { duplicatesOf } from '../../server/connect/duplicates.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { TestServer } from '../helpers/server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await TestServer.start();
});
afterEach(() => server.close());

const { bank, item, enabled, connect, read, expectStatus, settled } = connectionLifecycle(() => server);

describe('the same account connected again', () => {
  it('connecting the same account again leaves one connection with one active instrument, and removes the old Item', async () => {
    const first = await connect();
    const second = await connect();
    const before = await read(first.id);
    expect(before.status).toBe('revoked');
    await expectStatus(first.id, 'removed');
    const after = await expectStatus(second.id, 'active');
    expect(after.previous_payment_instrument).toBe(before.payment_instrument);
    expect(enabled()).toEqual([after.payment_instrument]);
    expect(server.ledger.items().map(({ removed }) => removed)).toEqual([true, false]);
  });

  it('the Item of a replaced connection is removed only once the new instrument exists', async () => {
    await connect();
    await connect();
    await settled();
    const calls = server.ledger.calls().map(({ method, path }) => `${method} ${path}`);
    const created = calls.lastIndexOf('POST /payment_instruments');
    expect(calls.indexOf('POST /item/remove')).toBeGreaterThan(created);
  });

  it('the same account is found by its persistent id where the bank gives one, under any name', async () => {
    const first = await connect('user_one_account', 'ins_127287');
    await server.storage.db
      .updateTable('connections')
      .set({ account_name: 'Another name', fingerprint: null })
      .execute();
    await connect('user_one_account', 'ins_127287');
    await expectStatus(first.id, 'removed');
    expect(enabled()).toHaveLength(1);
  });

  it('connecting a revoked account again replaces its connection by an active one', async () => {
    const first = await connect();
    bank().revokePermission(item().item_id);
    await expectStatus(first.id, 'revoked');
    const second = await connect();
    await expectStatus(first.id, 'removed');
    await expectStatus(second.id, 'active');
    expect(enabled()).toHaveLength(1);
  });

  it('connecting the same account in two tabs at once leaves one connection', async () => {
    const sessions = [await server.createSession(), await server.createSession()];
    const tokens = [await server.publicToken(), await server.publicToken()];
    await Promise.all(sessions.map((session, i) => server.complete(session, tokens[i] ?? '')));
    await settled();
    const { body } = await server.merchant('GET', '/v1/connections?customer_id=cus_1&status=active');
    expect(body.data).toHaveLength(1);
    expect(enabled()).toEqual([body.data[0].payment_instrument]);
  });

  it('connecting an account while its old connection is being repaired leaves the new connection only', async () => {
    const first = await connect('user_one_account', 'ins_127287');
    const repair = await server.createSession({ connection: first.id });
    await server.page(repair, 'POST', '/link-token', {});
    server.upstream.simulator.faults.add({
      service: 'finix',
      method: 'POST',
      path: '/payment_instruments',
      kind: 'delay',
      delayMs: 700,
      times: 1,
    });
    const repaired = server.complete(repair, 'public-sandbox-99999999-9999-9999-9999-999999999999');
    await expect.poll(() => server.ledger.processorTokens().length).toBe(2);
    const session = await server.createSession();
    const { body } = await server.complete(session, await server.publicToken('user_one_account', 'ins_127287'));
    const [second] = body.connections;
    await server.jobs.tick();
    expect((await read(first.id)).status).toBe('removed');
    await repaired;
    // What the call in flight has made is found after the quiet period.
    server.clockOffset = server.config.finix.quietMs + 1000;
    await expectStatus(first.id, 'removed');
    expect(enabled()).toEqual([(await expectStatus(second.id, 'active')).payment_instrument]);
  });

  it('the old connection is kept when Finix refuses the new instrument', async () => {
    const first = await connect();
    server.upstream.simulator.faults.add({
      service: 'finix',
      method: 'POST',
      path: '/payment_instruments',
      kind: 'finix_error',
      error_code: 'INVALID_FIELD',
      times: 1,
    });
    const session = await server.createSession();
    expect((await server.complete(session, await server.publicToken())).body.status).toBe('failed');
    const { payment_instrument } = await expectStatus(first.id, 'active');
    expect(enabled()).toEqual([payment_instrument]);
  });
});

/** Makes a connection what it would be with these facts of its account. */
const known = (id: string, facts: { fingerprint: string | null; institution_id?: string }) =>
  server.storage.db
    .updateTable('connections')
    .set({ ...facts, persistent_account_id: null })
    .where('id', '=', id)
    .execute();

describe('the same name and mask at the same bank', () => {
  it('an account with the same name and mask but other numbers is another account', async () => {
    const first = await connect();
    await known(first.id, { fingerprint: 'FPRother' });
    const second = await connect();
    await expectStatus(first.id, 'active');
    await expectStatus(second.id, 'active');
    expect(enabled()).toHaveLength(2);
  });

  it('accounts with the same name and mask are the same while the numbers of one are unknown', async () => {
    const first = await connect();
    await known(first.id, { fingerprint: null });
    await connect();
    await expectStatus(first.id, 'removed');
    expect(enabled()).toHaveLength(1);
  });

  it.each(['ins_56', 'ins_13', 'ins_127990'])(
    'accounts with the same name and mask are the same despite other numbers at %s',
    async (bank) => {
      const first = await connect();
      const second = await connect('user_pending_verification');
      const rows = await server.storage.db.selectFrom('connections').selectAll().orderBy('created_at').execute();
      const [old, fresh] = [rows.find(({ id }) => id === first.id), rows.find(({ id }) => id === second.id)];
      if (!old || !fresh) throw new Error('there are no connections');
      const named = { ...fresh, account_name: old.account_name, account_mask: old.account_mask, institution_id: bank };
      await known(first.id, { fingerprint: 'FPRother', institution_id: bank });
      const found = await server.storage.transaction('customer:1', (trx) =>
        duplicatesOf(trx, { ...named, fingerprint: 'FPRnew' }),
      );
      expect(found.map(({ id }) => id)).toEqual([first.id]);
    },
  );
});

describe('what is not the same account', () => {
  it.each<[string, () => Promise<unknown>]>([
    [
      'another customer’s',
      async () => {
        const session = await server.createSession({ customer_id: 'cus_2' });
        await server.complete(session, await server.publicToken());
      },
    ],
    [
      'one for payouts',
      async () => {
        const session = await server.createSession({ purpose: 'payout' });
        await server.complete(session, await server.publicToken());
      },
    ],
    ['another account at the same bank', async () => connect('user_pending_verification')],
  ])('%s is kept as an account of its own', async (_name, connectOther) => {
    const first = await connect();
    await connectOther();
    await expectStatus(first.id, 'active');
  });

  it('accounts of one login are all kept', async () => {
    const session = await server.createSession({ account_selection: 'multiple' });
    await server.complete(session, await server.publicToken('user_several'));
    await settled();
    expect(enabled()).toHaveLength(4);
  });
});
