import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../server/ids.ts';
import { findSession } from '../../server/records/sessions.ts';
import type { Session } from '../../widget/contract.ts';
import { eventually, SHOP, TestServer } from '../helpers/server.ts';

let server: TestServer;
beforeEach(async () => {
  // Plaid's webhook does not come here: what finishes without it is the subject.
  const deliver = async () => new Response();
  server = await TestServer.start({ quietMs: 200, simulator: { deliver } });
});
afterEach(() => server.close());

/** As a browser at the hosted page does. */
async function step(path: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${server.upstream.url}/link/api/${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Record<string, unknown>;
}

/** A customer connects a bank at the hosted page; the session's page gets no event of it. */
async function connectHosted(
  url: string,
  username = 'user_good',
  pick: (ids: string[]) => string[] = (ids) => ids.slice(0, 1),
) {
  const started = await step('start', { hosted_id: new URL(url).pathname.split('/').pop() });
  const at = { session: started['link_session_id'] };
  await step('institution', { ...at, institution_id: 'ins_109511' });
  const { accounts } = await step('credentials', { ...at, username, password: 'pass_good' });
  const ids = (accounts as { id: string }[]).map(({ id }) => id);
  return step('accounts', { ...at, account_ids: pick(ids) });
}

async function expectHostedLink(session: Session, more: object = { mode: 'hosted' }) {
  const { status, body } = await server.page(session, 'POST', '/link-token', more);
  expect(status).toBe(200);
  return body as { link_token: string; hosted_link_url?: string };
}

const calls = (path: string) => server.ledger.calls().filter((call) => call.path === path).length;

describe('a Hosted Link', () => {
  it('a Hosted Link is finished while the page asks for its session, without a webhook', async () => {
    const session = await server.createSession();
    const { hosted_link_url = '' } = await expectHostedLink(session);
    expect((await server.page(session, 'GET', '')).body.status).toBe('open');
    await connectHosted(hosted_link_url);
    const done = await eventually(async () => {
      const { body } = await server.page(session, 'GET', '');
      return body.status === 'completed' && body;
    });
    expect(done.connections).toMatchObject([{ status: 'active', institution: { name: 'Tartan Bank' } }]);
    expect(server.ledger.instruments()).toHaveLength(1);
  });

  it('a job reads the outcome of a Hosted Link when the page is gone', async () => {
    const session = await server.createSession();
    const { hosted_link_url = '' } = await expectHostedLink(session);
    await connectHosted(hosted_link_url);
    // Read past the server: asking it for the session would make it look by itself.
    const status = async () => (await findSession(server.storage, session.id))?.status;
    await server.jobs.tick();
    expect(await status()).toBe('open');
    server.clockOffset = 3 * 60_000;
    await server.jobs.tick();
    expect(await status()).toBe('completed');
    server.clockOffset = 70 * 60_000;
    await server.jobs.tick();
    expect(await server.storage.db.selectFrom('hosted_links').selectAll().execute()).toEqual([]);
  });

  it('a job looks at a Hosted Link once more shortly before its end', async () => {
    await expectHostedLink(await server.createSession());
    for (const minute of [3, 8, 17, 34]) {
      server.clockOffset = minute * 60_000;
      await server.jobs.tick();
    }
    const asked = calls('/link/token/get');
    const { next_at, ends_at } = await server.storage.db
      .selectFrom('hosted_links')
      .selectAll()
      .executeTakeFirstOrThrow();
    expect(next_at).toBeLessThan(ends_at);
    server.clockOffset += next_at - (await server.storage.now()) + 1_000;
    await server.jobs.tick();
    expect(calls('/link/token/get')).toBe(asked + 1);
  });

  it('Plaid is asked about a Hosted Link once in three seconds at most, however often the page asks', async () => {
    const session = await server.createSession();
    await expectHostedLink(session);
    for (let i = 0; i < 10; i++) await server.page(session, 'GET', '');
    // Two windows, where the clock passes from one to the next in between.
    expect(calls('/link/token/get')).toBeLessThanOrEqual(2);
  });

  it('a session without a Hosted Link costs no call to Plaid', async () => {
    const session = await server.createSession();
    await expectHostedLink(session, {});
    await server.page(session, 'GET', '');
    expect(calls('/link/token/get')).toBe(0);
  });

  it('a Hosted Link that needs the customer’s agreement shows the text, and goes on with the answer', async () => {
    const text = 'I allow Acme to debit my account.';
    const session = await server.createSession({ authorization: { text, version: '1' } });
    const { hosted_link_url = '' } = await expectHostedLink(session);
    await connectHosted(hosted_link_url);
    const asked = await eventually(async () => {
      const { body } = await server.page(session, 'GET', '');
      return body.error && body;
    });
    expect(asked).toMatchObject({ status: 'open', error: { code: 'authorization_required', authorization: { text } } });
    const authorization = { accepted: true, text_sha256: sha256(text) };
    const answer = await server.complete(session, 'hosted', { authorization });
    expect(answer.body).toMatchObject({ status: 'completed', connections: [{ status: 'active' }] });
    expect(server.ledger.items().filter(({ exchanged }) => exchanged)).toHaveLength(1);
  });

  it('a Hosted Link with more accounts than one lets the page choose without a public token', async () => {
    server = await restarted({ PLAID_LINK_CUSTOMIZATION: 'multiple' });
    const session = await server.createSession();
    const { hosted_link_url = '' } = await expectHostedLink(session);
    await connectHosted(hosted_link_url, 'user_several', (ids) => ids.slice(0, 2));
    const asked = await eventually(async () => {
      const { body } = await server.page(session, 'GET', '');
      return body.error && body;
    });
    expect(asked.error).toMatchObject({ code: 'account_selection_required' });
    const [, second] = asked.error.accounts;
    const answer = await server.complete(session, 'hosted', { accounts: [{ id: second.id }] });
    expect(answer.body).toMatchObject({ status: 'completed', connections: [{ account: { mask: second.mask } }] });
  });

  it('a Hosted Link that was not finished has no public token to complete with', async () => {
    const session = await server.createSession();
    await expectHostedLink(session);
    const answer = await server.complete(session, 'hosted');
    expect(answer).toMatchObject({ status: 409, body: { code: 'restart_required' } });
  });

  it('a Hosted Link is given to a page that can be left, unless Plaid can come back to an address of our own', async () => {
    const leaving = { mode: 'button', return_url: `${SHOP}/checkout` };
    expect((await expectHostedLink(await server.createSession(), leaving)).hosted_link_url).toBeDefined();
    server = await restarted({ PLAID_REDIRECT_URI: `${SHOP}/return` });
    expect((await expectHostedLink(await server.createSession(), leaving)).hosted_link_url).toBeUndefined();
    expect(server.ledger.linkTokens()[0]?.redirect_uri).toBe(`${SHOP}/return`);
  });

  it('a Hosted Link keeps its link token sealed', async () => {
    const { link_token } = await expectHostedLink(await server.createSession());
    const rows = JSON.stringify(await server.storage.db.selectFrom('hosted_links').selectAll().execute());
    expect(rows).not.toContain(link_token);
    expect(server.lines.join('')).not.toContain(link_token);
  });
});

async function restarted(env: Record<string, string>): Promise<TestServer> {
  await server.close();
  return TestServer.start({ quietMs: 200, env });
}
