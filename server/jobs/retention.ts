import { DELIVERY_KEEP_MS } from '../deliveries/deliveries.ts';
import { purgeReceipts } from '../lifecycle/erase-customer.ts';
import { COMPLETED_KEEP_MS } from '../records/agreements.ts';
import { type AuditPosition, isToProve, PROOF_KEEP_MS, purgeAudit } from '../records/audit.ts';
import { CHECKS_KEEP_MS } from '../records/checks.ts';
import { IDEMPOTENCY_MS } from '../records/idempotency.ts';
import { purgeProviderCalls } from '../records/provider-calls.ts';
import type { Storage } from '../storage/open.ts';
import { purgeRateLimits } from '../storage/rate-limit.ts';
import type { StoredSessionStatus } from '../storage/tables.ts';
import { EVENT_KEEP_MS } from '../webhooks/receive.ts';
import type { AgreedClock } from '../work/agreed-clock.ts';
import type { Timing } from '../work/timing.ts';
import { clampFutureTimestamps } from './clamp-future-timestamps.ts';
import { purgeConnections, purgeCustomers, purgeLinks } from './retention-of-customers.ts';

/** Counted from the end of what is kept, in milliseconds. A test compares them with the table of docs/operations.md. */
export const RETENTION = {
  /** As long as the contract promises the same answer to a repeated Idempotency-Key. */
  idempotency: IDEMPOTENCY_MS,
  /** Longer than the longest window in use, an hour. */
  rateLimits: 2 * 3600_000,
  /** Sessions without a connection, and links, answer "what happened to my customer last week?", for a month. */
  unfinished: 30 * 24 * 3600_000,
  /** Sessions and links: the connection and its authorization receipt live on by themselves. */
  completed: COMPLETED_KEEP_MS,
  /**
   * Of removed logins only the hash of a public token is left, which was good for 30 minutes; kept as long as its
   * session.
   */
  items: 30 * 24 * 3600_000,
  /** A Hosted Link lives for half an hour, and Plaid repeats a webhook for a day. */
  linkTokens: 7 * 24 * 3600_000,
  checks: CHECKS_KEEP_MS,
  /** A debit that did not come back: for as long as Nacha lets a returned one be sent again. */
  transfers: 180 * 24 * 3600_000,
} as const;

const UNFINISHED: StoredSessionStatus[] = ['expired', 'canceled', 'failed'];
/** Rows that one statement deletes: milliseconds on both databases, so that customers' writes get in between. */
const BATCH = 500;

export interface RetentionDeps {
  storage: Storage;
  clock: Pick<AgreedClock, 'certain' | 'now'>;
  timing: Timing;
  quietMs: number;
}

/** Deletes what is too old to keep, a batch of each kind each time. Gives whether there is more to delete. */
export function createRetention(deps: RetentionDeps): () => Promise<boolean> {
  let audited: AuditPosition | undefined;
  return () =>
    applyRetention(deps, async (now) => {
      const { position, hasDeleted } = await purgeAudit(deps.storage, now, audited);
      audited = position;
      return hasDeleted && position !== undefined;
    });
}

async function applyRetention(
  { storage, clock, timing, quietMs }: RetentionDeps,
  purgeNextAudit: (now: number) => Promise<boolean>,
): Promise<boolean> {
  // What is deleted is gone: one clock that jumps ahead for a moment must not be enough.
  const now = await clock.certain();
  // After a pause the agreed time is behind until a provider has responded.
  await clampFutureTimestamps(storage, timing, quietMs, await storage.now(), await clock.now());
  if (now === undefined) return false;
  await purgeRateLimits(storage, RETENTION.rateLimits);
  await purgeProviderCalls(storage, now);
  await purgeReceipts(storage, now);
  const more = [
    await purgeNextAudit(now),
    await purgeIdempotency(storage, now),
    await purgeSessions(storage, UNFINISHED, now - RETENTION.unfinished),
    await purgeSessions(storage, ['completed'], now - RETENTION.completed),
    await purgeLinks(storage, ['expired', 'revoked'], now - RETENTION.unfinished, BATCH),
    await purgeLinks(storage, ['completed'], now - RETENTION.completed, BATCH),
    await purgeConnections(storage, now, BATCH),
    await purgeItems(storage, now - RETENTION.items),
    await purgeWebhooks(storage, now),
    await purgeChecks(storage, now - RETENTION.checks),
    await purgeTransfers(storage, now),
  ];
  return more.includes(true);
}

