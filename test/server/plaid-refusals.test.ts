import { afterEach, describe, expect, it } from 'vitest';
import type { FaultRule } from '../../demo/simulator/index.ts';
import { patient } from '../helpers/patience.mjs';
import { type Connected, eventually, TestServer } from '../helpers/server.ts';

/** What Plaid's refusals come to, call by call, through the real SDK. */
let server: TestServer;
afterEach(() => server.close());

const LINK_TOKEN = { service: 'plaid', path: '/link/token/create' } as const;
const EXCHANGE = { service: 'plaid', path: '/item/public_token/exchange' } as const;
const ACCOUNTS = { service: 'plaid', path: '/accounts/get' } as const;
const PROCESSOR = { service: 'plaid', path: '/processor/token/create' } as const;
const REMOVE = { service: 'plaid', path: '/item/remove' } as const;

/** What is kept is answered soon, and tried again soon. */
const QUICK = { answerWithinMs: 60, quietMs: patient(800), timeoutMs: patient(1_000) };

const { add, clear } = {
  add: (rule: FaultRule) => server.upstream.simulator.faults.add(rule),
  clear: () => server.upstream.simulator.faults.clear(),
};
const refuse = (call: typeof ACCOUNTS | typeof PROCESSOR | typeof EXCHANGE, error_code: string, error_type?: string) =>
  add({ ...call, kind: 'plaid_error', error_code, ...(error_type && { error_type }) });
const ERROR = 50;
const WARNING = 40;

/** The log's first line about a failed call; work may go on after the answer. */
const logged = (call: string, level = ERROR) =>
  eventually(async () =>
    server.lines
      .map((line) => JSON.parse(line))
      .find((line) => line.call === call && line.failure && line.level === level),
  );

/** The bank is still there once the refusal has gone, with one exchange and one instrument. */
async function expectKept({ session, answer }: Connected): Promise<void> {
  expect([answer.status, answer.body.status]).toEqual([202, 'processing']);
  expect(server.ledger.items().filter(({ removed }) => removed)).toEqual([]);
  clear();
  await eventually(async () => {
    await server.jobs.tick();
    return (await server.page(session, 'GET', '')).body.status === 'completed';
  });
  const enabled = server.ledger.instruments().filter((instrument) => instrument['enabled'] === true);
  expect(enabled).toHaveLength(server.ledger.items().length);
}

const RESTART = ['INVALID_MFA', 'INVALID_OTP', 'INVALID_PHONE_NUMBER', 'INVALID_SEND_METHOD'];
const PROFILE = ['PROFILE_AUTHENTICATION_FAILED', 'RECAPTCHA_REQUIRED', 'RECAPTCHA_BAD'];
const OAUTH = ['INCORRECT_OAUTH_NONCE', 'INCORRECT_LINK_TOKEN', 'OAUTH_STATE_ID_NOT_FOUND', 'INVALID_LINK_TOKEN'];
// Plaid answers this one with 208.
const USED = 'OAUTH_STATE_ID_ALREADY_PROCESSED';
const NO_ACCOUNT = ['no-depository-accounts', 'no-accounts', 'NO_INVESTMENT_ACCOUNTS', 'NO_LIABILITY_ACCOUNTS'];
const NO_MATCH = ['INSTANT_MATCH_FAILED', 'MANUAL_VERIFICATION_REQUIRED'];
const OURS = ['INVALID_PROCESSOR_TOKEN', 'INVALID_ACCOUNT_NUMBER', 'INVALID_INSTITUTION', 'INVALID_USER_ID'];
const OTHERS = ['PAYMENT_BLOCKED', 'INCOME_VERIFICATION_FAILED', 'CUSTOMER_NOT_FOUND', 'SANDBOX_WEBHOOK_INVALID'];

const decided: [code: string, problem: string][] = [
  ...[...RESTART, ...PROFILE, ...OAUTH, USED].map((code): [string, string] => [code, 'restart_required']),
  ...[...NO_ACCOUNT, ...NO_MATCH].map((code): [string, string] => [code, 'account_not_supported']),
  ['INCORRECT_DEPOSIT_VERIFICATION', 'verification_failed'],
  ['COUNTRY_NOT_SUPPORTED', 'bank_not_supported'],
  ['ITEM_NOT_SUPPORTED', 'bank_not_supported'],
];
const kept: [code: string, type: string | undefined][] = [
  ...['PRODUCT_NOT_READY', ...OURS, ...OTHERS].map((code): [string, undefined] => [code, undefined]),
  ['SOMETHING_NEW', 'INVALID_INPUT'],
  ['SOMETHING_NEW', 'ITEM_ERROR'],
  ['SOMETHING_NEW', 'PROFILE_ERROR'],
];

