import { afterEach, describe, expect, it } from 'vitest';
import type { PlaidAccount } from '../../server/clients/plaid.ts';
import type { Clients } from '../../server/create-server.ts';
import type { Session } from '../../widget/contract.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { eventually, TestServer } from '../helpers/server.ts';

/** What a repair refuses, and what it waits for. */

let server: TestServer;
afterEach(() => server.close());
const { bank, enabled, item, connect, read, expectStatus } = connectionLifecycle(() => server);

/** What Link's update mode gives: a token that is not to be exchanged. */
const UPDATE_TOKEN = 'public-sandbox-99999999-9999-9999-9999-999999999999';

/** A session whose customer has signed in again in Link. */
async function expectSignedIn(connection: string): Promise<Session> {
  bank().signInAgain(item().item_id);
  const session = await server.createSession({ connection });
  expect((await server.page(session, 'POST', '/link-token', {})).status).toBe(200);
  return session;
}

describe('an account whose verification has failed', () => {
  /** The mask of the account that Plaid reports so from now on. */
  let failed: string | null | undefined;
  const wrapClients = ({ plaid, finix }: Clients): Clients => ({
    finix,
    plaid: {
      ...plaid,
      async getAccounts(token) {
        const login = await plaid.getAccounts(token);
        const asRead = (account: PlaidAccount): PlaidAccount =>
          account.mask === failed ? { ...account, verificationStatus: 'verification_failed' } : account;
        return { ...login, accounts: login.accounts.map(asRead) };
      },
    },
  });
  const instruments = () =>
    server.ledger.calls().filter(({ method, path }) => method === 'POST' && path === '/payment_instruments').length;

  it('its repair is refused, and no instrument is made for it', async () => {
    failed = undefined;
    server = await TestServer.start({ wrapClients });
    const { id } = await connect();
    bank().revokePermission(item().item_id);
    const { account } = await expectStatus(id, 'revoked');
    const session = await expectSignedIn(id);
    failed = account.mask;
    const before = instruments();
    const { status, body } = await server.complete(session, UPDATE_TOKEN);
    expect([status, body.code, body.action]).toEqual([422, 'account_not_supported', 'use_other_bank']);
    expect(instruments()).toBe(before);
    await expectStatus(id, 'revoked');
    expect(enabled()).toEqual([]);
  });

  it('the repair of another account of the login leaves it as it is', async () => {
    failed = undefined;
    server = await TestServer.start({ wrapClients });
    const session = await server.createSession({ account_selection: 'multiple' });
    const { body } = await server.complete(session, await server.publicToken('user_several'));
    const [first = '', second = ''] = body.connections.map(({ id }: { id: string }) => id) as string[];
    bank().revokePermission(item().item_id);
    await expectStatus(first, 'revoked');
    failed = (await read(second)).account.mask;
    const repair = await expectSignedIn(first);
    expect((await server.complete(repair, UPDATE_TOKEN)).body.status).toBe('completed');
    await expectStatus(first, 'active');
    await expectStatus(second, 'revoked');
    expect(enabled()).toHaveLength(body.connections.length - 1);
  });
});

it('a repair behind a disabling that Finix does not carry out is released, and goes on once it is', async () => {
  server = await TestServer.start({ answerWithinMs: 100 });
  const session = await server.createSession();
  await server.complete(session, await server.publicToken());
  const id = await eventually(async () => {
    const { body } = await server.merchant('GET', `/v1/sessions/${session.id}`);
    return body.status === 'completed' && (body.connections[0].id as string);
  });
  const path = `/payment_instruments/${enabled()[0]}`;
  server.upstream.simulator.faults.add({ service: 'finix', path, method: 'PUT', kind: 'status', status: 503 });
  bank().revokePermission(item().item_id);
  await eventually(async () => (await read(id)).status === 'revoked');
  const repair = await expectSignedIn(id);
  expect((await server.complete(repair, UPDATE_TOKEN)).status).toBe(202);
  // For a moment at first, then slowly.
  await eventually(async () => {
    await server.jobs.tick();
    const { db } = server.storage;
    const row = await db.selectFrom('sessions').selectAll().where('id', '=', repair.id).executeTakeFirstOrThrow();
    return row.status === 'processing' && row.lease_owner === null && row.next_at - row.updated_at > 5_000;
  });
  server.upstream.simulator.faults.clear();
  await eventually(async () => {
    server.clockOffset += 10_000;
    await server.jobs.tick();
    return (await server.merchant('GET', `/v1/sessions/${repair.id}`)).body.status === 'completed';
  });
  const { payment_instrument } = await expectStatus(id, 'active');
  expect(enabled()).toEqual([payment_instrument]);
});
