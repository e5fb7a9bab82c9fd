import pLimit from 'p-limit';
import type { PlaidClient } from '../clients/plaid.ts';
import type { BankConnector } from '../connect/bank-connector.ts';
import type { WatchedDoubt } from '../connect/doubt.ts';
import type { InstrumentDeps } from '../connect/finix-instrument.ts';
import { runDueHosted } from '../connect/hosted-link.ts';
import { sweepDue } from '../connect/sweep.ts';
import type { Deliveries } from '../deliveries/deliveries.ts';
import type { ConnectionTasks } from '../lifecycle/connection-tasks.ts';
import { eraseDueCustomers } from '../lifecycle/erase-customer.ts';
import { type AddressDeps, updateAddresses } from '../lifecycle/item-webhook-url.ts';
import { removeItem } from '../lifecycle/remove-item.ts';
import { reportToSignal } from '../lifecycle/signal-reports.ts';
import { expireDueLinks } from '../links/end-links.ts';
import type { Logger } from '../log.ts';
import { releaseItems } from '../records/items.ts';
import { auditSession } from '../records/sessions.ts';
import { ACCEPT_GRACE_MS } from '../records/views.ts';
import { StorageUnavailableError } from '../storage/errors.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { Inbound } from '../webhooks/receive.ts';
import { applyRetention } from './retention.ts';

/** What goes on without a request: finishing what stopped, ending what is over, cleaning up at Plaid and Finix. */
export interface Jobs {
  /**
   * One round of everything that is due, one kind after the other. Resolves when all of it is done, resumed sessions
   * included.
   */
  tick(): Promise<void>;
  /** Each kind goes round by itself from now on, so that one which waits for an upstream holds up no other. */
  start(): void;
  /** Resolves when the running rounds have ended. */
  stop(): Promise<void>;
}

export interface JobsDeps extends InstrumentDeps {
  config: AddressDeps['config'];
  connector: BankConnector;
  doubt: WatchedDoubt;
  tasks: ConnectionTasks;
  inbound: Inbound;
  deliveries: Deliveries;
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
/**
 * Sessions that this process works on at most before it leaves others to other instances: eight times the calls in
 * flight.
 */
const MAX_IN_FLIGHT = 512;

/** One kind of work. Takes on one batch; true: more is due at once. */
type Round = () => Promise<boolean>;

export function createJobs(deps: JobsDeps): Jobs {
  const { storage, connector, log, timing } = deps;
  const timers = new Set<NodeJS.Timeout>();
  const rounds = new Set<Promise<void>>();
  const resumed = new Set<Promise<void>>();
  let stopped = false;

  const kinds: { round: Round; everyMs: number }[] = [
    { round: watchDatabase, everyMs: storage.dialect === 'postgres' ? timing.tickMs : timing.retentionMs },
    { round: resumeSessions, everyMs: timing.tickMs },
    { round: endSessions, everyMs: timing.tickMs },
    // Days are counted: a minute more or less is no matter.
    { round: () => expireDueLinks(deps, BATCH), everyMs: timing.retentionMs },
    { round: removeItems, everyMs: timing.tickMs },
    { round: () => sweepDue(deps, BATCH, CALLS_AT_ONCE), everyMs: timing.tickMs },
    { round: () => deps.inbound.runDue(BATCH), everyMs: timing.tickMs },
    { round: () => deps.tasks.runDue(CALLS_AT_ONCE), everyMs: timing.tickMs },
    { round: () => eraseDueCustomers(deps), everyMs: timing.tickMs },
    { round: () => runDueHosted(deps, BATCH), everyMs: timing.tickMs },
    { round: () => deps.deliveries.runDue(BATCH), everyMs: timing.tickMs },
    { round: () => reportToSignal(deps, CALLS_AT_ONCE), everyMs: timing.tickMs },
    { round: () => updateAddresses(deps, BATCH), everyMs: timing.retentionMs },
    { round: () => applyRetention(deps), everyMs: timing.retentionMs },
  ];

  /**
   * A standby is promoted under running servers, and each second of it makes sessions; a file is put back before a
   * start.
   */
  async function watchDatabase(): Promise<boolean> {
    await deps.doubt.check();
    return false;
  }

  async function resumeSessions(): Promise<boolean> {
    const free = Math.min(BATCH, MAX_IN_FLIGHT - connector.inFlight);
    if (free <= 0) return false;
    const now = await storage.now();
    const due = await storage.db
      .selectFrom('sessions')
      .select('id')
      .where('status', '=', 'processing')
      .where('next_at', '<=', now)
      .where('lease_until', '<=', now)
      .orderBy('next_at')
      .limit(free)
      .execute();
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
    const now = await storage.now();
    const over = await storage.db
      .selectFrom('sessions')
      .selectAll()
      .where('status', 'in', ['open', 'restart_required'])
      .where('expires_at', '<=', now)
      // In the query, so that sessions which still accept a bank never fill the batch.
      .where('link_tokens_until', '<', now - ACCEPT_GRACE_MS)
      .orderBy('expires_at')
      .limit(BATCH)
      .execute();
    for (const session of over) {
      await storage.transaction(`customer:${session.customer_id}`, async (trx) => {
        const ended = await trx
          .updateTable('sessions')
          .set({ status: 'expired', identity_enc: null, version: session.version + 1, updated_at: now })
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
    const due = await storage.db
      .selectFrom('items')
      .selectAll()
      .where('status', '=', 'removing')
      .where('next_at', '<=', now)
      .orderBy('next_at')
      .limit(BATCH)
      .execute();
    const limit = pLimit(CALLS_AT_ONCE);
    await Promise.all(due.map((item) => limit(removeItem, deps, item)));
    return due.length === BATCH;
  }

  function schedule(round: Round, everyMs: number, delayMs: number): void {
    if (stopped) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      const running: Promise<void> = round()
        .catch((error: unknown) => {
          // While storage is down every round fails; failing requests log it already.
          const isStorage = error instanceof StorageUnavailableError;
          log[isStorage ? 'warn' : 'error']({ err: error }, 'job round failed; the next one retries');
          return false;
        })
        .then((more) => {
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
      for (const { round } of kinds) await round();
      await Promise.all(resumed);
    },
    start() {
      for (const { round, everyMs } of kinds) schedule(round, everyMs, everyMs * Math.random());
    },
    async stop() {
      stopped = true;
      for (const timer of timers) clearTimeout(timer);
      await Promise.all([...rounds, deps.inbound.stop(), deps.tasks.stop()]);
    },
  };
}
