import type { KyselyPlugin } from 'kysely';
import type { Storage } from '../server/storage/open.ts';

/** One line of the live log. Names of calls and of recovery points only: no token, no secret, no person. */
export interface ServerStep {
  id: number;
  /** ISO 8601, UTC. */
  at: string;
  actor: 'plaid' | 'finix' | 'server' | 'shop';
  /** Method and path of a call; for `server` a recovery point or how a session ended. */
  what: string;
  /** HTTP status; null where there was no answer, left out where there was no call. */
  status?: number | null;
  ms?: number;
}

/** As many as a page that lost its connection can miss in a minute of clicking. */
const KEPT = 300;
/** Idle connections are cut by some proxies after half a minute. */
const HEARTBEAT_MS = 15_000;

/** The steps of all that happens behind the page, in order, for everybody who listens. */
export class StepLog {
  #last = 0;
  readonly #kept: ServerStep[] = [];
  readonly #listeners = new Set<(step: ServerStep) => void>();

  get last(): number {
    return this.#last;
  }

  add(step: Omit<ServerStep, 'id' | 'at'> & { at?: string }): void {
    const full = { at: new Date().toISOString(), ...step, id: ++this.#last };
    this.#kept.push(full);
    if (this.#kept.length > KEPT) this.#kept.shift();
    for (const listener of this.#listeners) listener(full);
  }

  /** Server-Sent Events, beginning after the step with that number. */
  stream(after: number): Response {
    const encoder = new TextEncoder();
    let leave = () => {};
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const send = (text: string) => controller.enqueue(encoder.encode(text));
        const sendStep = (step: ServerStep) => send(`id: ${step.id}\ndata: ${JSON.stringify(step)}\n\n`);
        send(': connected\n\n');
        for (const step of this.#kept) if (step.id > after) sendStep(step);
        this.#listeners.add(sendStep);
        const heartbeat = setInterval(() => send(': still here\n\n'), HEARTBEAT_MS).unref();
        leave = () => {
          this.#listeners.delete(sendStep);
          clearInterval(heartbeat);
        };
      },
      cancel: () => leave(),
    });
    return new Response(body, { headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' } });
  }
}

/**
 * The same storage, telling the log whenever a session has come to another recovery point. It listens at the transactions, because the recovery
 * point is what they commit; the server itself knows nothing of being watched.
 */
export function watchSessions(storage: Storage, log: StepLog): Storage {
  const seen = new Map<string, string>();
  return {
    ...storage,
    async transaction(scope, fn) {
      const points = new Map<string, string>();
      const observer: KyselyPlugin = {
        transformQuery: ({ node }) => node,
        transformResult: async ({ result }) => {
          for (const { id, recovery_point, status } of result.rows) {
            if (typeof id !== 'string' || typeof recovery_point !== 'string') continue;
            points.set(
              id,
              status === 'processing' || status === 'completed' ? recovery_point : `session ${String(status)}`,
            );
          }
          return result;
        },
      };
      const outcome = await storage.transaction(scope, (trx) => fn(trx.withPlugin(observer)));
      for (const [session, point] of points) {
        const before = seen.get(session);
        seen.set(session, point);
        // A session that was only read, or minted, is no news.
        if (point !== before && point !== 'session open') log.add({ actor: 'server', what: point });
      }
      return outcome;
    },
  };
}
