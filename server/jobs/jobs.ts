import pLimit from 'p-limit';
import type { PlaidClient } from '../clients/plaid.ts';
import type { BankConnector } from '../connect/bank-connector.ts';
import type { WatchedDoubt } from '../connect/doubt.ts';
import { DUE_LINKS, ENDED_LINKS, runDueHosted } from '../connect/hosted-link.ts';
import type { InstrumentDeps } from '../connect/instrument-hold.ts';
import { DUE_DISABLINGS, DUE_LOOKS, disableDue, sweepDue } from '../connect/sweep.ts';
import { type Deliveries, DUE_DELIVERIES } from '../deliveries/deliveries.ts';
import { type ConnectionTasks, DUE_TASKS } from '../lifecycle/connection-tasks.ts';
import { DUE_ERASURES, eraseDueCustomers } from '../lifecycle/erase-customer.ts';
import { type AddressDeps, updateAddresses } from '../lifecycle/item-webhook-url.ts';
import { DUE_PREPARATIONS, prepareDueItems } from '../lifecycle/prepare-signal.ts';
import { removeItem } from '../lifecycle/remove-item.ts';
import { DUE_REPORTS, reportToSignal } from '../lifecycle/signal-reports.ts';
import { expireDueLinks } from '../links/end-links.ts';
import type { Logger } from '../log.ts';
import { releaseItems } from '../records/items.ts';
import type { ProviderCalls } from '../records/provider-calls.ts';
import { auditSession } from '../records/sessions.ts';
import { changedAt } from '../storage/changed-at.ts';
import { before, type DueQuery, findDue, type Now } from '../storage/due.ts';
import { StorageUnavailableError } from '../storage/errors.ts';
import type { Storage } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';
import { ACCEPT_GRACE_MS, OPEN_SESSION } from '../storage/statuses.ts';
import { DUE_EVENTS, DUE_STOPS } from '../webhooks/due-events.ts';
import type { Inbound } from '../webhooks/receive.ts';
import type { AgreedClock } from '../work/agreed-clock.ts';
import { createRetention } from './retention.ts';

/** Background work: resumes interrupted sessions, expires old ones, and cleans up at Plaid and Finix. */
export interface Jobs {
  /** One round of everything, one kind after the other. Resolves when all of it is done, resumed sessions included. */
  tick(): Promise<void>;
  /**
   * Each kind goes round by itself whenever something of it is due, so that one which waits for an upstream holds up
   * no other.
   */
  start(): void;
  /** Resolves when the running rounds have ended. */
  stop(): Promise<void>;
}

export interface JobsDeps extends InstrumentDeps {
  clock: AgreedClock;
  config: AddressDeps['config'];
  connector: BankConnector;
  doubt: WatchedDoubt;
  tasks: ConnectionTasks;
  inbound: Inbound;
  deliveries: Deliveries;
  calls: ProviderCalls;
  /** Whether there is an address to deliver to. */
  hasMerchantWebhook: boolean;
  plaid: PlaidClient;
  secrets: Secrets;
  log: Logger;
}

/** How much one round takes on of each kind; more that is due comes in the next, at once. Bounds memory. */
const BATCH = 64;
/**
 * Calls of one kind at the same time: in addition to the customers' own calls, which share the cap on calls in flight.
 */
const CALLS_AT_ONCE = 8;
/** Tasks that stop debits: at 200 ms a call, 80 a second, and few of them are ever due at the same moment. */
const STOPS_AT_ONCE = 16;
/**
 * Sessions that this process works on at most before it leaves others to other instances: eight times the calls in
 * flight.
 */
const MAX_IN_FLIGHT = 512;

function dueSessions(db: Storage['db'], now: Now) {
  return db
    .selectFrom('sessions')
    .where('status', '=', 'processing')
    .where('next_at', '<=', now)
    .where('lease_until', '<=', now)
    .orderBy('next_at');
}

function endingSessions(db: Storage['db'], now: Now) {
  return (
    db
      .selectFrom('sessions')
      .where('status', 'in', OPEN_SESSION)
      .where('expires_at', '<=', now)
      // In the query, so that sessions which still accept a bank never fill the batch.
      .where('link_tokens_until', '<', before(now, ACCEPT_GRACE_MS))
      .orderBy('expires_at')
  );
}

