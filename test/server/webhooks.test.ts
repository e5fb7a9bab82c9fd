import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { afterlife } from '../helpers/afterlife.ts';
import { eventually, TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

const { webhooks, item, events, connect, settled, becomes } = afterlife(() => server);

/** A webhook of Plaid's, sent by whoever has the header. */
async function post(body: string, token: string | undefined) {
  const headers: Record<string, string> = token === undefined ? {} : { 'Plaid-Verification': token };
  return server.send('POST', '/webhooks/plaid', body, headers);
}

describe('a webhook of Plaid’s', () => {
  beforeEach(async () => {
    server = await TestServer.start();
  });

  const payload = JSON.stringify({
    webhook_type: 'ITEM',
    webhook_code: 'NEW_KIND',
    item_id: 'x',
    environment: 'sandbox',
  });

  it('is stored once, answered 200, and one of an unknown code is ignored', async () => {
    const token = webhooks().signPlaid(payload);
    const answers = await Promise.all([post(payload, token), post(payload, token), post(payload, token)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    await settled();
    expect(await events()).toMatchObject([{ source: 'plaid', type: 'ITEM/NEW_KIND', status: 'ignored' }]);
  });

  it.each<[string, () => { body: string; token: string | undefined }]>([
    ['without a signature', () => ({ body: payload, token: undefined })],
    ['with something that is no JWT', () => ({ body: payload, token: 'nonsense' })],
    ['with another body', () => ({ body: `${payload} `, token: webhooks().signPlaid(payload) })],
    [
      'signed more than five minutes ago',
      () => ({ body: payload, token: webhooks().signPlaid(payload, Date.now() - 301_000) }),
    ],
    ['signed in the future', () => ({ body: payload, token: webhooks().signPlaid(payload, Date.now() + 120_000) })],
    [
      'with a signature of another payload',
      () => {
        const [head, , signature] = webhooks().signPlaid(payload).split('.');
        const forged = Buffer.from(webhooks().signPlaid('x').split('.')[1] ?? '', 'base64url').toString('base64url');
        return { body: 'x', token: `${head}.${forged}.${signature}` };
      },
    ],
    [
      'that asks for another algorithm',
      () => {
        const [head = '', body, signature] = webhooks().signPlaid(payload).split('.');
        const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as object;
        const none = Buffer.from(JSON.stringify({ ...header, alg: 'HS256' })).toString('base64url');
        return { body: payload, token: `${none}.${body}.${signature}` };
      },
    ],
    [
      'with a key that Plaid does not know',
      () => {
        const [head = '', body, signature] = webhooks().signPlaid(payload).split('.');
        const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as object;
        const other = Buffer.from(JSON.stringify({ ...header, kid: 'made-up' })).toString('base64url');
        return { body: payload, token: `${other}.${body}.${signature}` };
      },
    ],
    [
      'signed with a key that has expired',
      () => {
        const token = webhooks().signPlaid(payload);
        webhooks().rotateKey();
        return { body: payload, token };
      },
    ],
  ])('%s is refused, and nothing is stored', async (_name, forge) => {
    const { body, token } = forge();
    const answer = await post(body, token);
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthorized']);
    expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
    expect(await events()).toEqual([]);
  });

  it('is believed after a rotation of keys, each asked for once', async () => {
    await post(payload, webhooks().signPlaid(payload));
    webhooks().rotateKey();
    const again = payload.replace('NEW_KIND', 'OTHER_KIND');
    expect((await post(again, webhooks().signPlaid(again))).status).toBe(200);
    expect((await post(again, webhooks().signPlaid(again))).status).toBe(200);
    expect(server.ledger.calls().filter(({ path }) => path === '/webhook_verification_key/get')).toHaveLength(2);
  });

  it('with made-up keys does not make the server ask Plaid without end', async () => {
    const [head = '', body, signature] = webhooks().signPlaid(payload).split('.');
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as object;
    const statuses = new Set<number>();
    for (let i = 0; i < 60; i++) {
      const other = Buffer.from(JSON.stringify({ ...header, kid: `made-up-${i}` })).toString('base64url');
      statuses.add((await post(payload, `${other}.${body}.${signature}`)).status);
    }
    expect(statuses).toEqual(new Set([401, 429]));
    const asked = server.ledger.calls().filter(({ path }) => path === '/webhook_verification_key/get');
    // Two windows at most.
    expect(asked.length).toBeLessThanOrEqual(40);
  });

  it('is answered 503 while Plaid cannot be asked for the key, so that it comes again', async () => {
    server.upstream.simulator.faults.add({
      service: 'plaid',
      path: '/webhook_verification_key/get',
      kind: 'status',
      times: 1,
    });
    const token = webhooks().signPlaid(payload);
    expect((await post(payload, token)).status).toBe(503);
    expect((await post(payload, token)).status).toBe(200);
  });

  it('that is signed but cannot be read is kept and ignored', async () => {
    expect((await post('not json', webhooks().signPlaid('not json'))).status).toBe(200);
    await settled();
    expect(await events()).toMatchObject([{ type: 'UNREADABLE', status: 'ignored' }]);
  });

  it('larger than a megabyte is refused', async () => {
    const large = JSON.stringify({ webhook_type: 'LINK', filler: 'x'.repeat(1024 * 1024) });
    expect((await post(large, webhooks().signPlaid(large))).status).toBe(413);
  });

  it('about an Item that nobody knows is ignored once its own news can no longer be late', async () => {
    const body = payload.replace('NEW_KIND', 'LOGIN_REPAIRED');
    await post(body, webhooks().signPlaid(body));
    await eventually(async () => (await events())[0]?.tries === 1);
    server.clockOffset = 16 * 60_000;
    await settled();
    expect(await events()).toMatchObject([{ status: 'ignored' }]);
  });

  it('is forgotten after a month, with the link tokens of its time', async () => {
    const session = await server.createSession();
    await server.page(session, 'POST', '/link-token', {});
    await post(payload, webhooks().signPlaid(payload));
    await settled();
    const left = async () => [
      (await events()).length,
      (await server.storage.db.selectFrom('link_tokens').selectAll().execute()).length,
    ];
    server.clockOffset = 6 * 86_400_000;
    await server.jobs.tick();
    expect(await left()).toEqual([1, 1]);
    server.clockOffset = 31 * 86_400_000;
    await server.jobs.tick();
    expect(await left()).toEqual([0, 0]);
  });

  it('of the other environment changes nothing', async () => {
    const { id } = await connect();
    const body = JSON.stringify({
      webhook_type: 'ITEM',
      webhook_code: 'USER_PERMISSION_REVOKED',
      item_id: item().item_id,
      environment: 'production',
    });
    await post(body, webhooks().signPlaid(body));
    await becomes(id, 'active');
  });
});
