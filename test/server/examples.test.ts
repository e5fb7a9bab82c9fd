import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { operations, wireSchemas } from '../../server/http/openapi.ts';
import type { Link, Session } from '../../widget/contract.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { WEBHOOK_SECRET } from '../helpers/receiver.ts';
import { type Answer, TestServer } from '../helpers/server.ts';

/**
 * The examples of the published contract are what the server answers. When an answer has changed, `npm run examples`
 * records them again; the difference belongs into the review.
 */
const FILE = join(import.meta.dirname, '../../server/http/openapi/examples.json');

let server: TestServer;
beforeEach(async () => {
  server = await TestServer.start({
    // No one listens: the deliveries are read where they are stored.
    // The answer about the owner comes at a moment of its own.
    env: {
      MERCHANT_WEBHOOK_URL: 'http://127.0.0.1:9',
      MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET,
      OWNERSHIP_CHECK: 'off',
      // The same key in every run.
      EVIDENCE_KEYS: Buffer.alloc(32, 5).toString('base64'),
    },
  });
});
afterEach(() => server.close());

const { connect, settled, bank, item } = connectionLifecycle(() => server);

const TEXT = 'I authorize Acme to debit the bank account that I connect for the total of each order that I place.';

it('the examples of the published contract are those of a real run', async () => {
  const recorded: Record<string, { request?: object; answers: Record<string, unknown> }> = {};
  const record = (id: string, { status, body }: Answer, request?: object) => {
    const schema = operations.find((operation) => operation.id === id)?.answers[status] ?? 'none';
    if (schema in wireSchemas) wireSchemas[schema as keyof typeof wireSchemas].parse(body);
    recorded[id] = { ...(request ? { request } : {}), answers: { [status]: body } };
    return body;
  };

  const request = {
    customer_id: 'customer-4711',
    identity: { first_name: 'Ada', last_name: 'Byron', email: 'ada@example.com' },
    authorization: { text: TEXT, version: '2026-11' },
    metadata: { order: '1008' },
  };
  const created = await server.merchant('POST', '/v1/sessions', request, { 'Idempotency-Key': 'order-1008-attempt-1' });
  const session = record('createSession', created, request) as Session;
  record('createLinkToken', await server.page(session, 'POST', '/link-token', { mode: 'button' }), { mode: 'button' });
  const asked = await server.complete(session, 'public-sandbox-x');
  const complete = {
    public_token: await server.publicToken(),
    accounts: [],
    institution: { institution_id: 'ins_109508', name: 'First Platypus Bank' },
    authorization: { accepted: true, text_sha256: asked.body.authorization?.text_sha256 ?? (await sha256(TEXT)) },
  };
  const done = record('completeSession', await server.page(session, 'POST', '/complete', complete), complete);
  const { id } = done.connections[0];
  const sent = { customer_id: 'customer-4711', expires_in_days: 14, return_url: 'https://shop.example/thanks' };
  const link = record('createLink', await server.merchant('POST', '/v1/links', sent), sent) as Link;
  const debit = { amount: 4_200, currency: 'USD', client_transaction_id: 'order-1008-attempt-1' };
  record('checkDebit', await server.merchant('POST', `/v1/connections/${id}/check`, debit), debit);
  const paths: [operation: string, method: string, path: string][] = [
    ['getSession', 'GET', `/v1/sessions/${session.id}`],
    ['listSessions', 'GET', '/v1/sessions?customer_id=customer-4711&status=completed'],
    ['getConnection', 'GET', `/v1/connections/${id}`],
    ['getEvidence', 'GET', `/v1/connections/${id}/evidence`],
    ['listConnections', 'GET', '/v1/connections?customer_id=customer-4711&status=active'],
    ['listConnectionAudit', 'GET', `/v1/connections/${id}/audit?limit=5`],
    ['getLink', 'GET', `/v1/links/${link.id}`],
    ['listLinks', 'GET', '/v1/links?customer_id=customer-4711'],
    ['listAudit', 'GET', `/v1/audit?link=${link.id}`],
    ['revokeLink', 'POST', `/v1/links/${link.id}/revoke`],
    ['listWebhookDeliveries', 'GET', '/v1/webhook-deliveries?limit=1'],
    ['getEvidenceKeys', 'GET', '/.well-known/jwks.json'],
    ['getHealth', 'GET', '/healthz'],
    ['getReadiness', 'GET', '/readyz'],
    ['cancelSession', 'POST', `/v1/sessions/${(await server.createSession()).id}/cancel`],
    ['removeConnection', 'DELETE', `/v1/connections/${id}`],
    ['eraseCustomer', 'DELETE', '/v1/customers/customer-4711'],
  ];
  for (const [operation, method, path] of paths) {
    const body = record(operation, await server.merchant(method, path));
    // Entries of the same millisecond come in any order.
    if (operation === 'listConnectionAudit') body.data.sort(byText);
  }

  // The events of other customers' connections, in every state that one can come to.
  await connect('user_pending_verification');
  await connect();
  bank().breakLogin(item().item_id);
  await settled();
  bank().revokePermission(item().item_id);
  await settled();
  const deliveries = await server.storage.db
    .selectFrom('deliveries')
    .selectAll()
    .orderBy('created_at', 'desc')
    .execute();
  // Of each type the first one.
  const events = Object.fromEntries(deliveries.map(({ type, body }) => [type, JSON.parse(body)]));
  expect(Object.keys(events)).toEqual(expect.arrayContaining(['connection.active', 'session.completed']));

  const text = `${JSON.stringify({ operations: recorded, events: sorted(events) }, null, 2)}\n`;
  await expect(steady(text)).toMatchFileSnapshot(FILE);
});

