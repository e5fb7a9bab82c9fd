import { TrieRouter } from 'hono/router/trie-router';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FixedPathRouter } from '../../server/http/fixed-paths.ts';
import { FINIX_SECRET } from '../helpers/debits.ts';
import { TestServer } from '../helpers/server.ts';

afterEach(() => vi.restoreAllMocks());

describe('the router', () => {
  let router: FixedPathRouter<string>;
  const found = (method: string, path: string) => router.match(method, path)[0].map(([handler]) => handler);
  beforeEach(() => {
    router = new FixedPathRouter();
    router.add('ALL', '*', 'every');
    router.add('GET', '/c/done', 'done');
    router.add('GET', '/c/:token', 'link');
    router.add('POST', '/webhooks/finix', 'finix');
  });

  it('an address without parameters is searched for once', () => {
    const search = vi.spyOn(TrieRouter.prototype, 'match');
    for (let i = 0; i < 3; i++) expect(found('POST', '/webhooks/finix')).toEqual(['every', 'finix']);
    expect(search).toHaveBeenCalledTimes(1);
  });

  it('an address that fits two patterns runs both in the order of their registration', () => {
    for (let i = 0; i < 2; i++) expect(found('GET', '/c/done')).toEqual(['every', 'done', 'link']);
  });

  it('each method of an address has its own handlers', () => {
    for (let i = 0; i < 2; i++) {
      expect(found('POST', '/webhooks/finix')).toEqual(['every', 'finix']);
      expect(found('GET', '/webhooks/finix')).toEqual(['every']);
    }
  });

  it('parameters are those of the request', () => {
    for (const token of ['one', 'two']) expect(router.match('GET', `/c/${token}`)[0][1]?.[1]).toEqual({ token });
  });

  it('addresses and methods that are not registered are searched for each time, and fill no memory', () => {
    const search = vi.spyOn(TrieRouter.prototype, 'match');
    for (let i = 0; i < 3; i++) {
      expect(found('GET', '/no/such/path')).toEqual(['every']);
      expect(found('PROPFIND', '/webhooks/finix')).toEqual(['every']);
    }
    expect(search).toHaveBeenCalledTimes(6);
  });

  it('a handler that is added later is found', () => {
    expect(found('POST', '/webhooks/finix')).toEqual(['every', 'finix']);
    router.add('POST', '/webhooks/finix', 'later');
    expect(found('POST', '/webhooks/finix')).toEqual(['every', 'finix', 'later']);
  });
});

describe('the server', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.start({ env: { FINIX_WEBHOOK_SECRET: FINIX_SECRET } });
  });
  afterEach(() => server.close());

  it('the addresses of webhooks and probes are searched for once', async () => {
    const paths = ['/webhooks/finix', '/webhooks/plaid', '/v1/sessions'];
    const ask = async () => {
      for (const path of paths) await server.request(path, { method: 'POST', body: '{}' });
      await server.request('/healthz');
    };
    await ask();
    const search = vi.spyOn(TrieRouter.prototype, 'match');
    await ask();
    expect(search).not.toHaveBeenCalled();
  });

  it.each(['/', '/healthz', '/webhooks/finix', '/no/such/path', '/c/done'])(
    'an answer at %s has the safe headers and the request’s id',
    async (path) => {
      const { headers } = await server.request(path, { headers: { 'X-Request-Id': 'given-by-the-caller' } });
      expect(headers.get('X-Request-Id')).toBe('given-by-the-caller');
      expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
      expect(headers.get('Content-Security-Policy')).toContain("default-src 'none'");
    },
  );
});
