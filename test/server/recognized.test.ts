import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mayEndOlderLogin } from '../../server/connect/institution-quirks.ts';
import { sha256 } from '../../server/ids.ts';
import { findSession } from '../../server/records/sessions.ts';
import type { CompleteRequest, CreateSessionRequest, Session } from '../../widget/contract.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { patient } from '../helpers/patience.mjs';
import { type Answer, eventually, TestServer } from '../helpers/server.ts';
import { throughLink, type Way } from '../helpers/through-link.ts';

let server: TestServer;
beforeEach(async () => {
  server = await TestServer.start({ simulator: { linkEvents: true } });
});
afterEach(() => server.close());

const { bank, enabled, settled, read } = connectionLifecycle(() => server);

const exchanges = () => server.ledger.calls().filter(({ path }) => path === '/item/public_token/exchange').length;

interface Visit {
  request?: Partial<CreateSessionRequest>;
  way?: Way;
  more?: Partial<CompleteRequest>;
}

/** A customer goes through Link once, all of it. */
async function visit({ request, way, more }: Visit = {}) {
  const session = await server.createSession(request);
  const { body: link } = await server.page(session, 'POST', '/link-token', {});
  const submission = { ...(await throughLink(server, link, way)), ...more };
  return { session, submission, answer: await complete(session, submission) };
}

const complete = (session: Session, { public_token, ...more }: CompleteRequest): Promise<Answer> =>
  server.complete(session, public_token, more);

describe('an account that the customer has connected already', () => {
  it('a known account is recognized before anything is exchanged: the session ends with the existing connection', async () => {
    const first = await visit();
    const again = await visit();
    expect(again.answer).toMatchObject({ status: 200, body: { status: 'completed', error: null } });
    expect(again.answer.body.connections).toEqual(first.answer.body.connections);
    expect(exchanges()).toBe(1);
    await settled();
    expect(enabled()).toHaveLength(1);
    expect((await read(first.answer.body.connections[0].id)).status).toBe('active');
  });

  it('a recognized account returns the same answer to the same public token, and takes no other one', async () => {
    await visit();
    const { session, submission, answer } = await visit();
    expect((await complete(session, submission)).body).toEqual(answer.body);
    const other = await complete(session, { ...submission, public_token: await server.publicToken() });
    expect(other).toMatchObject({ status: 409, body: { code: 'session_already_completed' } });
    const elsewhere = await complete(await server.createSession(), submission);
    expect(elsewhere).toMatchObject({ status: 409, body: { code: 'restart_required' } });
    expect(exchanges()).toBe(1);
  });

  it('a recognized account whose token is sent many times at once ends the session once', async () => {
    await visit();
    const session = await server.createSession();
    const { body: link } = await server.page(session, 'POST', '/link-token', {});
    const submission = await throughLink(server, link);
    const answers = await Promise.all([1, 2, 3, 4].map(() => complete(session, submission)));
    expect(answers.map(({ body }) => body.status)).toEqual(Array(4).fill('completed'));
    const entries = await server.storage.db
      .selectFrom('audit')
      .select('id')
      .where('action', '=', 'connection.recognized')
      .execute();
    expect([entries.length, exchanges()]).toEqual([1, 1]);
  });

  it('a recognized account adds an entry to the audit of its connection', async () => {
    const { answer } = await visit();
    const again = await visit();
    const { body } = await server.merchant('GET', `/v1/connections/${answer.body.connections[0].id}/audit`);
    expect(body.data.at(-1)).toMatchObject({
      action: 'connection.recognized',
      actor: 'page',
      session: again.session.id,
    });
  });

  it('a known account is recognized by Plaid’s webhook alone where Link was hosted', async () => {
    const { answer } = await visit();
    const session = await server.createSession();
    const { body: link } = await server.page(session, 'POST', '/link-token', { mode: 'hosted' });
    await throughLink(server, { hosted_id: new URL(link.hosted_link_url).pathname.split('/').pop() ?? '' });
    await settled();
    expect((await findSession(server.storage, session.id))?.status).toBe('completed');
    expect((await server.page(session, 'GET', '')).body.connections).toEqual(answer.body.connections);
    expect(exchanges()).toBe(1);
  });

  it('a known account and a new one in “multiple” are both recognized, or both exchanged', async () => {
    await server.close();
    const simulator = { linkEvents: true };
    server = await TestServer.start({ simulator, env: { PLAID_LINK_CUSTOMIZATION: 'multiple' } });
    const request = { account_selection: 'multiple' } as const;
    const two = { username: 'user_several', pick: (ids: string[]) => ids.slice(0, 2) };
    const three = { username: 'user_several', pick: (ids: string[]) => ids.slice(0, 3) };
    const first = await visit({ request, way: two });
    const again = await visit({ request, way: two });
    expect(again.answer.body.connections).toEqual(first.answer.body.connections);
    expect(again.answer.body.connections).toHaveLength(2);
    expect(exchanges()).toBe(1);
    await visit({ request, way: three });
    expect(exchanges()).toBe(2);
    await settled();
    expect(enabled()).toHaveLength(3);
  });
});

