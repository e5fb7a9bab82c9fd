import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SHOP, TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

const enabled = () => server.ledger.instruments().filter((instrument) => instrument['enabled'] === true);
const callsTo = (path: string) => server.ledger.calls().filter((call) => call.path === path);

describe('complete', () => {
  beforeEach(async () => {
    server = await TestServer.start();
  });

  it('turns a public token with one account into an active connection with a Finix payment instrument', async () => {
    const session = await server.createSession();
    const { status, body } = await server.complete(session, await server.publicToken());
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: session.id, status: 'completed', error: null });
    const [instrument] = enabled();
    expect(body.connections).toMatchObject([
      {
        object: 'connection',
        status: 'active',
        payment_instrument: instrument?.['id'],
        institution: { id: 'ins_109508' },
        account: { name: 'Everyday Checking', mask: '5010', type: 'depository', subtype: 'checking' },
      },
    ]);
    expect(server.ledger.instruments()).toHaveLength(1);
  });

  it('keeps the access token sealed, erases the public token, and stores no processor token', async () => {
    const session = await server.createSession();
    const publicToken = await server.publicToken();
    await server.complete(session, publicToken);
    const item = await server.storage.db.selectFrom('items').selectAll().executeTakeFirstOrThrow();
    expect(item.access_token_enc).toMatch(/^v1\./);
    expect(item.public_token_enc).toBeNull();
    const rows = await Promise.all(
      (['sessions', 'items', 'connections', 'customers'] as const).map((table) =>
        server.storage.db.selectFrom(table).selectAll().execute(),
      ),
    );
    const secrets = [publicToken, server.ledger.items()[0]?.access_token ?? '?', ...server.ledger.processorTokens()];
    for (const secret of secrets) {
      expect(JSON.stringify(rows)).not.toContain(secret);
      expect(server.lines.join()).not.toContain(secret);
    }
    expect(server.lines.join()).not.toContain(session.client_secret);
  });

  it('is not refused for long or odd names in what Link says of the bank', async () => {
    const session = await server.createSession();
    const token = await server.publicToken();
    const name = `\0${'n'.repeat(600)}`;
    const more = { accounts: [{ id: await accountId(0), name }], institution: { institution_id: 'ins_109508', name } };
    expect((await server.complete(session, token, more)).body.status).toBe('completed');
  });

  it('gives the same connection to the same public token again', async () => {
    const session = await server.createSession();
    const publicToken = await server.publicToken();
    const first = await server.complete(session, publicToken);
    const again = await server.complete(session, publicToken);
    expect(again.status).toBe(200);
    expect(again.body).toEqual(first.body);
    expect(server.ledger.instruments()).toHaveLength(1);
  });

  it('makes one instrument of the same public token sent many times at once', async () => {
    const session = await server.createSession();
    const publicToken = await server.publicToken();
    const answers = await Promise.all(Array.from({ length: 30 }, () => server.complete(session, publicToken)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body.connections[0].id)).size).toBe(1);
    expect(server.ledger.instruments()).toHaveLength(1);
    expect(server.ledger.identities()).toHaveLength(1);
    expect(callsTo('/item/public_token/exchange')).toHaveLength(1);
  });

  it('refuses another public token while one is being worked on, and after completion, before any exchange', async () => {
    server.upstream.simulator.faults.add({
      service: 'finix',
      method: 'POST',
      path: '/payment_instruments',
      kind: 'delay',
      delayMs: 300,
      times: 1,
    });
    const session = await server.createSession();
    const [first, second] = [await server.publicToken(), await server.publicToken()];
    const running = server.complete(session, first);
    await expect.poll(() => callsTo('/payment_instruments').length).toBe(1);
    const busy = await server.complete(session, second);
    expect([busy.status, busy.body.code, busy.body.retryable]).toEqual([409, 'session_busy', true]);
    expect((await running).status).toBe(200);
    const late = await server.complete(session, second);
    expect([late.status, late.body.code]).toEqual([409, 'session_already_completed']);
    expect(callsTo('/item/public_token/exchange')).toHaveLength(1);
  });

  it.each([
    [{}, 'public_token'],
    [{ public_token: 'x' }, 'accounts'],
    [{ public_token: '', accounts: [] }, 'public_token'],
    [{ public_token: 'x', accounts: [{}] }, 'accounts.0.id'],
    [
      { public_token: 'x', accounts: [], authorization: { accepted: 'yes', text_sha256: 'x' } },
      'authorization.accepted',
    ],
    [{ public_token: 'x', accounts: [], more: 1 }, 'more'],
  ])('refuses the body %j naming %s', async (body, path) => {
    const session = await server.createSession();
    const answer = await server.page(session, 'POST', '/complete', body);
    expect(answer.status).toBe(422);
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toContain(path);
    expect(await server.storage.db.selectFrom('items').select('id').execute()).toHaveLength(0);
  });

  it('takes what Link adds to an account without complaint', async () => {
    const session = await server.createSession();
    const token = await server.publicToken();
    const accounts = [
      {
        id: await accountId(0),
        name: 'x',
        mask: null,
        type: 'depository',
        subtype: 'checking',
        verification_status: null,
        class_type: null,
      },
    ];
    expect((await server.complete(session, token, { accounts })).status).toBe(200);
  });

  it('asks for a restart when the public token is unknown, spent or of another session, and then takes a new one', async () => {
    const [session, other] = [await server.createSession(), await server.createSession({ customer_id: 'cus_2' })];
    const spent = await server.publicToken();
    await server.complete(other, spent);
    for (const token of ['public-sandbox-11111111-1111-1111-1111-111111111111', 'nonsense', spent]) {
      const { status, body } = await server.complete(session, token);
      expect([status, body.code, body.action]).toEqual([409, 'restart_required', 'restart']);
      expect((await server.page(session, 'GET', '')).body.status).toBe('restart_required');
    }
    const good = await server.complete(session, await server.publicToken());
    expect([good.status, good.body.status]).toEqual([200, 'completed']);
    expect(good.body.connections).toHaveLength(1);
    expect(enabled()).toHaveLength(2);
  });

  it('asks for a restart when the public token of another session is the first to come', async () => {
    const [session, other] = [await server.createSession(), await server.createSession({ customer_id: 'cus_2' })];
    const spent = await server.publicToken();
    await server.complete(other, spent);
    expect((await server.complete(session, spent)).body.code).toBe('restart_required');
    const { body } = await server.page(session, 'GET', '');
    expect(body).toMatchObject({ status: 'restart_required', error: { code: 'restart_required' }, connections: [] });
    expect((await server.complete(session, await server.publicToken())).body.status).toBe('completed');
  });

  it('accepts a bank until 30 minutes after the last link token, also when the session is over', async () => {
    const session = await server.createSession();
    server.clockOffset = 24 * 3600_000 - 1000;
    await server.page(session, 'POST', '/link-token', {});
    server.clockOffset = 24 * 3600_000 + 60_000;
    expect((await server.page(session, 'GET', '')).body.status).toBe('expired');
    expect((await server.complete(session, await server.publicToken())).body.status).toBe('completed');

    const late = await server.createSession();
    server.clockOffset += 24 * 3600_000 + 60_000;
    const { status, body } = await server.complete(late, await server.publicToken());
    expect([status, body.code]).toEqual([409, 'session_expired']);
  });
});

