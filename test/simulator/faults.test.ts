import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSimulator, type FaultRule, type RunningSimulator, startSimulator } from '../../demo/simulator/index.ts';
import { patient } from '../helpers/patience.mjs';
import { finix, finixError, linkItem, linkTokenRequest, plaidClient, processorToken, refusal } from './client.ts';

let running: RunningSimulator;
beforeEach(async () => {
  running = await startSimulator();
});
afterEach(() => running.close());

const identityFault = (more: Partial<FaultRule>): FaultRule => ({
  service: 'finix',
  path: '/identities',
  method: 'POST',
  kind: 'status',
  times: 1,
  ...more,
});
const create = () => finix(running, 'POST', '/identities', { entity: {} });
const identities = () => running.simulator.ledger.identities();

describe('no answer', () => {
  const calls = () => running.simulator.ledger.calls();

  /** Requests of callers who hang up once all of them have come in, however long that takes. */
  async function expectNoAnswer(count = 1): Promise<void> {
    const hangingUp = new AbortController();
    const hanging = Array.from({ length: count }, () =>
      fetch(`${running.finixUrl}/identities`, {
        method: 'POST',
        headers: {
          authorization: `Basic ${btoa('USsimulator:simulator-finix-password')}`,
          'finix-version': '2022-02-01',
          'content-type': 'application/json',
        },
        body: '{"entity":{}}',
        signal: hangingUp.signal,
      }),
    );
    const ends = Promise.allSettled(hanging);
    await expect.poll(calls).toHaveLength(count);
    hangingUp.abort();
    for (const end of await ends) {
      expect(end).toMatchObject({ status: 'rejected', reason: { name: 'AbortError' } });
    }
  }

  it.each([
    ['before', 0],
    ['after', 1],
  ] as const)('no answer comes when silenced %s the commit, and %i identity exists', async (when, count) => {
    running.simulator.faults.add(identityFault({ kind: 'timeout', when }));
    await expectNoAnswer();
    await expect.poll(calls).toMatchObject([{ fault: 'timeout', handled: count === 1, status: null }]);
    expect(identities()).toHaveLength(count);
  });

  it('no answer comes, and the request takes effect after the caller has gone', async () => {
    running.simulator.faults.add(identityFault({ kind: 'timeout', when: 'after', delayMs: patient(500) }));
    await expectNoAnswer();
    expect(identities()).toHaveLength(0);
    await expect.poll(identities).toHaveLength(1);
  });

  it('a timeout is reported by the Plaid SDK as ECONNABORTED', async () => {
    running.simulator.faults.add({ service: 'plaid', path: '/link/token/create', kind: 'timeout' });
    const client = plaidClient(running.plaidUrl, { timeout: 150 });
    await expect(client.linkTokenCreate(linkTokenRequest())).rejects.toMatchObject({ code: 'ECONNABORTED' });
  });

  it('silence ends for all who wait when the caller hangs up, without a word on the console', async () => {
    const warned: unknown[] = [];
    const listen = (warning: Error) => warned.push(warning.message);
    process.on('warning', listen);
    running.simulator.faults.add(identityFault({ kind: 'timeout', times: undefined }));
    const ended: unknown[] = [];
    running.simulator.on('step', ({ status }) => ended.push(status));
    await expectNoAnswer(20);
    await expect.poll(() => ended).toEqual(Array.from({ length: 20 }, () => null));
    process.off('warning', listen);
    expect(warned).toEqual([]);
  });

  it('silence keeps nothing open after close', async () => {
    running.simulator.faults.add(identityFault({ kind: 'timeout' }));
    const hanging = fetch(`${running.finixUrl}/identities`, { method: 'POST', body: '{}' }).catch(
      (error: unknown) => error,
    );
    await expect.poll(() => running.simulator.ledger.calls()).toHaveLength(1);
    await running.close();
    expect(await hanging).toBeInstanceOf(Error);
    running = await startSimulator();
  });
});

describe('a cut connection', () => {
  it.each([
    ['before', 0],
    ['after', 1],
  ] as const)('a connection cut %s the commit leaves %i identity', async (when, count) => {
    running.simulator.faults.add(identityFault({ kind: 'reset', when }));
    await expect(create()).rejects.toThrow('fetch failed');
    expect(identities()).toHaveLength(count);
    expect((await create()).status).toBe(201);
  });
});

describe('bad answers', () => {
  it.each([
    ['before', 0],
    ['after', 1],
  ] as const)('a 500 %s the commit leaves %i identity', async (when, count) => {
    running.simulator.faults.add(identityFault({ when }));
    expect(finixError(await create())).toMatchObject({ status: 500, code: 'SERVER_ERROR' });
    expect(identities()).toHaveLength(count);
  });

  it('a 429 comes in the provider’s own shape', async () => {
    running.simulator.faults.add(identityFault({ status: 429 }));
    running.simulator.faults.add({
      service: 'plaid',
      path: '/link/token/create',
      kind: 'status',
      status: 429,
      times: 1,
    });
    expect(finixError(await create())).toMatchObject({ status: 429, code: 'TOO_MANY_REQUESTS' });
    const call = plaidClient(running.plaidUrl).linkTokenCreate(linkTokenRequest());
    expect(await refusal(call)).toMatchObject({ status: 429, error_type: 'RATE_LIMIT_EXCEEDED' });
  });

  it('a gateway’s page is HTML with 502', async () => {
    running.simulator.faults.add(identityFault({ kind: 'html' }));
    const response = await fetch(`${running.finixUrl}/identities`, { method: 'POST' });
    expect(response.status).toBe(502);
    expect(response.headers.get('content-type')).toContain('text/html');
    expect(await response.text()).toContain('Bad Gateway');
  });

  it('JSON can stop in the middle', async () => {
    running.simulator.faults.add(identityFault({ kind: 'malformed' }));
    await expect(create()).rejects.toBeInstanceOf(SyntaxError);
  });

  it('named errors of either provider can be asked for', async () => {
    running.simulator.faults.add(identityFault({ kind: 'finix_error', status: 403, error_code: 'FORBIDDEN' }));
    expect(finixError(await create())).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    running.simulator.faults.add({
      service: 'plaid',
      path: '/link/*',
      kind: 'plaid_error',
      error_code: 'PLANNED_MAINTENANCE',
    });
    const call = plaidClient(running.plaidUrl).linkTokenCreate(linkTokenRequest());
    expect(await refusal(call)).toMatchObject({ status: 503, error_code: 'PLANNED_MAINTENANCE' });
  });
});

