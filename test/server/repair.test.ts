import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Session } from '../../widget/contract.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { type Answer, QUICK, TestServer } from '../helpers/server.ts';
import { throughLink } from '../helpers/through-link.ts';

let server: TestServer;
beforeEach(async () => {
  server = await TestServer.start();
});
afterEach(() => server.close());

const { bank, enabled, item, connect, read, expectStatus, settled } = connectionLifecycle(() => server);
const exchanges = () => server.ledger.calls().filter(({ path }) => path === '/item/public_token/exchange').length;

/** Plaid's OAuth bank of its Sandbox; its accounts have numbers that are tokens. */
const TOKENIZING = 'ins_127287';
/** What Link's update mode gives: a token that is not to be exchanged. */
const UPDATE_TOKEN = 'public-sandbox-99999999-9999-9999-9999-999999999999';

async function repair(connection: string, token = UPDATE_TOKEN): Promise<{ session: Session; answer: Answer }> {
  const session = await expectOpened(connection);
  return { session, answer: await server.complete(session, token) };
}

/** A session whose page has opened Link. */
async function expectOpened(connection: string): Promise<Session> {
  const session = await server.createSession({ connection });
  expect((await server.page(session, 'POST', '/link-token', {})).status).toBe(200);
  return session;
}

async function broken(username?: string, institution?: string): Promise<string> {
  const { id } = await connect(username, institution);
  bank().breakLogin(item().item_id);
  await expectStatus(id, 'needs_repair');
  return id;
}

describe('a session with a connection', () => {
  it('a session with a connection is a repair of it, and shows it', async () => {
    const id = await broken();
    const { status, body } = await server.merchant('POST', '/v1/sessions', { customer_id: 'cus_1', connection: id });
    expect([status, body.mode]).toEqual([201, 'repair']);
    expect(body.connections).toMatchObject([{ id, status: 'needs_repair' }]);
  });

  it.each([
    ['of another customer', 'cus_2', (id: string) => id],
    ['that does not exist', 'cus_1', () => 'con_none'],
  ])('a session with a connection %s is refused, naming the field', async (_name, customer_id, connection) => {
    const { id } = await connect();
    const answer = await server.merchant('POST', '/v1/sessions', { customer_id, connection: connection(id) });
    expect([answer.status, answer.body.errors[0].path]).toEqual([422, 'connection']);
  });

  it('a session with a connection that was removed is refused', async () => {
    const { id } = await connect();
    await server.merchant('DELETE', `/v1/connections/${id}`);
    const answer = await server.merchant('POST', '/v1/sessions', { customer_id: 'cus_1', connection: id });
    expect(answer.status).toBe(422);
  });
});

describe('the link token of a repair', () => {
  it('comes with the connection in the page’s view, so that the page knows which bank to sign in to', async () => {
    const id = await broken();
    const session = await server.createSession({ connection: id });
    const { body } = await server.page(session, 'POST', '/link-token', {});
    const shown = await server.page(session, 'GET', '');
    expect(body.repair).toEqual(shown.body.connections[0]);
    expect(body.repair).toMatchObject({ id, status: 'needs_repair' });
    const other = await server.page(await server.createSession(), 'POST', '/link-token', {});
    expect(other.body).not.toHaveProperty('repair');
  });

  it('a repair’s link token is for update mode: the Item’s access token, and neither products nor webhook', async () => {
    const id = await broken();
    const session = await server.createSession({ connection: id });
    expect((await server.page(session, 'POST', '/link-token', {})).status).toBe(200);
    const [call] = server.ledger.calls().filter(({ path }) => path === '/link/token/create');
    expect(call?.body).toMatchObject({ access_token: item().access_token });
    expect(call?.body).not.toHaveProperty('products');
    expect(call?.body).not.toHaveProperty('webhook');
  });

  describe('where the account numbers are no longer shared (AUTH/PRODUCT_PERMISSIONS_REQUIRED)', () => {
    const withheld = async () => {
      const { id } = await connect();
      bank().withholdNumbers(item().item_id);
      await expectStatus(id, 'needs_repair');
      return id;
    };
    const tokens = () =>
      server.ledger.calls().flatMap(({ path, body }) => (path === '/link/token/create' ? [body] : []));

    it('a repair’s link token asks for account numbers that are no longer shared, and sharing them makes the connection active', async () => {
      const id = await withheld();
      const session = await server.createSession({ connection: id });
      const { body: link } = await server.page(session, 'POST', '/link-token', {});
      expect(tokens()).toMatchObject([{ access_token: item().access_token, products: ['auth'] }]);
      const { public_token } = await throughLink(server, link, { username: 'user_one_account' });
      expect(item().products).toContain('auth');
      expect((await server.complete(session, public_token)).body.status).toBe('completed');
      await expectStatus(id, 'active');
      expect(exchanges()).toBe(1);
    });

    it('a repair’s link token asks for a new sign-in alone where Plaid does not let this client ask for products', async () => {
      const id = await withheld();
      const refused = { service: 'plaid', path: '/link/token/create', kind: 'plaid_error', times: 1 } as const;
      server.upstream.simulator.faults.add({ ...refused, error_code: 'INVALID_FIELD' });
      await expectOpened(id);
      expect(tokens().map((body) => (body as { products?: string[] }).products)).toEqual([['auth'], undefined]);
    });
  });

  it('a repair of an Item that is gone at Plaid sends the merchant to a new connection', async () => {
    const id = await broken();
    const session = await server.createSession({ connection: id });
    server.upstream.simulator.faults.add({
      service: 'plaid',
      path: '/link/token/create',
      kind: 'plaid_error',
      error_code: 'ITEM_NOT_FOUND',
      times: 1,
    });
    const { status, body } = await server.page(session, 'POST', '/link-token', {});
    expect([status, body.code, body.action]).toEqual([409, 'restart_required', 'contact_merchant']);
  });
});