/** The id that Plaid gave the nth account of the Item made last. */
async function accountId(n: number): Promise<string> {
  return server.ledger.items().at(-1)?.account_ids[n] ?? '';
}

describe('accounts', () => {
  beforeEach(async () => {
    server = await TestServer.start();
  });

  it('are asked about when several could be meant, and the same public token is sent again with the choice', async () => {
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

  it('are all taken when the session may have several', async () => {
    const session = await server.createSession({ account_selection: 'multiple' });
    const { body } = await server.complete(session, await server.publicToken('user_several'));
    expect(body.connections).toHaveLength(4);
    expect(new Set(body.connections.map((c: { payment_instrument: string }) => c.payment_instrument)).size).toBe(4);
    expect(server.ledger.identities()).toHaveLength(1);
  });

  it('of another login are refused by name, and nothing is lost', async () => {
    const session = await server.createSession();
    const token = await server.publicToken('user_good');
    const foreign = await server.complete(session, token, { accounts: [{ id: 'somebody-elses' }] });
    expect([foreign.status, foreign.body.code]).toEqual([422, 'account_unknown']);
    expect(foreign.body.errors).toEqual([{ path: 'accounts.0.id', message: expect.any(String) }]);
    expect(enabled()).toHaveLength(0);
    const good = await server.complete(session, token, { accounts: [{ id: await accountId(0) }] });
    expect(good.body.status).toBe('completed');
  });

  it('that cannot be debited are refused whatever the page says of them', async () => {
    const session = await server.createSession();
    const token = await server.publicToken('user_good');
    const creditCard = { id: await accountId(3), type: 'depository', subtype: 'checking' };
    const { status, body } = await server.complete(session, token, { accounts: [creditCard] });
    expect([status, body.code, body.action]).toEqual([422, 'account_not_supported', 'choose_account']);
    expect(enabled()).toHaveLength(0);
  });

  it('are refused with another bank as the way forward when the login has none that fits', async () => {
    const session = await server.createSession();
    const { status, body } = await server.complete(session, await server.publicToken('user_no_accounts'));
    expect([status, body.code, body.action]).toEqual([422, 'account_not_supported', 'use_other_bank']);
    const other = await server.complete(session, await server.publicToken());
    expect(other.body.status).toBe('completed');
    await server.jobs.tick();
    expect(server.ledger.items().map(({ removed }) => removed)).toEqual([true, false]);
  });

  it('that are still being verified wait without an instrument', async () => {
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

  it('must be accepted before anything is exchanged, and is kept as a receipt', async () => {
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

describe('identities', () => {
  beforeEach(async () => {
    server = await TestServer.start();
  });

  it('are made from the session, in the role that its purpose asks for', async () => {
    const identity = { first_name: 'Jane', last_name: 'Doe', email: 'jane@example.com' };
    await server.complete(await server.createSession({ identity, customer_id: 'a' }), await server.publicToken());
    await server.complete(
      await server.createSession({ identity, customer_id: 'b', purpose: 'payout' }),
      await server.publicToken(),
    );
    expect(server.ledger.identities()).toMatchObject([
      { identity_roles: ['BUYER'], type: 'PERSONAL', entity: identity },
      { identity_roles: ['RECIPIENT'] },
    ]);
    const sessions = await server.storage.db.selectFrom('sessions').select('identity_enc').execute();
    expect(sessions.map(({ identity_enc }) => identity_enc)).toEqual([null, null]);
  });

  it('of a customer are used again', async () => {
    for (let i = 0; i < 2; i++) await server.complete(await server.createSession(), await server.publicToken());
    expect(server.ledger.identities()).toHaveLength(1);
    expect(enabled()).toHaveLength(2);
  });

  it('are made once when two sessions of a customer finish at once', async () => {
    const sessions = [await server.createSession(), await server.createSession(), await server.createSession()];
    const tokens = [await server.publicToken(), await server.publicToken(), await server.publicToken()];
    const answers = await Promise.all(sessions.map((session, i) => server.complete(session, tokens[i] ?? '')));
    expect(answers.map(({ body }) => body.status)).toEqual(['completed', 'completed', 'completed']);
    expect(server.ledger.identities()).toHaveLength(1);
  });

  it('that the merchant names are used, and used again for the customer', async () => {
    await server.complete(await server.createSession({ customer_id: 'other' }), await server.publicToken());
    const finix_identity = String(server.ledger.identities()[0]?.['id']);
    await server.complete(await server.createSession({ customer_id: 'x', finix_identity }), await server.publicToken());
    await server.complete(await server.createSession({ customer_id: 'x' }), await server.publicToken());
    expect(server.ledger.identities()).toHaveLength(1);
    expect(enabled().map((instrument) => instrument['identity'])).toEqual([
      finix_identity,
      finix_identity,
      finix_identity,
    ]);
  });
});

describe('connections', () => {
  it('are read and listed by the merchant, page by page', async () => {
    server = await TestServer.start();
    for (const customer_id of ['a', 'a', 'b']) {
      await server.complete(await server.createSession({ customer_id }), await server.publicToken());
    }
    const first = await server.merchant('GET', '/v1/connections?limit=2');
    expect(first.body).toMatchObject({ object: 'list', has_more: true });
    const second = await server.merchant('GET', `/v1/connections?limit=2&cursor=${first.body.next_cursor}`);
    expect(second.body).toMatchObject({ has_more: false, next_cursor: null });
    const ids = [...first.body.data, ...second.body.data].map(({ id }: { id: string }) => id);
    expect(new Set(ids).size).toBe(3);
    const filtered = await server.merchant('GET', '/v1/connections?customer_id=a&status=active');
    expect(filtered.body.data).toHaveLength(2);
    expect((await server.merchant('GET', `/v1/connections/${ids[0]}`)).body).toMatchObject({
      id: ids[0],
      status: 'active',
    });
    expect((await server.merchant('GET', '/v1/connections/con_none')).status).toBe(404);
    expect((await server.merchant('GET', '/v1/connections?status=broken')).status).toBe(422);
    expect((await server.send('GET', '/v1/connections', undefined, { Origin: SHOP })).status).toBe(401);
  });
});