describe('rules', () => {
  it('faults strike as often as they state, only where they fit, and can be cleared', async () => {
    running.simulator.faults.add(identityFault({ times: 2 }));
    expect((await finix(running, 'GET', '/identities')).status).toBe(200);
    expect([(await create()).status, (await create()).status, (await create()).status]).toEqual([500, 500, 201]);
    running.simulator.faults.add(identityFault({ times: undefined }));
    expect([(await create()).status, (await create()).status]).toEqual([500, 500]);
    running.simulator.faults.clear();
    expect((await create()).status).toBe(201);
  });

  it('faults delay an answer without changing it', async () => {
    running.simulator.faults.add(identityFault({ kind: 'delay', delayMs: 60 }));
    const started = performance.now();
    expect((await create()).status).toBe(201);
    // Timers may fire a little early against the other clock.
    expect(performance.now() - started).toBeGreaterThan(55);
  });

  describe('about one thing', () => {
    it('faults about one Item strike only requests that carry a token of that Item', async () => {
      const client = plaidClient(running.plaidUrl);
      const { accessToken } = await linkItem(client);
      const { accessToken: other } = await linkItem(client);
      const [item] = running.simulator.ledger.items();
      running.simulator.faults.add({
        service: 'plaid',
        path: '/accounts/get',
        kind: 'status',
        about: item?.item_id ?? '',
      });
      expect((await client.accountsGet({ access_token: other })).status).toBe(200);
      expect((await refusal(client.accountsGet({ access_token: accessToken }))).status).toBe(500);
    });

    it('faults about one Item win over those about all, and end on demand', async () => {
      running.simulator.faults.add(identityFault({ status: 429, times: undefined }));
      const end = running.simulator.faults.add(identityFault({ about: 'ada@example.com', times: undefined }));
      const make = () => finix(running, 'POST', '/identities', { entity: { email: 'ada@example.com' } });
      expect((await make()).status).toBe(500);
      end();
      expect((await make()).status).toBe(429);
    });

    it('faults about a text strike only requests with that text in their body or query', async () => {
      running.simulator.faults.add(identityFault({ about: 'ada@example.com', times: undefined }));
      running.simulator.faults.add(identityFault({ about: 'grace@example.com', times: undefined, method: 'GET' }));
      const make = (email: string) => finix(running, 'POST', '/identities', { entity: { email } });
      const list = (email: string) => finix(running, 'GET', `/identities?email=${encodeURIComponent(email)}`);
      expect([(await make('ada@example.com')).status, (await make('grace@example.com')).status]).toEqual([500, 201]);
      expect([(await list('ada@example.com')).status, (await list('grace@example.com')).status]).toEqual([200, 500]);
    });
  });

  it('faults of user_timeout_after_commit silence only that user’s first instrument', async () => {
    const client = plaidClient(running.plaidUrl);
    const { accessToken } = await linkItem(client, 'user_timeout_after_commit');
    const token = await processorToken(client, accessToken);
    const identity = (await create()).body['id'];
    const body = { type: 'BANK_ACCOUNT', third_party: 'PLAID', third_party_token: token, identity };
    const first = finix(running, 'POST', '/payment_instruments', body).catch((error: unknown) => error);
    await expect.poll(() => running.simulator.ledger.instruments()).toHaveLength(1);
    expect((await finix(running, 'POST', '/payment_instruments', body)).status).toBe(201);
    await running.close();
    expect(await first).toBeInstanceOf(Error);
    running = await startSimulator();
  });
});

describe('Link’s script', () => {
  it('Link’s script can be kept from loading', async () => {
    running.simulator.faults.add({
      service: 'link',
      path: '/link-initialize.js',
      kind: 'status',
      status: 503,
      times: 1,
    });
    expect((await fetch(running.linkScriptUrl)).status).toBe(503);
    expect((await fetch(running.linkScriptUrl)).status).toBe(200);
    expect(running.simulator.ledger.calls()).toEqual([]);
  });
});

describe('the simulator without a server', () => {
  it('the simulator without a server answers through app.request, reports steps without secrets, and forgets on reset', async () => {
    const simulator = createSimulator();
    const steps: string[] = [];
    const stop = simulator.on('step', ({ service, what, status }) => steps.push(`${service} ${what} ${status}`));
    const ask = () => simulator.app.request('/finix/identities', { method: 'POST', body: '{"entity":{}}' });
    expect((await ask()).status).toBe(401);
    stop();
    await ask();
    expect(steps).toEqual(['finix POST /identities 401']);
    expect(simulator.ledger.calls()).toHaveLength(2);
    simulator.ledger.reset();
    expect(simulator.ledger.calls()).toEqual([]);
    simulator.close();
  });
});
