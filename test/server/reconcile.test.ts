import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFinixClient } from '../../server/clients/finix.ts';
import type { Finding, ReconcileReport } from '../../server/lifecycle/reconcile.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { copyOf, putBack } from '../helpers/put-back.ts';
import { eventually, TestServer } from '../helpers/server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await TestServer.start({ quietMs: 300 });
});
afterEach(() => server.close());
const { webhooks, bank, enabled, item, connect, read, settled, expectStatus } = connectionLifecycle(() => server);

const reconcile = (fix = false): Promise<ReconcileReport> => server.reconcile({ fix, since: 0 });
const about = ({ findings }: ReconcileReport, kind: Finding['about']) =>
  findings.filter((finding) => finding.about === kind);

describe('after an older copy was restored', () => {
  it('after a restore, instruments that no connection uses are listed, and disabled on request only', async () => {
    const { id: kept } = await connect();
    const copy = await copyOf(server.storage);
    const session = await server.createSession({ customer_id: 'cus_2' });
    expect((await server.complete(session, await server.publicToken())).body.status).toBe('completed');
    await putBack(server.storage, copy);
    const [lost] = enabled().filter((one) => one !== server.ledger.instruments()[0]?.id);
    const report = await reconcile();
    expect(about(report, 'instrument')).toMatchObject([{ id: lost, done: null }]);
    expect(enabled()).toHaveLength(2);
    expect(about(await reconcile(true), 'instrument')).toMatchObject([{ id: lost, done: 'disabled' }]);
    expect(enabled()).toEqual([(await read(kept)).payment_instrument]);
    expect((await reconcile()).findings).toEqual([]);
  });

  it('after a restore, an instrument that Finix refuses to disable is named, and the others are disabled', async () => {
    const { id: kept } = await connect();
    const copy = await copyOf(server.storage);
    for (const customer_id of ['cus_2', 'cus_3']) await server.connect({ customer_id });
    await putBack(server.storage, copy);
    const own = (await read(kept)).payment_instrument;
    const [refused, other] = enabled().filter((one) => one !== own);
    const path = `/payment_instruments/${refused}`;
    server.upstream.simulator.faults.add({
      service: 'finix',
      path,
      method: 'PUT',
      kind: 'finix_error',
      error_code: 'INVALID_FIELD',
    });
    const found = about(await reconcile(true), 'instrument');
    expect(found.find(({ id }) => id === refused)).toMatchObject({
      done: null,
      problem: expect.stringContaining('refuses to disable it (INVALID_FIELD)'),
    });
    expect(found.find(({ id }) => id === other)).toMatchObject({ done: 'disabled' });
    expect(enabled()).toEqual(expect.arrayContaining([own, refused]));
    expect(enabled()).toHaveLength(2);
  });

  it('after a restore, a connection that was removed since is not shown as active', async () => {
    const { id } = await connect();
    const copy = await copyOf(server.storage);
    await server.merchant('DELETE', `/v1/connections/${id}`);
    await putBack(server.storage, copy);
    expect((await read(id)).status).toBe('active');
    expect(about(await reconcile(), 'connection')).toMatchObject([{ id, done: 'revoked' }]);
    expect((await read(id)).status).toBe('revoked');
    expect(enabled()).toEqual([]);
  });

  it('after a restore, a connection whose login broke since needs repair', async () => {
    const { id } = await connect();
    webhooks().hold();
    bank().breakLogin(item().item_id);
    webhooks().drop();
    expect(about(await reconcile(), 'connection')).toMatchObject([{ id, done: 'needs_repair' }]);
    await expectStatus(id, 'needs_repair');
    expect((await reconcile()).findings).toEqual([]);
  });

  it('after a restore, a connection whose login Plaid no longer has needs repair, and on request its instrument is disabled', async () => {
    const { id } = await connect();
    server.upstream.simulator.faults.add({
      service: 'plaid',
      path: '/item/get',
      kind: 'plaid_error',
      error_code: 'ITEM_NOT_FOUND',
    });
    expect(about(await reconcile(), 'connection')).toMatchObject([{ id, done: 'needs_repair' }]);
    expect(enabled()).toHaveLength(1);
    expect(about(await reconcile(true), 'connection')).toMatchObject([{ id, done: 'revoked' }]);
    expect(enabled()).toEqual([]);
  });

  it('after a restore, webhooks about logins without a row are not taken for handled', async () => {
    const { id } = await connect();
    const itemId = item().item_id;
    const { items } = Object.fromEntries(await copyOf(server.storage));
    await server.storage.db.deleteFrom('items').execute();
    bank().revokePermission(itemId);
    await webhooks().settled();
    await eventually(async () => {
      server.clockOffset += 5 * 60_000;
      await server.jobs.tick();
      return server.lines.join('').includes('webhook for an unknown Item');
    });
    expect(about(await reconcile(), 'webhook')).toMatchObject([{ id: itemId }]);
    // A newer copy brings the row back, and the webhook counts.
    for (const row of items ?? [])
      await server.storage.db
        .insertInto('items')
        .values(row as never)
        .execute();
    server.clockOffset += 61 * 60_000;
    await expectStatus(id, 'revoked');
    expect(enabled()).toEqual([]);
  });
});

