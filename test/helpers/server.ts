import { rm } from 'node:fs/promises';
import {
  type Deliver,
  type RunningSimulator,
  SIMULATOR_CREDENTIALS,
  type SimulatorOptions,
  startSimulator,
} from '../../demo/simulator/index.ts';
import { type Config, loadConfig } from '../../server/config.ts';
import type { BankConnector } from '../../server/connect/bank-connector.ts';
import { type AssembledServer, assembleServer, type Clients } from '../../server/create-server.ts';
import type { createApp, DocsBundle, ScriptBundle } from '../../server/http/app.ts';
import { operations, problemsOf } from '../../server/http/openapi.ts';
import type { Jobs } from '../../server/jobs/jobs.ts';
import { createLog } from '../../server/log.ts';
import { openStorage, type Storage } from '../../server/storage/open.ts';
import type { Timing } from '../../server/work/timing.ts';
import type { CompleteRequest, CreateSessionRequest, ProblemCode, Session } from '../../widget/contract.ts';
import { migratedDatabase } from './migrated-database.ts';
import { patient } from './patience.mjs';

export const MERCHANT_KEY = 'merchant-key-of-the-tests-0123456789';
export const SHOP = 'https://shop.example';
export const ENCRYPTION_KEY = Buffer.alloc(32, 7).toString('base64');

/** The settings of a whole, valid environment. */
export function testEnvironment(more: Record<string, string | undefined> = {}): Record<string, string | undefined> {
  const { plaid, finix } = SIMULATOR_CREDENTIALS;
  return {
    PLAID_CLIENT_ID: plaid.clientId,
    PLAID_SECRET: plaid.secret,
    PLAID_ENV: 'sandbox',
    PLAID_CLIENT_NAME: 'Acme',
    FINIX_USERNAME: finix.username,
    FINIX_PASSWORD: finix.password,
    FINIX_ENV: 'sandbox',
    MERCHANT_API_KEY: MERCHANT_KEY,
    ALLOWED_ORIGINS: SHOP,
    PUBLIC_URL: 'http://localhost:3000',
    ENCRYPTION_KEY,
    LOG_LEVEL: 'info',
    ...more,
  };
}

/**
 * Gives up calls soon, so that tests of lost answers don't take long; the quiet period stays longer than that, as it
 * must.
 */
export const QUICK = { timeoutMs: patient(400), quietMs: patient(1_200) };

export interface TestServerOptions {
  env?: Record<string, string>;
  simulator?: SimulatorOptions;
  /** Share one upstream or one database between servers. */
  upstream?: RunningSimulator;
  storage?: Storage;
  /** Milliseconds after which a call to Plaid or Finix is given up. */
  timeoutMs?: number;
  /** Milliseconds; also how long a lost create call is waited for. */
  quietMs?: number;
  answerWithinMs?: number;
  /** Other waiting times than the usual ones. */
  timing?: Partial<Timing>;
  script?: ScriptBundle;
  docs?: DocsBundle;
  version?: string;
  /** Puts something between the server and its upstreams. */
  wrapClients?: (clients: Clients) => Clients;
}

/** The whole server over the simulator, with the real Plaid SDK in between, called through `app.request`. */
export class TestServer {
  /** Added to the clocks of the server and the simulator. */
  clockOffset = 0;
  /** Added to the server's clock alone, which is wrong then. */
  clockError = 0;
  readonly lines: string[] = [];
  /** Requests that came through `fetch`. */
  received = 0;
  /** Of the embedded database; undefined with a storage that the test has opened. */
  readonly dataDir: string | undefined;