async function purgeIdempotency({ db }: Storage, now: number): Promise<boolean> {
  const old = db
    .selectFrom('idempotency')
    .select('key')
    .where('created_at', '<=', now - RETENTION.idempotency)
    .limit(BATCH);
  const { numDeletedRows } = await db.deleteFrom('idempotency').where('key', 'in', old).executeTakeFirst();
  return Number(numDeletedRows) === BATCH;
}

/** With them go the connections that never became a funding source, and customers of whom nothing is left. */
async function purgeSessions(storage: Storage, statuses: StoredSessionStatus[], endedBefore: number): Promise<boolean> {
  return storage.transaction('retention', async (trx) => {
    // By the end that was set at creation, which has an index; a session ends a day after it at the latest, or was in
    // progress for days.
    const old = await trx
      .deleteFrom('sessions')
      .where('id', 'in', (eb) =>
        eb
          .selectFrom('sessions')
          .select('id')
          .where('status', 'in', statuses)
          .where('expires_at', '<=', endedBefore)
          .limit(BATCH),
      )
      .returning(['id', 'customer_id'])
      .execute();
    if (old.length === 0) return false;
    await trx
      .deleteFrom('connections')
      .where(
        'session_id',
        'in',
        old.map(({ id }) => id),
      )
      .where('status', '=', 'failed')
      // Its Item is still to be removed.
      .where('goal', 'is', null)
      // One that had an instrument and was ended by a return has evidence to give.
      .where('id', 'not in', (eb) => eb.selectFrom('connection_instruments').select('connection_id'))
      .where('sweep_at', 'is', null)
      .execute();
    await purgeCustomers(trx, old);
    return old.length === BATCH;
  });
}

async function purgeItems({ db }: Storage, endedBefore: number): Promise<boolean> {
  const old = db
    .selectFrom('items')
    .select('id')
    .where('status', 'in', ['spent', 'removed'])
    .where('next_at', '<=', endedBefore)
    .limit(BATCH);
  const { numDeletedRows } = await db.deleteFrom('items').where('id', 'in', old).executeTakeFirst();
  return Number(numDeletedRows) === BATCH;
}

async function purgeChecks({ db }: Storage, madeBefore: number): Promise<boolean> {
  const old = db.selectFrom('checks').select('id').where('created_at', '<=', madeBefore).limit(BATCH);
  const { numDeletedRows } = await db.deleteFrom('checks').where('id', 'in', old).executeTakeFirst();
  return Number(numDeletedRows) === BATCH;
}

/** What came back is part of the evidence, and stays as long as it. */
async function purgeTransfers({ db }: Storage, now: number): Promise<boolean> {
  const cutoff = now - PROOF_KEEP_MS;
  const old = db
    .selectFrom('transfers')
    .select('transfers.id')
    .where('transfers.updated_at', '<=', now - RETENTION.transfers)
    .where((eb) =>
      eb.or([
        eb('returned_at', 'is', null),
        eb.and([
          eb('transfers.updated_at', '<=', cutoff),
          eb.not(
            eb.exists(
              eb
                .selectFrom('connections')
                .select('connections.id')
                .whereRef('connections.id', '=', 'transfers.connection_id')
                .where(isToProve(cutoff)),
            ),
          ),
        ]),
      ]),
    )
    .limit(BATCH);
  const { numDeletedRows } = await db.deleteFrom('transfers').where('id', 'in', old).executeTakeFirst();
  return Number(numDeletedRows) === BATCH;
}

/** Webhooks that came in, webhooks that went out, and the link tokens by which some are understood. */
async function purgeWebhooks({ db }: Storage, now: number): Promise<boolean> {
  const tokens = db
    .selectFrom('link_tokens')
    .select('hash')
    .where('created_at', '<=', now - RETENTION.linkTokens)
    .limit(BATCH);
  const events = db
    .selectFrom('inbound_events')
    .select('id')
    .where('received_at', '<=', now - EVENT_KEEP_MS)
    .limit(BATCH);
  const deliveries = db
    .selectFrom('deliveries')
    .select('id')
    .where((eb) =>
      eb.or([
        eb.and([eb('status', '=', 'delivered'), eb('created_at', '<=', now - DELIVERY_KEEP_MS.delivered)]),
        eb('created_at', '<=', now - DELIVERY_KEEP_MS.dead),
      ]),
    )
    .limit(BATCH);
  const deleted = [
    await db.deleteFrom('link_tokens').where('hash', 'in', tokens).executeTakeFirst(),
    await db.deleteFrom('inbound_events').where('id', 'in', events).executeTakeFirst(),
    await db.deleteFrom('deliveries').where('id', 'in', deliveries).executeTakeFirst(),
  ];
  return deleted.some(({ numDeletedRows }) => Number(numDeletedRows) === BATCH);
}
