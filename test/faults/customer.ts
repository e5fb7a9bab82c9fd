import { setTimeout as sleep } from 'node:timers/promises';
import { SIMULATOR_CREDENTIALS } from '../../demo/simulator/index.ts';
import type { Connection, CreateSessionRequest, Problem, Session } from '../../widget/contract.ts';
import { MERCHANT_KEY, SHOP } from '../helpers/server.ts';
import type { Random } from './random.ts';

/** How a customer's session ended, as the page and the merchant learned. */
export interface Outcome {
  email: string;
  kind: 'connects' | 'is refused';
  sessionId: string | undefined;
  /** Each public token from Link, and whether the server answered that Link must be run again. */
  tokens: { token: string; restartAsked: boolean }[];
  /** The session's final view; undefined: none in time. */
  final: Session | undefined;
  /** The last answer that was not final, which explains why there is no final one. */
  lastAnswer: string;
  /** From the first `complete` to the final answer. Milliseconds. */
  ms: number;
}

export interface CustomerOptions {
  email: string;
  kind: Outcome['kind'];
  /** The instance for the next request, another one each time; undefined while none is up. */
  url: () => string | undefined;
  plaidUrl: string;
  random: Random;
  /** Which simulated user connects, and where Plaid sends webhooks; chosen by `kind`, without webhooks, when left out. */
  login?: { username: string; webhook: string } | undefined;
  /** How many identical `complete` requests are sent at the same time. */
  copies?: number | undefined;
  /** When to give up waiting. Milliseconds. */
  patienceMs: number;
}

/** Longer than the server's own 20 s would be pointless; the suite's instances answer within 2 s unless they are frozen. */
const REQUEST_MS = 4_000;
/** More runs of Link than any fault can ask for. */
const MAX_RUNS = 6;

/** Goes through a session as a merchant's server and a page do, with every retry of a good page. */
export async function connectBank(options: CustomerOptions): Promise<Outcome> {
  const { email, kind, copies = 1 } = options;
  const outcome: Outcome = {
    email,
    kind,
    sessionId: undefined,
    tokens: [],
    final: undefined,
    lastAnswer: 'none',
    ms: 0,
  };
  const deadline = performance.now() + options.patienceMs;
  const session = await createSession(options, deadline);
  if (!session) return outcome;
  outcome.sessionId = session.id;
  const began = performance.now();
  while (outcome.tokens.length < MAX_RUNS) {
    const run = { token: await runLink(options), restartAsked: false };
    outcome.tokens.push(run);
    const ways = Array.from({ length: copies }, () => completeOnce(options, outcome, session, run.token, deadline));
    const ends: (Session | 'restart' | undefined)[] = await Promise.all(ways);
    const final = ends.find((end) => typeof end === 'object');
    if (final) outcome.final = final;
    if (final || !ends.includes('restart')) break;
    run.restartAsked = true;
  }
  outcome.ms = performance.now() - began;
  return outcome;
}

/** Sends the token until the outcome is known. */
async function completeOnce(
  options: CustomerOptions,
  outcome: Outcome,
  session: Session,
  token: string,
  deadline: number,
): Promise<Session | 'restart' | undefined> {
  const body = { public_token: token, accounts: [] };
  while (performance.now() < deadline) {
    const answer = await request(
      options,
      session.client_secret ?? '',
      'POST',
      `/v1/sessions/${session.id}/complete`,
      body,
    );
    if (answer?.status === 200) return answer.body as Session;
    if (answer?.status === 202) {
      const polled = await poll(options, session, deadline);
      if (polled && polled.status !== 'open') return polled.status === 'restart_required' ? 'restart' : polled;
    }
    const code = (answer?.body as Problem | undefined)?.code;
    outcome.lastAnswer = `${answer?.status ?? 'no answer'} ${code ?? ''}`;
    if (code === 'restart_required') return 'restart';
    // Unreachable, overloaded, stopping or without storage: the page tries again with the same token.
    await sleep(options.random.between(50, 150));
  }
  return undefined;
}

async function poll(options: CustomerOptions, session: Session, deadline: number): Promise<Session | undefined> {
  while (performance.now() < deadline) {
    const answer = await request(options, session.client_secret ?? '', 'GET', `/v1/sessions/${session.id}`);
    const seen = answer?.status === 200 ? (answer.body as Session) : undefined;
    if (seen && seen.status !== 'processing') return seen;
    await sleep(options.random.between(80, 160));
  }
  return undefined;
}

async function createSession(options: CustomerOptions, deadline: number): Promise<Session | undefined> {
  const { email } = options;
  const wanted: CreateSessionRequest = {
    customer_id: `customer of ${email}`,
    identity: { first_name: 'Ada', last_name: 'Lovelace', email },
  };
  while (performance.now() < deadline) {
    const answer = await request(options, MERCHANT_KEY, 'POST', '/v1/sessions', wanted, {
      'Idempotency-Key': `session-of-${email}`,
    });
    if (answer?.status === 201) return answer.body as Session;
    await sleep(options.random.between(50, 150));
  }
  return undefined;
}

/** The customer's connections, as the merchant's server reads them at the end. */
export async function readConnections(
  options: Pick<CustomerOptions, 'url'>,
  email: string,
): Promise<Connection[] | undefined> {
  const query = new URLSearchParams({ customer_id: `customer of ${email}` });
  const answer = await request(options, MERCHANT_KEY, 'GET', `/v1/connections?${query}`);
  return answer?.status === 200 ? (answer.body as { data: Connection[] }).data : undefined;
}

async function request(
  { url }: Pick<CustomerOptions, 'url'>,
  key: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: unknown } | undefined> {
  const base = url();
  if (base === undefined) return undefined;
  try {
    const response = await fetch(base + path, {
      method,
      headers: {
        Authorization: `Bearer ${key}`,
        ...(key === MERCHANT_KEY ? {} : { Origin: SHOP }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_MS),
    });
    return { status: response.status, body: await response.json() };
  } catch {
    // Refused, cut or too late: a page learns no more about a dead instance.
    return undefined;
  }
}

async function runLink({ plaidUrl, kind, login }: CustomerOptions): Promise<string> {
  const { clientId, secret } = SIMULATOR_CREDENTIALS.plaid;
  const response = await fetch(`${plaidUrl}/sandbox/public_token/create`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      client_id: clientId,
      secret,
      institution_id: 'ins_109508',
      initial_products: ['auth', 'identity'],
      options: login
        ? { override_username: login.username, webhook: login.webhook }
        : { override_username: kind === 'connects' ? 'user_one_account' : 'user_finix_refuses' },
    }),
  });
  const { public_token } = (await response.json()) as { public_token: string };
  return public_token;
}