const byText = (a: { action: string }, b: { action: string }) => a.action.localeCompare(b.action);

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => a.localeCompare(b)));
}

async function sha256(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).toString('hex');
}

/** The same text for every run: random values and times are replaced by fixed ones of the same form. */
function steady(text: string): string {
  const seen = new Map<string, string>();
  const stable = (prefix: string, found: string) => {
    const known = seen.get(found) ?? `${prefix}${letters(seen.size, found.length - prefix.length)}`;
    seen.set(found, known);
    return known;
  };
  return text
    .replace(/_secret_[\w-]{43}/g, `_secret_${'Example0'.repeat(5)}abc`)
    .replace(/\b(ses_|con_|chk_|lnk_|msg_|aud_|req_|evt_|PI|ID|FPR)[A-Za-z0-9-]{10,}/g, (found, prefix: string) =>
      stable(prefix, found),
    )
    .replace(/\/c\/[\w-]{43}/g, `/c/${'Example0'.repeat(5)}abc`)
    .replace(/"(link|public)-sandbox-[\w-]+"/g, '"$1-sandbox-8ab3f2c4-1d5e-4f60-9a7b-0c1d2e3f4a5b"')
    .replace(/"next_cursor": "[^"]+"/g, '"next_cursor": "1795626000000_msg_AWN7w3Nw"')
    .replace(/"jws": "[^"]+"/g, '"jws": "eyJhbGciOiJFZERTQSJ9.eyJvYmplY3QiOiJldmlkZW5jZSJ9.c2lnbmF0dXJl"')
    .replace(/"erased_\w+"/g, '"erased_4PqLm2"')
    .replace(/"expires_at": "[^"]+"/g, '"expires_at": "2026-11-25T17:00:00.000Z"')
    .replace(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, (time) =>
      time.startsWith('"2026-11-25T17') ? time : '"2026-11-24T17:00:00.000Z"',
    );
}

/** Letters that look random and are not. */
function letters(seed: number, length: number): string {
  const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';
  return Array.from({ length }, (_, i) => alphabet[(seed * 31 + i * i * 7 + i * 13) % alphabet.length]).join('');
}