describe('with a text to accept', () => {
  const text = 'I allow Acme to debit my account.';
  const agreed = { accepted: true, text_sha256: sha256(text) };
  const authorization = { text, version: '1' };

  it('a recognized customer accepts the text again, the acceptance is kept, and the connection’s receipt is not changed', async () => {
    const first = await visit({ request: { authorization }, more: { authorization: agreed } });
    const [{ id }] = first.answer.body.connections;
    const receipt = (await read(id)).authorization;
    const asked = await visit({ request: { authorization } });
    expect(asked.answer).toMatchObject({ status: 409, body: { code: 'authorization_required' } });
    const answer = await complete(asked.session, { ...asked.submission, authorization: agreed });
    expect(answer.body).toMatchObject({ status: 'completed', connections: [{ id }] });
    expect(exchanges()).toBe(1);
    expect((await read(id)).authorization).toEqual(receipt);
    const { body: audit } = await server.merchant('GET', `/v1/connections/${id}/audit`);
    expect(audit.data.at(-1)).toMatchObject({
      action: 'connection.recognized',
      details: { version: '1', text_sha256: sha256(text) },
    });
  });

  it.each([
    ['another text', { text: 'Another text.', version: '1' }],
    ['another version', { text, version: '2' }],
  ])('a known account with a text that is %s gets a connection and a receipt of its own', async (_name, other) => {
    await visit({ request: { authorization }, more: { authorization: agreed } });
    const more = { authorization: { accepted: true, text_sha256: sha256(other.text) } };
    const { answer } = await visit({ request: { authorization: other }, more });
    expect(exchanges()).toBe(2);
    expect((await read(answer.body.connections[0].id)).authorization).toMatchObject(other);
  });
});

describe('what is not recognized, and is exchanged', () => {
  it.each<[string, Visit]>([
    ['another customer’s', { request: { customer_id: 'cus_2' } }],
    ['one for payouts', { request: { purpose: 'payout' } }],
    ['one for another identity', { request: { finix_identity: 'IDother' } }],
    ['one with other metadata', { request: { metadata: { order: '2' } } }],
    ['another account of the login', { way: { pick: (ids) => ids.slice(1, 2) } }],
    ['the account of that name at another bank', { way: { institution: 'ins_109508' } }],
  ])('%s: not recognized, and exchanged', async (_name, other) => {
    await visit();
    await visit(other);
    expect(exchanges()).toBe(2);
  });

  it.each(['Chase', 'PNC', 'Navy Federal Credit Union', 'Charles Schwab', 'U.S. Bank'])(
    'an account at %s is exchanged, because the new login may have ended the older one',
    async (institution_name) => {
      await visit();
      await server.storage.db.updateTable('connections').set({ institution_name }).execute();
      await visit();
      expect(exchanges()).toBe(2);
    },
  );

  it('an account at a bank that renumbers is recognized by its id, under any name that Plaid returns', () => {
    const ids = ['ins_3', 'ins_56', 'ins_13', 'ins_15', 'ins_11', 'ins_127990'];
    expect(ids.filter((id) => !mayEndOlderLogin(id, null))).toEqual([]);
    expect(mayEndOlderLogin('ins_109511', 'Tartan Bank')).toBe(false);
  });

  it('an account whose older login no longer works is exchanged, also before its webhook arrives', async () => {
    await visit();
    server.upstream.simulator.webhooks.hold();
    const [first] = server.ledger.items();
    bank().breakLogin(first?.item_id ?? '');
    await visit();
    expect(exchanges()).toBe(2);
  });

  it.each(['needs_repair', 'revoked', 'pending_verification'] as const)(
    'an account whose connection is %s is exchanged',
    async (status) => {
      await visit();
      await server.storage.db.updateTable('connections').set({ status }).execute();
      await visit();
      expect(exchanges()).toBe(2);
    },
  );

  it('one of two accounts with the same name is exchanged', async () => {
    await visit();
    await visit({ request: { metadata: { a: 'b' } } });
    await server.storage.db.updateTable('connections').set({ status: 'active', goal: null, metadata: '{}' }).execute();
    await visit();
    expect(exchanges()).toBe(3);
  });

  it('an account of a public session is exchanged', async () => {
    await server.close();
    const env = { PUBLIC_SESSIONS: 'on' };
    server = await TestServer.start({ simulator: { linkEvents: true }, env });
    const { answer } = await visit();
    const made = await server.send('POST', '/v1/sessions', {}, { Origin: 'https://shop.example' });
    const { body: link } = await server.page(made.body, 'POST', '/link-token', {});
    const theirs = await complete(made.body, await throughLink(server, link));
    expect(theirs.body.connections[0].id).not.toBe(answer.body.connections[0].id);
    expect(exchanges()).toBe(2);
    expect(await server.storage.db.selectFrom('hosted_links').selectAll().execute()).toEqual([]);
  });

  it('a known account is exchanged while Plaid can’t be asked', async () => {
    await visit();
    const down = { service: 'plaid', path: '/link/token/get', kind: 'status', status: 500 } as const;
    server.upstream.simulator.faults.add(down);
    expect((await visit()).answer.body.status).toBe('completed');
    expect(exchanges()).toBe(2);
  });

  it('a known account is exchanged while Plaid takes longer to answer than the exchange would', async () => {
    await visit();
    const slow = { service: 'plaid', path: '/link/token/get', kind: 'delay', delayMs: patient(8_000) } as const;
    server.upstream.simulator.faults.add(slow);
    const began = performance.now();
    expect((await visit()).answer.body.status).toBe('completed');
    expect(performance.now() - began).toBeLessThan(patient(7_000));
    expect(exchanges()).toBe(2);
  });

  it('a known account is exchanged where Plaid reports Hosted Links only', async () => {
    await visit();
    server.upstream.simulator.settings.linkEvents = false;
    expect((await visit()).answer.body.status).toBe('completed');
    expect(exchanges()).toBe(2);
  });
});

