import type { ExpressionBuilder, Kysely } from 'kysely';
import type { DueQuery, Now } from '../storage/due.ts';
import type { Database, InboundEventTable } from '../storage/tables.ts';

/** Which of the webhooks that came in may be handled now. */

export function dueEvents(db: Kysely<Database>, now: Now) {
  return db
    .selectFrom('inbound_events as event')
    .where((eb) => isDue(eb, now))
    .orderBy('event.next_at');
}

export const DUE_EVENTS: DueQuery = (db, now) => dueEvents(db, now).select('event.id');

/** Of those that stop debits, which are a kind of work of their own. */
export function dueStops(db: Kysely<Database>, now: Now) {
  return dueEvents(db, now).where((eb) =>
    eb.or([
      eb('event.type', 'in', REVOCATIONS),
      // Of one of ours: a merchant's other customers may have thousands of returns on the same morning.
      eb.and([
        eb('event.type', 'in', TRANSFERS),
        eb.exists(
          eb
            .selectFrom('connection_instruments')
            .select('connection_instruments.payment_instrument')
            .whereRef('connection_instruments.payment_instrument', '=', 'event.subject'),
        ),
      ]),
    ]),
  );
}

export const DUE_STOPS: DueQuery = (db, now) => dueStops(db, now).select('event.id');

export const REVOCATIONS: readonly string[] = ['ITEM/USER_PERMISSION_REVOKED', 'ITEM/USER_ACCOUNT_REVOKED'];
const TRANSFERS: readonly string[] = ['transfer/created', 'transfer/updated'];
/**
 * Stopping a debit does not wait for an event whose handler asks a provider that is silent: a revocation needs no
 * answer of it, and returns come to the same in any order.
 */
const URGENT = [...REVOCATIONS, ...TRANSFERS];

/** No worker has it, nor another of the same subject unless it is urgent. */
export function isDue(eb: ExpressionBuilder<Database & { event: InboundEventTable }, 'event'>, now: Now) {
  const ofSameSubject = eb
    .selectFrom('inbound_events as other')
    .select('other.id')
    .whereRef('other.subject', '=', 'event.subject')
    .where('other.status', '=', 'received')
    .where('other.lease_until', '>', now);
  return eb.and([
    eb('event.status', '=', 'received'),
    eb('event.next_at', '<=', now),
    eb('event.lease_until', '<=', now),
    eb.or([eb('event.type', 'in', URGENT), eb.not(eb.exists(ofSameSubject))]),
  ]);
}
