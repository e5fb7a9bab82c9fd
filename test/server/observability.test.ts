import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import {
  type Context,
  type ContextManager,
  context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type SpanOptions,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noteFact } from '../../server/storage/committed.ts';
import { StorageUnavailableError } from '../../server/storage/errors.ts';
import { type Receiver, startReceiver, WEBHOOK_SECRET } from '../helpers/receiver.ts';
import { MERCHANT_KEY, QUICK, TestServer, type TestServerOptions } from '../helpers/server.ts';
import { forEachStorage } from '../helpers/storages.ts';

let receiver: Receiver;
let server: TestServer;
afterEach(async () => {
  await server.close();
  await receiver.close();
});
beforeEach(async () => {
  receiver = await startReceiver();
  server = await start();
});

function start(options: TestServerOptions = {}): Promise<TestServer> {
  const env = { MERCHANT_WEBHOOK_URL: receiver.url, MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET };
  return TestServer.start({ ...QUICK, env, ...options });
}

async function metrics(): Promise<string> {
  const response = await server.request('/metrics', { headers: { Authorization: `Bearer ${MERCHANT_KEY}` } });
  return response.text();
}

/** The value of a series, whose labels are given in their order. */
async function seriesValue(series: string): Promise<number | undefined> {
  const line = (await metrics()).split('\n').find((text) => text.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

describe('the metrics', () => {
  it('count how sessions end, with the reason, and what becomes of connections', async () => {
    await server.connect();
    await server.connect({ username: 'user_finix_refuses' });
    await server.createSession();
    expect(await seriesValue('fbc_session_events_total{event="created",code=""}')).toBe(3);
    expect(await seriesValue('fbc_session_events_total{event="completed",code=""}')).toBe(1);
    expect(await seriesValue('fbc_session_events_total{event="failed",code="instrument_refused"}')).toBe(1);
    expect(await seriesValue('fbc_connection_events_total{event="active"}')).toBe(1);
    expect(await seriesValue('fbc_connection_events_total{event="failed"}')).toBe(1);
  });

  it('metrics count the attempts of each step, and separately those that are retries', async () => {
    server.upstream.simulator.faults.add({
      service: 'plaid',
      path: '/accounts/get',
      kind: 'plaid_error',
      error_code: 'INTERNAL_SERVER_ERROR',
      times: 1,
    });
    expect((await server.connect()).answer.body.status).toBe('completed');
    const step = (name: string, outcome: string) =>
      seriesValue(`fbc_step_seconds_count{mode="connect",step="${name}",outcome="${outcome}"}`);
    expect(await step('started', 'done')).toBe(1);
    expect(await step('item_linked', 'postponed')).toBe(1);
    expect(await step('item_linked', 'done')).toBe(1);
    expect(await step('identity_ready', 'done')).toBe(1);
  });

  it('show what waits in the database, and for how long', async () => {
    await server.close();
    server = await start({ answerWithinMs: 500 });
    server.upstream.simulator.faults.add({ service: 'finix', path: '/*', kind: 'status', status: 503 });
    const { answer } = await server.connect();
    expect(answer.body.status).toBe('processing');
    expect(await seriesValue('fbc_backlog{kind="sessions"}')).toBe(1);
    expect(await seriesValue('fbc_backlog_oldest_seconds{kind="sessions"}')).toBeGreaterThan(0);
    expect(await seriesValue('fbc_backlog{kind="webhooks_dead"}')).toBe(0);
  });

  it('can be read while the database is gone', async () => {
    server.storage.now = () => Promise.reject(new StorageUnavailableError('gone'));
    const text = await metrics();
    expect(text).toContain('fbc_sessions_in_flight 0');
    expect(text).not.toContain('fbc_backlog{');
  });

  it('metrics show how late webhooks reach the merchant', async () => {
    receiver.answer = { status: 500 };
    await server.connect();
    await server.jobs.tick();
    expect(await seriesValue('fbc_webhook_delivery_seconds_count{outcome="failed"}')).toBe(2);
    receiver.answer = { status: 204 };
    server.clockOffset = 60_000;
    await server.jobs.tick();
    expect(await seriesValue('fbc_webhook_delivery_seconds_count{outcome="delivered"}')).toBe(2);
    expect(await seriesValue('fbc_webhook_delivery_seconds_bucket{le="30",outcome="delivered"}')).toBe(0);
  });

  it('are those that the dashboard and its documentation name', async () => {
    const dashboard = readFileSync('docs/grafana/dashboard.json', 'utf8');
    const documentation = readFileSync('docs/observability.md', 'utf8');
    const { panels } = JSON.parse(dashboard) as { panels: { targets: { expr: string }[] }[] };
    const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const named = [...expressions, documentation].flatMap(
      (text) => text.match(/\b(?:fbc|process|nodejs)_[a-z0-9_]+/g) ?? [],
    );
    expect(named.length).toBeGreaterThan(20);
    const text = await metrics();
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name, type]) =>
      type === 'histogram' ? [name, `${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
    );
    expect(named.filter((name) => !types.includes(name))).toEqual([]);
    const own = types.filter((name) => /^fbc_(?!.*_(bucket|count|sum)$)/.test(name ?? ''));
    expect(own.filter((name) => !documentation.includes(`\`${name}\``))).toEqual([]);
    expect(own.filter((name) => !dashboard.includes(name ?? ''))).toEqual([]);
  });
});

