import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { createClient, parseWebhook, signTestWebhook, type WebhookEvent } from '../../../widget/client.ts';

type Answer = (init: RequestInit) => Response | Promise<Response>;

/** A client whose calls are answered one after the other; the last answer stays. */
function clientWith(answers: Answer[], options: { maxRetries?: number; timeoutMs?: number } = {}) {
  const calls: RequestInit[] = [];
  const client = createClient({
    endpoint: 'https://connect.example',
    apiKey: 'key',
    ...options,
    fetch: async (_input, init = {}) => {
      calls.push(init);
      const answer = answers[Math.min(calls.length, answers.length) - 1];
      if (!answer) throw new Error('no answer was prepared');
      return answer(init);
    },
  });
  return { client, calls };
}

const session: Answer = () => Response.json({ id: 'ses_1', object: 'session' }, { status: 201 });
const lost: Answer = () => Promise.reject(new TypeError('fetch failed: https://user:secret@connect.example'));
const problem =
  (status: number, code: string, retryable: boolean, headers: Record<string, string> = {}): Answer =>
  () =>
    Response.json({ code, retryable, title: code, detail: `about ${code}`, action: 'retry' }, { status, headers });

const keyOf = ({ headers }: RequestInit) => (headers as Record<string, string>)['Idempotency-Key'];