describe('while the accounts are read', () => {
  it('a refusal while the accounts are read that Plaid explains is the customer’s answer', async () => {
    server = await TestServer.start({ ...QUICK, answerWithinMs: patient(10_000) });
    for (const [code, problem] of decided) {
      refuse(ACCOUNTS, code);
      expect((await server.connect()).answer.body.code, code).toBe(problem);
      clear();
    }
  });

  it.each(kept)(
    '%s (%s) while the accounts are read is no statement about the bank: the session is kept and finished later',
    async (code, type) => {
      server = await TestServer.start(QUICK);
      refuse(ACCOUNTS, code, type);
      await expectKept(await server.connect());
    },
  );
});

describe('while the processor token is made', () => {
  it('a refusal while the processor token is made that Plaid explains is the customer’s answer', async () => {
    server = await TestServer.start({ ...QUICK, answerWithinMs: patient(10_000) });
    for (const [code, problem] of decided) {
      refuse(PROCESSOR, code);
      const { body } = (await server.connect()).answer;
      // A restart is a problem of the request; everything else ends the session, whose error it is.
      expect(body.status === 'failed' ? body.error.code : body.code, code).toBe(problem);
      clear();
    }
  });

  it.each(kept.slice(1))(
    '%s (%s) while the processor token is made is no statement about the bank: the session is kept and finished later',
    async (code, type) => {
      server = await TestServer.start(QUICK);
      refuse(PROCESSOR, code, type);
      await expectKept(await server.connect());
    },
  );

  it('an account that is not confirmed yet is pending, and the session completes', async () => {
    server = await TestServer.start({ ...QUICK, answerWithinMs: patient(10_000) });
    refuse(PROCESSOR, 'PRODUCT_NOT_READY');
    const { answer } = await server.connect();
    expect(answer.body).toMatchObject({ status: 'completed', connections: [{ status: 'pending_verification' }] });
  });
});

describe('while the public token is exchanged', () => {
  it.each([
    ['SOMETHING_NEW', 'INVALID_INPUT'],
    ['INVALID_USER_TOKEN', undefined],
  ])('%s (%s) during the exchange does not consume the public token', async (code, type) => {
    server = await TestServer.start(QUICK);
    refuse(EXCHANGE, code, type);
    await expectKept(await server.connect());
  });

  it.each(['NOT_FOUND', 'NO_LONGER_AVAILABLE', 'SANDBOX_ONLY'])(
    '%s during the exchange is for the operator',
    async (code) => {
      server = await TestServer.start({ ...QUICK, answerWithinMs: patient(10_000) });
      refuse(EXCHANGE, code);
      const { session, token, answer } = await server.connect();
      expect([answer.status, answer.body.code]).toEqual([502, 'provider_misconfigured']);
      clear();
      await server.complete(session, token);
      await eventually(async () => (await server.page(session, 'GET', '')).body.status === 'completed');
    },
  );
});

describe('at a link token', () => {
  it('a refusal of a link token that Plaid has published is the operator’s, another one may be temporary', async () => {
    server = await TestServer.start(QUICK);
    const session = await server.createSession();
    const ask = async (error_code: string, error_type?: string) => {
      add({ ...LINK_TOKEN, kind: 'plaid_error', error_code, ...(error_type && { error_type }) });
      const { body } = await server.page(session, 'POST', '/link-token', {});
      clear();
      return [body.code, body.action];
    };
    expect(await ask('INVALID_PRODUCT')).toEqual(['provider_misconfigured', 'contact_merchant']);
    expect(await ask('INVALID_STRIPE_ACCOUNT')).toEqual(['provider_misconfigured', 'contact_merchant']);
    expect(await ask('SOMETHING_NEW', 'INVALID_INPUT')).toEqual(['plaid_unavailable', 'retry']);
  });
});

describe('while an Item is removed', () => {
  it('a refusal that is no statement about the Item does not count as its removal', async () => {
    server = await TestServer.start({ ...QUICK, answerWithinMs: patient(10_000) });
    const { session } = await server.connect({ username: 'user_good' });
    add({ ...REMOVE, kind: 'plaid_error', error_code: 'SOMETHING_NEW', error_type: 'ITEM_ERROR' });
    await server.merchant('POST', `/v1/sessions/${session.id}/cancel`);
    await server.jobs.tick();
    const item = await server.storage.db.selectFrom('items').select('status').executeTakeFirstOrThrow();
    expect(item.status).toBe('removing');
    clear();
    server.clockOffset = 24 * 3600_000;
    await server.jobs.tick();
    expect(server.ledger.items()[0]?.removed).toBe(true);
  });
});

