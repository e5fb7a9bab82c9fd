import type { Config } from '../config.ts';
import { ProblemError } from '../errors.ts';
import { iso, sha256 } from '../ids.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { type Page, readTimeCursor, timeCursor, toPage } from '../records/pages.ts';
import type { DueQuery, Now } from '../storage/due.ts';
import type { Storage } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { DeliveryTable } from '../storage/tables.ts';
import type { Timing } from '../work/timing.ts';
import { withRepairLink } from './repair-link.ts';
import type { MerchantWebhooks } from './send.ts';

/**
 * Brings what is in the outbox to the merchant, at least once, for days; what can't be brought stays visible and can be
 * sent again.
 */
export interface Deliveries {
  /** @returns whether there may be more */
  runDue(limit: number): Promise<boolean>;
  /** Makes a delivery due now, also one that was delivered or is dead. @throws ProblemError `not_found` */
  resend(id: string): Promise<DeliveryTable>;
  /** Newest first. @param cursor `next_cursor` of the page before */
  list(query: {
    status?: DeliveryTable['status'] | undefined;
    merchantId?: string | undefined;
    cursor?: string | undefined;
    limit: number;
  }): Promise<DeliveryList>;
}

export interface DeliveryView {
  id: string;
  object: 'webhook_delivery';
  type: string;
  status: DeliveryTable['status'];
  /** Null for a link that was never opened. */
  session: string | null;
  connection: string | null;
  link: string | null;
  attempts: number;
  last_attempt_at: string | null;
  last_status: number | null;
  last_error: string | null;
  next_attempt_at: string | null;
  created_at: string;
}

export type DeliveryList = Page<DeliveryView>;

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/**
 * After each failed try, as the Standard Webhooks specification proposes: ten tries over three days, a weekend and a
 * night.
 */
const SCHEDULE = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];
/**
 * The last wait of the schedule, and the most that a receiver's Retry-After is followed: more than that is no pause.
 */
export const LONGEST_DELIVERY_WAIT_MS = 24 * HOUR;
/** How many are in progress at once: a merchant's server is not to be flooded after an outage. */
const AT_ONCE = 8;
/** Delivered ones answer "did you send it?" for a week, dead ones wait for an operator to come back from vacation. */
export const DELIVERY_KEEP_MS = { delivered: 7 * 24 * HOUR, dead: 30 * 24 * HOUR };

function dueDeliveries(db: Storage['db'], now: Now) {
  return db
    .selectFrom('deliveries')
    .where('status', '=', 'pending')
    .where('next_at', '<=', now)
    .where('lease_until', '<=', now)
    .orderBy('next_at');
}

export const DUE_DELIVERIES: DueQuery = (db, now) => dueDeliveries(db, now).select('id');

