import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operations, wireSchemas } from '../../server/http/openapi.ts';
import { createLog } from '../../server/log.ts';
import { StorageUnavailableError } from '../../server/storage/errors.ts';
import { MERCHANT_KEY, TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

describe('operations', () => {
  beforeEach(async () => {
    const content = new TextEncoder().encode('export {}');
    const files = new Map([
      ['finix-bank-connect.js', content],
      ['finix-bank-connect@0.0.0-test.js', content],
      ['es-AbCd1234.js', content],
    ]);
    server = await TestServer.start({ script: { files }, docs: { files: new Map([['index.html', content]]) } });
  });

  it('/healthz and /readyz distinguish a live server from a ready one', async () => {
    expect((await server.send('GET', '/healthz', undefined, {})).body).toEqual({ status: 'ok' });
    expect((await server.send('GET', '/readyz', undefined, {})).status).toBe(200);
    server.storage.ping = () => Promise.reject(new StorageUnavailableError('gone'));
    expect((await server.send('GET', '/readyz', undefined, {})).status).toBe(503);
    expect((await server.send('GET', '/healthz', undefined, {})).status).toBe(200);
  });

  it('/metrics shows requests by route and upstream calls by outcome, without ids', async () => {
    const session = await server.createSession();
    await server.complete(session, await server.publicToken());
    expect((await server.request('/metrics')).status).toBe(401);
    const headers = { Authorization: `Bearer ${MERCHANT_KEY}` };
    const text = await (await server.request('/metrics', { headers })).text();
    expect(text).toMatch(
      /fbc_http_request_seconds_count\{method="POST",route="\/v1\/sessions\/:id\/complete",status="200"\} 1/,
    );
    expect(text).toMatch(
      /fbc_upstream_call_seconds_count\{service="finix",call="create payment instrument",outcome="ok"\} 1/,
    );
    expect(text).toMatch(/fbc_sessions_in_flight 0/);
    expect(text).not.toContain(session.id);
  });

  it('the script is served to any page, cached for five minutes at its moving address and for a year at its pinned one', async () => {
    const moving = await server.request('/finix-bank-connect.js');
    const pinned = await server.request('/finix-bank-connect@0.0.0-test.js');
    for (const answer of [moving, pinned]) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get('Content-Type')).toContain('text/javascript');
      expect(answer.headers.get('Access-Control-Allow-Origin')).toBe('*');
      expect(answer.headers.get('Cross-Origin-Resource-Policy')).toBe('cross-origin');
    }
    expect(moving.headers.get('Cache-Control')).toBe('public, max-age=300');
    expect(pinned.headers.get('Cache-Control')).toContain('immutable');
    expect((await server.request('/es-AbCd1234.js')).headers.get('Cache-Control')).toContain('immutable');
    const headers = { 'If-None-Match': moving.headers.get('ETag') ?? '' };
    expect((await server.request('/finix-bank-connect.js', { headers })).status).toBe(304);
    expect((await server.request('/finix-bank-connect@9.9.9.js')).status).toBe(404);
    const encoded = await server.request('/finix-bank-connect%400.0.0-test.js');
    expect([encoded.status, await encoded.text()]).toEqual([200, await moving.text()]);
  });

  it.each<[string, (etag: string) => string, number]>([
    ['its own', (etag) => etag, 304],
    ['one that a proxy has made weak', (etag) => `W/${etag}`, 304],
    ['the last of a list', (etag) => `"other", W/"another" ,${etag}`, 304],
    ['any', () => '*', 304],
    ['others', (etag) => `"other", ${etag.slice(0, -2)}", ${etag.slice(1, -1)}`, 200],
    ['one without its quotation marks', (etag) => etag.slice(1, -1), 200],
    ['an empty list', () => ',', 200],
  ])('a cache that names %s as the tag of its copy of the script', async (_, named, status) => {
    const first = await server.request('/finix-bank-connect.js');
    const etag = first.headers.get('ETag') ?? '';
    const headers = { 'If-None-Match': named(etag) };
    const answer = await server.request('/finix-bank-connect.js', { headers });
    expect([answer.status, await answer.text()]).toEqual([status, status === 304 ? '' : await first.text()]);
    expect(answer.headers.get('ETag')).toBe(etag);
    expect(answer.headers.get('Cache-Control')).toBe('public, max-age=300');
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe('*');
  });

  it('pinned scripts and chunks of earlier versions are served after an upgrade', async () => {
    const { upstream, storage } = server;
    const next = new TextEncoder().encode('export const next = 1');
    const files = new Map([
      ['finix-bank-connect.js', next],
      ['finix-bank-connect@0.0.1-test.js', next],
    ]);
    const upgraded = await TestServer.start({ upstream, storage, script: { files }, version: '0.0.1-test' });
    const pinned = await upgraded.request('/finix-bank-connect@0.0.0-test.js');
    expect([pinned.status, await pinned.text()]).toEqual([200, 'export {}']);
    expect((await upgraded.request('/es-AbCd1234.js')).status).toBe(200);
    expect(await (await upgraded.request('/finix-bank-connect.js')).text()).toContain('next');
    await upgraded.close();
  });

  it('every answer names its request', async () => {
    const served = ['/docs/', '/finix-bank-connect.js', '/es-AbCd1234.js', '/c/done', '/nothing'];
    for (const path of [...server.paths, ...served]) {
      for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'PUT', 'OPTIONS']) {
        const answer = await server.request(path, { method, headers: { 'X-Request-Id': 'of-this-request' } });
        expect([method, path, answer.headers.get('X-Request-Id')]).toEqual([method, path, 'of-this-request']);
      }
    }
    expect((await server.request('/docs/')).status).toBe(200);
  });

  it('an unknown address is answered with a problem', async () => {
    const { status, headers, body } = await server.send('GET', '/nothing', undefined, {});
    expect([status, body.code, headers.get('Content-Type')]).toEqual([404, 'not_found', 'application/problem+json']);
    expect(body.request_id).toBe(headers.get('X-Request-Id'));
  });
});