describe('the log of a refusal', () => {
  it('the log of a refusal has Plaid’s message, and for what only an operator can end, the remedy', async () => {
    server = await TestServer.start(QUICK);
    const error_message = 'Your integration is using a partner endpoint integration that has not yet been enabled';
    add({ ...PROCESSOR, kind: 'plaid_error', error_code: 'INVALID_PRODUCT', error_message });
    await server.connect();
    const line = await logged('processor/token/create');
    expect(line).toMatchObject({
      level: 50,
      code: 'INVALID_PRODUCT',
      status: 400,
      providerMessage: error_message,
      remedy: expect.stringContaining('Developers > Integrations'),
    });
    expect(line.remedy).toContain('Finix');
  });

  it('the log of a refusal is an error where the refusal is unknown, so that an operator looks', async () => {
    server = await TestServer.start(QUICK);
    refuse(ACCOUNTS, 'SOMETHING_NEW', 'ITEM_ERROR');
    await server.connect();
    expect(await logged('accounts/get')).toMatchObject({ level: 50, failure: 'unexpected', code: 'SOMETHING_NEW' });
  });

  it('the log of a refusal holds nothing of the request but settings, also where Plaid quotes the request', async () => {
    server = await TestServer.start({ ...QUICK, env: { PLAID_CLIENT_NAME: 'Canary Shop' } });
    const identity = {
      first_name: 'Adelaide',
      last_name: 'Canaryfield',
      email: 'canary@example.org',
      phone: '+14155550123',
    };
    const session = await server.createSession({ identity });
    const quoted = [
      'simulator-plaid-secret',
      'simulator-client-id',
      'Adelaide Canaryfield',
      'Canaryfield',
      'canary@example.org',
      '+14155550123',
      'other.person@example.net',
      '(415) 555-0199',
      '000123456789',
    ];
    const error_message = `client_name Canary Shop, products ["auth","identity"]: ${quoted.join(' / ')}\nsecond line`;
    add({ ...LINK_TOKEN, kind: 'plaid_error', error_code: 'INVALID_FIELD', error_message });
    await server.page(session, 'POST', '/link-token', {});
    const text = server.lines.join('\n');
    expect(text).toContain('client_name Canary Shop, products [\\"auth\\",\\"identity\\"]');
    for (const canary of quoted) expect(text, canary).not.toContain(canary);
    expect(text).not.toContain('Adelaide');
    expect(text).not.toContain('\\nsecond');
  });

  it('the log of a refusal holds no token that the call was made with', async () => {
    server = await TestServer.start(QUICK);
    const token = await server.publicToken();
    add({ ...EXCHANGE, kind: 'plaid_error', error_code: 'INVALID_FIELD', error_message: `bad public_token: ${token}` });
    await server.complete(await server.createSession(), token);
    await logged('item/public_token/exchange');
    const text = server.lines.join('\n');
    expect(text).toContain('bad public_token: [removed]');
    expect(text).not.toContain(token);
  });

  it('the log of a refusal is cut where a message is endless', async () => {
    server = await TestServer.start(QUICK);
    add({ ...ACCOUNTS, kind: 'plaid_error', error_code: 'INVALID_FIELD', error_message: 'word '.repeat(10_000) });
    await server.connect();
    expect((await logged('accounts/get')).providerMessage.length).toBeLessThanOrEqual(300);
  });
});

describe('/readyz', () => {
  const ready = async () => (await server.send('GET', '/readyz', undefined, {})).body;

  it('/readyz names what an operator has to fix, until the call goes well', async () => {
    server = await TestServer.start(QUICK);
    expect(await ready()).toEqual({ status: 'ready' });
    refuse(PROCESSOR, 'INVALID_PRODUCT');
    const kept = await server.connect();
    await logged('processor/token/create');
    expect(await ready()).toEqual({
      status: 'ready',
      needs_attention: [
        {
          service: 'plaid',
          call: 'processor/token/create',
          code: 'INVALID_PRODUCT',
          remedy: expect.stringMatching(/Enable Finix .* Developers > Integrations/),
          since: expect.stringMatching(/^\d{4}-.*Z$/),
        },
      ],
    });
    await expectKept(kept);
    expect(await ready()).toEqual({ status: 'ready' });
  });

  it('/readyz names wrong credentials of Finix with their settings', async () => {
    server = await TestServer.start(QUICK);
    add({ service: 'finix', path: '/identities', method: 'POST', kind: 'status', status: 401 });
    await server.connect();
    await eventually(async () => (await ready()).needs_attention);
    expect((await ready()).needs_attention).toMatchObject([
      { service: 'finix', remedy: expect.stringContaining('FINIX_PASSWORD') },
    ]);
  });

  it('/readyz does not list what passes by itself, nor what is the customer’s', async () => {
    server = await TestServer.start(QUICK);
    refuse(ACCOUNTS, 'INTERNAL_SERVER_ERROR');
    await server.connect();
    await logged('accounts/get', WARNING);
    clear();
    refuse(ACCOUNTS, 'NO_ACCOUNTS');
    await server.connect();
    expect(await ready()).toEqual({ status: 'ready' });
  });
});
