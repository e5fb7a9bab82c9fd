import { afterEach, describe, expect, it } from 'vitest';
import type { FaultRule } from '../../demo/simulator/index.ts';
import { patient } from '../helpers/patience.mjs';
import { eventually, QUICK, TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

const EXCHANGE = { service: 'plaid', path: '/item/public_token/exchange' } as const;
const ACCOUNTS = { service: 'plaid', path: '/accounts/get' } as const;
const PROCESSOR = { service: 'plaid', path: '/processor/token/create' } as const;
const IDENTITY = { service: 'finix', path: '/identities', method: 'POST' } as const;
const INSTRUMENT = { service: 'finix', path: '/payment_instruments', method: 'POST' } as const;
const INSTRUMENT_LIST = { service: 'finix', path: '/payment_instruments', method: 'GET' } as const;

const fault = (rule: FaultRule) => server.upstream.simulator.faults.add(rule);
const enabled = () => server.ledger.instruments().filter((instrument) => instrument['enabled'] === true);
const calls = ({ path, method }: { path: string; method?: string }) =>
  server.ledger.calls().filter((call) => call.path === path && (method === undefined || call.method === method));

describe('a temporary failure', () => {
  it.each<[string, FaultRule]>([
    ['500 from the exchange', { ...EXCHANGE, kind: 'status', times: 2 }],
    ['429 from the exchange', { ...EXCHANGE, kind: 'plaid_error', error_code: 'RATE_LIMIT', status: 429, times: 2 }],
    ['500 from the accounts', { ...ACCOUNTS, kind: 'status', times: 2 }],
    ['a reset while reading accounts', { ...ACCOUNTS, kind: 'reset', times: 1 }],
    ['a page of HTML instead of accounts', { ...ACCOUNTS, kind: 'html', times: 1 }],
    ['half an answer with accounts', { ...ACCOUNTS, kind: 'malformed', times: 1 }],
    ['500 from the processor token', { ...PROCESSOR, kind: 'status', times: 2 }],
    ['429 from the identity', { ...IDENTITY, kind: 'status', status: 429, times: 2 }],
    ['500 from the identity', { ...IDENTITY, kind: 'status', times: 1 }],
    ['500 from the identity after the commit', { ...IDENTITY, kind: 'status', when: 'after', times: 1 }],
    ['429 from the instrument', { ...INSTRUMENT, kind: 'status', status: 429, times: 2 }],
    ['500 from the instrument', { ...INSTRUMENT, kind: 'status', times: 2 }],
    ['500 from the instrument after the commit', { ...INSTRUMENT, kind: 'status', when: 'after', times: 1 }],
  ])('a temporary failure: %s is overcome within the request', async (_name, rule) => {
    server = await TestServer.start(QUICK);
    fault(rule);
    const { answer } = await server.connect();
    expect([answer.status, answer.body.status]).toEqual([200, 'completed']);
    expect(enabled().map(({ id }) => id)).toEqual([answer.body.connections[0].payment_instrument]);
    expect(server.ledger.identities()).toHaveLength(1);
  });
});

describe('an outage of some seconds', () => {
  it('an outage of some seconds is waited for within the request, however often the call fails', async () => {
    server = await TestServer.start(QUICK);
    const over = Date.now() + 4_000;
    fault({ ...INSTRUMENT, kind: 'status', status: 503 });
    setTimeout(() => server.upstream.simulator.faults.clear(), 4_000);
    const { answer } = await server.connect();
    expect([answer.status, answer.body.status]).toEqual([200, 'completed']);
    expect(Date.now()).toBeGreaterThanOrEqual(over - 50);
    expect(server.ledger.instruments()).toHaveLength(1);
  });
});

describe('a lost answer of the exchange', () => {
  it('a lost answer of an exchange that was not done is followed by one more attempt', async () => {
    server = await TestServer.start(QUICK);
    fault({ ...EXCHANGE, kind: 'timeout', times: 1 });
    const { answer } = await server.connect();
    expect(answer.body.status).toBe('completed');
    expect(calls(EXCHANGE)).toHaveLength(2);
  });

  it('a lost answer of an exchange that was done asks the customer to connect again', async () => {
    server = await TestServer.start(QUICK);
    fault({ ...EXCHANGE, kind: 'timeout', when: 'after', times: 1 });
    const { session, answer } = await server.connect();
    expect([answer.status, answer.body.code]).toEqual([409, 'restart_required']);
    const again = await server.complete(session, await server.publicToken());
    expect(again.body.status).toBe('completed');
    expect(enabled()).toHaveLength(1);
  });

  it('a lost answer of the exchange is no reason to ask the customer to connect again, however often it is lost', async () => {
    server = await TestServer.start(QUICK);
    fault({ ...EXCHANGE, kind: 'timeout', times: 3 });
    fault({ ...EXCHANGE, kind: 'reset', times: 1 });
    const { answer } = await server.connect();
    expect([answer.status, answer.body.status]).toEqual([200, 'completed']);
    expect(calls(EXCHANGE)).toHaveLength(5);
  });

  it('a gateway’s page for seconds in place of the exchange’s answer is waited for, with the same token', async () => {
    server = await TestServer.start(QUICK);
    fault({ ...EXCHANGE, kind: 'html' });
    setTimeout(() => server.upstream.simulator.faults.clear(), patient(1_500));
    const { answer } = await server.connect();
    expect([answer.status, answer.body.status]).toEqual([200, 'completed']);
    expect(server.ledger.items()).toHaveLength(1);
  });

  it('a lost answer of the exchange for longer than the page waits shows that the bank is being connected, and a job finishes', async () => {
    server = await TestServer.start({ ...QUICK, answerWithinMs: patient(300), timing: { lookAgainMs: patient(500) } });
    fault({ ...EXCHANGE, kind: 'html' });
    const { session, token, answer } = await server.connect();
    expect([answer.status, answer.body.status]).toEqual([202, 'processing']);
    // As the page does: it asks, or sends the same token once more.
    expect((await server.complete(session, token)).status).toBe(202);
    server.upstream.simulator.faults.clear();
    await eventually(async () => {
      await server.tickAtNextAttempt(session);
      return (await server.page(session, 'GET', '')).body.status === 'completed';
    });
    expect(server.ledger.items()).toHaveLength(1);
  });

  it('a lost answer of the exchange ends with the refusal of a token that is no longer good', async () => {
    server = await TestServer.start({ ...QUICK, answerWithinMs: patient(300), timing: { lookAgainMs: patient(500) } });
    fault({ ...EXCHANGE, kind: 'html' });
    const { session } = await server.connect();
    server.clockOffset = 31 * 60_000;
    server.upstream.simulator.faults.clear();
    await eventually(async () => {
      await server.tickAtNextAttempt(session);
      return (await server.page(session, 'GET', '')).body.status === 'restart_required';
    });
    expect((await server.complete(session, await server.publicToken())).status).toBeLessThan(300);
  });
});

describe('a lost answer of a Finix create call', () => {
  it.each<[string, FaultRule]>([
    ['silence after the commit', { ...INSTRUMENT, kind: 'timeout', when: 'after', times: 1 }],
    ['a reset after the commit', { ...INSTRUMENT, kind: 'reset', when: 'after', times: 1 }],
    ["a gateway's page after the commit", { ...INSTRUMENT, kind: 'html', when: 'after', times: 1 }],
    ['half an answer after the commit', { ...INSTRUMENT, kind: 'malformed', when: 'after', times: 1 }],
  ])('a Finix create call lost by %s: the instrument is found and adopted, not made again', async (_name, rule) => {
    server = await TestServer.start(QUICK);
    fault(rule);
    const { answer } = await server.connect();
    expect(answer.body.status).toBe('completed');
    expect(server.ledger.instruments()).toHaveLength(1);
    expect(answer.body.connections[0].payment_instrument).toBe(enabled()[0]?.['id']);
  });

  it('a Finix create call lost before the commit: made again only after the quiet period', async () => {
    server = await TestServer.start({ ...QUICK, quietMs: patient(1_800) });
    fault({ ...INSTRUMENT, kind: 'timeout', times: 1 });
    const { answer } = await server.connect();
    expect(answer.body.status).toBe('completed');
    const [first, second] = calls(INSTRUMENT);
    expect(Date.parse(String(second?.at)) - Date.parse(String(first?.at))).toBeGreaterThanOrEqual(patient(1_800) - 50);
    expect(server.ledger.instruments()).toHaveLength(1);
  });

  it('a Finix create call with a commit long after our timeout: still one instrument', async () => {
    server = await TestServer.start({ ...QUICK, quietMs: patient(2_200) });
    fault({ ...INSTRUMENT, kind: 'timeout', when: 'after', delayMs: patient(1_000), times: 1 });
    const { answer } = await server.connect();
    expect(answer.body.status).toBe('completed');
    expect(server.ledger.instruments()).toHaveLength(1);
  });

  it('a lost Finix create call with a list that lags: still one instrument', async () => {
    server = await TestServer.start({ ...QUICK, quietMs: patient(2_200), simulator: { listLagMs: patient(900) } });
    fault({ ...INSTRUMENT, kind: 'timeout', when: 'after', times: 1 });
    const { answer } = await server.connect();
    expect(answer.body.status).toBe('completed');
    expect(server.ledger.instruments()).toHaveLength(1);
  });

  it('a Finix create call with a commit even after the quiet period: the sweep disables the duplicate', async () => {
    server = await TestServer.start({ timeoutMs: patient(300), quietMs: patient(450) });
    fault({ ...INSTRUMENT, kind: 'timeout', when: 'after', delayMs: patient(1_800), times: 1 });
    const { answer } = await server.connect();
    expect(answer.body.status).toBe('completed');
    await expect.poll(() => server.ledger.instruments().length).toBe(2);
    await eventually(async () => {
      await server.jobs.tick();
      return enabled().length === 1;
    });
    expect(enabled()[0]?.['id']).toBe(answer.body.connections[0].payment_instrument);
  });

  it('a lost create call of the identity: found and used, not made again', async () => {
    server = await TestServer.start(QUICK);
    fault({ ...IDENTITY, kind: 'timeout', when: 'after', times: 1 });
    const { answer } = await server.connect();
    expect(answer.body.status).toBe('completed');
    expect(server.ledger.identities()).toHaveLength(1);
  });

  it('while Finix stays silent: 202, then the page polls and a job finishes', async () => {
    server = await TestServer.start({ ...QUICK, answerWithinMs: patient(400) });
    fault({ ...INSTRUMENT, kind: 'timeout', when: 'after', times: 1 });
    fault({ ...INSTRUMENT_LIST, kind: 'status' });
    const { session, answer } = await server.connect();
    expect(answer.status).toBe(202);
    expect(answer.headers.get('Retry-After')).toBe('2');
    // On a busy machine the answer can come before the accounts.
    const shown = await eventually(async () => {
      const { body } = await server.page(session, 'GET', '');
      return body.connections.length > 0 && body;
    });
    expect(shown).toMatchObject({ status: 'processing', connections: [{ status: 'pending' }] });
    await eventually(async () => server.ledger.instruments().length === 1);
    server.upstream.simulator.faults.clear();
    const done = await eventually(async () => {
      await server.tickAtNextAttempt(session);
      const polled = await server.page(session, 'GET', '');
      return polled.body.status === 'completed' && polled;
    }, 15_000);
    expect(done.body.connections[0]).toMatchObject({ status: 'active' });
    expect(server.ledger.instruments()).toHaveLength(1);
  });
});

describe('a definite refusal', () => {
  it('a definite refusal by Finix of the account fails the session, and the Item is removed at Plaid', async () => {
    server = await TestServer.start(QUICK);
    const { session, token, answer } = await server.connect({ username: 'user_finix_refuses' });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      status: 'failed',
      error: { code: 'instrument_refused', action: 'use_other_method' },
      connections: [{ status: 'failed', payment_instrument: null }],
    });
    expect((await server.complete(session, token)).body).toEqual(answer.body);
    await server.jobs.tick();
    expect(server.ledger.items()[0]?.removed).toBe(true);
    const item = await server.storage.db.selectFrom('items').selectAll().executeTakeFirstOrThrow();
    expect(item).toMatchObject({ status: 'removed', access_token_enc: null });
  });

  it('a definite refusal by Finix of the identity names the field to the merchant', async () => {
    server = await TestServer.start(QUICK);
    fault({ ...IDENTITY, kind: 'finix_error', error_code: 'INVALID_FIELD', field: 'entity.email', times: 1 });
    const { answer } = await server.connect();
    expect(answer.body).toMatchObject({ status: 'failed', error: { code: 'instrument_refused' } });
    expect(answer.body.error.detail).toContain('entity.email');
  });

  it('a definite refusal by the bank, which wants the customer to log in, asks for a restart', async () => {
    server = await TestServer.start(QUICK);
    fault({ ...PROCESSOR, kind: 'plaid_error', error_code: 'ITEM_LOGIN_REQUIRED', times: 1 });
    const { session, answer } = await server.connect();
    expect([answer.status, answer.body.code]).toEqual([409, 'restart_required']);
    await server.jobs.tick();
    expect(server.ledger.items()[0]?.removed).toBe(true);
    expect((await server.complete(session, await server.publicToken())).body.status).toBe('completed');
    expect((await server.page(session, 'GET', '')).body.connections).toHaveLength(1);
  });
});

