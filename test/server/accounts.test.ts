import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

const enabled = () => server.ledger.instruments().filter((instrument) => instrument['enabled'] === true);
const callsTo = (path: string) => server.ledger.calls().filter((call) => call.path === path);

/** The id that Plaid gave the nth account of the Item made last. */
async function accountId(n: number): Promise<string> {
  return server.ledger.items().at(-1)?.account_ids[n] ?? '';
}

describe('accounts', () => {
  beforeEach(async () => {
    server = await TestServer.start();
  });

  it('a login with several accounts asks for a choice, and the same public token is sent again with it', async () => {
    const session = await server.createSession();
    const token = await server.publicToken('user_good');
    const asked = await server.complete(session, token);
    expect([asked.status, asked.body.code, asked.body.action]).toEqual([
      409,
      'account_selection_required',
      'choose_account',
    ]);
    expect(asked.body.accounts).toEqual([
      { id: expect.any(String), name: 'Plaid Checking', mask: '0000', subtype: 'checking' },
      { id: expect.any(String), name: 'Plaid Saving', mask: '1111', subtype: 'savings' },
    ]);
    const waiting = await server.page(session, 'GET', '');
    expect(waiting.body).toMatchObject({ status: 'open', error: { code: 'account_selection_required' } });
    const chosen = await server.complete(session, token, { accounts: [{ id: asked.body.accounts[1].id }] });
    expect(chosen.body).toMatchObject({
      status: 'completed',
      error: null,
      connections: [{ account: { mask: '1111' } }],
    });
    expect(callsTo('/item/public_token/exchange')).toHaveLength(1);
    expect(enabled()).toHaveLength(1);
  });

  it('a session with multiple selection connects all accounts of the login', async () => {
    const session = await server.createSession({ account_selection: 'multiple' });
    const { body } = await server.complete(session, await server.publicToken('user_several'));
    expect(body.connections).toHaveLength(4);
    expect(new Set(body.connections.map((c: { payment_instrument: string }) => c.payment_instrument)).size).toBe(4);
    expect(server.ledger.identities()).toHaveLength(1);
  });

  it('an account of another login is refused by its field, and the public token stays usable', async () => {
    const session = await server.createSession();
    const token = await server.publicToken('user_good');
    const foreign = await server.complete(session, token, { accounts: [{ id: 'another-customers' }] });
    expect([foreign.status, foreign.body.code]).toEqual([422, 'account_unknown']);
    expect(foreign.body.errors).toEqual([{ path: 'accounts.0.id', message: expect.any(String) }]);
    expect(enabled()).toHaveLength(0);
    const good = await server.complete(session, token, { accounts: [{ id: await accountId(0) }] });
    expect(good.body.status).toBe('completed');
  });

  it('an account that cannot be debited is refused, also when the page claims otherwise', async () => {
    const session = await server.createSession();
    const token = await server.publicToken('user_good');
    const creditCard = { id: await accountId(3), type: 'depository', subtype: 'checking' };
    const { status, body } = await server.complete(session, token, { accounts: [creditCard] });
    expect([status, body.code, body.action]).toEqual([422, 'account_not_supported', 'choose_account']);
    expect(enabled()).toHaveLength(0);
  });

  it('a login without a suitable account is refused with another bank as the way forward', async () => {
    const session = await server.createSession();
    const { status, body } = await server.complete(session, await server.publicToken('user_no_accounts'));
    expect([status, body.code, body.action]).toEqual([422, 'account_not_supported', 'use_other_bank']);
    const other = await server.complete(session, await server.publicToken());
    expect(other.body.status).toBe('completed');
    await server.jobs.tick();
    expect(server.ledger.items().map(({ removed }) => removed)).toEqual([true, false]);
  });

  it('an account that is still being verified waits without an instrument', async () => {
    const session = await server.createSession();
    const { status, body } = await server.complete(session, await server.publicToken('user_pending_verification'));
    expect([status, body.status]).toEqual([200, 'completed']);
    expect(body.connections).toMatchObject([{ status: 'pending_verification', payment_instrument: null }]);
    expect(server.ledger.instruments()).toHaveLength(0);
  });
});

describe('the authorization', () => {
  const authorization = { text: 'I authorize Acme to debit my account.', version: '2026-01' };
  beforeEach(async () => {
    server = await TestServer.start();
  });

  it('an authorization must be accepted before the public token is exchanged, and is kept as a receipt', async () => {
    const session = await server.createSession({ authorization });
    const token = await server.publicToken();
    const asked = await server.complete(session, token);
    expect([asked.status, asked.body.code]).toEqual([409, 'authorization_required']);
    expect(asked.body.authorization).toMatchObject(authorization);
    const { text_sha256 } = asked.body.authorization;
    for (const wrong of [
      { accepted: false, text_sha256 },
      { accepted: true, text_sha256: '0'.repeat(64) },
    ]) {
      expect((await server.complete(session, token, { authorization: wrong })).body.code).toBe(
        'authorization_required',
      );
    }
    expect(callsTo('/item/public_token/exchange')).toHaveLength(0);
    expect((await server.page(session, 'GET', '')).body.status).toBe('open');

    const accepted = { accepted: true, text_sha256 };
    const done = await server.page(
      session,
      'POST',
      '/complete',
      { public_token: token, accounts: [], authorization: accepted },
      { 'User-Agent': 'Tests/1.0' },
    );
    expect(done.body.status).toBe('completed');
    const connection = await server.merchant('GET', `/v1/connections/${done.body.connections[0].id}`);
    expect(connection.body.authorization).toMatchObject({
      ...authorization,
      text_sha256,
      language: 'en',
      user_agent: 'Tests/1.0',
    });
    expect(Date.parse(connection.body.authorization.accepted_at)).toBeGreaterThan(0);
  });
});
