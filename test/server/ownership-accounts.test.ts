import { afterEach, describe, expect, it } from 'vitest';
import type { CreateSessionRequest, MerchantConnection } from '../../widget/contract.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

const { read, settled, webhooks } = connectionLifecycle(() => server);

const IDENTITY = { first_name: 'Quillon', last_name: 'Vantresca' };

async function complete(username: string, request: Partial<CreateSessionRequest> = {}) {
  const session = await server.createSession({ identity: IDENTITY, ownership: 'require', ...request });
  return { session, answer: await server.complete(session, await server.publicToken(username)) };
}

const connections = async (): Promise<MerchantConnection[]> =>
  (await server.merchant('GET', '/v1/connections')).body.data;

describe('several accounts, one of another owner, with ownership: require', () => {
  it('connects the customer’s own, and fails the other without an instrument', async () => {
    server = await TestServer.start();
    const { session, answer } = await complete('user_owner_mixed', { account_selection: 'multiple' });
    expect([answer.status, answer.body.status]).toEqual([200, 'completed']);
    const [checking, savings] = (await connections()).toSorted((a, b) =>
      (a.account.mask ?? '').localeCompare(b.account.mask ?? ''),
    );
    expect(checking).toMatchObject({ status: 'active', verification: { owner: { status: 'match' } } });
    expect(savings).toMatchObject({
      status: 'failed',
      payment_instrument: null,
      verification: { owner: { status: 'mismatch' } },
    });
    expect(server.ledger.instruments()).toHaveLength(1);
    // The login is still in use.
    await server.jobs.tick();
    expect(server.ledger.items().some(({ removed }) => removed)).toBe(false);
    expect((await server.page(session, 'GET', '')).body.error).toBeNull();
  });

  it('connects the one that was chosen where only one may be, and asks about that one only', async () => {
    server = await TestServer.start();
    const session = await server.createSession({ identity: IDENTITY, ownership: 'require' });
    const token = await server.publicToken('user_owner_mixed');
    const asked = await server.complete(session, token);
    expect(asked.body.code).toBe('account_selection_required');
    const savings = asked.body.accounts.find(({ mask }: { mask: string }) => mask === '1111');
    const refused = await server.complete(session, token, { accounts: [{ id: savings.id }] });
    expect([refused.status, refused.body.code]).toEqual([422, 'owner_mismatch']);
    expect(server.ledger.instruments()).toEqual([]);
    const [call] = server.ledger.calls().filter(({ path }) => path === '/identity/match');
    expect(call?.body).toMatchObject({ options: { account_ids: [savings.id] } });
  });

  it('reports each owner for itself with ownership: report', async () => {
    server = await TestServer.start();
    await complete('user_owner_mixed', { account_selection: 'multiple', ownership: 'report' });
    await expect
      .poll(async () => (await connections()).map(({ verification }) => verification.owner.status).sort())
      .toEqual(['match', 'mismatch']);
    expect((await connections()).map(({ status }) => status)).toEqual(['active', 'active']);
  });
});

describe('an account that waits for small deposits, with ownership: require', () => {
  it('of another owner is failed, and does not become active when its verification ends', async () => {
    server = await TestServer.start();
    const { answer } = await complete('user_pending_verification');
    expect([answer.status, answer.body.code]).toEqual([422, 'owner_mismatch']);
    const [connection] = await connections();
    expect(connection?.status).toBe('failed');
    for (const { item_id } of server.ledger.items()) {
      server.upstream.simulator.bank.verify(item_id, 'automatically_verified');
    }
    await settled();
    expect((await read(connection?.id ?? '')).status).toBe('failed');
    expect(server.ledger.instruments()).toEqual([]);
    expect(webhooks().sent().length).toBeGreaterThan(0);
  });
});

describe('an account that waits for small deposits, for an identity that the merchant names', () => {
  it('of another owner is failed too, and its login is removed', async () => {
    server = await TestServer.start();
    await server.complete(await server.createSession({ customer_id: 'other' }), await server.publicToken());
    const finix_identity = String(server.ledger.identities()[0]?.['id']);
    const { answer } = await complete('user_pending_verification', { finix_identity });
    expect([answer.status, answer.body.code]).toEqual([422, 'owner_mismatch']);
    await expect
      .poll(async () => {
        await server.jobs.tick();
        return server.ledger.items().map(({ removed }) => removed);
      })
      .toEqual([false, true]);
    const [connection] = (await connections()).filter(({ status }) => status !== 'active');
    expect(connection).toMatchObject({ status: 'failed', payment_instrument: null });
    expect(server.ledger.instruments()).toHaveLength(1);
  });
});

describe('a session whose first bank belonged to another owner', () => {
  it('shows that problem until another bank is connected, and none after it', async () => {
    server = await TestServer.start();
    const { session } = await complete('user_owner_mismatch');
    const waiting = (await server.page(session, 'GET', '')).body;
    expect([waiting.status, waiting.error.code, waiting.error.action]).toEqual([
      'restart_required',
      'owner_mismatch',
      'use_other_bank',
    ]);
    await server.complete(session, await server.publicToken('user_owner_match'));
    const { status, error, connections } = (await server.page(session, 'GET', '')).body;
    expect([status, error, connections.length]).toEqual(['completed', null, 1]);
  });

  it('shows the problem of the bank that was tried last', async () => {
    server = await TestServer.start();
    const { session } = await complete('user_owner_mismatch');
    const last = await server.complete(session, await server.publicToken('user_owner_unknown'));
    expect(last.body.code).toBe('owner_unknown');
    expect((await server.page(session, 'GET', '')).body.error.code).toBe('owner_unknown');
    const unsuitable = await server.complete(session, await server.publicToken('user_ineligible'));
    expect(unsuitable.body.code).toBe('account_not_supported');
    expect((await server.page(session, 'GET', '')).body.error.code).toBe('account_not_supported');
  });

  it('keeps showing why, also after the refused token was sent again', async () => {
    server = await TestServer.start();
    const session = await server.createSession({ identity: IDENTITY, ownership: 'require' });
    const token = await server.publicToken('user_owner_mismatch');
    await server.complete(session, token);
    expect((await server.complete(session, token)).body.code).toBe('restart_required');
    expect((await server.page(session, 'GET', '')).body).toMatchObject({
      status: 'restart_required',
      error: { code: 'owner_mismatch' },
    });
  });
});
