import { SIMULATOR_CREDENTIALS, startSimulator } from '../../demo/simulator/index.ts';
import type { Session } from '../../widget/contract.ts';
import { type BuiltServer, readMetrics, startBuiltServer } from './built-server.ts';
import { percentile } from './statistics.ts';

/** Medians over `runs`; times in milliseconds. */
export interface CompleteFigures {
  runs: number;
  upstream_delay_ms: number;
  /** How many calls to Plaid and Finix one `complete` made. */
  upstream_calls: number;
  /**
   * The sum of their times, from arrival to answer as the simulator saw it: all transport counts as the server's own.
   */
  upstream_ms: number;
  /** The same sum as the server itself measured it (`/metrics`): the difference is transport and HTTP clients. */
  upstream_seen_ms: number;
  /** What a page waits for on top of `upstream_ms`. */
  own_ms: number;
  own_p95_ms: number;
  /** `own_ms` of a run over its `upstream_ms`. */
  ratio: number;
}

/** What a call over the internet to Plaid or Finix takes at its quickest; calls that reach a bank take seconds. */
const UPSTREAM_DELAY_MS = 200;
/**
 * The first requests pay for compiling and for the first connections, once in a server's life; the times fall until
 * about the twentieth.
 */
const WARM_UP = 20;
const RUNS = 30;

export async function measureComplete(): Promise<CompleteFigures> {
  const upstream = await startSimulator();
  const { simulator } = upstream;
  let server: BuiltServer | undefined;
  try {
    server = await startBuiltServer(upstream);
    let calls: number[] = [];
    simulator.on('step', ({ service, ms }) => {
      if (service !== 'link') calls.push(ms);
    });
    const runs: { calls: number; upstream: number; seen: number; own: number }[] = [];
    for (let run = -WARM_UP; run < RUNS; run += 1) {
      simulator.faults.clear();
      const session = await createSession(server, `customer_${run + WARM_UP}`);
      const publicToken = await createPublicToken(upstream.plaidUrl);
      // Warming up needs no waiting.
      const services = run < 0 ? [] : (['plaid', 'finix'] as const);
      for (const service of services) {
        simulator.faults.add({ service, path: '*', kind: 'delay', delayMs: UPSTREAM_DELAY_MS });
      }
      calls = [];
      const seenBefore = await upstreamSeconds(server);
      const begin = performance.now();
      await complete(server, session, publicToken);
      const total = performance.now() - begin;
      const sum = calls.reduce((ms, call) => ms + call, 0);
      const seen = ((await upstreamSeconds(server)) - seenBefore) * 1000;
      if (run >= 0) runs.push({ calls: calls.length, upstream: sum, seen, own: total - sum });
    }
    const median = (read: (run: (typeof runs)[number]) => number) => percentile(runs.map(read), 0.5);
    return {
      runs: RUNS,
      upstream_delay_ms: UPSTREAM_DELAY_MS,
      upstream_calls: median((run) => run.calls),
      upstream_ms: median((run) => run.upstream),
      upstream_seen_ms: median((run) => run.seen),
      own_ms: median((run) => run.own),
      own_p95_ms: percentile(
        runs.map((run) => run.own),
        0.95,
      ),
      ratio: median((run) => run.own / run.upstream),
    };
  } finally {
    await server?.stop();
    await upstream.close();
  }
}

/** All that the server has waited for Plaid and Finix since it started. */
async function upstreamSeconds(server: BuiltServer): Promise<number> {
  const text = await readMetrics(server);
  const sums = [...text.matchAll(/^fbc_upstream_call_seconds_sum\{[^}]*\} (\S+)$/gm)];
  return sums.reduce((seconds, [, sum]) => seconds + Number(sum), 0);
}

async function createSession({ url, merchantKey }: BuiltServer, customer: string): Promise<Session> {
  return post<Session>(`${url}/v1/sessions`, { customer_id: customer }, { Authorization: `Bearer ${merchantKey}` });
}

async function createPublicToken(plaidUrl: string): Promise<string> {
  const { clientId, secret } = SIMULATOR_CREDENTIALS.plaid;
  const { public_token } = await post<{ public_token: string }>(`${plaidUrl}/sandbox/public_token/create`, {
    client_id: clientId,
    secret,
    institution_id: 'ins_109508',
    initial_products: ['auth', 'identity'],
    options: { override_username: 'user_one_account' },
  });
  return public_token;
}

async function complete({ url }: BuiltServer, session: Session, publicToken: string): Promise<void> {
  const { status } = await post<Session>(
    `${url}/v1/sessions/${session.id}/complete`,
    { public_token: publicToken, accounts: [] },
    { Authorization: `Bearer ${session.client_secret}` },
  );
  if (status !== 'completed') throw new Error(`The session is ${status}, so this was no measurement of complete.`);
}

async function post<T>(url: string, body: object, headers: Record<string, string> = {}): Promise<T> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  // Only the path: the answers may hold tokens.
  if (!response.ok) throw new Error(`${new URL(url).pathname} answered ${response.status}.`);
  return (await response.json()) as T;
}