describe('a bank that is down', () => {
  it('a bank that is down is answered with another bank as the way forward; the same token works once it is up', async () => {
    server = await TestServer.start(QUICK);
    fault({ ...ACCOUNTS, kind: 'plaid_error', error_code: 'INSTITUTION_DOWN', times: 1 });
    const { session, token, answer } = await server.connect();
    expect([answer.status, answer.body.code, answer.body.action]).toEqual([503, 'bank_unavailable', 'use_other_bank']);
    expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect((await server.complete(session, token)).body.status).toBe('completed');
    expect(calls(EXCHANGE)).toHaveLength(1);
  });
});

describe('wrong credentials', () => {
  it('wrong credentials of Plaid are the operator’s to fix; the same token works afterwards', async () => {
    server = await TestServer.start(QUICK);
    fault({ ...EXCHANGE, kind: 'plaid_error', error_code: 'INVALID_API_KEYS', times: 1 });
    const { session, token, answer } = await server.connect();
    expect([answer.status, answer.body.code]).toEqual([502, 'provider_misconfigured']);
    expect((await server.complete(session, token)).body.status).toBe('completed');
  });

  it('wrong credentials of Finix keep the bank, and a job finishes it once they are fixed', async () => {
    server = await TestServer.start({ ...QUICK, answerWithinMs: patient(200) });
    fault({ ...INSTRUMENT, kind: 'status', status: 401 });
    const { session, answer } = await server.connect();
    expect(answer.status).toBe(202);
    await eventually(async () => calls(INSTRUMENT).length > 0);
    server.upstream.simulator.faults.clear();
    await eventually(async () => {
      await server.tickAtNextAttempt(session);
      return (await server.page(session, 'GET', '')).body.status === 'completed';
    });
    expect(enabled()).toHaveLength(1);
  });
});

