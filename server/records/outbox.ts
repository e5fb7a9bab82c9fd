import type { Session, WebhookEvent } from '../../widget/contract.ts';
import type { Config } from '../config.ts';
import { iso, newId } from '../ids.ts';
import { writeLast } from '../storage/last-writes.ts';
import type { StorageTransaction } from '../storage/open.ts';
import { insertRow } from '../storage/row-writes.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { ConnectionTable, LinkTable, SessionTable } from '../storage/tables.ts';
import { repairLinkFor } from './new-link.ts';
import { connectionsOf } from './session-connections.ts';
import { viewConnection, viewLink, viewSession } from './views.ts';

/**
 * The merchant's webhooks. Written in the same transaction as the change itself, so that neither can be without the
 * other; sent later (deliveries.ts). The body is made once, from what is true then; `updated_at` orders events about
 * one connection.
 */
export interface Outbox {
  connectionChanged(trx: StorageTransaction, connection: ConnectionTable, now: number): Promise<void>;
  /** @param connections the session's, where they are known */
  sessionEnded(
    trx: StorageTransaction,
    session: SessionTable,
    now: number,
    connections?: ConnectionTable[],
  ): Promise<void>;
  /** A link is completed or has expired. */
  linkEnded(trx: StorageTransaction, link: LinkTable, connections: ConnectionTable[], now: number): Promise<void>;
  /** A debit or a payout came back. */
  connectionReturned(trx: StorageTransaction, connection: ConnectionTable, reason: string, now: number): Promise<void>;
  /** A customer who is paid has connected another account than before. */
  bankChanged(trx: StorageTransaction, connection: ConnectionTable, reason: string, now: number): Promise<void>;
}

/** The types of events. A merchant who waits for `pending` to end is notified of the end. */
export const CONNECTION_EVENTS = [
  'connection.active',
  'connection.pending_verification',
  'connection.needs_repair',
  'connection.revoked',
  'connection.removed',
  'connection.failed',
  'connection.returned',
  'connection.changed_bank',
] as const satisfies readonly WebhookEvent['type'][];
export const SESSION_EVENTS = [
  'session.completed',
  'session.failed',
  'session.restart_required',
] as const satisfies readonly WebhookEvent['type'][];
export const LINK_EVENTS = ['link.completed', 'link.expired'] as const satisfies readonly WebhookEvent['type'][];

/**
 * Keeps nothing when there is no MERCHANT_WEBHOOK_URL: it would never be delivered.
 * @param secrets seal the links that go with `connection.needs_repair`
 */
export function createOutbox(
  config: Pick<Config, 'merchantWebhook' | 'plaid' | 'repairLinks'>,
  secrets?: Secrets,
): Outbox {
  const { merchantWebhook, repairLinks } = config;

  async function add(
    trx: StorageTransaction,
    now: number,
    event: {
      type: WebhookEvent['type'];
      data: object;
      reason?: string | null;
      session: string;
      connection: string | null;
      link?: string | null;
      merchant: string | null;
      repairLink?: LinkTable | undefined;
    },
  ): Promise<void> {
    const { type, data, reason, session, connection, repairLink, link = repairLink?.id, merchant } = event;
    // `reason` is in addition to the specification: why a connection has its status, such as Plaid's own code.
    const body = {
      type,
      timestamp: iso(now),
      data,
      ...(reason ? { reason } : {}),
      // Its address is added when the event is sent, and stored nowhere.
      ...(repairLink ? { repair_link: { id: repairLink.id, expires_at: iso(repairLink.expires_at) } } : {}),
    };
    const delivery = insertRow('deliveries', {
      id: newId('msg'),
      type,
      body: JSON.stringify(body),
      session_id: session,
      connection_id: connection,
      link_id: link ?? null,
      merchant_id: merchant,
      status: 'pending',
      tries: 0,
      next_at: now,
      lease_until: 0,
      last_tried_at: null,
      last_status: null,
      last_error: null,
      created_at: now,
      updated_at: now,
    });
    await writeLast(trx, delivery);
  }

  async function addConnection(
    trx: StorageTransaction,
    now: number,
    type: (typeof CONNECTION_EVENTS)[number],
    connection: ConnectionTable,
    reason: string | null,
  ): Promise<void> {
    if (!merchantWebhook) return;
    const isAsked = repairLinks && secrets && type === 'connection.needs_repair';
    await add(trx, now, {
      type,
      data: viewConnection(connection, 'merchant'),
      reason,
      repairLink: isAsked ? await repairLinkFor(trx, secrets, connection, now) : undefined,
      session: connection.session_id,
      connection: connection.id,
      merchant: connection.merchant_id,
    });
  }

  return {
    async connectionChanged(trx, connection, now) {
      const type = CONNECTION_EVENTS.find((event) => event === `connection.${connection.status}`);
      if (type !== undefined) await addConnection(trx, now, type, connection, connection.reason);
    },
    connectionReturned: (trx, connection, reason, now) =>
      addConnection(trx, now, 'connection.returned', connection, reason),
    bankChanged: (trx, connection, reason, now) =>
      addConnection(trx, now, 'connection.changed_bank', connection, reason),
    async sessionEnded(trx, session, now, known) {
      const type = SESSION_EVENTS.find((event) => event === `session.${session.status}`);
      if (!merchantWebhook || type === undefined) return;
      const connections = known ?? (await connectionsOf(trx, session));
      const data: Session = viewSession(session, connections, 'merchant', now, config);
      await add(trx, now, { type, data, session: session.id, connection: null, merchant: session.merchant_id });
    },
    async linkEnded(trx, link, connections, now) {
      const type = LINK_EVENTS.find((event) => event === `link.${link.status}`);
      if (!merchantWebhook || type === undefined) return;
      await add(trx, now, {
        type,
        data: viewLink(link, connections, now),
        session: link.session_id ?? '',
        connection: null,
        link: link.id,
        merchant: link.merchant_id,
      });
    },
  };
}