describe('a call of the client', () => {
  it.each<[string, Answer]>([
    ['was lost on the way', lost],
    ['met a gateway’s page', () => new Response('<h1>Bad gateway</h1>', { status: 502 })],
    ['met a provider that is down', problem(503, 'plaid_unavailable', true)],
    ['came too often', problem(429, 'rate_limited', true, { 'Retry-After': '0' })],
  ])('that %s is repeated, a creation under the same idempotency key', async (_name, failure) => {
    const { client, calls } = clientWith([failure, session]);
    expect(await client.sessions.create({ customer_id: 'cus_1' })).toMatchObject({ id: 'ses_1' });
    expect(calls).toHaveLength(2);
    expect(keyOf(calls[0] ?? {})).toMatch(/^[\w-]{36}$/);
    expect(keyOf(calls[1] ?? {})).toBe(keyOf(calls[0] ?? {}));
  });

  it('is repeated as often as was asked, then rejects with the last error', async () => {
    const { client, calls } = clientWith([lost], { maxRetries: 1 });
    await expect(client.sessions.retrieve('ses_1')).rejects.toMatchObject({ code: 'network_failed', status: 0 });
    expect(calls).toHaveLength(2);
  });

  it.each<[string, Answer, object]>([
    ['a refusal', problem(422, 'idempotency_key_reused', false), { code: 'idempotency_key_reused', status: 422 }],
    ['a wait that is long', problem(429, 'rate_limited', true, { 'Retry-After': '60' }), { code: 'rate_limited' }],
    ['a page of something else', () => new Response('<h1>Hello</h1>'), { code: 'unexpected_answer', status: 200 }],
    ['another server’s 404', () => new Response('', { status: 404 }), { code: 'unexpected_answer', status: 404 }],
    ['a redirect', () => Response.redirect('https://elsewhere.example'), { code: 'unexpected_answer', status: 302 }],
  ])('is not repeated after %s', async (_name, answer, expected) => {
    const { client, calls } = clientWith([answer]);
    await expect(client.sessions.retrieve('ses_1')).rejects.toMatchObject(expected);
    expect(calls).toHaveLength(1);
  });

  it('a request that gets no answer in time throws a timeout without an address', async () => {
    const hang: Answer = ({ signal }) =>
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    const { client } = clientWith([hang], { timeoutMs: 20, maxRetries: 0 });
    await expect(client.sessions.retrieve('ses_1')).rejects.toMatchObject({ code: 'timeout', retryable: true });
    const { client: unlucky } = clientWith([lost], { maxRetries: 0 });
    const error = (await unlucky.sessions.retrieve('ses_1').catch((caught: unknown) => caught)) as Error;
    expect(`${error.message} ${String(error.cause)} ${JSON.stringify(error)}`).not.toContain('secret');
  });

  it('ends when its caller gives up, without another attempt', async () => {
    const { client, calls } = clientWith([lost], { maxRetries: 5 });
    const gone = new AbortController();
    const call = client.sessions.retrieve('ses_1', { signal: gone.signal });
    gone.abort(new Error('the customer has left'));
    await expect(call).rejects.toThrow('the customer has left');
    expect(calls.length).toBeLessThanOrEqual(1);
  });

  it.each(['', '.', '..'])('never leaves its path: %j is no id', (id) => {
    const { client, calls } = clientWith([session]);
    expect(() => client.sessions.retrieve(id)).toThrow(TypeError);
    expect(calls).toEqual([]);
  });

  it('is not made with an address that is none, and is not used without an address or a key', async () => {
    expect(() => createClient({ endpoint: 'connect.example', apiKey: 'key' })).toThrow('endpoint');
    const keyless = createClient({ endpoint: 'https://connect.example', apiKey: '' });
    await expect(keyless.sessions.retrieve('ses_1')).rejects.toThrow('apiKey');
    const homeless = createClient({ endpoint: '', apiKey: 'key' });
    await expect(homeless.sessions.retrieve('ses_1')).rejects.toThrow('endpoint');
    // @ts-expect-error: without any settings, as JavaScript allows
    await expect(createClient().sessions.retrieve('ses_1')).rejects.toThrow('endpoint');
  });

  it.each([
    ['old-key,new-key', 'old-key'],
    [' , new-key ,', 'new-key'],
    ['key\n', 'key'],
  ])(
    'is made with the first entry of the list that MERCHANT_API_KEY is while keys are rotated: %j',
    async (apiKey, key) => {
      const sent: unknown[] = [];
      const client = createClient({
        endpoint: 'https://connect.example',
        apiKey,
        fetch: async (_input, init) => {
          sent.push(new Headers(init?.headers).get('Authorization'));
          return Response.json({});
        },
      });
      await client.sessions.list({ merchant_id: 'm_1' });
      expect(sent).toEqual([`Bearer ${key}`]);
      expect(() => createClient({ endpoint: 'https://connect.example', apiKey: 'kéy' })).toThrow(/printable ASCII/);
    },
  );

  it('a wrong option or idempotency key is named before anything is sent', () => {
    const { client, calls } = clientWith([session]);
    const request = { customer_id: 'cus_1' };
    // @ts-expect-error: misspelled
    expect(() => client.sessions.create(request, { idempotencykey: 'a' })).toThrow('no option idempotencykey');
    for (const idempotencyKey of ['', 'a b', 'a\0', 'ü']) {
      expect(() => client.links.create(request as never, { idempotencyKey })).toThrow('idempotencyKey must be');
    }
    expect(calls).toEqual([]);
  });

  it('requireConnection names the argument that is missing', async () => {
    const { client } = clientWith([session]);
    // @ts-expect-error: without the customer
    await expect(client.requireConnection('con_1')).rejects.toThrow('customerId');
  });
});

const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const NEXT = `whsec_${Buffer.alloc(32, 6).toString('base64')}`;
const event = {
  type: 'connection.needs_repair',
  timestamp: '2026-11-24T12:00:00.000Z',
  data: { id: 'con_1', customer_id: 'cus_ü' },
  reason: 'ITEM_LOGIN_REQUIRED',
} as unknown as WebhookEvent;