describe('the record of provider calls', () => {
  it('has the calls of a session with the providers’ request ids', async () => {
    const { session, answer } = await server.connect();
    await server.jobs.tick();
    const rows = await server.storage.db.selectFrom('provider_calls').selectAll().orderBy('at').execute();
    expect(rows.map(({ call }) => call)).toEqual(
      expect.arrayContaining(['item/public_token/exchange', 'processor/token/create', 'create payment instrument']),
    );
    expect(new Set(rows.map(({ session_id }) => session_id))).toEqual(new Set([session.id]));
    const known = server.ledger.calls().map(({ response }) => (response as { request_id?: string }).request_id);
    const exchange = rows.find(({ call }) => call === 'item/public_token/exchange');
    expect(exchange?.outcome).toBe('ok');
    expect(known).toContain(exchange?.request_id);
    expect(answer.body.status).toBe('completed');
    expect(JSON.stringify(rows)).not.toMatch(/(access|public|processor)-sandbox/);
  });

  it('keeps the calls of sessions that are handled at the same moment apart', async () => {
    const connected = await Promise.all(
      Array.from({ length: 5 }, (_, i) => server.connect({ customer_id: `cus_${i}` })),
    );
    await server.jobs.tick();
    const rows = await server.storage.db.selectFrom('provider_calls').select(['session_id', 'call']).execute();
    expect(rows.map(({ session_id }) => session_id)).not.toContain(null);
    for (const { session } of connected) {
      const own = rows.filter(({ session_id }) => session_id === session.id);
      expect(own.map(({ call }) => call)).toEqual(
        expect.arrayContaining([
          'item/public_token/exchange',
          'accounts/get',
          'create identity',
          'processor/token/create',
          'processor/token/permissions/set',
          'create payment instrument',
        ]),
      );
    }
  });

  it('keeps the code of a failure, and ends after a month', async () => {
    server.upstream.simulator.faults.add({
      service: 'plaid',
      path: '/link/token/create',
      kind: 'plaid_error',
      error_code: 'INVALID_PRODUCT',
    });
    const session = await server.createSession();
    await server.page(session, 'POST', '/link-token', {});
    await server.jobs.tick();
    const all = () => server.storage.db.selectFrom('provider_calls').selectAll().execute();
    expect(await all()).toEqual([
      expect.objectContaining({ session_id: session.id, outcome: 'misconfigured', code: 'INVALID_PRODUCT' }),
    ]);
    server.clockOffset = 31 * 24 * 3600_000;
    await server.jobs.tick();
    expect(await all()).toEqual([]);
  });

  it('names the connection of later work', async () => {
    const [connection] = (await server.connect()).answer.body.connections;
    await server.merchant('DELETE', `/v1/connections/${connection.id}`);
    await server.jobs.tick();
    const rows = await server.storage.db
      .selectFrom('provider_calls')
      .select('call')
      .where('connection_id', '=', connection.id)
      .execute();
    expect(rows.map(({ call }) => call)).toContain('disable payment instrument');
  });
});

