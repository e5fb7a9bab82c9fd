import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPlaidClient } from '../../server/clients/plaid.ts';
import type { Check } from '../../server/diagnosis/check.ts';
import { checkFinixAndClock } from '../../server/diagnosis/provider-checks.ts';
import { runCommand, type Served, serveOnPort } from '../helpers/command.ts';
import { freePort } from '../helpers/free-port.ts';
import { type Receiver, startReceiver, WEBHOOK_SECRET } from '../helpers/receiver.ts';
import { MERCHANT_KEY, TestServer, testEnvironment } from '../helpers/server.ts';

const FINIX_SECRET = 'finix-webhook-secret-of-the-tests';

let receiver: Receiver;
let page: { server: Server; url: string; html: string };
let server: TestServer;
let served: Served;
let env: Record<string, string | undefined>;
beforeEach(async () => {
  receiver = await startReceiver();
  page = await startPage();
  const port = await freePort();
  const own = {
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    ALLOWED_ORIGINS: `${page.url},${page.url.replace('127.0.0.1', 'localhost')}`,
    FINIX_WEBHOOK_SECRET: FINIX_SECRET,
    MERCHANT_WEBHOOK_URL: receiver.url,
    MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET,
  };
  server = await TestServer.start({ env: own });
  served = await serveOnPort(server, port);
  env = testEnvironment({
    ...own,
    PLAID_BASE_URL: server.upstream.plaidUrl,
    FINIX_BASE_URL: server.upstream.finixUrl,
    DATA_DIR: server.dataDir,
  });
});
afterEach(async () => {
  await served.close();
  await server.close();
  await receiver.close();
  page.server.close();
  page.server.closeAllConnections();
});

async function startPage(): Promise<typeof page> {
  const started = { server: createServer(), url: '', html: '<script src="/app.js"></script>' };
  started.server.on('request', (request, response) => {
    response.end(request.url === '/app.js' ? 'export {}' : started.html);
  });
  const port = await freePort();
  // On both families: `localhost` may be either.
  await new Promise<void>((resolve) => started.server.listen(port, resolve));
  started.url = `http://127.0.0.1:${port}`;
  return started;
}

async function expectDiagnosis(more: Record<string, string | undefined> = {}, ...args: string[]) {
  const { code, out } = await runCommand(['doctor', '--json', ...args], { ...env, ...more });
  const { ok, checks } = JSON.parse(out) as { ok: boolean; checks: Check[] };
  expect(code).toBe(ok ? 0 : 1);
  for (const secret of [MERCHANT_KEY, WEBHOOK_SECRET, FINIX_SECRET, 'simulator-plaid-secret']) {
    expect(out).not.toContain(secret);
  }
  return { ok, checks, of: (id: string) => checks.filter((check) => check.id === id) };
}

