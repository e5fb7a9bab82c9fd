import { setTimeout as sleep } from 'node:timers/promises';
import type { CompleteRequest } from '../widget/contract.ts';
import { acceptPublicToken, type RequestFacts } from './accept-public-token.ts';
import { UpstreamError } from './clients/outbound.ts';
import { type ConnectBankDeps, LEGS, postponementOf, stop } from './connect-bank.ts';
import { newId } from './ids.ts';
import type { Logger } from './log.ts';
import { findSession } from './sessions.ts';
import { StorageUnavailableError } from './storage/errors.ts';
import type { SessionTable } from './storage/tables.ts';
import {
  BUDGET_MS,
  backoff,
  claim,
  Fenced,
  HeldSession,
  newOwner,
  Postpone,
  QUICK_TRIES,
  RELEASED,
  Stop,
} from './worker.ts';

/** Runs the money path: for a request that waits, and for jobs that take over what was left. */
export interface BankConnector {
  /**
   * Takes a public token into the session and works until the outcome is known, or 20 s have passed, or another worker has it.
   * @returns the session as it then stands
   */
  complete(sessionId: string, request: CompleteRequest, facts: RequestFacts): Promise<SessionTable>;
  /** Goes on with a session that is due and that nobody holds. Resolves when it can't go further for now. */
  resume(sessionId: string): Promise<void>;
  /** How many sessions this process works on. */
  readonly inFlight: number;
  /** Takes no new work, lets the running legs finish, releases the leases. */
  stop(): Promise<void>;
}

/** How long a customer waits for an answer before "finishing" is shown and the page polls. */
export const ANSWER_WITHIN_MS = 20_000;
/** Short waits happen in place, under the lease; longer ones let go of the session. */
const LONGEST_WAIT_IN_PLACE_MS = 5_000;
/** How often a request looks whether the worker of this same process has finished, in case it can't wait for it directly. */
const LOOK_MS = 100;

export function createBankConnector(deps: ConnectBankDeps & { log: Logger; answerWithinMs?: number }): BankConnector {
  const { storage, log, answerWithinMs = ANSWER_WITHIN_MS } = deps;
  const owner = newOwner();
  const running = new Map<string, Promise<void>>();
  const stopping = new AbortController();

  function start(session: SessionTable, requestId: string): Promise<void> {
    const work = advance(new HeldSession(storage, session), requestId).finally(() => running.delete(session.id));
    // Whoever awaits it also gets its error; this keeps it from being an unhandled one when nobody does.
    work.catch(() => {});
    running.set(session.id, work);
    return work;
  }

  /** Leg after leg, until the session has ended, must wait long, or is somebody else's. */
  async function advance(held: HeldSession, requestId: string): Promise<void> {
    try {
      let goesOn = true;
      while (goesOn && held.row.status === 'processing' && held.row.recovery_point !== 'finished') {
        goesOn = await runLeg(held, held.row.recovery_point, requestId);
      }
    } catch (error) {
      if (!(error instanceof Fenced)) throw error;
      log.info({ session: held.row.id }, 'another worker has taken over');
    }
  }

  /** @returns whether to go on here and now */
  async function runLeg(held: HeldSession, point: keyof typeof LEGS, requestId: string): Promise<boolean> {
    try {
      await LEGS[point](deps, held);
    } catch (error) {
      if (error instanceof Fenced || error instanceof StorageUnavailableError) throw error;
      if (!(error instanceof Stop)) return waitFor(held, toPostpone(error, held), requestId);
      await end(held, error, requestId);
      return false;
    }
    if (!stopping.signal.aborted || held.row.status !== 'processing') return true;
    await held.write(RELEASED);
    return false;
  }

  async function end(held: HeldSession, reason: Stop, requestId: string): Promise<void> {
    const level = reason.code === 'provider_misconfigured' ? 'error' : 'info';
    log[level]({ session: held.row.id, code: reason.code, status: reason.status }, 'work on the session ends');
    await stop(deps, held, reason, requestId);
  }

  function toPostpone(error: unknown, held: HeldSession): Postpone {
    if (error instanceof Postpone) return error;
    const { id: session, recovery_point } = held.row;
    if (error instanceof UpstreamError) {
      const { service, call, failure, code, details } = error;
      const level = failure === 'misconfigured' ? 'error' : 'warn';
      log[level]({ session, recovery_point, service, call, failure, code, ...details }, 'a call failed');
      return postponementOf(error);
    }
    log.error({ session, recovery_point, err: error }, 'a leg failed unexpectedly');
    return new Postpone('internal_error');
  }

  /** @returns whether to go on here and now; otherwise the session has been let go */
  async function waitFor(held: HeldSession, { code, delayMs, counts }: Postpone, requestId: string): Promise<boolean> {
    const now = await storage.now();
    if (now - (held.row.processing_since ?? now) > BUDGET_MS) {
      await end(held, new Stop('failed', code), requestId);
      return false;
    }
    const tries = held.row.tries + (counts ? 1 : 0);
    const delay = Math.ceil(delayMs ?? backoff(held.row.tries));
    const inPlace = delay <= LONGEST_WAIT_IN_PLACE_MS && tries <= QUICK_TRIES && !stopping.signal.aborted;
    if (!inPlace) {
      const error = JSON.stringify({ code, request_id: requestId });
      await held.write({ tries, next_at: now + delay, error, ...RELEASED });
      return false;
    }
    // Renews the lease too, which would run out under many waits.
    await held.write({ tries });
    await sleep(delay, undefined, { signal: stopping.signal }).catch(() => {});
    return true;
  }

  /** Waits for work that another request of this process does. */
  async function join(sessionId: string, deadline: number): Promise<void> {
    while (Date.now() < deadline) {
      const work = running.get(sessionId);
      if (work) return settleWithin(work, deadline);
      const session = await findSession(storage, sessionId);
      if (session?.status !== 'processing' || session.lease_owner !== owner) return;
      await sleep(LOOK_MS);
    }
  }

  return {
    async complete(sessionId, request, facts) {
      const deadline = Date.now() + answerWithinMs;
      const accepted = await acceptPublicToken(deps, owner, sessionId, request, facts);
      if (accepted.kind === 'settled') return accepted.session;
      if (accepted.kind === 'work') await settleWithin(start(accepted.session, facts.requestId), deadline);
      else {
        // The worker may be gone: then its lease is over, and this request takes its place.
        const mine = await claim(storage, owner, sessionId);
        await (mine ? settleWithin(start(mine, facts.requestId), deadline) : join(sessionId, deadline));
      }
      return (await findSession(storage, sessionId)) ?? accepted.session;
    },
    async resume(sessionId) {
      if (running.has(sessionId) || stopping.signal.aborted) return;
      const session = await claim(storage, owner, sessionId);
      if (session) await start(session, newId('req'));
    },
    get inFlight() {
      return running.size;
    },
    async stop() {
      stopping.abort();
      await Promise.allSettled(running.values());
    },
  };
}

async function settleWithin(work: Promise<void>, deadline: number): Promise<void> {
  const timer = new AbortController();
  const timeout = sleep(Math.max(0, deadline - Date.now()), undefined, { signal: timer.signal }).catch(() => {});
  await Promise.race([work, timeout]).finally(() => timer.abort());
}
