import { describe, expect, it } from 'vitest';
import type { UpstreamError } from '../../server/clients/outbound.ts';
import { clientsOf, failureOf, type Given } from '../helpers/provider-answers.ts';

/** Answers that Finix may give and rarely does. */

const FINIX_ERROR = { total: 1, _embedded: { errors: [{ code: 'SERVER_ERROR', message: 'no' }] } };

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
    const { finix, drop } = await clientsOf(({ method }) => (method === 'POST' ? undefined : { body: read(false) }));
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
    drop();
    // Those that had no place yet are sent now, and end in the same way.
    const ending = setInterval(drop, 20);
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
    ['the cursor ends it', { page: { next_cursor: null }, _links: next }],
    ['the link leads nowhere', { page: {}, _links: { next: {} } }],
    ['the link has no cursor', { page: {}, _links: { next: { href: 'https://finix.example/payment_instruments' } } }],
  ])('end where %s', async (_, first) => {
    expect(await listed([first])).toEqual({ asked: [null], found: ['PI1'] });
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