describe('a session that ends without a connection', () => {
  it('a session has its Item removed when it expires', async () => {
    server = await TestServer.start(QUICK);
    const { session, answer } = await server.connect({ username: 'user_good' });
    expect(answer.body.code).toBe('account_selection_required');
    server.clockOffset = 24 * 3600_000 + 1000;
    await server.jobs.tick();
    expect(server.ledger.items()[0]?.removed).toBe(true);
    expect((await server.merchant('GET', `/v1/sessions/${session.id}`)).body.status).toBe('expired');
  });

  it('a session has its Item removed when it is canceled, however long Plaid is down', async () => {
    server = await TestServer.start(QUICK);
    const { session } = await server.connect({ username: 'user_good' });
    await server.merchant('POST', `/v1/sessions/${session.id}/cancel`);
    fault({ service: 'plaid', path: '/item/remove', kind: 'status', times: 3 });
    for (let hour = 1; hour <= 4; hour++) {
      await server.jobs.tick();
      server.clockOffset = hour * 3600_000;
    }
    expect(server.ledger.items()[0]?.removed).toBe(true);
  });
});

describe('another worker', () => {
  it('another worker resumes from each recovery point once the lease is over, and the former one’s writes are refused', async () => {
    server = await TestServer.start(QUICK);
    const { upstream, storage } = server;
    fault({ ...INSTRUMENT, kind: 'delay', delayMs: 500, times: 1 });
    const session = await server.createSession();
    const token = await server.publicToken();
    const frozen = server.complete(session, token);
    await expect.poll(() => calls(INSTRUMENT).length).toBe(1);

    const other = await TestServer.start({ ...QUICK, timeoutMs: patient(2_000), upstream, storage });
    // The first worker's lease of 75 s is over for the second one's clock.
    other.clockOffset = 76_000;
    await other.jobs.tick();
    await frozen;
    await eventually(async () => {
      await other.jobs.tick();
      return enabled().length === 1 && (await other.page(session, 'GET', '')).body.status === 'completed';
    });
    const { body } = await other.page(session, 'GET', '');
    expect(body.connections).toHaveLength(1);
    expect(body.connections[0].payment_instrument).toBe(enabled()[0]?.['id']);
    await other.close();
  });
});
