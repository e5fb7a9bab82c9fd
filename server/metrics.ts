import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { UpstreamFailure } from './errors.ts';

/** The metrics an operator watches. Labels are closed lists: no ids, no addresses. */
export interface Metrics {
  request(method: string, route: string, status: number, seconds: number): void;
  upstream(service: 'plaid' | 'finix', call: string, outcome: 'ok' | UpstreamFailure, seconds: number): void;
  /** The text that Prometheus reads, and its content type. */
  render(): Promise<{ text: string; contentType: string }>;
}

/** From a quick read to Finix's time-out, in steps that separate a slow bank from a slow server. Seconds. */
const BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30];

/**
 * @param inFlight how many sessions this process is working on, read when the metrics are
 */
export function createMetrics(inFlight: () => number): Metrics {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const requests = new Histogram({
    name: 'fbc_http_request_seconds',
    help: 'Requests answered, by route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS,
    registers: [register],
  });
  const upstreams = new Histogram({
    name: 'fbc_upstream_call_seconds',
    help: 'Calls to Plaid and Finix, by what came of them.',
    labelNames: ['service', 'call', 'outcome'],
    buckets: BUCKETS,
    registers: [register],
  });
  const failures = new Counter({
    name: 'fbc_upstream_failures_total',
    help: 'Calls to Plaid and Finix that failed: misconfigured ones need an operator.',
    labelNames: ['service', 'failure'],
    registers: [register],
  });
  new Gauge({
    name: 'fbc_sessions_in_flight',
    help: 'Sessions that this process is working on.',
    registers: [register],
    collect() {
      this.set(inFlight());
    },
  });
  return {
    request: (method, route, status, seconds) => requests.observe({ method, route, status: String(status) }, seconds),
    upstream(service, call, outcome, seconds) {
      upstreams.observe({ service, call, outcome }, seconds);
      if (outcome !== 'ok') failures.inc({ service, failure: outcome });
    },
    render: async () => ({ text: await register.metrics(), contentType: register.contentType }),
  };
}