  private constructor(
    readonly config: Config,
    readonly upstream: RunningSimulator,
    readonly storage: Storage,
    private readonly app: ReturnType<typeof createApp>,
    readonly connector: BankConnector,
    readonly jobs: Jobs,
    readonly reconcile: AssembledServer['reconcile'],
    private readonly cleanUp: (() => Promise<void>)[],
  ) {}

  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    // Takes seconds on a busy machine, and would be measured by the first wait of a test file.
    await import('plaid');
    let server: TestServer | undefined;
    const cleanUp: (() => Promise<void>)[] = [];
    const now = () => Date.now() + (server?.clockOffset ?? 0);
    const upstream =
      options.upstream ?? (await startSimulator({ now, deliver: bringTo(() => server), ...options.simulator }));
    if (!options.upstream) cleanUp.push(() => upstream.close());
    const config = loadConfig(
      testEnvironment({ PLAID_BASE_URL: upstream.plaidUrl, FINIX_BASE_URL: upstream.finixUrl, ...options.env }),
    );
    const temporary = options.storage ? undefined : await openTemporary(cleanUp);
    const opened = options.storage ?? temporary?.storage;
    if (!opened) throw new Error('There is no storage.');
    const storage: Storage = {
      ...opened,
      now: async (fresh) => (await opened.now(fresh)) + (server?.clockOffset ?? 0) + (server?.clockError ?? 0),
    };
    const lines: string[] = [];
    const log = createLog({
      level: config.logLevel,
      secrets: [config.plaid.secret],
      write: (line) => lines.push(line),
    });
    const { timeoutMs, quietMs, answerWithinMs, script, docs } = options;
    const parts = {
      config,
      storage,
      log,
      version: options.version ?? '0.0.0-test',
      script,
      docs,
      timeoutMs,
      quietMs,
      answerWithinMs,
      ...(options.timing && { timing: options.timing }),
      ...(options.wrapClients && { wrapClients: options.wrapClients }),
    };
    const { app, connector, jobs, reconcile } = await assembleServer(parts);
    cleanUp.unshift(() => connector.stop());
    server = new TestServer(config, upstream, storage, app, connector, jobs, reconcile, cleanUp);
    Object.assign(server, { lines, dataDir: temporary?.dataDir });
    return server;
  }

  async close(): Promise<void> {
    for (const step of this.cleanUp) await step();
  }

  /** The paths of all routes, with `x` for each parameter. */
  get paths(): string[] {
    return [...new Set(this.app.routes.map(({ path }) => path.replace(/:\w+(\{[^}]*\})?|\*/g, 'x')))];
  }

  request(path: string, init?: RequestInit): Response | Promise<Response> {
    return this.app.request(path, init);
  }

  /** As a listener calls it, with the connection that a request came on. */
  fetch(request: Request, bindings: object): Response | Promise<Response> {
    this.received += 1;
    return this.app.fetch(request, bindings);
  }

  /** As `get /v1/sessions/{id}`. */
  get routes(): string[] {
    const own = this.app.routes.filter(({ method }) => method !== 'ALL');
    return own.map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}')}`);
  }

  get ledger() {
    return this.upstream.simulator.ledger;
  }

  /** As the merchant's server. */
  merchant(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send(method, path, body, { Authorization: `Bearer ${MERCHANT_KEY}`, ...headers });
  }

  /** As the page that holds the session's client secret. */
  page(
    session: Session,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const auth = { Authorization: `Bearer ${session.client_secret}`, Origin: SHOP };
    return this.send(method, `/v1/sessions/${session.id}${path}`, body, { ...auth, ...headers });
  }

  async send(method: string, path: string, body: unknown, headers: Record<string, string>): Promise<Answer> {
    const init: RequestInit = { method, headers };
    if (body !== undefined) {
      init.headers = { 'Content-Type': 'application/json', ...headers };
      init.body = typeof body === 'string' ? body : JSON.stringify(body);
    }
    const response = await this.request(path, init);
    const text = await response.text();
    const answer = { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined };
    expectDocumented(method, path, answer);
    return answer;
  }

  async createSession(request: Partial<CreateSessionRequest> = {}): Promise<Session> {
    const { status, body } = await this.merchant('POST', '/v1/sessions', { customer_id: 'cus_1', ...request });
    if (status !== 201) throw new Error(`no session: ${JSON.stringify(body)}`);
    return body as Session;
  }

  /** A public token by the integration guide's short cut, without Link. */
  async publicToken(username = 'user_one_account', institution = 'ins_109508'): Promise<string> {
    const { clientId, secret } = SIMULATOR_CREDENTIALS.plaid;
    const response = await fetch(`${this.upstream.plaidUrl}/sandbox/public_token/create`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        client_id: clientId,
        secret,
        institution_id: institution,
        initial_products: ['auth', 'identity'],
        options: { override_username: username, webhook: `${this.config.publicUrl}/webhooks/plaid` },
      }),
    });
    const { public_token } = (await response.json()) as { public_token?: string };
    if (!public_token) throw new Error('the simulator gave no public token');
    return public_token;
  }

  /** A customer connects a bank: a session, a public token, and the answer to `complete`. */
  async connect({ username, institution, ...request }: ConnectOptions = {}): Promise<Connected> {
    const session = await this.createSession(request);
    const token = await this.publicToken(username, institution);
    return { session, token, answer: await this.complete(session, token) };
  }

  complete(session: Session, publicToken: string, more: Partial<CompleteRequest> = {}): Promise<Answer> {
    return this.page(session, 'POST', '/complete', { public_token: publicToken, accounts: [], ...more });
  }

  /**
   * A round of jobs, at the time of the session's next attempt once its worker has released it. The clock goes no
   * further: if it ran on while a worker waits in place, the tokens in its hand would end.
   */
  async tickAtNextAttempt({ id }: Session): Promise<void> {
    const { next_at, lease_owner } = await this.storage.db
      .selectFrom('sessions')
      .select(['next_at', 'lease_owner'])
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    const ahead = next_at - (await this.storage.now());
    if (lease_owner === null && ahead > 0) this.clockOffset += ahead;
    await this.jobs.tick();
  }
}

