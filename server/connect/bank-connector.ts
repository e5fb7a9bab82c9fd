import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CompleteRequest } from '../../widget/contract.ts';
import { UpstreamError } from '../clients/outbound.ts';
import { newId } from '../ids.ts';
import type { Logger } from '../log.ts';
import type { Metrics, StepOutcome } from '../metrics.ts';
import { type FoundSession, findSession } from '../records/sessions.ts';
import { StorageUnavailableError } from '../storage/errors.ts';
import type { LimitedUse } from '../storage/rate-limit.ts';
import type { ConnectionTable, SessionTable } from '../storage/tables.ts';
import { depsAbout, traced } from '../trace.ts';
import {
  BUDGET_MS,
  backoff,
  countedWait,
  Fenced,
  isWait,
  NotNow,
  Postpone,
  QUICK_ATTEMPTS,
  quickBackoff,
  Stop,
} from '../work/retry.ts';
import { CLAIM_STEP, claim, HeldSession, type KnownRows, newOwner, RELEASED } from '../work/session-lease.ts';
import { acceptPublicToken, type RequestFacts } from './accept-public-token.ts';
import { postponementOf } from './call-bank.ts';
import { type ConnectBankDeps, STEPS, stop } from './connect-bank.ts';
import { recognize } from './recognize.ts';
import { REPAIR_STEPS } from './repair.ts';

/** Runs the money path: for a request that waits, and for jobs that resume sessions. */
export interface BankConnector {
  /**
   * Takes a public token into the session and works until the outcome is known, or 20 s have passed, or another worker
   * has it.
   * @param limit counted before anything is asked of a provider
   * @returns the session as it is then
   */
  complete(session: FoundSession, request: CompleteRequest, facts: RequestFacts, limit?: LimitedUse): Promise<Outcome>;
  /**
   * Resumes a session that is due and that no worker holds.
   * @returns the work, which ends when it can't go further for now; undefined when there is none to do here
   */
  resume(sessionId: string): Promise<Resumption | undefined>;
  /** How many sessions this process works on. */
  readonly inFlight: number;
  /**
   * Takes no new work and lets the running one finish, as long as nothing has to be waited for. What still waits for an
   * upstream after `graceMs` is left where it is. Either way the leases are given back, so that another instance goes
   * on at once.
   */
  stop(graceMs?: number): Promise<void>;
}

/** What has become of a session. */
export interface Outcome {
  session: SessionTable;
  /** All of its connections, where they are known. */
  connections?: ConnectionTable[] | undefined;
}

/** Work that goes on; wrapped, because a promise of a promise is one that waits for both. */
interface Resumption {
  work: Promise<void>;
  held?: HeldSession;
}

/** One for each write that the work can have in flight, and some more. */
const RELEASE_ATTEMPTS = 5;
/**
 * Short waits happen in place, under the lease; longer ones release the session, but not before its request is
 * answered.
 */
const LONGEST_WAIT_IN_PLACE_MS = 5_000;