forEachStorage((_dialect, kind) => {
  describe('a fact of a transaction', () => {
    it('counts once it is committed, and never when it is not', async () => {
      const storage = await kind.open();
      const counted: string[] = [];
      storage.onCommit.add(({ action }) => counted.push(action));
      const failing = storage.transaction('customer:a', async (trx) => {
        noteFact(trx, { action: 'session.failed', code: undefined });
        throw new Error('not this time');
      });
      await expect(failing).rejects.toThrow('not this time');
      await storage.transaction('customer:a', async (trx) => {
        await trx.selectFrom('meta').selectAll().execute();
        noteFact(trx, { action: 'session.completed', code: undefined });
        expect(counted).toEqual([]);
      });
      expect(counted).toEqual(['session.completed']);
      await storage.close();
    });
  });
});

interface SeenSpan {
  name: string;
  kind: SpanKind | undefined;
  parent: string | undefined;
  attributes: Record<string, unknown>;
  failed: boolean;
  ended: boolean;
}

describe('with an OpenTelemetry SDK that is registered', () => {
  const seen: SeenSpan[] = [];
  beforeEach(() => {
    context.setGlobalContextManager(new AsyncContexts());
    trace.setGlobalTracerProvider({ getTracer: () => tracerInto(seen) });
  });
  afterEach(() => {
    seen.length = 0;
    trace.disable();
    context.disable();
  });

  it('steps are spans under the work that they belong to, and calls under their steps', async () => {
    const { session } = await server.connect();
    const named = (name: string) => seen.find((span) => span.name === name);
    expect(named('connect_bank')?.attributes).toMatchObject({ 'fbc.session': session.id, 'fbc.mode': 'connect' });
    expect(named('connect_bank started')?.parent).toBe('connect_bank');
    const exchange = named('plaid item/public_token/exchange');
    expect(exchange).toMatchObject({ kind: SpanKind.CLIENT, parent: 'connect_bank started', failed: false });
    expect(exchange?.attributes).toMatchObject({ 'fbc.outcome': 'ok', 'fbc.request_id': expect.any(String) });
    expect(named('finix create payment instrument')?.parent).toBe('connect_bank identity_ready');
    expect(seen.filter(({ ended }) => !ended)).toEqual([]);
    expect(JSON.stringify(seen)).not.toMatch(/-sandbox-|Charleson/);
  });

  it('failed calls and steps are marked, with the provider’s code', async () => {
    await server.connect({ username: 'user_finix_refuses' });
    const call = seen.find(({ name }) => name === 'finix create payment instrument');
    expect(call).toMatchObject({ failed: true, attributes: { 'fbc.outcome': 'refused' } });
    expect(call?.attributes['fbc.code']).toEqual(expect.any(String));
  });
});

/** As the SDK's own, over Node's. */
class AsyncContexts implements ContextManager {
  readonly #store = new AsyncLocalStorage<Context>();
  active = () => this.#store.getStore() ?? ROOT_CONTEXT;
  with: ContextManager['with'] = (active, fn, thisArg, ...args) =>
    this.#store.run(active, () => fn.apply(thisArg as ThisParameterType<typeof fn>, args));
  bind = <T>(_context: Context, target: T): T => target;
  enable = () => this;
  disable = () => this;
}

function tracerInto(seen: SeenSpan[]): Tracer {
  const startSpan = (name: string, options: SpanOptions = {}, parent = context.active()): Span => {
    const parentSpan = trace.getSpan(parent) as (Span & { seen?: SeenSpan }) | undefined;
    const own: SeenSpan = {
      ...{ name, kind: options.kind, parent: parentSpan?.seen?.name, attributes: { ...options.attributes } },
      ...{ failed: false, ended: false },
    };
    seen.push(own);
    const span = {
      seen: own,
      setAttributes: (more: object) => Object.assign(own.attributes, more),
      setStatus: () => {
        own.failed = true;
      },
      end: () => {
        own.ended = true;
      },
    };
    return span as unknown as Span;
  };
  return {
    startSpan,
    startActiveSpan(name: string, options: SpanOptions, fn: (span: Span) => unknown) {
      const span = startSpan(name, options);
      return context.with(trace.setSpan(context.active(), span), () => fn(span));
    },
  } as Tracer;
}
