import { setTimeout as sleep } from 'node:timers/promises';
import { SIMULATOR_CREDENTIALS } from '../../demo/simulator/index.ts';
import type { Connection, CreateSessionRequest, Problem, Session } from '../../widget/contract.ts';
import type { Random } from './random.ts';
import { asMerchant, request, type Where } from './requests.ts';

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

/** The usual simulated login: one checking account. */
export const ONE_ACCOUNT = 'user_one_account';
/** Its bank gives out account numbers of its own for each access, and others after a new sign-in. */
export const RENUMBERING_BANK = 'ins_127287';

/** Which simulated user connects, at which bank, and where Plaid sends webhooks. */
export interface Login {
  username: string;
  institution?: string | undefined;
  webhook?: string | undefined;
}

export interface CustomerOptions {
  email: string;
  kind: Outcome['kind'];
  url: Where;
  plaidUrl: string;
  random: Random;
  /** Chosen by `kind`, without webhooks, when left out. */
  login?: Login | undefined;
  /** How many identical `complete` requests are sent at the same time. */
  copies?: number | undefined;
  /** When to give up waiting. Milliseconds. */
  patienceMs: number;
  /** What the merchant's server asks for beyond the usual. */
  session?: Partial<CreateSessionRequest> | undefined;
  /** A session that exists already, and a public token that the page still has. */
  existing?: { session: Session; token?: string | undefined } | undefined;
  /** Called with each session as soon as it exists, and with each public token before it is sent. */
  opened?: (session: Session) => void;
  linked?: (token: string) => void;
  /** How often Link is run at most, without the runs that do not count. */
  maxRuns?: number | undefined;
  /** Whether a run of Link counts that had to be repeated; every one does when left out. */
  counts?: (token: string) => boolean;
}

/** More runs of Link than any fault can ask for. */
const MAX_RUNS = 6;

/** Goes through a session as a merchant's server and a page do, with every retry of a good page. */
export async function connectBank(options: CustomerOptions): Promise<Outcome> {
  const { email, kind, copies = 1, maxRuns = MAX_RUNS, counts = () => true } = options;
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
  const session = options.existing?.session ?? (await createSession(options, deadline));
  if (!session) return outcome;
  outcome.sessionId = session.id;
  options.opened?.(session);
  const began = performance.now();
  for (let counted = 0; counted < maxRuns && outcome.tokens.length < MAX_RUNS; ) {
    const known = outcome.tokens.length === 0 ? options.existing?.token : undefined;
    const run = { token: known ?? (await runLink(options)), restartAsked: false };
    outcome.tokens.push(run);
    options.linked?.(run.token);
    const ways = Array.from({ length: copies }, () => complete(options, outcome, session, run.token, deadline));
    const ends: (Session | 'restart' | undefined)[] = await Promise.all(ways);
    const final = ends.find((end) => typeof end === 'object');
    if (final) outcome.final = final;
    if (final || !ends.includes('restart')) break;
    run.restartAsked = true;
    if (counts(run.token)) counted++;
  }
  outcome.ms = performance.now() - began;
  return outcome;
}

type Page = Pick<CustomerOptions, 'url' | 'random'>;

/** Sends the token until the outcome is known. */
export async function complete(
  page: Page,
  outcome: Pick<Outcome, 'lastAnswer'>,
  session: Session,
  token: string,
  deadline: number,
): Promise<Session | 'restart' | undefined> {
  const body = { public_token: token, accounts: [] };
  const secret = session.client_secret ?? '';
  while (performance.now() < deadline) {
    const answer = await request(page.url, secret, 'POST', `/v1/sessions/${session.id}/complete`, body);
    if (answer?.status === 200) return answer.body as Session;
    if (answer?.status === 202) {
      const polled = await poll(page, session, deadline);
      if (polled && polled.status !== 'open') return polled.status === 'restart_required' ? 'restart' : polled;
    }
    const code = (answer?.body as Problem | undefined)?.code;
    outcome.lastAnswer = `${answer?.status ?? 'no answer'} ${code ?? ''}`;
    if (code === 'restart_required') return 'restart';
    if (ENDED.has(code)) return undefined;
    // Unreachable, overloaded, stopping or without storage: the page tries again with the same token.
    await sleep(page.random.between(50, 150));
  }
  return undefined;
}

/** After these the page's session can't go on with any request. */
const ENDED: ReadonlySet<Problem['code'] | undefined> = new Set([
  'session_canceled',
  'session_failed',
  'session_expired',
  'unauthorized',
] as const);

async function poll(page: Page, session: Session, deadline: number): Promise<Session | undefined> {
  while (performance.now() < deadline) {
    const answer = await request(page.url, session.client_secret ?? '', 'GET', `/v1/sessions/${session.id}`);
    const seen = answer?.status === 200 ? (answer.body as Session) : undefined;
    if (seen && seen.status !== 'processing') return seen;
    // The merchant has canceled the session, or erased the customer.
    if (answer?.status === 401) return undefined;
    await sleep(page.random.between(80, 160));
  }
  return undefined;
}

export function customerId(email: string): string {
  return `customer of ${email}`;
}

export async function createSession(
  options: Pick<CustomerOptions, 'email' | 'session' | 'url' | 'random'>,
  deadline: number,
): Promise<Session | undefined> {
  const { email, session } = options;
  const wanted: CreateSessionRequest = {
    customer_id: customerId(email),
    identity: { first_name: 'Ada', last_name: 'Lovelace', email },
    ...session,
  };
  return openSession(options, wanted, deadline);
}

let keys = 0;

/** Asks for a session until there is one, with one key, so that a lost answer makes no second session. */
export async function openSession(
  { url, random }: Page,
  wanted: CreateSessionRequest,
  deadline: number,
): Promise<Session | undefined> {
  const key = `session-${++keys}`;
  while (performance.now() < deadline) {
    const answer = await asMerchant(url, 'POST', '/v1/sessions', wanted, key);
    if (answer?.status === 201) return answer.body as Session;
    if (answer?.status === 422) return undefined;
    await sleep(random.between(50, 150));
  }
  return undefined;
}

/** The customer's connections, as the merchant's server reads them; undefined: no answer. */
export async function readConnections(url: Where, email: string): Promise<Connection[] | undefined> {
  const query = new URLSearchParams({ customer_id: customerId(email) });
  const answer = await asMerchant(url, 'GET', `/v1/connections?${query}`);
  return answer?.status === 200 ? (answer.body as { data: Connection[] }).data : undefined;
}

async function runLink({ plaidUrl, kind, login }: CustomerOptions): Promise<string> {
  const { clientId, secret } = SIMULATOR_CREDENTIALS.plaid;
  const response = await fetch(`${plaidUrl}/sandbox/public_token/create`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      client_id: clientId,
      secret,
      institution_id: login?.institution ?? 'ins_109508',
      initial_products: ['auth', 'identity'],
      options: login
        ? { override_username: login.username, ...(login.webhook ? { webhook: login.webhook } : {}) }
        : { override_username: kind === 'connects' ? ONE_ACCOUNT : 'user_finix_refuses' },
    }),
  });
  const { public_token } = (await response.json()) as { public_token: string };
  return public_token;
}