describe('completing a repair', () => {
  it('a repair never exchanges the public token; the connection is active with the same instrument', async () => {
    const id = await broken();
    const before = await read(id);
    bank().signInAgain(item().item_id);
    const exchanged = exchanges();
    const { session, answer } = await repair(id);
    expect([answer.status, answer.body.status, answer.body.mode]).toEqual([200, 'completed', 'repair']);
    expect(answer.body.connections).toMatchObject([{ id, status: 'active' }]);
    expect((await read(id)).payment_instrument).toBe(before.payment_instrument);
    expect(exchanges()).toBe(exchanged);
    expect(enabled()).toHaveLength(1);
    expect((await server.complete(session, UPDATE_TOKEN)).body).toEqual(answer.body);
    const other = await server.complete(session, `${UPDATE_TOKEN.slice(0, -1)}8`);
    expect([other.status, other.body.code]).toEqual([409, 'session_already_completed']);
  });

  it.each([
    ['a bank that renumbers', TOKENIZING, false],
    ['a bank whose accounts come back with other ids', 'ins_109508', true],
  ])('a repair at %s makes a new instrument and disables the old one', async (_name, institution, newIds) => {
    const id = await broken('user_one_account', institution);
    const before = await read(id);
    bank().signInAgain(item().item_id, { newIds });
    const { answer } = await repair(id);
    expect(answer.body.status).toBe('completed');
    const after = await read(id);
    expect(after).toMatchObject({ status: 'active', previous_payment_instrument: before.payment_instrument });
    expect(enabled()).toEqual([after.payment_instrument]);
  });

  it('a repair after a revocation makes a new instrument', async () => {
    const { id } = await connect();
    const before = await read(id);
    bank().revokePermission(item().item_id);
    await expectStatus(id, 'revoked');
    bank().signInAgain(item().item_id);
    const { answer } = await repair(id);
    expect(answer.body.status).toBe('completed');
    const after = await read(id);
    expect(after.payment_instrument).not.toBe(before.payment_instrument);
    expect(enabled()).toEqual([after.payment_instrument]);
  });

  it('a repair makes one instrument when Finix goes silent in the middle', async () => {
    await server.close();
    server = await TestServer.start(QUICK);
    const id = await broken('user_one_account', TOKENIZING);
    bank().signInAgain(item().item_id);
    server.upstream.simulator.faults.add({
      service: 'finix',
      method: 'POST',
      path: '/payment_instruments',
      kind: 'timeout',
      when: 'after',
      times: 1,
    });
    const { answer } = await repair(id);
    expect(answer.body.status).toBe('completed');
    expect(enabled()).toEqual([(await read(id)).payment_instrument]);
    expect(server.ledger.instruments()).toHaveLength(2);
  });

  describe.each([
    ['Finix', { service: 'finix', path: '/payment_instruments', kind: 'finix_error', error_code: 'INVALID_FIELD' }],
    [
      'Plaid',
      { service: 'plaid', path: '/processor/token/create', kind: 'plaid_error', error_code: 'PRODUCTS_NOT_SUPPORTED' },
    ],
  ] as const)('a repair that %s refuses', (_name, refusal) => {
    const refuse = () => server.upstream.simulator.faults.add({ ...refusal, method: 'POST', times: 1 });

    it('leaves a failed connection with nothing to debit, and its Item is removed', async () => {
      const id = await broken('user_one_account', TOKENIZING);
      const { item_id } = item();
      bank().signInAgain(item_id);
      refuse();
      const { answer } = await repair(id);
      expect([answer.body.status, answer.body.error.action]).toEqual(['failed', expect.any(String)]);
      await expectStatus(id, 'failed');
      expect(enabled()).toEqual([]);
      expect(server.ledger.items().find((one) => one.item_id === item_id)?.removed).toBe(true);
    });

    it('leaves the Item to the other accounts of the login', async () => {
      const session = await server.createSession({ account_selection: 'multiple' });
      const token = await server.publicToken('user_several', TOKENIZING);
      const { body } = await server.complete(session, token);
      const [id = '', ...others] = body.connections.map((connection: { id: string }) => connection.id) as string[];
      await server.storage.db
        .updateTable('connections')
        .set({ status: 'needs_repair', reason: 'ITEM_LOGIN_REQUIRED' })
        .where('id', '=', id)
        .execute();
      refuse();
      await repair(id);
      await expectStatus(id, 'failed');
      expect(item().removed).toBe(false);
      for (const other of others) await expectStatus(other, 'active');
      expect(enabled()).toHaveLength(others.length);
    });
  });

  it('a repair without a new sign-in asks for another attempt, and takes it', async () => {
    const id = await broken();
    const { session, answer } = await repair(id);
    expect([answer.status, answer.body.code]).toEqual([409, 'restart_required']);
    expect((await read(id)).status).toBe('needs_repair');
    bank().signInAgain(item().item_id);
    expect((await server.complete(session, UPDATE_TOKEN)).body.status).toBe('completed');
  });

  it.each([
    ['a login that is broken', 'needs_repair', () => bank().breakLogin(item().item_id)],
    ['a permission that was revoked', 'revoked', () => bank().revokePermission(item().item_id)],
  ] as const)(
    'a repair with a made-up token does not repair %s, as no link token was made',
    async (_name, status, end) => {
      const { id } = await connect();
      end();
      await expectStatus(id, status);
      bank().signInAgain(item().item_id);
      const session = await server.createSession({ connection: id });
      const answer = await server.complete(session, UPDATE_TOKEN);
      expect([answer.status, answer.body.code]).toEqual([409, 'restart_required']);
      expect((await read(id)).status).toBe(status);
    },
  );

  it('a repair of a login that Plaid still reports as broken asks for another attempt, with any accounts', async () => {
    const id = await broken();
    bank().signInAgain(item().item_id);
    const session = await expectOpened(id);
    const path = '/item/get';
    server.upstream.simulator.faults.add({ service: 'plaid', path, kind: 'delay', delayMs: 300, times: 1 });
    const asked = () => server.ledger.calls().filter((call) => call.path === '/accounts/get').length;
    const before = asked();
    const repairing = server.complete(session, UPDATE_TOKEN);
    await expect.poll(asked).toBe(before + 1);
    bank().breakLogin(item().item_id);
    const answer = await repairing;
    expect([answer.status, answer.body.code]).toEqual([409, 'restart_required']);
    expect((await read(id)).status).toBe('needs_repair');
  });

  it('a repair of a login that no longer shares the account asks to choose it', async () => {
    const session = await server.createSession({ account_selection: 'multiple' });
    const { body } = await server.complete(session, await server.publicToken('user_several'));
    const id = body.connections[0].id as string;
    const row = await server.storage.db.selectFrom('connections').selectAll().where('id', '=', id).executeTakeFirst();
    bank().revokeAccount(item().item_id, row?.plaid_account_id ?? '');
    await expectStatus(id, 'revoked');
    const { answer } = await repair(id);
    expect([answer.status, answer.body.code, answer.body.action]).toEqual([422, 'account_unknown', 'choose_account']);
    expect((await read(id)).status).toBe('revoked');
  });

  it('a repair also repairs the other accounts of the same login', async () => {
    const session = await server.createSession({ account_selection: 'multiple' });
    const { body } = await server.complete(session, await server.publicToken('user_several'));
    const ids = body.connections.map(({ id }: { id: string }) => id) as string[];
    bank().revokePermission(item().item_id);
    await settled();
    expect(enabled()).toEqual([]);
    bank().signInAgain(item().item_id);
    expect((await repair(ids[0] ?? '')).answer.body.status).toBe('completed');
    for (const id of ids) await expectStatus(id, 'active');
    expect(enabled()).toHaveLength(4);
  });

  it('a repair by two pages at once is one repair', async () => {
    const id = await broken('user_one_account', TOKENIZING);
    bank().signInAgain(item().item_id);
    const sessions = [await expectOpened(id), await expectOpened(id)];
    const answers = await Promise.all(sessions.map((session) => server.complete(session, UPDATE_TOKEN)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(enabled()).toEqual([(await read(id)).payment_instrument]);
  });

  it('a repair of a connection that is removed in the meantime fails, and leaves it removed', async () => {
    const id = await broken();
    const session = await expectOpened(id);
    await server.merchant('DELETE', `/v1/connections/${id}`);
    const answer = await server.complete(session, UPDATE_TOKEN);
    expect([answer.status, answer.body.code]).toEqual([409, 'session_failed']);
    expect((await read(id)).status).toBe('removed');
    expect(enabled()).toEqual([]);
  });
});