function dueItems(db: Storage['db'], now: Now) {
  return db.selectFrom('items').where('status', '=', 'removing').where('next_at', '<=', now).orderBy('next_at');
}

function dueStopTasks(db: Storage['db'], now: Now) {
  return db
    .selectFrom('connections')
    .where('goal', 'in', ['disable', 'remove'])
    .where('next_at', '<=', now)
    .where('lease_until', '<=', now)
    .orderBy('next_at');
}

export const DUE_STOP_TASKS: DueQuery = (db, now) => dueStopTasks(db, now).select('id');
export const DUE_SESSIONS: DueQuery = (db, now) => dueSessions(db, now).select('id');
export const ENDING_SESSIONS: DueQuery = (db, now) => endingSessions(db, now).select('id');
export const DUE_ITEMS: DueQuery = (db, now) => dueItems(db, now).select('id');

/** One kind of work. Takes on one batch; true: more is due at once. */
type Round = () => Promise<boolean>;

export function createJobs(deps: JobsDeps): Jobs {
  const { storage, connector, log, timing } = deps;
  const timers = new Set<NodeJS.Timeout>();
  const rounds = new Set<Promise<void>>();
  const resumed = new Set<Promise<void>>();
  let stopped = false;

  /**
   * What customers, merchants and providers wait for. A kind goes round as soon as one of its queries finds something.
   */
  const dueKinds: { due: readonly DueQuery[]; round: Round }[] = [
    { due: [DUE_SESSIONS], round: resumeSessions },
    { due: [ENDING_SESSIONS], round: endSessions },
    { due: [DUE_ITEMS], round: removeItems },
    // What stops debits is of a kind of its own, which waits for no answer that the other waits for.
    { due: [DUE_STOPS], round: () => deps.inbound.runDueStops(BATCH) },
    { due: [DUE_STOP_TASKS], round: runStopTasks },
    { due: [DUE_DISABLINGS], round: () => disableDue(deps, BATCH, CALLS_AT_ONCE) },
    { due: DUE_LOOKS, round: () => sweepDue(deps, BATCH, CALLS_AT_ONCE) },
    { due: [DUE_EVENTS], round: () => deps.inbound.runDue(BATCH) },
    { due: [DUE_TASKS], round: () => deps.tasks.runDue(CALLS_AT_ONCE) },
    { due: [DUE_ERASURES], round: () => eraseDueCustomers(deps) },
    { due: [DUE_LINKS, ENDED_LINKS], round: () => runDueHosted(deps, BATCH) },
    { due: deps.hasMerchantWebhook ? [DUE_DELIVERIES] : [], round: () => deps.deliveries.runDue(BATCH) },
    { due: [DUE_REPORTS], round: () => reportToSignal(deps, CALLS_AT_ONCE) },
    { due: [DUE_PREPARATIONS], round: () => prepareDueItems(deps, CALLS_AT_ONCE) },
  ];
  const timedKinds: { round: Round; everyMs: number }[] = [
    { round: watchDatabase, everyMs: storage.dialect === 'postgres' ? timing.tickMs : timing.retentionMs },
    { round: writeCalls, everyMs: timing.tickMs },
    // Days are counted: a minute more or less is no matter.
    { round: () => expireDueLinks(deps, BATCH), everyMs: timing.retentionMs },
    { round: () => updateAddresses(deps, BATCH), everyMs: timing.retentionMs },
    { round: createRetention(deps), everyMs: timing.retentionMs },
  ];

  /**
   * A standby is promoted under running servers, and each second of it makes sessions; a file is restored before a
   * start.
   */
  async function watchDatabase(): Promise<boolean> {
    await deps.doubt.check();
    return false;
  }

  async function writeCalls(): Promise<boolean> {
    await deps.calls.flush();
    return false;
  }

  async function resumeSessions(): Promise<boolean> {
    const free = Math.min(BATCH, MAX_IN_FLIGHT - connector.inFlight);
    if (free <= 0) return false;
    const now = await storage.now();
    const due = await dueSessions(storage.db, now).select('id').limit(free).execute();
    const started = await Promise.all(due.map(({ id }) => connector.resume(id)));
    for (const resumption of started) {
      if (!resumption) continue;
      const work: Promise<void> = resumption.work
        .catch((error: unknown) => log.warn({ err: error }, 'resumed session interrupted'))
        .finally(() => resumed.delete(work));
      resumed.add(work);
    }
    // Sessions that another instance was faster with are no reason to look again at once.
    return due.length === BATCH && started.some((resumption) => resumption !== undefined);
  }

  /** Expired sessions: no customer will come back for their Items. */
  async function endSessions(): Promise<boolean> {
    const now = await deps.clock.certain();
    if (now === undefined) return false;
    const over = await endingSessions(storage.db, now).selectAll().limit(BATCH).execute();
    for (const session of over) {
      await storage.transaction(`customer:${session.customer_id}`, async (trx) => {
        const ended = await trx
          .updateTable('sessions')
          .set((eb) => ({
            status: 'expired',
            identity_enc: null,
            version: session.version + 1,
            updated_at: changedAt(eb, now),
          }))
          .where('id', '=', session.id)
          .where('version', '=', session.version)
          .where('status', '=', session.status)
          .executeTakeFirst();
        if (ended.numUpdatedRows === 0n) return;
        await releaseItems(trx, session.id, now);
        await auditSession(trx, session, now, { actor: 'job' }, 'session.expired');
      });
    }
    return over.length === BATCH;
  }

  async function removeItems(): Promise<boolean> {
    const now = await storage.now();
    const due = await dueItems(storage.db, now).selectAll().limit(BATCH).execute();
    const limit = pLimit(CALLS_AT_ONCE);
    await Promise.all(due.map((item) => limit(removeItem, deps, item)));
    return due.length === BATCH;
  }

  async function runStopTasks(): Promise<boolean> {
    const now = await storage.now();
    const due = await dueStopTasks(storage.db, now).select('id').limit(STOPS_AT_ONCE).execute();
    await Promise.all(due.map(({ id }) => deps.tasks.run(id)));
    return due.length === STOPS_AT_ONCE;
  }

  /** Which kinds go round right now. */
  const busy = new Set<Round>();

  /**
   * One query asks for all kinds. Those that go round already are left out: what they find next they find by
   * themselves.
   */
  async function startDue(): Promise<boolean> {
    const idle = dueKinds.filter(({ round }) => !busy.has(round));
    const found = await findDue(
      storage,
      idle.flatMap(({ due }) => due),
    );
    for (const { due, round } of idle) {
      if (found.splice(0, due.length).includes(true)) goRound(round);
    }
    return false;
  }

  function goRound(round: Round): void {
    if (stopped) return;
    busy.add(round);
    const running: Promise<void> = attempt(round).then((more) => {
      rounds.delete(running);
      busy.delete(round);
      if (more) goRound(round);
    });
    rounds.add(running);
  }

  function attempt(round: Round): Promise<boolean> {
    return round().catch((error: unknown) => {
      // While storage is down every round fails; failing requests log it already.
      const isStorage = error instanceof StorageUnavailableError;
      log[isStorage ? 'warn' : 'error']({ err: error }, 'job round failed; the next one retries');
      return false;
    });
  }

  function schedule(round: Round, everyMs: number, delayMs: number): void {
    if (stopped) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      const running: Promise<void> = attempt(round).then((more) => {
        rounds.delete(running);
        // Jitter keeps instances from asking the database in step.
        schedule(round, everyMs, more ? 0 : everyMs * (0.75 + Math.random() / 2));
      });
      rounds.add(running);
    }, delayMs);
    timers.add(timer);
  }

  return {
    async tick() {
      for (const { round } of [...timedKinds, ...dueKinds]) await round();
      await Promise.all(resumed);
    },
    start() {
      schedule(startDue, timing.tickMs, timing.tickMs * Math.random());
      for (const { round, everyMs } of timedKinds) schedule(round, everyMs, everyMs * Math.random());
    },
    async stop() {
      stopped = true;
      for (const timer of timers) clearTimeout(timer);
      await Promise.all([...rounds, deps.inbound.stop(), deps.tasks.stop()]);
      await attempt(writeCalls);
      // An operator stops the server before a copy is put in the database's place: a copy of until now is behind then.
      await attempt(watchDatabase);
    },
  };
}