describe('the published contract', () => {
  beforeEach(async () => {
    server = await TestServer.start();
  });

  it('the published contract names every route of the app, and no other', async () => {
    const { body } = await server.send('GET', '/openapi.json', undefined, {});
    const documented = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    const internal = new Set(['get /', 'get /openapi.json', 'get /docs']);
    // The page behind a link is for browsers: its calls are no one else's.
    const isPage = (route: string) => / \/c\//.test(route);
    const routes = server.routes.filter((route) => !internal.has(route) && !isPage(route));
    expect(documented.sort()).toEqual([...new Set(routes)].sort());
    expect(documented).toHaveLength(operations.length);
  });

  it('the published contract has a page that people can read, without anything from elsewhere', async () => {
    const page = await server.request('/docs');
    const text = await page.text();
    expect(text).toContain('/v1/sessions/{id}/complete');
    expect(text).toContain('session_busy');
    expect(text).not.toMatch(/(src|href)="https?:/);
  });

  it('the published contract holds for real answers of every kind', async () => {
    const session = await server.createSession({ metadata: { a: 'b' } });
    wireSchemas.MerchantSession.parse(session);
    wireSchemas.LinkToken.parse((await server.page(session, 'POST', '/link-token', {})).body);
    const asked = await server.complete(session, await server.publicToken('user_good'));
    wireSchemas.Problem.parse(asked.body);
    wireSchemas.Session.parse((await server.page(session, 'GET', '')).body);
    const done = await server.complete(session, await server.publicToken());
    wireSchemas.Session.parse(done.body);
    wireSchemas.MerchantSession.parse((await server.merchant('GET', `/v1/sessions/${session.id}`)).body);
    wireSchemas.ConnectionList.parse((await server.merchant('GET', '/v1/connections')).body);
    wireSchemas.Problem.parse((await server.merchant('POST', '/v1/sessions', { customer_id: 1 })).body);
  });
});

describe('storage that is gone', () => {
  it('while storage is gone requests are answered 503 with Retry-After, and nothing is accepted', async () => {
    server = await TestServer.start();
    const session = await server.createSession();
    const token = await server.publicToken();
    await server.storage.close();
    const { status, headers, body } = await server.complete(session, token);
    expect([status, body.code, body.retryable]).toEqual([503, 'storage_unavailable', true]);
    expect(Number(headers.get('Retry-After'))).toBeGreaterThan(0);
    expect(server.ledger.items()[0]?.exchanged).toBe(false);
  });
});

describe('the log', () => {
  it('the log distinguishes requests with the same status by the code of their problem', async () => {
    server = await TestServer.start();
    await server.request('/v1/connections', { headers: { Origin: 'https://other.example' } });
    await server.request('/v1/connections');
    await server.request('/healthz');
    const lines = server.lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request');
    expect(lines.map(({ status, code }) => [status, code])).toEqual([
      [403, 'origin_not_allowed'],
      [401, 'unauthorized'],
      [200, undefined],
    ]);
  });

  it('the log keeps no token and no configured secret at any place of a line', async () => {
    server = await TestServer.start();
    const lines: string[] = [];
    const log = createLog({ level: 'info', secrets: ['the-plaid-secret'], write: (line) => lines.push(line) });
    log.info(
      { deep: { deeper: { deepest: ['access-sandbox-1-2', { x: 'the-plaid-secret' }] } } },
      'public-production-abc',
    );
    log.error({ err: new Error('processor-sandbox-xyz in ses_abc123_secret_DEADBEEF and Bearer abcdef') }, 'x');
    log.info({ url: `https://connect.example/c/${'L1_-'.repeat(10)}abc` }, 'x');
    const text = lines.join('');
    expect(lines).toHaveLength(3);
    expect(text).toContain('ses_abc123');
    expect(text).toContain('https://connect.example/c/[removed]"');
    for (const secret of [
      'access-sandbox',
      'the-plaid-secret',
      'public-production',
      'processor-sandbox',
      'DEADBEEF',
      'abcdef',
      'L1_-',
    ]) {
      expect(text).not.toContain(secret);
    }
  });
});
