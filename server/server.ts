import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from './config.ts';
import { type AssembledServer, assembleServer } from './create-server.ts';
import { readDocs } from './http/docs-bundle.ts';
import { readScript, readVersion } from './http/script-bundle.ts';
import { createLog, type Logger } from './log.ts';
import { openStorage, type Storage } from './storage/open.ts';

/** After this long a call that still hangs is left at its recovery point; orchestrators kill after 30 s. */
const WORK_GRACE_MS = 20_000;
/** After a long drain work still has this long: most calls to Plaid and Finix end within. */
const LEAST_WORK_GRACE_MS = 5_000;
/** Answers to requests whose work has just ended, or was just left, need a few milliseconds. */
const ANSWER_GRACE_MS = 2_000;

export interface ServerOptions {
  /** In place of JSON lines on standard output. Every line is free of secrets in both cases. */
  log?: Logger;
}

/** The whole server, for a process of its own or inside another program. */
export interface Server {
  /**
   * Answers a request; starts the server if that was not done. A path of PUBLIC_URL may be part of the request's
   * address, or removed from it already.
   */
  fetch(request: Request, env?: object): Promise<Response>;
  /** Answers `/metrics` without a credential: for a port that is only open inside the network. */
  metrics(request: Request): Promise<Response>;
  /**
   * Opens storage, brings its schema up to date and starts the jobs that finish what stopped. Once, however often it is
   * called.
   */
  start(): Promise<StartedServer>;
  /** `/readyz` answers 503 from now on, so that a load balancer sends no more; everything else works until `stop`. */
  drain(): void;
  /** Refuses new sessions, waits for work that is in progress, and closes storage. Once, however often it is called. */
  stop(): Promise<void>;
}

export interface StartedServer {
  storage: Storage['dialect'];
  /** Sessions that are being worked on right now. */
  readonly inFlight: number;
}

/**
 * @param settings as in the environment; `process.env` for most
 * @throws ConfigError naming every missing, malformed or contradictory setting, before anything is opened
 */
export function createServer(settings: Record<string, string | undefined>, options: ServerOptions = {}): Server {
  const config = loadConfig(settings);
  const log = options.log ?? createLog({ level: config.logLevel, secrets: config.secretValues });
  const prefix = new URL(config.publicUrl).pathname.replace(/\/$/, '');
  let drainedAt: number | undefined;
  let stopping = false;
  let starting: Promise<{ assembled: AssembledServer; storage: Storage }> | undefined;
  let started: AssembledServer | undefined;
  let ending: Promise<void> | undefined;
  const answering = new Set<Promise<unknown>>();

  async function open() {
    const storage = await openStorage({
      ...config,
      guarded: false,
      log: (level, message, fields) => log[level](fields ?? {}, message),
    });
    try {
      const [version, script, docs] = await Promise.all([readVersion(), readScript(), readDocs()]);
      if (!script) log.warn('script-tag bundle missing, so it is not served: run npm run build');
      const assembled = await assembleServer({
        config,
        storage,
        log,
        version,
        script,
        docs,
        isReady: () => drainedAt === undefined,
        isStopping: () => stopping,
      });
      assembled.jobs.start();
      // Its import takes half a second: better now than in the first customer's request.
      assembled.plaid.warmUp();
      started = assembled;
      return { assembled, storage };
    } catch (error) {
      await storage.close();
      throw error;
    }
  }

  function opened() {
    if (stopping && !starting) return Promise.reject(new Error('The server was stopped.'));
    starting ??= open().catch((error: unknown) => {
      // The next call tries again: a database that was not there yet may be there then.
      starting = undefined;
      throw error;
    });
    return starting;
  }

  function answer({ app }: AssembledServer, request: Request, env: object | undefined): Promise<Response> {
    const answered = Promise.resolve(app.fetch(withoutPrefix(request, prefix), env as never));
    const forget = () => void answering.delete(answered);
    answering.add(answered);
    answered.then(forget, forget);
    return answered;
  }

  async function close(): Promise<void> {
    stopping = true;
    const { assembled, storage } = (await starting?.catch(() => undefined)) ?? {};
    if (!assembled || !storage) return;
    const drainedMs = drainedAt === undefined ? 0 : performance.now() - drainedAt;
    const graceMs = Math.max(WORK_GRACE_MS - drainedMs, LEAST_WORK_GRACE_MS);
    const answersEndAt = performance.now() + graceMs + ANSWER_GRACE_MS;
    // What is not done by then is at a recovery point, where another instance continues at once.
    const roundsEnd = Promise.race([assembled.jobs.stop(), sleep(graceMs, undefined, { ref: false })]);
    await Promise.all([roundsEnd, assembled.connector.stop(graceMs)]);
    // Requests that came before still read and write. One whose answer never comes must not keep the process.
    const unanswered = await settleWithin(answering, answersEndAt - performance.now());
    if (unanswered > 0) log.warn({ requests: unanswered }, 'stopping with requests that have no answer yet');
    await storage.close();
  }

  return {
    fetch(request, env) {
      // Waiting for what is there already would cost every request.
      return started
        ? answer(started, request, env)
        : opened().then(({ assembled }) => answer(assembled, request, env));
    },
    async metrics(request) {
      return (await opened()).assembled.metricsApp.fetch(request);
    },
    async start() {
      const { assembled, storage } = await opened();
      return {
        storage: storage.dialect,
        get inFlight() {
          return assembled.connector.inFlight;
        },
      };
    },
    drain() {
      drainedAt ??= performance.now();
    },
    stop() {
      ending ??= close();
      return ending;
    },
  };
}

/** @returns how many are not settled when the time is over */
async function settleWithin(work: ReadonlySet<Promise<unknown>>, ms: number): Promise<number> {
  const settled = new AbortController();
  const isOver = sleep(Math.max(ms, 0), undefined, { signal: settled.signal }).catch(() => {});
  await Promise.race([Promise.allSettled(work), isOver]).finally(() => settled.abort());
  return work.size;
}

/** Frameworks and proxies differ in whether they remove the path that this server is mounted under. */
function withoutPrefix(request: Request, prefix: string): Request {
  if (prefix === '') return request;
  const url = new URL(request.url);
  if (!url.pathname.startsWith(`${prefix}/`)) return request;
  url.pathname = url.pathname.slice(prefix.length);
  return new Request(url, request);
}
