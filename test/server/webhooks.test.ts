import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPlaidClient } from '../../server/clients/plaid.ts';
import { createPlaidKeys } from '../../server/webhooks/plaid-keys.ts';
import { createPlaidVerifier } from '../../server/webhooks/verify-plaid.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { type Answer, eventually, TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

const { webhooks, item, events, connect, settled, expectStatus } = connectionLifecycle(() => server);

/** A webhook of Plaid's, sent by any client that has the header. */
async function post(body: string, token: string | undefined) {
  const headers: Record<string, string> = token === undefined ? {} : { 'Plaid-Verification': token };
  return server.send('POST', '/webhooks/plaid', body, headers);
}

const questions = () => server.ledger.calls().filter(({ path }) => path === '/webhook_verification_key/get').length;
const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

/** Well-formed, with a key that doesn't exist. */
function madeUp(kid: string, claims: string): string {
  return `${encode({ alg: 'ES256', kid, typ: 'JWT' })}.${claims}.${'A'.repeat(86)}`;
}

/** Webhooks as good as they can be made without a key of Plaid's. */
async function flood(count: number): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let i = 0; i < count; i++) {
    const [, claims = ''] = webhooks().signPlaid('{}').split('.');
    answers.push(await post('{}', madeUp(crypto.randomUUID(), claims)));
  }
  return answers;
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

  it('a webhook of Plaid’s is stored once, answered 200, and one of an unknown code is ignored', async () => {
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
        const other = Buffer.from(JSON.stringify({ ...header, kid: crypto.randomUUID() })).toString('base64url');
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
  ])('a webhook of Plaid’s %s is refused, and nothing is stored', async (_name, forge) => {
    const { body, token } = forge();
    const answer = await post(body, token);
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthorized']);
    expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
    expect(await events()).toEqual([]);
  });

  it('a webhook of Plaid’s is accepted after a rotation of keys, each read once', async () => {
    await post(payload, webhooks().signPlaid(payload));
    webhooks().rotateKey();
    const again = payload.replace('NEW_KIND', 'OTHER_KIND');
    expect((await post(again, webhooks().signPlaid(again))).status).toBe(200);
    expect((await post(again, webhooks().signPlaid(again))).status).toBe(200);
    expect(server.ledger.calls().filter(({ path }) => path === '/webhook_verification_key/get')).toHaveLength(2);
  });

  it('webhooks with made-up keys don’t make the server ask Plaid indefinitely; later ones are to come again', async () => {
    const answers = await flood(40);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 503]));
    expect(Number(answers.at(-1)?.headers.get('Retry-After'))).toBeGreaterThan(0);
    // Two windows at most.
    expect(questions()).toBeLessThanOrEqual(20);
  });

  it('a webhook of Plaid’s is accepted while others make up keys, also when its own is due to be read again', async () => {
    expect((await post(payload, webhooks().signPlaid(payload))).status).toBe(200);
    await flood(25);
    server.clockOffset = 61 * 60_000;
    await flood(25);
    expect((await post(payload, webhooks().signPlaid(payload))).status).toBe(200);
    const other = await TestServer.start({ upstream: server.upstream, storage: server.storage });
    const asked = questions();
    const headers = { 'Plaid-Verification': webhooks().signPlaid('{}') };
    expect((await other.send('POST', '/webhooks/plaid', '{}', headers)).status).toBe(200);
    expect(questions()).toBe(asked);
    await other.close();
  });

  it('a webhook of Plaid’s is accepted while Plaid cannot be asked for a known key again', async () => {
    await post(payload, webhooks().signPlaid(payload));
    server.clockOffset = 61 * 60_000;
    const path = '/webhook_verification_key/get';
    server.upstream.simulator.faults.add({ service: 'plaid', path, kind: 'status' });
    expect((await post(payload, webhooks().signPlaid(payload))).status).toBe(200);
    expect((await post(payload, webhooks().signPlaid(payload))).status).toBe(200);
    // Once, and then not with every webhook.
    expect(questions()).toBe(2);
  });

  it.each<[string, (claims: Record<string, unknown>) => Record<string, unknown>, string?]>([
    ['has no time', ({ request_body_sha256 }) => ({ request_body_sha256 })],
    ['is old', (claims) => ({ ...claims, iat: Number(claims['iat']) - 301 })],
    ['is of the future', (claims) => ({ ...claims, iat: Number(claims['iat']) + 120 })],
    ['has no hash of the body', ({ iat }) => ({ iat })],
    ['has the hash in a list', (claims) => ({ ...claims, request_body_sha256: [claims['request_body_sha256']] })],
    ['is over another body', (claims) => ({ ...claims, request_body_sha256: '0'.repeat(64) })],
    ['names a key that can be none', (claims) => claims, 'x'],
  ])('a webhook whose token %s is refused without a question to Plaid', async (_name, claim, kid) => {
    const [, claims = ''] = webhooks().signPlaid(payload).split('.');
    const forged = claim(JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>);
    const { status } = await post(payload, madeUp(kid ?? crypto.randomUUID(), encode(forged)));
    expect([status, questions()]).toEqual([401, 0]);
  });

  it('a webhook of Plaid’s with a new key is accepted while another address makes up keys', async () => {
    const { storage, config } = server;
    const now = await storage.now();
    const keys = createPlaidKeys({ storage, plaid: createPlaidClient(config.plaid) });
    const made = Array.from({ length: 30 }, () => keys.find(crypto.randomUUID(), now, '192.0.2.1'));
    const outcomes = await Promise.allSettled(made);
    expect(outcomes.filter(({ status }) => status === 'rejected').length).toBeGreaterThanOrEqual(10);
    const [head = ''] = webhooks().signPlaid(payload).split('.');
    const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { kid: string };
    expect(await keys.find(kid, now, '192.0.2.2')).toMatchObject({ expiredAt: null });
  });

  it.each([
    ['that Plaid publishes', '52.88.82.239', false],
    ['that has sent a genuine webhook before', '198.51.100.7', true],
  ])(
    'a webhook of Plaid’s with a new key from an address %s is believed while hundreds of others make up keys',
    async (_name, caller, hasSent) => {
      const { storage, config } = server;
      const now = await storage.now();
      const plaid = createPlaidClient(config.plaid);
      if (hasSent) {
        await createPlaidVerifier({ storage, plaid }).verify(
          webhooks().signPlaid(payload),
          async () => Buffer.from(payload),
          caller,
        );
        webhooks().rotateKey();
      }
      // Another instance, or this one after a restart: what is known of addresses is stored.
      const keys = createPlaidKeys({ storage, plaid });
      const asked = await Promise.allSettled(
        Array.from({ length: 600 }, (_, i) => keys.find(crypto.randomUUID(), now, `10.${i >> 8}.${i & 255}.1`)),
      );
      expect(asked.filter(({ status }) => status === 'rejected').length).toBeGreaterThanOrEqual(480);
      const [head = ''] = webhooks().signPlaid(payload).split('.');
      const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { kid: string };
      await expect(keys.find(kid, now, '198.51.100.8')).rejects.toThrow();
      expect(await keys.find(kid, now, caller)).toMatchObject({ expiredAt: null });
    },
  );

  it('a webhook of Plaid’s is answered 503 while Plaid cannot be asked for the key, so that it comes again', async () => {
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

  it('a webhook of Plaid’s that is signed but cannot be read is kept and ignored', async () => {
    expect((await post('not json', webhooks().signPlaid('not json'))).status).toBe(200);
    await settled();
    expect(await events()).toMatchObject([{ type: 'UNREADABLE', status: 'ignored' }]);
  });

  it('a webhook of Plaid’s larger than a megabyte is refused', async () => {
    const large = JSON.stringify({ webhook_type: 'LINK', filler: 'x'.repeat(1024 * 1024) });
    expect((await post(large, webhooks().signPlaid(large))).status).toBe(413);
  });

  it('a webhook of Plaid’s about an unknown Item is ignored once its row can no longer be late', async () => {
    const body = payload.replace('NEW_KIND', 'LOGIN_REPAIRED');
    await post(body, webhooks().signPlaid(body));
    await eventually(async () => (await events())[0]?.tries === 1);
    server.clockOffset = 16 * 60_000;
    await settled();
    expect(await events()).toMatchObject([{ status: 'ignored' }]);
  });

  it('a webhook of Plaid’s is forgotten after a month, with the link tokens of its time', async () => {
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

  it('a webhook of Plaid’s of the other environment changes nothing', async () => {
    const { id } = await connect();
    const body = JSON.stringify({
      webhook_type: 'ITEM',
      webhook_code: 'USER_PERMISSION_REVOKED',
      item_id: item().item_id,
      environment: 'production',
    });
    await post(body, webhooks().signPlaid(body));
    await expectStatus(id, 'active');
  });
});
