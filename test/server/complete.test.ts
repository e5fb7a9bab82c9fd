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

describe('complete', () => {
  beforeEach(async () => {
    server = await TestServer.start();
  });

  it('a public token with one account becomes an active connection with a Finix payment instrument', async () => {
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

  it('completing keeps the access token sealed, erases the public token, and stores no processor token', async () => {
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

  it('completing accepts long and odd names in Link’s metadata of the bank', async () => {
    const session = await server.createSession();
    const token = await server.publicToken();
    const name = `\0${'n'.repeat(600)}`;
    const more = { accounts: [{ id: await accountId(0), name }], institution: { institution_id: 'ins_109508', name } };
    expect((await server.complete(session, token, more)).body.status).toBe('completed');
  });

  it('completing twice with the same public token returns the same connection', async () => {
    const session = await server.createSession();
    const publicToken = await server.publicToken();
    const first = await server.complete(session, publicToken);
    const again = await server.complete(session, publicToken);
    expect(again.status).toBe(200);
    expect(again.body).toEqual(first.body);
    expect(server.ledger.instruments()).toHaveLength(1);
  });

  it('completing many times at once with one public token makes one instrument', async () => {
    const session = await server.createSession();
    const publicToken = await server.publicToken();
    const answers = await Promise.all(Array.from({ length: 30 }, () => server.complete(session, publicToken)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body.connections[0].id)).size).toBe(1);
    expect(server.ledger.instruments()).toHaveLength(1);
    expect(server.ledger.identities()).toHaveLength(1);
    expect(callsTo('/item/public_token/exchange')).toHaveLength(1);
  });

  it('completing refuses another public token while one is being processed, and after completion, before any exchange', async () => {
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
  ])('completing refuses the body %j naming %s', async (body, path) => {
    const session = await server.createSession();
    const answer = await server.page(session, 'POST', '/complete', body);
    expect(answer.status).toBe(422);
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toContain(path);
    expect(await server.storage.db.selectFrom('items').select('id').execute()).toHaveLength(0);
  });

  it('completing accepts what Link adds to an account', async () => {
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

  it('completing asks for a restart when the public token is unknown, consumed or of another session, and then takes a new one', async () => {
    const [session, other] = [await server.createSession(), await server.createSession({ customer_id: 'cus_2' })];
    const consumed = await server.publicToken();
    await server.complete(other, consumed);
    for (const token of ['public-sandbox-11111111-1111-1111-1111-111111111111', 'nonsense', consumed]) {
      const { status, body } = await server.complete(session, token);
      expect([status, body.code, body.action]).toEqual([409, 'restart_required', 'restart']);
      expect((await server.page(session, 'GET', '')).body.status).toBe('restart_required');
    }
    const good = await server.complete(session, await server.publicToken());
    expect([good.status, good.body.status]).toEqual([200, 'completed']);
    expect(good.body.connections).toHaveLength(1);
    expect(enabled()).toHaveLength(2);
  });

  it('completing asks for a restart when the public token of another session is the first to come', async () => {
    const [session, other] = [await server.createSession(), await server.createSession({ customer_id: 'cus_2' })];
    const consumed = await server.publicToken();
    await server.complete(other, consumed);
    expect((await server.complete(session, consumed)).body.code).toBe('restart_required');
    const { body } = await server.page(session, 'GET', '');
    expect(body).toMatchObject({ status: 'restart_required', error: { code: 'restart_required' }, connections: [] });
    expect((await server.complete(session, await server.publicToken())).body.status).toBe('completed');
  });

  it('completing accepts a bank until 30 minutes after the last link token, also when the session is over', async () => {
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

describe('the limit on completes of one session', () => {
  const hits = async () =>
    (
      await server.storage.db.selectFrom('rate_limits').select('hits').where('bucket', 'like', 'complete:%').execute()
    ).map((row) => row.hits);

  it('counts each request once, whether it is taken, repeated or refused', async () => {
    server = await TestServer.start();
    const session = await server.createSession();
    const token = await server.publicToken();
    expect((await server.complete(session, '')).status).toBe(422);
    expect(await hits()).toEqual([1]);
    expect((await server.complete(session, token)).body.status).toBe('completed');
    expect(await hits()).toEqual([2]);
    expect((await server.complete(session, token)).body.status).toBe('completed');
    expect(await hits()).toEqual([3]);
    expect((await server.complete(session, await server.publicToken())).body.code).toBe('session_already_completed');
    expect(await hits()).toEqual([4]);
  });

  it('refuses the next request before anything is asked of Plaid', async () => {
    server = await TestServer.start();
    const session = await server.createSession();
    expect((await server.complete(session, '')).status).toBe(422);
    await server.storage.db
      .updateTable('rate_limits')
      .set({ hits: 120 })
      .where('bucket', 'like', 'complete:%')
      .execute();
    const calls = server.ledger.calls().length;
    const { status, body } = await server.complete(session, 'public-sandbox-made-up');
    expect([status, body.code]).toEqual([429, 'rate_limited']);
    expect(server.ledger.calls()).toHaveLength(calls);
    const row = await server.storage.db.selectFrom('sessions').select('status').executeTakeFirst();
    expect(row?.status).toBe('open');
  });

  it('reads no body of a request that comes after a refused one', async () => {
    server = await TestServer.start();
    const session = await server.createSession();
    let bytes = 0;
    const body = () =>
      new ReadableStream(
        {
          pull(controller) {
            bytes += 1;
            controller.enqueue(new TextEncoder().encode('{'));
            controller.close();
          },
        },
        // Without it a stream is pulled before anything reads it.
        { highWaterMark: 0 },
      );
    const send = async () =>
      server.request(`/v1/sessions/${session.id}/complete`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${session.client_secret}`, 'Content-Type': 'application/json' },
        body: body(),
        duplex: 'half',
      } as RequestInit);
    expect((await send()).status).toBe(400);
    await server.storage.db.updateTable('rate_limits').set({ hits: 120 }).execute();
    expect([(await send()).status, bytes]).toEqual([429, 2]);
    const refused = await send();
    expect([refused.status, bytes]).toEqual([429, 2]);
    expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(0);
    // Another session has its own limit.
    const other = await server.createSession();
    expect((await server.complete(other, await server.publicToken())).body.status).toBe('completed');
  });
});