/** An answer that the published contract does not list would surprise every client that was generated from it. */
function expectDocumented(method: string, path: string, { status, body }: Answer): void {
  const { pathname } = new URL(path, SHOP);
  const operation = operations.find(
    (one) =>
      one.method === method.toLowerCase() && new RegExp(`^${one.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(pathname),
  );
  if (!operation || status in operation.answers) return;
  if (body?.code !== undefined && problemsOf(operation).has(body.code as ProblemCode)) return;
  throw new Error(
    `${method} ${path} answers ${status} ${body?.code}, which ${operation.id} in server/http/openapi/operations.ts does not list`,
  );
}

export interface ConnectOptions extends Partial<CreateSessionRequest> {
  /** Of the scenario. */
  username?: string | undefined;
  institution?: string | undefined;
}

export interface Connected {
  session: Session;
  token: string;
  answer: Answer;
}

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads any body from the wire; a wrong shape fails its expectation.
  body: any;
}

/** Webhooks go straight into the app, which has no address of its own. */
function bringTo(server: () => TestServer | undefined): Deliver {
  return async (url, init) =>
    (await server()?.request(new URL(url).pathname, init)) ?? new Response(null, { status: 503 });
}

let openOther: (() => Promise<Storage>) | undefined;

/** Has every server that is started from now on use another database than an embedded one; undefined: as before. */
export function useDatabase(open: (() => Promise<Storage>) | undefined): void {
  openOther = open;
}

async function openTemporary(
  cleanUp: (() => Promise<void>)[],
): Promise<{ storage: Storage; dataDir: string | undefined }> {
  if (openOther) {
    const storage = await openOther();
    cleanUp.push(() => storage.close());
    return { storage, dataDir: undefined };
  }
  const dataDir = await migratedDatabase();
  const storage = await openStorage({ dataDir });
  cleanUp.push(
    () => storage.close(),
    () => rm(dataDir, { recursive: true, force: true }),
  );
  return { storage, dataDir };
}

/** How often a condition is looked at, in milliseconds: at first, and once it has been waited for. */
const LOOK_MS = { first: 10, last: 50 };
/** The share of the wait so far that passes between two looks, so that a look too late costs no more than that. */
const LOOK_SHARE = 0.02;

/**
 * Waits until `probe` gives something. It looks often at first and less often in a wait of seconds, whose looks would
 * take the machine from the other test files.
 * @param ms of an idle machine, after which it fails
 * @param everyMs between two looks, where each is work for the server
 */
export async function eventually<T>(
  probe: () => Promise<T | undefined | false>,
  ms = 10_000,
  everyMs?: number,
): Promise<T> {
  const began = Date.now();
  const deadline = began + patient(ms);
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    const now = Date.now();
    if (now > deadline) throw new Error(`it did not happen within ${patient(ms)} ms`);
    const pause = everyMs ?? Math.min(Math.max((now - began) * LOOK_SHARE, LOOK_MS.first), LOOK_MS.last);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