describe('where the session requires the owner', () => {
  const identity = { first_name: 'Quillon', last_name: 'Vantresca' };
  const required = { identity, ownership: 'require' } as const;

  /** The customer's account, connected by a session that only reports its owner. */
  async function expectConnected(username: string, owner: string): Promise<{ id: string }> {
    const { answer } = await visit({ request: { identity }, way: { username } });
    const [{ id }] = answer.body.connections;
    await eventually(async () => (await read(id)).verification.owner.checked_at !== null);
    expect((await read(id)).verification.owner.status).toBe(owner);
    return { id };
  }

  it.each([
    ['user_owner_match', 'match'],
    ['user_owner_partial', 'partial'],
  ])('an owner of %s is recognized where the session requires the owner', async (username, owner) => {
    const { id } = await expectConnected(username, owner);
    const { answer } = await visit({ request: required, way: { username } });
    expect(answer.body).toMatchObject({ status: 'completed', connections: [{ id }] });
    expect(exchanges()).toBe(1);
  });

  it.each([
    ['user_owner_mismatch', 'mismatch', 'owner_mismatch'],
    ['user_owner_unknown', 'unknown', 'owner_unknown'],
  ])('an owner of %s is exchanged, and refused', async (username, owner, code) => {
    const { id } = await expectConnected(username, owner);
    const { answer } = await visit({ request: required, way: { username } });
    expect(answer).toMatchObject({ status: 422, body: { code } });
    expect(exchanges()).toBe(2);
    await settled();
    expect((await read(id)).status).toBe('active');
  });

  it('an account whose owner was never compared is exchanged, and its new connection has the result', async () => {
    const way = { username: 'user_owner_match' };
    const first = await visit({ request: { ...required, ownership: 'off' }, way });
    const { answer } = await visit({ request: required, way });
    expect(answer.body.status).toBe('completed');
    expect(answer.body.connections[0].id).not.toBe(first.answer.body.connections[0].id);
    expect((await read(answer.body.connections[0].id)).verification.owner.status).toBe('match');
  });
});

describe('a page that only claims that its customer has connected the account', () => {
  it.each([
    ['a made-up public token', async () => 'public-sandbox-11111111-1111-1111-1111-111111111111'],
    ['a public token of another login', () => server.publicToken('user_several')],
  ])('a page that claims a known account with %s gets no connection of that customer', async (_name, token) => {
    const { submission, answer } = await visit();
    const session = await server.createSession();
    await server.page(session, 'POST', '/link-token', {});
    const answered = await complete(session, { ...submission, public_token: await token() });
    expect(JSON.stringify(answered.body)).not.toContain(answer.body.connections[0].id);
    expect(exchanges()).toBe(2);
  });

  it('a page that sends the names of another account gets the account that was chosen', async () => {
    const { submission, answer } = await visit();
    const session = await server.createSession();
    const { body: link } = await server.page(session, 'POST', '/link-token', {});
    const other = await throughLink(server, link, { pick: (ids) => ids.slice(1, 2) });
    const accounts = other.accounts.map(({ id }) => ({ ...submission.accounts[0], id }));
    const answered = await complete(session, { ...other, accounts });
    expect(answered.body.connections).toMatchObject([{ account: { mask: other.accounts[0]?.mask } }]);
    expect(answered.body.connections[0].id).not.toBe(answer.body.connections[0].id);
  });
});

describe('the link token that Plaid is asked by', () => {
  it('the link token that Plaid is asked with is kept sealed, only for a customer with a bank, and is deleted in the end', async () => {
    const rows = () => server.storage.db.selectFrom('hosted_links').selectAll().execute();
    const first = await visit();
    expect(first.answer.body.status).toBe('completed');
    expect(await rows()).toEqual([]);
    const session = await server.createSession();
    const { body } = await server.page(session, 'POST', '/link-token', {});
    expect(await rows()).toHaveLength(1);
    expect(JSON.stringify(await rows())).not.toContain(body.link_token);
    expect((await server.page(session, 'GET', '')).body.status).toBe('open');
    await server.jobs.tick();
    server.clockOffset = 5 * 3600_000;
    await server.jobs.tick();
    expect(await rows()).toEqual([]);
    expect(server.ledger.calls().filter(({ path }) => path === '/link/token/get')).toEqual([]);
  });
});
