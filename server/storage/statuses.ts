import type { ConnectionStatus, LinkStatus, Purpose, SessionMode, SessionStatus } from '../../widget/contract.ts';
import type { DeliveryTable, RecoveryPoint } from './tables.ts';

/**
 * The closed lists of the wire contract that the server needs as values, since it imports only types of it, and the
 * groups of statuses that more than one query asks for.
 */

/** A list that leaves out a member of the union, or has another, does not compile. */
const all =
  <Member extends string>() =>
  <const List extends readonly Member[]>(list: [Member] extends [List[number]] ? List : never): List =>
    list;

export const SESSION_STATUSES = all<SessionStatus>()([
  'open',
  'processing',
  'completed',
  'restart_required',
  'failed',
  'expired',
  'canceled',
]);
export const CONNECTION_STATUSES = all<ConnectionStatus>()([
  'pending',
  'active',
  'pending_verification',
  'needs_repair',
  'revoked',
  'removed',
  'failed',
]);
export const LINK_STATUSES = all<LinkStatus>()(['open', 'opened', 'completed', 'expired', 'revoked']);
export const DELIVERY_STATUSES = all<DeliveryTable['status']>()(['pending', 'delivered', 'dead']);
export const MODES = all<SessionMode>()(['connect', 'repair']);
export const PURPOSES = all<Purpose>()(['debit', 'payout', 'settlement']);

/** In these a session waits for a public token. */
export const OPEN_SESSION = ['open', 'restart_required'] as const satisfies readonly SessionStatus[];
/** In these a link's customer may still begin. */
export const USABLE_LINK: readonly LinkStatus[] = ['open', 'opened'];
/** In these the merchant may use a connection's instrument, or soon will. */
export const LIVE_CONNECTION: readonly ConnectionStatus[] = ['active', 'needs_repair', 'pending_verification'];
/** In these the merchant has no instrument to use. */
export const ENDED_CONNECTION: readonly ConnectionStatus[] = ['revoked', 'removed', 'failed'];
/** In these a connection no longer needs its Item; a revoked one may come back. */
export const GONE_CONNECTION: readonly ConnectionStatus[] = ['removed', 'failed'];
/** From the first of these points on, the session's accounts have been read and it has its identity. */
export const IDENTIFIED: readonly RecoveryPoint[] = ['identity_ready', 'instrument_created', 'finished'];

/**
 * For how long after the end of its last link token an open session takes a public token. A bank that the customer is
 * just now connecting must not be lost to the clock: Link's public token lives 30 minutes.
 */
export const ACCEPT_GRACE_MS = 30 * 60_000;
