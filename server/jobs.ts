import type { BankConnector } from './bank-connector.ts';
import { UpstreamError } from './clients/outbound.ts';
import type { PlaidClient } from './clients/plaid.ts';
import { type InstrumentDeps, sweep } from './finix-instrument.ts';
import type { Logger } from './log.ts';
import { IDEMPOTENCY_MS, releaseItems } from './sessions.ts';
import { purgeRateLimits } from './storage/rate-limit.ts';
import type { Secrets } from './storage/secrets.ts';
import type { ItemTable } from './storage/tables.ts';
import { ACCEPT_GRACE_MS } from './views.ts';
import { backoff, QUICK_TRIES } from './worker.ts';

/** What goes on without a request: finishing what stopped, ending what is over, cleaning up at Plaid and Finix. */
export interface Jobs {
  /** One round of everything that is due. Resolves when the round is done. */
  tick(): Promise<void>;
  start(): void;
  /** Resolves when the running round has ended. */
  stop(): Promise<void>;
}

export interface JobsDeps extends InstrumentDeps {
  connector: BankConnector;
  plaid: PlaidClient;
  secrets: Secrets;
  log: Logger;
}

/** A customer whose page polls sees a resumed session move on within about this. */
const TICK_MS = 1_000;
/** How much one round takes on of each kind; the rest is due in the next. Bounds memory and calls in flight. */
const BATCH = 32;
/** Removing an Item may wait for a day of Plaid's outage; each try is one call. */
const REMOVE_BACKOFF_TRIES = QUICK_TRIES;
/** Housekeeping deletes by age, which does not change faster. */
const PURGE_MS = 60_000;

export function createJobs(deps: JobsDeps): Jobs {
  const { storage, connector, log } = deps;
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> | undefined;
  let stopped = false;
  let purgedAt = 0;

  async function tick(): Promise<void> {
    await resumeSessions();
    await endSessions();
    await removeItems();
    await sweepInstruments();
    await purge();
  }

  async function resumeSessions(): Promise<void> {
    const now = await storage.now();
    const due = await storage.db
      .selectFrom('sessions')
      .select('id')
      .where('status', '=', 'processing')
      .where('next_at', '<=', now)
      .where('lease_until', '<=', now)
      .orderBy('next_at')
      .limit(BATCH)
      .execute();
    await Promise.all(due.map(({ id }) => connector.resume(id)));
  }

  /** Sessions whose time is over: nobody will come back for their Items. */
  async function endSessions(): Promise<void> {
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
      await storage.transaction(async (trx) => {
        const ended = await trx
          .updateTable('sessions')
          .set({ status: 'expired', identity_enc: null, version: session.version + 1, updated_at: now })
          .where('id', '=', session.id)
          .where('version', '=', session.version)
          .where('status', '=', session.status)
          .executeTakeFirst();
        if (ended.numUpdatedRows > 0n) await releaseItems(trx, session.id, now);
      });
    }
  }

  async function removeItems(): Promise<void> {
    const now = await storage.now();
    const due = await storage.db
      .selectFrom('items')
      .selectAll()
      .where('status', '=', 'removing')
      .where('next_at', '<=', now)
      .orderBy('next_at')
      .limit(BATCH)
      .execute();
    for (const item of due) await removeItem(item);
  }

  /** Removes an Item at Plaid and destroys its access token. Repeating it is harmless. */
  async function removeItem(item: ItemTable): Promise<void> {
    const now = await storage.now();
    const write = (patch: Partial<ItemTable>) =>
      storage.db
        .updateTable('items')
        .set({ ...patch, updated_at: now })
        .where('id', '=', item.id)
        .execute();
    try {
      if (item.access_token_enc !== null) {
        const where = { table: 'items', row: item.id, column: 'access_token_enc' };
        await deps.plaid.removeItem(deps.secrets.open(item.access_token_enc, where));
      }
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      // A definite no means that the Item is not there, or never will be removed: there is nothing left to try.
      if (error.failure !== 'refused') {
        log.warn({ item: item.id, code: error.code }, 'an Item could not be removed yet');
        const delay = Math.ceil(backoff(REMOVE_BACKOFF_TRIES + item.tries));
        await write({ tries: item.tries + 1, next_at: now + delay });
        return;
      }
    }
    await write({ status: 'removed', access_token_enc: null });
  }

  async function sweepInstruments(): Promise<void> {
    const now = await storage.now();
    const due = await storage.db
      .selectFrom('connections')
      .selectAll()
      .where('sweep_at', '<=', now)
      .orderBy('sweep_at')
      .limit(BATCH)
      .execute();
    for (const connection of due) {
      try {
        const disabled = await sweep(deps, connection);
        if (disabled > 0) log.warn({ connection: connection.id, disabled }, 'disabled surplus instruments');
        await setSweep(connection.id, null);
      } catch (error) {
        if (!(error instanceof UpstreamError)) throw error;
        await setSweep(connection.id, now + Math.ceil(backoff(QUICK_TRIES)));
      }
    }
  }

  async function setSweep(id: string, at: number | null): Promise<void> {
    await storage.db.updateTable('connections').set({ sweep_at: at }).where('id', '=', id).execute();
  }

  async function purge(): Promise<void> {
    const now = await storage.now();
    if (now - purgedAt < PURGE_MS) return;
    purgedAt = now;
    await storage.db
      .deleteFrom('idempotency')
      .where('created_at', '<=', now - IDEMPOTENCY_MS)
      .execute();
    // Longer than the longest window in use, an hour.
    await purgeRateLimits(storage, 2 * 3600_000);
  }

  function schedule(): void {
    if (stopped) return;
    // Jitter keeps instances from asking the database in step.
    timer = setTimeout(
      () => {
        round = tick()
          .catch((error: unknown) => log.error({ err: error }, 'a round of jobs failed; the next one tries again'))
          .then(schedule);
      },
      TICK_MS * (0.75 + Math.random() / 2),
    );
  }

  return {
    tick,
    start: schedule,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await round;
    },
  };
}
