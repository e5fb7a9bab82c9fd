import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { afterlife } from '../helpers/afterlife.ts';
import { eventually, TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

const { webhooks, enabled, events, settled } = afterlife(() => server);

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
    [['SESSION_FINISHED'] as const],
    [['ITEM_ADD_RESULT'] as const],
    [['ITEM_ADD_RESULT', 'SESSION_FINISHED', 'SESSION_FINISHED'] as const],
  ])('%j: the session is completed without its page, once', async (codes) => {
    const session = await server.createSession();
    const { body: link } = await server.page(session, 'POST', '/link-token', { mode: 'hosted' });
    await finish([...codes], await server.publicToken(), link.link_token);
    const { body } = await server.page(session, 'GET', '');
    expect([body.status, body.connections.length]).toEqual(['completed', 1]);
    expect(enabled()).toHaveLength(1);
  });

  it('LINK/EVENTS: kept without what it says', async () => {
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

  it('the public token is sealed while it waits, and erased afterwards', async () => {
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
