import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Provider, UpstreamFailure } from './errors.ts';

/** What the metrics count. Labels are closed lists: no ids, no addresses. docs/observability.md documents the names. */
export interface Metrics {
  request(method: string, route: string, status: number, seconds: number): void;
  upstream(service: Provider, call: string, outcome: 'ok' | UpstreamFailure, seconds: number): void;
  /** A change that is committed, as the audit names it: `session.completed`. @param code why, a ProblemCode */
  changed(action: string, code: string | undefined): void;
  /** One attempt of a step of the money path. */
  step(mode: string, step: string, outcome: StepOutcome, seconds: number): void;
  /** One attempt to deliver a webhook. @param seconds since its event */
  delivery(outcome: 'delivered' | 'failed' | 'dead', seconds: number): void;
  /** The text that Prometheus reads, and its content type. */
  render(): Promise<{ text: string; contentType: string }>;
}

/**
 * `stopped`: the session ended there. `postponed`: it is tried again. `lost`: another worker has it, or storage is
 * gone.
 */
export type StepOutcome = 'done' | 'stopped' | 'postponed' | 'lost';

/** What waits in the database, by kind; for all instances together. */
export interface Backlog {
  kind: string;
  count: number;
  /** Seconds that the oldest has waited. */
  oldest: number;
}

/** From a quick read to Finix's timeout, in steps that separate a slow bank from a slow server. Seconds. */
const BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30];
/** From at once to the last attempt after three days. Seconds. */
const DELIVERY_BUCKETS = [0.5, 1, 5, 30, 300, 1800, 7200, 21_600, 86_400, 259_200];

/** The audit's actions that are counted, by the metric and its label. */
const COUNTED = /^(session|connection|link)\.(\w+)$/;

/**
 * @param inFlight how many sessions this process is working on, read when the metrics are
 * @param backlog what waits in the database, read when the metrics are
 */
export function createMetrics(inFlight: () => number, backlog: () => Promise<Backlog[]>): Metrics {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const registers = [register];
  const histogram = <L extends string>(name: string, labelNames: L[], help: string, buckets = BUCKETS) =>
    new Histogram({ name, help, labelNames, buckets, registers });
  const counter = <L extends string>(name: string, labelNames: L[], help: string) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, labelNames: L[], help: string) =>
    new Gauge({ name, help, labelNames, registers });

  const requests = histogram(
    'fbc_http_request_seconds',
    ['method', 'route', 'status'],
    'Requests answered, by route and status.',
  );
  const upstreams = histogram(
    'fbc_upstream_call_seconds',
    ['service', 'call', 'outcome'],
    'Calls to Plaid and Finix, by their outcome.',
  );
  const failures = counter(
    'fbc_upstream_failures_total',
    ['service', 'failure'],
    'Calls to Plaid and Finix that failed: misconfigured ones need an operator.',
  );
  const changes = {
    session: counter(
      'fbc_session_events_total',
      ['event', 'code'],
      'Sessions that were created, completed, failed, restarted, canceled or expired, with the problem code.',
    ),
    connection: counter(
      'fbc_connection_events_total',
      ['event'],
      'Connections by the status that they reached, and by what happened to them.',
    ),
    link: counter(
      'fbc_link_events_total',
      ['event'],
      'Links that were created, opened, completed, expired or revoked.',
    ),
  };
  const steps = histogram(
    'fbc_step_seconds',
    ['mode', 'step', 'outcome'],
    'Attempts of the steps from a public token to a payment instrument, by the recovery point that they begin at.',
  );
  const deliveries = histogram(
    'fbc_webhook_delivery_seconds',
    ['outcome'],
    'Attempts to deliver a webhook to the merchant, by the time since its event.',
    DELIVERY_BUCKETS,
  );
  new Gauge({
    name: 'fbc_sessions_in_flight',
    help: 'Sessions that this process is working on.',
    registers,
    collect() {
      this.set(inFlight());
    },
  });
  const waiting = gauge(
    'fbc_backlog',
    ['kind'],
    'What waits in the database, by kind. The same on every instance: use max, not sum.',
  );
  const oldest = gauge(
    'fbc_backlog_oldest_seconds',
    ['kind'],
    'How long the oldest of each kind has waited. The same on every instance.',
  );

  async function readBacklog(): Promise<void> {
    // Metrics that can be read are worth most while the database is gone.
    const rows = await backlog().catch(() => []);
    waiting.reset();
    oldest.reset();
    for (const { kind, count, oldest: seconds } of rows) {
      waiting.set({ kind }, count);
      oldest.set({ kind }, seconds);
    }
  }

  return {
    request: (method, route, status, seconds) => requests.observe({ method, route, status: String(status) }, seconds),
    upstream(service, call, outcome, seconds) {
      upstreams.observe({ service, call, outcome }, seconds);
      if (outcome !== 'ok') failures.inc({ service, failure: outcome });
    },
    changed(action, code) {
      const [, subject, event = ''] = COUNTED.exec(action) ?? [];
      if (subject === 'session') changes.session.inc({ event, code: code ?? '' });
      else if (subject === 'connection') changes.connection.inc({ event });
      else if (subject === 'link') changes.link.inc({ event });
    },
    step: (mode, step, outcome, seconds) => steps.observe({ mode, step, outcome }, seconds),
    delivery: (outcome, seconds) => deliveries.observe({ outcome }, seconds),
    async render() {
      await readBacklog();
      return { text: await register.metrics(), contentType: register.contentType };
    },
  };
}
