import { afterEach, describe, expect, it, vi } from 'vitest';
import type { CompleteRequest, Problem } from '../../../widget/contract.ts';
import type { ConnectError } from '../../../widget/errors.ts';
import { createHttpBackend, sessionIdOf } from '../../../widget/session/backend.ts';
import { session } from '../helpers/simulated-backend.ts';

const secret = 'ses_1_secret_abc';
const input: CompleteRequest = { public_token: 'public-sandbox-1', accounts: [] };
const problem: Problem = {
  type: 'about:blank',
  title: 'Choose',
  status: 409,
  detail: 'd',
  code: 'account_selection_required',
  retryable: false,
  action: 'choose_account',
  request_id: 'req_1',
  accounts: [{ id: 'a', name: 'A', mask: '1', subtype: 'checking' }],
};

type Reply = Response | Error | 'hang';

/** A server that gives these replies in turn, and what it was asked. */
function serverWith(...replies: Reply[]) {
  const asked: { url: string; init: RequestInit }[] = [];
  const backend = createHttpBackend('https://connect.example/', {
    fetch: (url, init = {}) => {
      asked.push({ url: String(url), init });
      const reply = replies.shift();
      if (reply instanceof Response) return Promise.resolve(reply);
      if (reply === 'hang') {
        return new Promise((_, reject) => init.signal?.addEventListener('abort', () => reject(new Error('aborted'))));
      }
      return Promise.reject(reply ?? new Error('unexpected call'));
    },
  });
  return { backend, asked };
}

const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  Response.json(body, { status, headers });
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: ConnectError) => error,
  );