export function createDeliveries({
  config,
  storage,
  secrets,
  log,
  timing,
  webhooks,
  observe = () => {},
}: {
  config: Pick<Config, 'publicUrl'>;
  storage: Storage;
  secrets: Secrets;
  log: Logger;
  timing: Pick<Timing, 'deliveryLeaseMs'>;
  /** Undefined when there is no MERCHANT_WEBHOOK_URL. */
  webhooks: MerchantWebhooks | undefined;
  /** Is given each attempt, and the seconds since its event. */
  observe?: Metrics['delivery'];
}): Deliveries {
  // A 410: this address wants no more deliveries. It ends deliveries to this address only.
  const goneKey = webhooks && `webhook_gone:${sha256(webhooks.endpoint).slice(0, 16)}`;

  async function isGone(): Promise<boolean> {
    if (goneKey === undefined) return false;
    return (
      (await storage.db.selectFrom('meta').select('key').where('key', '=', goneKey).executeTakeFirst()) !== undefined
    );
  }

  async function deliver(id: string): Promise<void> {
    if (!webhooks || goneKey === undefined) return;
    const now = await storage.now();
    const taken = await storage.db
      .updateTable('deliveries')
      .set((eb) => ({ lease_until: now + timing.deliveryLeaseMs, tries: eb('tries', '+', 1) }))
      .where('id', '=', id)
      .where('status', '=', 'pending')
      .where('next_at', '<=', now)
      .where('lease_until', '<=', now)
      .returningAll()
      .executeTakeFirst();
    if (!taken) return;
    const body = await withRepairLink({ config, storage, secrets }, taken, now);
    const { status, error, retryAfter } = await webhooks.send(id, body);
    if (status === 410) {
      log.error({ delivery: id }, 'merchant webhook endpoint returned 410 Gone; deliveries stopped');
      await storage.db
        .insertInto('meta')
        .values({ key: goneKey, value: String(now) })
        .onConflict((conflict) => conflict.column('key').doNothing())
        .execute();
    }
    await record(taken, await storage.now(), { status, error, retryAfter });
  }

  async function record(
    { id, tries, type, lease_until, created_at }: DeliveryTable,
    now: number,
    { status, error, retryAfter }: { status: number | null; error: string | null; retryAfter: number | undefined },
  ): Promise<void> {
    const wait = SCHEDULE[tries - 1];
    const isDead = error !== null && (wait === undefined || status === 410);
    observe(error === null ? 'delivered' : isDead ? 'dead' : 'failed', Math.max(0, now - created_at) / 1000);
    if (error !== null) log[isDead ? 'error' : 'warn']({ delivery: id, type, tries, error }, 'webhook delivery failed');
    const asked = Math.min((retryAfter ?? 0) * SECOND, LONGEST_DELIVERY_WAIT_MS);
    // 10 % of jitter, so that what failed together is not retried together.
    const delay = Math.max(asked, Math.ceil((wait ?? 0) * (1 + Math.random() / 10)));
    await storage.db
      .updateTable('deliveries')
      .set({
        status: error === null ? 'delivered' : isDead ? 'dead' : 'pending',
        next_at: now + delay,
        lease_until: 0,
        last_tried_at: now,
        last_status: status,
        last_error: error,
        updated_at: now,
      })
      .where('id', '=', id)
      // A resend that was requested during this attempt, or another worker after this one's lease, has the delivery
      // now.
      .where('lease_until', '=', lease_until)
      .execute();
  }

  return {
    async runDue(limit) {
      if (!webhooks) return false;
      const now = await storage.now();
      if (await isGone()) {
        const error = { status: 'dead', last_error: 'the address answered 410 Gone', updated_at: now } as const;
        await storage.db.updateTable('deliveries').set(error).where('status', '=', 'pending').execute();
        return false;
      }
      const due = await dueDeliveries(storage.db, now).select('id').limit(Math.min(limit, AT_ONCE)).execute();
      await Promise.all(due.map(({ id }) => deliver(id)));
      return due.length === AT_ONCE;
    },

    async resend(id) {
      const now = await storage.now();
      return storage.transaction(`delivery:${id}`, async (trx) => {
        const fresh = await trx
          .updateTable('deliveries')
          .set({ status: 'pending', tries: 0, next_at: now, lease_until: 0, updated_at: now })
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirst();
        if (!fresh) throw new ProblemError('not_found', { detail: 'There is no such delivery.' });
        // A resend means that the address is reachable again.
        if (goneKey !== undefined) await trx.deleteFrom('meta').where('key', '=', goneKey).execute();
        return fresh;
      });
    },

    async list({ status, merchantId, cursor, limit }) {
      let query = storage.db.selectFrom('deliveries').selectAll();
      if (status !== undefined) query = query.where('status', '=', status);
      if (merchantId !== undefined) query = query.where('merchant_id', '=', merchantId);
      const before = readTimeCursor(cursor, 'msg');
      if (before) {
        const { at, id } = before;
        query = query.where((eb) =>
          eb.or([eb('created_at', '<', at), eb.and([eb('created_at', '=', at), eb('id', '<', id)])]),
        );
      }
      const rows = await query
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute();
      return toPage(rows, limit, viewDelivery, ({ created_at, id }) => timeCursor(created_at, id));
    },
  };
}

/** Without the body: it is an older copy of what `GET /v1/connections/{id}` returns. */
export function viewDelivery(row: DeliveryTable): DeliveryView {
  const time = (ms: number | null) => (ms === null ? null : iso(ms));
  return {
    id: row.id,
    object: 'webhook_delivery',
    type: row.type,
    status: row.status,
    session: row.session_id || null,
    connection: row.connection_id,
    link: row.link_id,
    attempts: row.tries,
    last_attempt_at: time(row.last_tried_at),
    last_status: row.last_status,
    last_error: row.last_error,
    next_attempt_at: row.status === 'pending' ? time(row.next_at) : null,
    created_at: iso(row.created_at),
  };
}