/** @param deps.metrics is given every attempt of a step */
export function createBankConnector(
  deps: ConnectBankDeps & { log: Logger; metrics: Pick<Metrics, 'step'> },
): BankConnector {
  const { storage, log, timing } = deps;
  const owner = newOwner();
  const running = new Map<string, { held: HeldSession; work: Promise<void> }>();
  /**
   * A lease of this process's own counts as free for it: of several requests that find no worker, only one may take it.
   */
  const claiming = new Map<string, Promise<Resumption | undefined>>();
  const stopping = new AbortController();
  /** Aborted once what still runs is left alone: requests that wait for it are answered then. */
  const leaving = new AbortController();
  // One for each session in progress; Node takes more than ten for a leak.
  setMaxListeners(0, stopping.signal, leaving.signal);

  function start(
    session: SessionTable,
    requestId: string,
    stage: HeldSession['stage'],
    known?: KnownRows,
  ): Required<Resumption> {
    const here = running.get(session.id);
    // Claimed again between this claim and its start: every write of this one would be refused.
    if (here && here.held.row.version > session.version) return here;
    const held = new HeldSession(storage, session, timing, stopping.signal, stage, deps.doubt, known);
    const { id, mode } = session;
    const work = traced('connect_bank', { session: id, mode, stage }, () => advance(held, requestId)).finally(() => {
      if (running.get(session.id)?.held === held) running.delete(session.id);
    });
    // A caller that awaits it also gets its error; without a caller, this keeps the rejection handled.
    work.catch(() => {});
    running.set(session.id, { held, work });
    return { held, work };
  }

  /** Step after step, until the session has ended, must wait long, or belongs to another worker. */
  async function advance(held: HeldSession, requestId: string): Promise<void> {
    try {
      let goesOn = true;
      while (goesOn && held.row.status === 'processing' && held.row.recovery_point !== 'finished') {
        goesOn = await runStepWhileStored(held, held.row.recovery_point, requestId);
      }
    } catch (error) {
      if (!(error instanceof Fenced)) throw error;
      log.info({ session: held.row.id }, 'lease lost to another worker');
    }
  }

  /** Storage that goes away in the middle of a step is waited for, and the step begins again under the same lease. */
  async function runStepWhileStored(held: HeldSession, point: keyof typeof STEPS, requestId: string): Promise<boolean> {
    let attempt = () => runStep(held, point, requestId);
    for (let isLast = false; ; isLast = stopping.signal.aborted) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof StorageUnavailableError) || isLast) throw error;
        log.warn({ session: held.row.id, reason: error.reason }, 'storage lost during a step');
        held.lookFirstAfter(error);
        attempt = () => writeJoined(held, requestId);
      }
    }
  }

  /** Writes what a step had joined to a write that it never came to. @returns whether to go on here and now */
  async function writeJoined(held: HeldSession, requestId: string): Promise<boolean> {
    held.known = {};
    try {
      await held.write({});
      return true;
    } catch (refusal) {
      if (!(refusal instanceof Stop) && !isWait(refusal)) throw refusal;
      return afterFailure(held, refusal, requestId);
    }
  }

  /** @returns whether to go on here and now */
  async function runStep(held: HeldSession, point: keyof typeof STEPS, requestId: string): Promise<boolean> {
    const { id, mode } = held.row;
    const started = performance.now();
    const ended = (outcome: StepOutcome) =>
      deps.metrics.step(mode, point, outcome, (performance.now() - started) / 1000);
    try {
      const step = (mode === 'repair' ? REPAIR_STEPS : STEPS)[point];
      const own = depsAbout(deps, { session: id });
      await traced(`connect_bank ${point}`, { session: id, mode }, () => step(own, held));
    } catch (error) {
      if (error instanceof Fenced || error instanceof StorageUnavailableError) {
        ended('lost');
        throw error;
      }
      held.known = {};
      ended(error instanceof Stop ? 'stopped' : 'postponed');
      return afterFailure(held, error, requestId);
    }
    ended('done');
    // Also when stopping: as long as nothing goes wrong, the customer who waits gets the bank within the grace.
    return true;
  }

  /** @returns whether to go on here and now */
  async function afterFailure(held: HeldSession, error: unknown, requestId: string): Promise<boolean> {
    try {
      if (!(error instanceof Stop)) return await waitFor(held, toPostpone(error, held), requestId);
      await end(held, error, requestId);
      return false;
    } catch (refusal) {
      // A result of before was to be written with it, and must not be, as when the customer is erased: it is dropped.
      if (!(refusal instanceof Stop) && !isWait(refusal)) throw refusal;
      return afterFailure(held, error instanceof Stop ? error : refusal, requestId);
    }
  }

  async function end(held: HeldSession, reason: Stop, requestId: string): Promise<void> {
    const level = reason.code === 'provider_misconfigured' ? 'error' : 'info';
    log[level]({ session: held.row.id, code: reason.code, status: reason.status }, 'session stopped');
    await stop(depsAbout(deps, { session: held.row.id }), held, reason, requestId);
  }

  function toPostpone(error: unknown, held: HeldSession): Postpone {
    if (error instanceof Postpone) return error;
    // The code is read only if the wait uses up the whole budget.
    if (error instanceof NotNow) return new Postpone('session_busy', error.delayMs, false);
    const { id: session, recovery_point } = held.row;
    if (error instanceof UpstreamError) {
      const { service, call, failure, code, details } = error;
      log.warn({ session, recovery_point, service, call, failure, code, ...details }, 'upstream call failed');
      return postponementOf(error);
    }
    log.error({ session, recovery_point, err: error }, 'unexpected error in a step');
    return new Postpone('internal_error');
  }

  /** @returns whether to go on here and now; otherwise the session has been released */
  async function waitFor(held: HeldSession, { code, delayMs, counts }: Postpone, requestId: string): Promise<boolean> {
    const now = await storage.now();
    const waited_ms = held.row.waited_ms + countedWait(held.countedUntil, now);
    held.countedUntil = now;
    if (waited_ms > BUDGET_MS) {
      await end(held, new Stop('failed', code), requestId);
      return false;
    }
    const tries = held.row.tries + (counts ? 1 : 0);
    // As long as the customer waits for the answer, work goes on here: an outage of seconds must not become one of
    // minutes for them.
    const awaitedMs = (held.row.processing_since ?? now) + timing.answerWithinMs - now;
    const isAwaited = awaitedMs > 0;
    const own = isAwaited ? quickBackoff(held.row.tries) : backoff(held.row.tries, timing);
    const delay = Math.ceil(delayMs ?? own);
    // A wait that is no failure happens here, however many there were before: a wait after a resume would restart with
    // each worker.
    const isQuick = isAwaited || !counts || tries <= QUICK_ATTEMPTS;
    const here = isAwaited ? Math.min(delay, awaitedMs) : delay;
    const inPlace = (isAwaited || delay <= LONGEST_WAIT_IN_PLACE_MS) && isQuick && !stopping.signal.aborted;
    if (inPlace) {
      // Renews the lease too, which would run out under many waits.
      await held.write({ tries, waited_ms });
      await sleep(here, undefined, { signal: stopping.signal }).catch(() => {});
      if (here === delay) return true;
    }
    const error = JSON.stringify({ code, request_id: requestId });
    await held.write({ tries, waited_ms, next_at: now + delay, error, ...RELEASED });
    return false;
  }

  /**
   * Gives a lease back while the work may still write under it: whichever write comes first, the other sees the row as
   * it is then.
   */
  async function release(held: HeldSession): Promise<void> {
    for (let attempt = 0; attempt < RELEASE_ATTEMPTS && held.row.lease_owner === owner; attempt++) {
      try {
        return await held.write(RELEASED);
      } catch (error) {
        if (!(error instanceof Fenced)) throw error;
      }
    }
  }

  /** The same token came again: waits for the work that goes on here, or takes the place of a worker that is gone. */
  function join(sessionId: string, requestId: string, known?: SessionTable): Promise<Resumption | undefined> {
    const here = running.get(sessionId);
    if (here) return Promise.resolve({ work: here.work });
    const begun =
      claiming.get(sessionId) ?? takeOver(sessionId, requestId, known).finally(() => claiming.delete(sessionId));
    claiming.set(sessionId, begun);
    return begun;
  }

  /** @param known the session as it was found a moment ago */
  async function takeOver(sessionId: string, requestId: string, known?: SessionTable): Promise<Resumption | undefined> {
    const session = await claim(storage, owner, sessionId, timing);
    if (!session) return undefined;
    // Our own, with no work under it: the answer to its commit was lost, and no other worker has touched it.
    const isOwn = known?.lease_owner === owner && session.version === known.version + CLAIM_STEP;
    return start(session, requestId, isOwn ? 'running' : 'resumed');
  }

  /** False where an older copy was restored: a connection that it has as active may have been stopped since. */
  function hasAllRows({ created_at }: SessionTable): boolean {
    return created_at >= deps.doubt.restoredUntil;
  }

  return {
    async complete(session, request, facts, limit) {
      const deadline = performance.now() + timing.answerWithinMs;
      const recognized = hasAllRows(session)
        ? await recognize(depsAbout(deps, { session: session.id }), session, request, limit)
        : undefined;
      const accepted = await acceptPublicToken(deps, owner, session, request, facts, recognized, limit);
      if (accepted.kind === 'settled') return { session: accepted.session };
      const begun =
        accepted.kind === 'work'
          ? start(accepted.session, facts.requestId, 'accepted', accepted.known)
          : await join(session.id, facts.requestId, accepted.session);
      if (begun) await settleWithin(begun.work, deadline, leaving.signal);
      // What this process has just ended is as it wrote it.
      const { row: ended, known } = begun?.held ?? {};
      if (ended && ended.status !== 'processing') return { session: ended, connections: known?.ended };
      return { session: (await findSession(storage, session.id)) ?? accepted.session };
    },
    async resume(sessionId) {
      if (running.has(sessionId) || claiming.has(sessionId) || stopping.signal.aborted) return undefined;
      return join(sessionId, newId('req'));
    },
    get inFlight() {
      return running.size;
    },
    async stop(graceMs = Number.POSITIVE_INFINITY) {
      stopping.abort();
      const works = [...running.values()].map(({ work }) => work);
      const ended = Promise.allSettled([...works, deps.owners.stop()]).then(() => {});
      await settleWithin(ended, performance.now() + graceMs, leaving.signal);
      const left = [...running.values()];
      // What the upstream does with an open call is in doubt, as after a crash. The new version fences the call's
      // result out.
      await Promise.allSettled(left.map(({ held }) => release(held)));
      leaving.abort();
      if (left.length > 0) log.warn({ sessions: left.length }, 'stopped with sessions at their last recovery points');
    },
  };
}

/** @param deadline by the process's monotonic clock; `Infinity` waits for as long as it takes */
async function settleWithin(work: Promise<void>, deadline: number, leaving: AbortSignal): Promise<void> {
  if (deadline === Number.POSITIVE_INFINITY) return work;
  const settled = new AbortController();
  const signal = AbortSignal.any([settled.signal, leaving]);
  const timeout = sleep(Math.max(0, deadline - performance.now()), undefined, { signal }).catch(() => {});
  await Promise.race([work, timeout]).finally(() => settled.abort());
}
