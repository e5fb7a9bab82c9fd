import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../server/ids.ts';
import type { Session } from '../../widget/contract.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { eventually, TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

const { webhooks, enabled, events, settled } = connectionLifecycle(() => server);

describe('LINK webhooks of a Hosted Link', () => {
  const finish = async (
    codes: ('ITEM_ADD_RESULT' | 'SESSION_FINISHED')[],
    public_token: string,
    link_token: string,
  ) => {
    for (const webhook_code of codes) {
      webhooks().plaid(`${server.config.publicUrl}/webhooks/plaid`, {
        webhook_type: 'LINK',
        webhook_code,
        link_token,
        link_session_id: 'link-session-1',
        ...(webhook_code === 'SESSION_FINISHED'
          ? { status: 'SUCCESS', public_tokens: [public_token], public_token }
          : { public_token }),
      });
    }
    await settled();
  };

  beforeEach(async () => {
    server = await TestServer.start();
  });

  it.each([
    ['LINK/SESSION_FINISHED', ['SESSION_FINISHED']],
    ['LINK/ITEM_ADD_RESULT', ['ITEM_ADD_RESULT']],
    ['both, and one of them twice', ['ITEM_ADD_RESULT', 'SESSION_FINISHED', 'SESSION_FINISHED']],
  ] as const)('%s: the session of a Hosted Link is completed without its page, once', async (_name, codes) => {
    const session = await server.createSession();
    const { body: link } = await server.page(session, 'POST', '/link-token', { mode: 'hosted' });
    await finish([...codes], await server.publicToken(), link.link_token);
    const { body } = await server.page(session, 'GET', '');
    expect([body.status, body.connections.length]).toEqual(['completed', 1]);
    expect(enabled()).toHaveLength(1);
  });

  it('a repeated LINK webhook while the customer chooses an account waits for the choice, and nothing is read again', async () => {
    const session = await server.createSession();
    const { body: link } = await server.page(session, 'POST', '/link-token', { mode: 'hosted' });
    const token = await server.publicToken('user_several');
    const reads = () => server.ledger.calls().filter(({ path }) => path === '/accounts/get').length;
    await finish(['ITEM_ADD_RESULT'], token, link.link_token);
    const asked = (await server.page(session, 'GET', '')).body;
    expect(asked).toMatchObject({ status: 'open', error: { code: 'account_selection_required' } });
    expect(reads()).toBe(1);
    await finish(['SESSION_FINISHED'], token, link.link_token);
    expect((await server.page(session, 'GET', '')).body).toEqual(asked);
    expect(reads()).toBe(1);
    const answer = await server.complete(session, token, { accounts: [{ id: asked.error.accounts[1].id }] });
    expect(answer.body.connections).toMatchObject([{ account: { mask: asked.error.accounts[1].mask } }]);
  });

  describe('of a session with a text to accept', () => {
    const text = 'I allow Acme to debit my account.';
    const agreed = { accepted: true, text_sha256: sha256(text) };
    const open = () => server.createSession({ authorization: { text, version: '7' }, language: 'es' });
    const link = (session: Session, more: object = {}, headers: Record<string, string> = {}) =>
      server.page(session, 'POST', '/link-token', { mode: 'hosted', ...more }, headers);

    it('LINK/SESSION_FINISHED completes a session without its page when the text was accepted before Link was opened', async () => {
      const session = await open();
      const asked = await link(session);
      expect(asked.body.authorization).toEqual({ text, version: '7', text_sha256: sha256(text) });
      const { body } = await link(session, { authorization: agreed }, { 'User-Agent': 'Browser/1' });
      expect(body.authorization).toBeUndefined();
      await finish(['SESSION_FINISHED'], await server.publicToken(), body.link_token);
      const { connections } = (await server.merchant('GET', `/v1/sessions/${session.id}`)).body;
      expect(connections).toMatchObject([
        { status: 'active', authorization: { text, version: '7', language: 'es', user_agent: 'Browser/1' } },
      ]);
      const { body: audit } = await server.merchant('GET', `/v1/connections/${connections[0].id}/audit`);
      const accepted = audit.data.filter((entry: { action: string }) => entry.action === 'authorization.accepted');
      expect(accepted).toMatchObject([{ actor: 'page', details: { version: '7', text_sha256: sha256(text) } }]);
    });

    it('LINK/SESSION_FINISHED leaves a session open while no text was accepted', async () => {
      const session = await open();
      const { body } = await link(session);
      await finish(['SESSION_FINISHED'], await server.publicToken(), body.link_token);
      expect((await server.merchant('GET', `/v1/sessions/${session.id}`)).body.status).toBe('open');
      expect(server.ledger.items().filter(({ exchanged }) => exchanged)).toEqual([]);
    });

    it('an acceptance of another text, or none, is no acceptance, and makes no link token', async () => {
      const session = await open();
      for (const authorization of [
        { ...agreed, text_sha256: sha256('another') },
        { ...agreed, accepted: false },
      ]) {
        const answer = await link(session, { authorization });
        expect(answer).toMatchObject({
          status: 409,
          body: { code: 'authorization_required', authorization: { text } },
        });
      }
      expect(server.ledger.linkTokens()).toEqual([]);
    });

    it('the text that was accepted first is kept, and later ones are ignored', async () => {
      const session = await open();
      await link(session, { authorization: agreed }, { 'User-Agent': 'First/1' });
      await link(session, { authorization: agreed }, { 'User-Agent': 'Second/1' });
      const row = await server.storage.db.selectFrom('sessions').select('authorization_receipt').executeTakeFirst();
      expect(JSON.parse(row?.authorization_receipt ?? '')).toMatchObject({ user_agent: 'First/1' });
      expect(await server.complete(session, await server.publicToken())).toMatchObject({ status: 200 });
    });

    it('the text of a session is shown up front only with a Hosted Link, whose page may not be there at its end', async () => {
      const { body } = await link(await open(), { mode: 'button' });
      expect(body.authorization).toBeUndefined();
    });
  });

  it('LINK/EVENTS is kept without its content', async () => {
    webhooks().plaid(`${server.config.publicUrl}/webhooks/plaid`, {
      webhook_type: 'LINK',
      webhook_code: 'EVENTS',
      link_token: 'link-sandbox-secret',
      link_session_id: 'x',
      events: [{ event_id: '1', event_name: 'SUBMIT_ROUTING_NUMBER', event_metadata: { routing_number: '021000021' } }],
    });
    await settled();
    const [event] = await events();
    expect(event).toMatchObject({ type: 'LINK/EVENTS', status: 'ignored' });
    expect(JSON.stringify(event)).not.toMatch(/021000021|link-sandbox-secret/);
  });

  it('the public token of a Hosted Link is sealed while it waits, and erased afterwards', async () => {
    const session = await server.createSession();
    const { body: link } = await server.page(session, 'POST', '/link-token', { mode: 'hosted' });
    const token = await server.publicToken();
    server.upstream.simulator.faults.add({
      service: 'plaid',
      path: '/item/public_token/exchange',
      kind: 'delay',
      delayMs: 300,
      times: 1,
    });
    const done = finish(['SESSION_FINISHED'], token, link.link_token);
    await eventually(async () => (await events())[0]?.public_token_enc !== undefined);
    expect((await events())[0]?.public_token_enc).toMatch(/^v1\./);
    await done;
    expect((await events())[0]).toMatchObject({ status: 'handled', public_token_enc: null });
    expect(JSON.stringify([await events(), server.lines])).not.toContain(token);
  });
});
