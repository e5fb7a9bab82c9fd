import { createServer, type IncomingMessage, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { createFinixClient } from '../../server/clients/finix.ts';
import { UpstreamError } from '../../server/clients/outbound.ts';
import { createPlaidClient } from '../../server/clients/plaid.ts';
import { loadConfig } from '../../server/config.ts';
import { testEnvironment } from '../helpers/server.ts';

/** Answers that Plaid and Finix may give and rarely do. */

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

interface Given {
  status?: number;
  headers?: Record<string, string>;
  /** An object becomes JSON. */
  body?: unknown;
}

/** Clients of one upstream. @param answer undefined: it never answers */
async function clientsOf(answer: (request: IncomingMessage) => Given | undefined) {
  const server = createServer((request, response) => {
    request.resume();
    const given = answer(request);
    if (!given) return;
    response.writeHead(given.status ?? 200, { 'Content-Type': 'application/hal+json', ...given.headers });
    response.end(typeof given.body === 'object' ? JSON.stringify(given.body) : given.body);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  const config = loadConfig(testEnvironment({ PLAID_BASE_URL: url, FINIX_BASE_URL: url }));
  return { finix: createFinixClient(config.finix), plaid: createPlaidClient(config.plaid) };
}

async function failureOf(call: Promise<unknown>): Promise<[failure: string, code: string]> {
  const error = await call.then(
    (value) => new Error(`no failure, but ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UpstreamError)) throw error;
  return [error.failure, error.code];
}

const FINIX_ERROR = { total: 1, _embedded: { errors: [{ code: 'SERVER_ERROR', message: 'no' }] } };
const PLAID_ERROR = {
  error_type: 'API_ERROR',
  error_code: 'INTERNAL_SERVER_ERROR',
  error_message: 'an unexpected error',
  display_message: null,
  request_id: 'r',
};

describe('a list of Finix’s', () => {
  const instrument = { id: 'PI1', enabled: true, tags: {} };

  it.each([
    ['an error', FINIX_ERROR],
    ['an empty object', {}],
    ['a gateway’s own words', { message: 'Service is warming up' }],
    ['a list of its own', []],
    ['nothing', undefined, 'NOT_JSON'],
  ])('is not empty where %s came with the status 200', async (_name, body, code = 'UNREADABLE_ANSWER') => {
    const { finix } = await clientsOf(() => ({ body }));
    for (const call of [finix.listBankAccounts('ID1', 0), finix.listIdentities(0), finix.listReversals('TR1')]) {
      expect(await failureOf(call)).toEqual(['lost', code]);
    }
  });

  it.each([
    ['without resources', { page: { limit: 100, next_cursor: null }, _links: { self: { href: 'x' } } }],
    ['without a page', { _embedded: { payment_instruments: [], identities: [], transfers: [] } }],
    ['with links alone', { _links: { self: { href: 'x' } } }],
    ['with null in place of resources', { _embedded: null, page: { next_cursor: '' } }],
  ])('is empty %s', async (_name, body) => {
    const { finix } = await clientsOf(() => ({ body }));
    expect(await finix.listBankAccounts('ID1', 0)).toEqual([]);
    expect(await finix.listIdentities(0)).toEqual([]);
    expect(await finix.listReversals('TR1')).toEqual([]);
  });

  it('has all of its rows where one has members of other types', async () => {
    const odd = { ...instrument, created_at: 1767225600, fingerprint: { id: 'FPR1' }, tags: ['none'], enabled: 'yes' };
    const body = { page: {}, _embedded: { payment_instruments: [odd, { ...instrument, id: 'PI2' }] } };
    const { finix } = await clientsOf(() => ({ body }));
    const listed = await finix.listBankAccounts('ID1', 0);
    expect(listed.map(({ id, fingerprint }) => [id, fingerprint])).toEqual([
      ['PI1', null],
      ['PI2', null],
    ]);
  });

  it('is sorted by time, with and without a fraction of a second', async () => {
    const times = ['2026-01-31T12:00:00.5Z', '2026-01-31T12:00:00Z', '2026-01-31T12:00:00.25+00:00'];
    const rows = times.map((created_at, i) => ({ ...instrument, id: `PI${i}`, created_at }));
    const { finix } = await clientsOf(() => ({ body: { page: {}, _embedded: { payment_instruments: rows } } }));
    expect((await finix.listBankAccounts('ID1', 0)).map(({ id }) => id)).toEqual(['PI1', 'PI2', 'PI0']);
  });
});

describe('an instrument that is to be disabled', () => {
  const read = (enabled: boolean) => ({ id: 'PI1', enabled, tags: {} });
  /** @returns the methods of the calls that were made, and what came of them */
  async function disable(put: Given, get: Given) {
    const methods: string[] = [];
    const { finix } = await clientsOf(({ method = '' }) => {
      methods.push(method);
      return method === 'PUT' ? put : get;
    });
    const outcome = await finix.disablePaymentInstrument('PI1').then(
      ({ enabled }) => ({ enabled }),
      ({ failure, code }: UpstreamError) => ({ failure, code }),
    );
    return { methods, outcome };
  }

  it('is disabled where Finix’s answer shows it, without another question', async () => {
    const { methods, outcome } = await disable({ body: read(false) }, { status: 500 });
    expect([methods, outcome]).toEqual([['PUT'], { enabled: false }]);
  });

  it.each<[string, Given]>([
    ['201 without the instrument', { status: 201, body: {} }],
    ['202 with the instrument as it was', { status: 202, body: read(true) }],
    ['204', { status: 204 }],
    ['200 without a body', { status: 200 }],
    ['200 with an error', { body: FINIX_ERROR }],
  ])('is read again after %s: it is disabled', async (_name, put) => {
    const { methods, outcome } = await disable(put, { body: read(false) });
    expect([methods, outcome]).toEqual([['PUT', 'GET'], { enabled: false }]);
  });

  it.each<[string, Given]>([
    ['200 with the instrument as it was', { body: read(true) }],
    ['204', { status: 204 }],
  ])('is tried again after %s where it is enabled still', async (_name, put) => {
    const { outcome } = await disable(put, { body: read(true) });
    expect(outcome).toEqual({ failure: 'busy', code: 'STILL_ENABLED' });
  });

  it('waits for none of the create calls that Finix leaves without an answer', async () => {
    const { finix } = await clientsOf(({ method }) => (method === 'POST' ? undefined : { body: read(false) }));
    const create = () => finix.createPaymentInstrument({ identity: 'ID1', processorToken: 'p', tags: {} });
    let answered = 0;
    const creating = Array.from({ length: 80 }, () =>
      create()
        .catch(() => {})
        .finally(() => {
          answered += 1;
        }),
    );
    expect((await finix.disablePaymentInstrument('PI1')).enabled).toBe(false);
    expect(answered).toBe(0);
    for (const server of servers) server.closeAllConnections();
    // Those that had no place yet are sent now, and end in the same way.
    const ending = setInterval(() => {
      for (const server of servers) server.closeAllConnections();
    }, 20);
    await Promise.all(creating).finally(() => clearInterval(ending));
  });
});

describe('a refusal of Finix’s', () => {
  it.each([405, 406, 415])('with the status %i is about the server’s own request', async (status) => {
    const { finix } = await clientsOf(() => ({ status, body: FINIX_ERROR }));
    const call = finix.createPaymentInstrument({ identity: 'ID1', processorToken: 'p', tags: {} });
    expect(await failureOf(call)).toEqual(['misconfigured', 'SERVER_ERROR']);
  });
});

describe('the rest that Finix asks for', () => {
  it.each<[string, number | undefined]>([
    ['2', 2],
    ['0', undefined],
    ['-5', undefined],
    ['soon', undefined],
    ['1e9', undefined],
    ['', undefined],
    ['Wed, 21 Oct 2015 07:28:00 GMT', undefined],
  ])('is read from Retry-After: %j', async (header, seconds) => {
    const { finix } = await clientsOf(() => ({ status: 429, headers: { 'Retry-After': header } }));
    const error = await finix.listIdentities(0).catch((thrown: unknown) => thrown);
    expect((error as UpstreamError).details.retryAfter).toBe(seconds);
  });

  it('may be a date', async () => {
    const at = new Date(Date.now() + 60_000).toUTCString();
    const { finix } = await clientsOf(() => ({ status: 503, headers: { 'Retry-After': at } }));
    const error = await finix.listIdentities(0).catch((thrown: unknown) => thrown);
    const { retryAfter = 0 } = (error as UpstreamError).details;
    expect(retryAfter).toBeGreaterThan(0);
    expect(retryAfter).toBeLessThanOrEqual(61);
  });
});

describe('pages of a list of Finix’s', () => {
  const listed = async (pages: object[]) => {
    const asked: (string | null)[] = [];
    const { finix } = await clientsOf(({ url = '' }) => {
      asked.push(new URL(url, 'http://x').searchParams.get('after_cursor'));
      const instrument = { id: `PI${asked.length}`, enabled: true, tags: {} };
      return { body: { _embedded: { payment_instruments: [instrument] }, ...pages[asked.length - 1] } };
    });
    const found = await finix.listBankAccounts('ID1', 0);
    return { asked, found: found.map(({ id }) => id) };
  };
  const next = { next: { href: 'https://finix.example/payment_instruments?limit=1&after_cursor=PI%2B1' } };

  it.each([
    ['has no cursor', { page: { limit: 100 }, _links: next }],
    ['is missing', { _links: next }],
  ])('are followed by the link to the next where the page %s', async (_, first) => {
    expect(await listed([first, { page: { limit: 100 }, _links: { self: { href: 'x' } } }])).toEqual({
      asked: [null, 'PI+1'],
      found: ['PI1', 'PI2'],
    });
  });

  it('are not all where the second is the first once more', async () => {
    const again = { page: { next_cursor: 'PI1' } };
    expect(await failureOf(listed([again, again]))).toEqual(['lost', 'UNREADABLE_ANSWER']);
    const { finix } = await clientsOf(() => ({
      body: { _embedded: { payment_instruments: [{ id: 'PI1' }] }, ...again },
    }));
    const pages = finix.allBankAccounts(0)[Symbol.asyncIterator]();
    await pages.next();
    await pages.next();
    expect(await failureOf(pages.next())).toEqual(['lost', 'UNREADABLE_ANSWER']);
  });

  it('end at an empty one that has the cursor of the page before', async () => {
    const again = { page: { next_cursor: 'PI1' } };
    expect(await listed([again, { ...again, _embedded: {} }])).toEqual({ asked: [null, 'PI1'], found: ['PI1'] });
  });

  it.each([
    ['the cursor says so', { page: { next_cursor: null }, _links: next }],
    ['the link leads nowhere', { page: {}, _links: { next: {} } }],
    ['the link has no cursor', { page: {}, _links: { next: { href: 'https://finix.example/payment_instruments' } } }],
  ])('end where %s', async (_, first) => {
    expect(await listed([first])).toEqual({ asked: [null], found: ['PI1'] });
  });
});

describe('an error of Plaid’s with the status 200', () => {
  it.each(['removeItem', 'prepareSignal'] as const)('is no success of %s', async (call) => {
    const { plaid } = await clientsOf(() => ({ body: PLAID_ERROR }));
    expect(await failureOf(plaid[call]('access-1'))).toEqual(['busy', 'INTERNAL_SERVER_ERROR']);
  });

  it('is no success of a call whose answer needs no member', async () => {
    const { plaid } = await clientsOf(() => ({ body: PLAID_ERROR }));
    expect(await failureOf(plaid.getLinkResults('link-1'))).toEqual(['busy', 'INTERNAL_SERVER_ERROR']);
    expect(await failureOf(plaid.updateWebhook('access-1', 'https://x.example'))).toEqual([
      'busy',
      'INTERNAL_SERVER_ERROR',
    ]);
    expect(await failureOf(plaid.reportDecision('order-1', true))).toEqual(['busy', 'INTERNAL_SERVER_ERROR']);
  });
});

describe('accounts of Plaid’s', () => {
  it('have none of the members whose types are others than published', async () => {
    const odd = { name: 7, official_name: 'Checking', mask: 1234, type: ['depository'], subtype: null };
    const accounts = [{ account_id: 'a', ...odd, verification_status: {}, persistent_account_id: 5 }];
    const { plaid } = await clientsOf(() => ({ body: { accounts, item: {}, request_id: 'r' } }));
    expect((await plaid.getAccounts('access-1')).accounts).toEqual([
      {
        ...{ id: 'a', name: 'Checking', mask: null, type: null, subtype: null },
        ...{ verificationStatus: 'unreadable', persistentAccountId: null, holderCategory: null },
      },
    ]);
  });
});

describe('the field that Finix complains about', () => {
  it.each([
    ['entity.first_name', 'entity.first_name'],
    ['tags[0]', 'tags[0]'],
    ['Jane Doe', undefined],
    ['4111111111111111', undefined],
    ['a'.repeat(101), undefined],
  ])('%s: %s', async (field, expected) => {
    const errors = [{ code: 'INVALID_FIELD', field, message: 'no' }];
    const { finix } = await clientsOf(() => ({ status: 422, body: { total: 1, _embedded: { errors } } }));
    const error = await finix.listIdentities(0).catch((thrown: unknown) => thrown);
    expect((error as UpstreamError).details.field).toBe(expected);
  });
});

describe('the results of a Hosted Link', () => {
  const resultsWith = async (added: object) => {
    const link_sessions = [{ link_session_id: 's', results: { item_add_results: [added] } }];
    const { plaid } = await clientsOf(() => ({ body: { link_token: 'l', link_sessions, request_id: 'r' } }));
    return plaid.getLinkResults('l');
  };

  it.each([
    [{}, { institution_id: null, name: null }],
    [{ name: 'Chase' }, { institution_id: null, name: 'Chase' }],
    [
      { institution_id: 'ins_1', name: null },
      { institution_id: 'ins_1', name: null },
    ],
    [null, null],
    ['Chase', null],
  ])('name the bank as far as Plaid does: %j', async (institution, expected) => {
    const [result] = await resultsWith({ public_token: 'public-1', accounts: [{ id: 'a', mask: null }], institution });
    expect(result).toEqual({
      publicToken: 'public-1',
      accounts: [{ id: 'a', name: null, mask: null }],
      institution: expected,
      linkSessionId: 's',
    });
  });

  it.each([
    ['no results', {}],
    ['null in place of results', { results: null }],
    ['empty results', { results: { item_add_results: [] } }],
  ])('are read from on_success where Plaid gives %s', async (_, given) => {
    const metadata = { accounts: [{ id: 'a', name: 'Checking', mask: '0000' }], institution: { name: 'Chase' } };
    const sessions = [
      { link_session_id: 's', ...given, on_success: { public_token: 'public-1', metadata } },
      { link_session_id: 't', ...given, on_success: { public_token: 'public-2', metadata: null } },
      { link_session_id: 'u', ...given, on_success: null },
    ];
    const { plaid } = await clientsOf(() => ({ body: { link_token: 'l', link_sessions: sessions, request_id: 'r' } }));
    expect(await plaid.getLinkResults('l')).toEqual([
      {
        publicToken: 'public-1',
        accounts: metadata.accounts,
        institution: { institution_id: null, name: 'Chase' },
        linkSessionId: 's',
      },
      { publicToken: 'public-2', accounts: [], institution: null, linkSessionId: 't' },
    ]);
  });

  it('are those of results where Plaid gives both', async () => {
    const results = { item_add_results: [{ public_token: 'public-1', accounts: [], institution: null }] };
    const sessions = [{ link_session_id: 's', results, on_success: { public_token: 'public-1', metadata: null } }];
    const { plaid } = await clientsOf(() => ({ body: { link_token: 'l', link_sessions: sessions, request_id: 'r' } }));
    expect(await plaid.getLinkResults('l')).toHaveLength(1);
  });

  it('leave out an account without an id', async () => {
    const [result] = await resultsWith({ public_token: 'public-1', accounts: [{ name: 'Checking' }, { id: 'a' }] });
    expect(result?.accounts).toEqual([{ id: 'a', name: null, mask: null }]);
  });
});

describe('an evaluation of Signal’s', () => {
  const debit = {
    accessToken: 'access-1',
    accountId: 'a',
    clientTransactionId: 'order-1',
    amount: 10,
    clientUserId: 'user',
  };

  it('has the ruleset’s result with any other members', async () => {
    const { plaid } = await clientsOf(() => ({
      body: {
        scores: { customer_initiated_return_risk: { score: 'low', risk_tier: 1 }, bank_initiated_return_risk: 7 },
        core_attributes: { available_balance: '12.50', current_balance: 20, balance_last_updated: 1 },
        ruleset: { ruleset_key: 'default', result: 'ACCEPT', triggered_rule_details: null },
        warnings: ['a warning'],
        request_id: 'r',
      },
    }));
    expect(await plaid.evaluateDebit(debit, 5_000)).toEqual({
      result: 'ACCEPT',
      scores: { customerInitiated: null, bankInitiated: null },
      balance: { available: 12.5, current: 20, currency: 'USD', asOf: null },
      warnings: [],
    });
  });
});

describe('a member of another type in an answer of Plaid’s', () => {
  it('costs none of the other scores of an owner, and a number may be a text', async () => {
    const scored = (score: unknown) => ({ score });
    const account = {
      account_id: 'acc_1',
      legal_name: scored('92'),
      email_address: scored({}),
      phone_number: 'none',
      address: scored(70),
    };
    const { plaid } = await clientsOf(() => ({ body: { accounts: [account], item: {}, request_id: 'r' } }));
    const scores = await plaid.matchOwner('access-1', ['acc_1'], { legal_name: 'Ada Holder' });
    expect(scores.get('acc_1')).toEqual({ name: 92, email: null, phone: null, address: 70 });
  });

  it('costs no balance', async () => {
    const balances = { available: '100.50', current: 'none', iso_currency_code: 840, last_updated_datetime: 1 };
    const { plaid } = await clientsOf(() => ({ body: { accounts: [{ account_id: 'acc_1', balances }] } }));
    expect(await plaid.getBalance('access-1', 'acc_1', 5_000)).toEqual({
      available: 100.5,
      current: null,
      currency: null,
      asOf: null,
    });
  });

  it('costs no login', async () => {
    const item = { institution_id: 5, institution_name: {}, webhook: 1, auth_method: 7, consent_expiration_time: 0 };
    const account = { account_id: 'acc_1', type: 'depository', subtype: 'checking' };
    const { plaid } = await clientsOf(() => ({ body: { accounts: [account], item } }));
    expect(await plaid.getAccounts('access-1')).toMatchObject({
      accounts: [{ id: 'acc_1' }],
      institutionId: null,
      institutionName: null,
      webhookUrl: '',
      authMethod: null,
      consentExpiresAt: null,
    });
  });
});