describe('parseWebhook', () => {
  it('reads what signTestWebhook signs, from text, bytes, and headers of every kind', async () => {
    const { body, headers } = await signTestWebhook(event, SECRET, { id: 'msg_1' });
    const bytes = new TextEncoder().encode(body);
    const capitals = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), [value]]));
    for (const raw of [body, bytes, bytes.buffer, Buffer.from(body)]) {
      for (const given of [headers, capitals, new Headers(headers)]) {
        expect(await parseWebhook(raw, given, SECRET)).toEqual({ id: 'msg_1', ...event });
      }
    }
  });

  it('agrees with the library that the server signs with', async () => {
    const { body, headers } = await signTestWebhook(event, SECRET);
    expect(new Webhook(SECRET).verify(body, headers)).toEqual(event);
  });

  it('accepts either secret while a secret is rotated, on both sides', async () => {
    const old = await signTestWebhook(event, SECRET);
    expect(await parseWebhook(old.body, old.headers, `${NEXT}, ${SECRET}`)).toMatchObject({ type: event.type });
    const both = await signTestWebhook(event, `${NEXT},${SECRET}`);
    for (const secret of [SECRET, NEXT]) await parseWebhook(both.body, both.headers, secret);
    // As the server reads its own setting.
    for (const secret of [`${SECRET},`, ` , ${NEXT} `]) await parseWebhook(both.body, both.headers, secret);
  });

  it('narrows an event by its type', async () => {
    const { body, headers } = await signTestWebhook(event, SECRET);
    const received = await parseWebhook(body, headers, SECRET);
    expect(received.type === 'connection.needs_repair' && received.data.customer_id).toBe('cus_ü');
    // @ts-expect-error: a session has no customer’s payment instrument
    if (received.type === 'session.completed') expect(received.data.payment_instrument).toBeUndefined();
  });

  const now = Date.now();
  it.each<[string, string, { secret?: string; body?: string; timestamp?: Date; drop?: string; headers?: object }]>([
    ['another secret', 'invalid_signature', { secret: NEXT }],
    ['another body', 'invalid_signature', { body: '{"type":"connection.active"}' }],
    ['another id', 'invalid_signature', { headers: { 'webhook-id': 'msg_2' } }],
    ['another time', 'invalid_signature', { headers: { 'webhook-timestamp': '1' } }],
    ['a signature of another scheme', 'invalid_signature', { headers: { 'webhook-signature': 'v2,AAAA' } }],
    ['a signature that is no base64', 'invalid_signature', { headers: { 'webhook-signature': 'v1,%%%' } }],
    ['a time that is long past', 'outside_tolerance', { timestamp: new Date(now - 301_000) }],
    ['a time that is far ahead', 'outside_tolerance', { timestamp: new Date(now + 320_000) }],
    ['no id', 'missing_headers', { drop: 'webhook-id' }],
    ['no time', 'missing_headers', { drop: 'webhook-timestamp' }],
    ['no signature', 'missing_headers', { drop: 'webhook-signature' }],
    ['a secret that is none', 'invalid_secret', { secret: 'whsec_%' }],
    ['an empty secret', 'invalid_secret', { secret: '' }],
  ])('refuses %s (%s)', async (_name, code, { secret = SECRET, body, timestamp, drop = '', headers = {} }) => {
    const signed = await signTestWebhook(event, SECRET, timestamp ? { timestamp } : {});
    const given = { ...signed.headers, ...headers, [drop]: undefined };
    await expect(parseWebhook(body ?? signed.body, given, secret)).rejects.toMatchObject({
      name: 'WebhookError',
      code,
    });
  });

  it.each<[string, unknown, string]>([
    ['no secret', [undefined], 'parseWebhook was given no secret: set MERCHANT_WEBHOOK_SECRET'],
    ['a secret that is too short to be one', ['abc'], 'The secret must be whsec_ and the base64 of at least 24 bytes.'],
    ['no headers', [SECRET, undefined], 'the request’s headers'],
  ])('parseWebhook names what is wrong with its arguments: %s', async (_name, given, message) => {
    const { body, headers } = await signTestWebhook(event, SECRET);
    const [secret, ...more] = given as [string, ...undefined[]];
    const heads = more.length > 0 ? (more[0] as never) : headers;
    await expect(parseWebhook(body, heads, secret)).rejects.toThrow(message);
  });

  it('signTestWebhook names a secret that is missing', async () => {
    await expect(signTestWebhook(event, undefined as never)).rejects.toThrow('MERCHANT_WEBHOOK_SECRET');
  });

  it('parseWebhook explains what to do when a body parser ran before', async () => {
    const { body, headers } = await signTestWebhook(event, SECRET);
    await expect(parseWebhook(JSON.parse(body), headers, SECRET)).rejects.toThrow('raw body');
  });
});