describe('with the credentials of another account', () => {
  it('no connection is changed because Finix does not know its instrument', async () => {
    const { id } = await connect();
    const { payment_instrument } = await read(id);
    server.upstream.simulator.faults.add({
      kind: 'finix_error',
      status: 404,
      service: 'finix',
      method: 'GET',
      path: `/payment_instruments/${payment_instrument}`,
      error_code: 'NOT_FOUND',
    });
    for (const fix of [false, true]) {
      const [found] = about(await reconcile(fix), 'connection');
      expect(found).toMatchObject({ id, done: null, problem: expect.stringContaining('FINIX_USERNAME') });
    }
    expect((await read(id)).status).toBe('active');
    expect(enabled()).toEqual([payment_instrument]);
  });

  it('no connection is changed because Plaid does not know its access token', async () => {
    const { id } = await connect();
    server.upstream.simulator.faults.add({
      service: 'plaid',
      path: '/item/get',
      kind: 'plaid_error',
      error_code: 'INVALID_ACCESS_TOKEN',
    });
    for (const fix of [false, true]) {
      const [found] = about(await reconcile(fix), 'connection');
      expect(found).toMatchObject({ id, done: null, problem: expect.stringContaining('PLAID_CLIENT_ID') });
    }
    expect((await read(id)).status).toBe('active');
    expect(enabled()).toHaveLength(1);
  });
});

it('a healthy server has nothing to reconcile, also while sessions are in progress', async () => {
  const { id } = await connect();
  bank().renumber(item().item_id);
  await expectStatus(id, 'active');
  const { id: gone } = await connect('user_pending_verification');
  await server.merchant('DELETE', `/v1/connections/${gone}`);
  await settled();
  server.upstream.simulator.faults.add({
    service: 'finix',
    method: 'POST',
    path: '/payment_instruments',
    kind: 'status',
    when: 'after',
    times: 1,
  });
  const session = await server.createSession({ customer_id: 'cus_2' });
  const completing = server.complete(session, await server.publicToken());
  await eventually(async () => server.ledger.instruments().length >= 3);
  expect((await reconcile(true)).findings).toEqual([]);
  await completing;
  expect((await reconcile(true)).findings).toEqual([]);
});

it('reconcile reads every page of Finix’s list', async () => {
  const finix = createFinixClient(server.config.finix);
  for (let i = 0; i < 3; i++) await connect();
  await settled();
  const seen: string[] = [];
  for await (const page of finix.allBankAccounts(0)) seen.push(...page.map(({ id }) => id));
  expect(seen.sort()).toEqual(
    server.ledger
      .instruments()
      .map(({ id }) => id)
      .sort(),
  );
});