describe('doctor', () => {
  it('finds nothing wrong with a server that works, and leaves nothing behind', async () => {
    const { code, out } = await runCommand(['doctor'], env);
    expect([code, out.split('\n').filter((line) => /^(FAIL|LOOK)/.test(line))]).toEqual([0, []]);
    expect(out).toMatch(/^ok {3}settings: The settings are complete: Plaid sandbox, Finix sandbox\.\n/);
    expect(out).toMatch(/\n\d+ checks: 0 failed, 0 to look at, \d+ skipped\.\n$/);
    expect(server.ledger.items().map(({ removed }) => removed)).toEqual([true]);
    expect(server.ledger.instruments()).toEqual([]);
    expect(receiver.received).toMatchObject([{ isSigned: true, body: { type: 'webhook.test' } }]);
  });

  it('gives every finding as JSON, with a remedy where something is to be done', async () => {
    const { ok, checks } = await expectDiagnosis({}, '--no-webhook');
    expect(ok).toBe(true);
    expect(receiver.received).toEqual([]);
    expect(checks.map(({ id }) => id)).toEqual(
      expect.arrayContaining([
        ...['settings', 'storage', 'plaid', 'plaid_identity', 'plaid_redirect_uri', 'plaid_integration', 'finix'],
        ...[
          'plaid_identity_match',
          'clock',
          'server',
          'merchant_api',
          'plaid_webhook',
          'finix_webhook',
          'origin',
          'page',
        ],
      ]),
    );
  });

  it('lists every setting that is wrong, and tries nothing with them', async () => {
    const { checks } = await expectDiagnosis({ PLAID_ENV: 'production', MERCHANT_API_KEY: undefined });
    expect(checks).toEqual([
      expect.objectContaining({ status: 'fail', detail: expect.stringContaining('MERCHANT_API_KEY is missing') }),
      expect.objectContaining({ detail: expect.stringContaining('PLAID_ENV and FINIX_ENV contradict each other') }),
      expect.objectContaining({ detail: expect.stringContaining('PLAID_BASE_URL must not be a loopback address') }),
      expect.objectContaining({ detail: expect.stringContaining('ENCRYPTION_KEY holds an entry that is not random') }),
    ]);
    expect(server.ledger.calls()).toEqual([]);
  });

  it('names the place in Plaid’s Dashboard when Finix is not enabled there', async () => {
    const fault = { service: 'plaid', path: '/processor/token/create', kind: 'plaid_error' } as const;
    server.upstream.simulator.faults.add({ ...fault, error_code: 'INVALID_PRODUCT' });
    const { of } = await expectDiagnosis();
    expect(of('plaid_integration')).toEqual([
      {
        id: 'plaid_integration',
        status: 'fail',
        detail: expect.stringContaining('INVALID_PRODUCT'),
        remedy: expect.stringContaining('Developers > Integrations'),
      },
    ]);
    expect(server.ledger.items().map(({ removed }) => removed)).toEqual([true]);
  });

  it('doctor distinguishes a missing identity product from wrong keys', async () => {
    server.upstream.simulator.settings.disabledProducts = ['identity'];
    const { of } = await expectDiagnosis();
    expect(of('plaid')).toMatchObject([{ status: 'ok' }]);
    expect(of('plaid_identity')).toMatchObject([{ status: 'fail', remedy: expect.stringContaining('identity') }]);
    const wrong = await expectDiagnosis({ PLAID_SECRET: 'another-secret' });
    expect(wrong.of('plaid')).toMatchObject([{ status: 'fail', remedy: expect.stringContaining('PLAID_SECRET') }]);
    expect(wrong.of('plaid_integration')).toEqual([]);
  });

  it('names the redirect address that Plaid does not know, and a product without consent', async () => {
    const address = 'https://shop.example/return';
    const refusal = { service: 'plaid', path: '/link/token/create', kind: 'plaid_error' } as const;
    server.upstream.simulator.faults.add({ ...refusal, error_code: 'INVALID_FIELD', about: address });
    server.upstream.simulator.settings.disabledProducts = ['signal'];
    const { of } = await expectDiagnosis({ PLAID_REDIRECT_URI: address, PLAID_CONSENTED_PRODUCTS: 'signal' });
    expect(of('plaid_redirect_uri')).toMatchObject([
      { status: 'fail', remedy: expect.stringContaining('PLAID_REDIRECT_URI') },
    ]);
    expect(of('plaid_consented_products')).toMatchObject([{ status: 'fail' }]);
    expect(of('plaid_identity')).toMatchObject([{ status: 'ok' }]);
  });

  it('doctor reports that owners are not compared when Identity Match is not enabled', async () => {
    const fault = { service: 'plaid', path: '/identity/match', kind: 'plaid_error' } as const;
    server.upstream.simulator.faults.add({ ...fault, error_code: 'PRODUCT_NOT_ENABLED' });
    const { ok, of } = await expectDiagnosis();
    expect(ok).toBe(true);
    expect(of('plaid_identity_match')).toMatchObject([
      { status: 'warn', remedy: expect.stringContaining('OWNERSHIP_CHECK=off') },
    ]);
  });

  it('doctor distinguishes a provider that refuses the key from one that does not answer', async () => {
    const refused = await expectDiagnosis({ FINIX_PASSWORD: 'another-password' });
    expect(refused.of('finix')).toMatchObject([{ status: 'fail', remedy: expect.stringContaining('FINIX_PASSWORD') }]);
    const nowhere = `http://127.0.0.1:${await freePort()}`;
    const gone = await expectDiagnosis({ FINIX_BASE_URL: nowhere, PLAID_BASE_URL: nowhere });
    for (const id of ['finix', 'plaid']) {
      expect(gone.of(id)).toMatchObject([{ status: 'fail', detail: expect.stringContaining('ECONNREFUSED') }]);
    }
    expect(gone.of('clock')).toMatchObject([{ status: 'skip' }]);
  });

  it.each([
    [10_000, 'ok', /agrees/],
    [-120_000, 'warn', /1[12]\d seconds behind\./],
    [600_000, 'fail', /6\d\d seconds ahead: signatures/],
  ])('compares the clock with the providers’: %i ms is %s', async (offset, status, words) => {
    const config = server.config;
    const plaid = createPlaidClient(config.plaid);
    const checks = await checkFinixAndClock({ config, plaid, now: () => Date.now() + offset });
    const [clock] = checks.filter(({ id }) => id === 'clock');
    expect(clock?.status).toBe(status);
    expect(clock?.detail).toMatch(words);
  });

  it('finds a database that was written with another key', async () => {
    const { of } = await expectDiagnosis({ ENCRYPTION_KEY: Buffer.alloc(32, 8).toString('base64') });
    expect(of('storage')).toMatchObject([{ status: 'fail', detail: expect.stringContaining('ENCRYPTION_KEY') }]);
  });

  it('leaves the schema of an older database, and the folder of a new one, as they are', async () => {
    const newest = await server.storage.db
      .withTables<{ schema_migrations: { name: string; applied_at: number } }>()
      .selectFrom('schema_migrations')
      .select('name')
      .orderBy('name', 'desc')
      .executeTakeFirstOrThrow();
    const migrations = server.storage.db.withTables<{ schema_migrations: { name: string; applied_at: number } }>();
    await migrations.deleteFrom('schema_migrations').where('name', '=', newest.name).execute();
    const older = await expectDiagnosis();
    expect(older.of('storage')).toMatchObject([{ status: 'ok', detail: expect.stringContaining(newest.name) }]);
    const fresh = await expectDiagnosis({ DATA_DIR: `${server.dataDir}/none` });
    expect(fresh.of('storage')).toMatchObject([{ status: 'ok', detail: expect.stringContaining('first start') }]);
    await migrations.insertInto('schema_migrations').values({ name: '9999-newer', applied_at: 0 }).execute();
    const newer = await expectDiagnosis();
    expect(newer.of('storage')).toMatchObject([{ status: 'fail', detail: expect.stringContaining('9999-newer') }]);
  });

  it('asks to start the server when none answers', async () => {
    const { ok, of } = await expectDiagnosis({ PUBLIC_URL: 'http://127.0.0.1:9' });
    expect(ok).toBe(true);
    expect(of('server')).toMatchObject([{ status: 'warn', remedy: expect.stringContaining('Start it') }]);
  });

  it('notices that something else answers at PUBLIC_URL', async () => {
    const { of } = await expectDiagnosis({ PUBLIC_URL: page.url });
    expect(of('server')).toMatchObject([{ status: 'fail', remedy: expect.stringContaining('PUBLIC_URL') }]);
  });

  it('notices that the running server has other settings', async () => {
    const { of } = await expectDiagnosis({
      MERCHANT_API_KEY: 'a-newer-key-that-is-not-there-yet-01234',
      ALLOWED_ORIGINS: 'http://localhost:5555,http://127.0.0.1:5555',
    });
    expect(of('merchant_api')).toMatchObject([{ status: 'fail', remedy: expect.stringContaining('restart') }]);
    expect(of('origin').map(({ status }) => status)).toEqual(['fail', 'fail']);
  });

  it('repeats what the running server needs from an operator', async () => {
    const fault = { service: 'plaid', path: '/link/token/create', kind: 'plaid_error', times: 1 } as const;
    const end = server.upstream.simulator.faults.add({ ...fault, error_code: 'INVALID_PRODUCT' });
    const session = await server.createSession();
    await server.page(session, 'POST', '/link-token', {}, { Origin: page.url });
    end();
    const { of } = await expectDiagnosis();
    expect(of('needs_attention')).toMatchObject([
      { status: 'fail', detail: expect.stringContaining('INVALID_PRODUCT') },
    ]);
  });

  it('shows how the merchant’s endpoint failed', async () => {
    receiver.answer = { status: 500 };
    const failing = await expectDiagnosis();
    expect(failing.of('merchant_webhook')).toMatchObject([{ status: 'fail', detail: expect.stringContaining('500') }]);
    const gone = await expectDiagnosis({ MERCHANT_WEBHOOK_URL: 'http://127.0.0.1:9/hooks' });
    expect(gone.of('merchant_webhook')).toMatchObject([
      { status: 'fail', remedy: expect.stringContaining('MERCHANT_WEBHOOK_URL') },
    ]);
  });

  it('finds a secret of the server in a page', async () => {
    page.html = `<script>const key = '${MERCHANT_KEY}';</script>`;
    const { of } = await expectDiagnosis();
    expect(of('page').map(({ status }) => status)).toEqual(['fail', 'fail']);
  });
});