describe('the calls to the server', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it('name the session in the address and prove it in a header, never the other way round', async () => {
    const { backend, asked } = serverWith(json(session('completed')));
    await backend.complete(secret, input);
    expect(asked[0]?.url).toBe('https://connect.example/v1/sessions/ses_1/complete');
    expect(asked[0]?.init).toMatchObject({ method: 'POST', credentials: 'omit', body: JSON.stringify(input) });
    expect(asked[0]?.init.headers).toMatchObject({ Authorization: `Bearer ${secret}` });
  });

  it('ask for a public session without any permission', async () => {
    const { backend, asked } = serverWith(json({ ...session('open'), client_secret: secret }, 201));
    expect((await backend.createPublicSession({ language: 'es' })).clientSecret).toBe(secret);
    expect(asked[0]?.init.headers).not.toHaveProperty('Authorization');
  });

  it('errors show when a retry is sensible', async () => {
    const { backend } = serverWith(
      json(session('processing'), 202, { 'Retry-After': '7' }),
      json(session('processing')),
    );
    expect((await backend.complete(secret, input)).retryAfter).toBe(7);
    expect((await backend.getSession(secret)).retryAfter).toBe(2);
  });

  it('turn a problem document into an error with all that the customer needs', async () => {
    const { backend } = serverWith(json(problem, 409));
    expect(await failure(backend.complete(secret, input))).toMatchObject({
      code: 'account_selection_required',
      action: 'choose_account',
      requestId: 'req_1',
      accounts: problem.accounts,
    });
  });

  it('errors name the fields that the server refused', async () => {
    const errors = [{ path: 'identity.email', message: 'must be an email address' }];
    const refused = { ...problem, code: 'invalid_request', action: 'contact_merchant', errors };
    const { backend } = serverWith(json(refused, 422));
    expect(await failure(backend.createPublicSession({}))).toMatchObject({ code: 'invalid_request', errors });
  });

  it('send complete again when its answer was lost, and give up in the end', async () => {
    vi.useFakeTimers();
    const lost = () => new TypeError('Failed to fetch public-sandbox-1');
    const recovered = serverWith(lost(), new Response('Bad Gateway', { status: 502 }), json(session('completed')));
    const answer = recovered.backend.complete(secret, input);
    await vi.runAllTimersAsync();
    expect((await answer).session.status).toBe('completed');
    expect(recovered.asked.length).toBe(3);

    const dead = serverWith(lost(), lost(), lost(), lost(), lost());
    const error = failure(dead.backend.complete(secret, input));
    await vi.runAllTimersAsync();
    expect((await error)?.code).toBe('network_failed');
    expect(JSON.stringify(await error)).not.toContain('public-sandbox');
    expect(dead.asked.length).toBe(4);
  });

  describe('from a page whose origin the server refuses', () => {
    const held = () => new TypeError('Failed to fetch');
    const refused = () => json({ ...problem, code: 'origin_not_allowed', action: 'contact_merchant' }, 403);

    it.each<[string, (backend: ReturnType<typeof createHttpBackend>) => Promise<unknown>, string]>([
      ['a link token', (backend) => backend.createLinkToken(secret, {}), '/ses_1'],
      ['a public session', (backend) => backend.createPublicSession({}), ''],
      ['a session', (backend) => backend.getSession(secret), '/ses_1'],
    ])('%s: name the origin as the cause, by a request that needs no preflight', async (_name, call, path) => {
      const { backend, asked } = serverWith(held(), refused());
      expect(await failure(call(backend))).toMatchObject({ code: 'origin_not_allowed', requestId: 'req_1' });
      const [, second] = asked;
      expect(second?.url).toBe(`https://connect.example/v1/sessions${path}`);
      // Any header of ours, or a body, would need a preflight again.
      expect(second?.init).toEqual({ credentials: 'omit', cache: 'no-store' });
    });

    it.each<[string, Reply]>([
      ['the server is down', held()],
      ['the origin is allowed', json({ ...problem, code: 'unauthorized' }, 401)],
      ['a gateway refuses', new Response('Forbidden', { status: 403 })],
      ['another refusal is meant', json({ ...problem, code: 'merchant_key_in_browser' }, 403)],
    ])('name the network as the cause where %s', async (_name, reply) => {
      const { backend, asked } = serverWith(held(), reply);
      expect((await failure(backend.createLinkToken(secret, {})))?.code).toBe('network_failed');
      expect(asked).toHaveLength(2);
    });
  });

  it.each([
    new TypeError('Failed to fetch'),
    new TypeError('NetworkError when attempting to fetch resource.'),
    new TypeError('Load failed'),
    new TypeError('Die Internetverbindung scheint offline zu sein.'),
    new TypeError('Origin https://shop.example is not allowed by Access-Control-Allow-Origin.'),
    new TypeError('The certificate for this server is invalid.'),
    new DOMException('The user aborted a request.', 'AbortError'),
  ])('take it for the network’s when browsers throw: %s', async (thrown) => {
    const console = vi.spyOn(globalThis.console, 'error').mockImplementation(() => {});
    const { backend } = serverWith(thrown);
    expect(await failure(backend.getSession(secret))).toMatchObject({ code: 'network_failed', action: 'retry' });
    expect(console).not.toHaveBeenCalled();
  });

  it.each([
    new TypeError("Cannot read properties of undefined (reading 'fetch')"),
    new TypeError('window.fetch is not a function'),
    new TypeError('request is undefined'),
    new TypeError('can\'t access property "signal", init is null'),
    new TypeError("undefined is not an object (evaluating 'module.import')"),
    new TypeError("Failed to execute 'fetch' on 'Window': Failed to parse URL from //"),
    new TypeError('//:1 is not a valid URL.'),
    new ReferenceError('fetch is not defined'),
    new Error('module, import and fetch failed'),
    'a word',
    undefined,
  ])('never take a fault for the network’s, and leave it on the console: %s', async (thrown) => {
    const console = vi.spyOn(globalThis.console, 'error').mockImplementation(() => {});
    const backend = createHttpBackend('https://connect.example', { fetch: () => Promise.reject(thrown) });
    expect(await failure(backend.getSession(secret))).toMatchObject({ code: 'internal_error', retryable: true });
    expect(console.mock.calls).toEqual([[expect.stringMatching(/^finix-bank-connect: /), thrown]]);
  });

  it('do not repeat what the server refused', async () => {
    const { backend, asked } = serverWith(
      json({ ...problem, code: 'plaid_unavailable', action: 'retry', retryable: true }, 503),
    );
    expect((await failure(backend.complete(secret, input)))?.code).toBe('plaid_unavailable');
    expect(asked.length).toBe(1);
  });

  it('end', async () => {
    vi.useFakeTimers();
    const { backend } = serverWith('hang');
    const error = failure(backend.getSession(secret));
    await vi.runAllTimersAsync();
    expect(await error).toMatchObject({ code: 'timeout', retryable: true });
  });

  it('do not take a stranger’s page for the server', async () => {
    const { backend } = serverWith(
      new Response('<html>Sign in to the hotel network</html>'),
      new Response('nope', { status: 404 }),
    );
    expect(await failure(backend.getSession(secret))).toMatchObject({ code: 'network_failed', reason: 'not_ours' });
    expect(await failure(backend.getSession(secret))).toMatchObject({ code: 'not_found', action: 'contact_merchant' });
  });
});

it('the session id is the part before the secret', () => {
  expect(sessionIdOf('ses_a_b_secret_c_secret_d')).toBe('ses_a_b');
});
