import type { Session } from '../../widget/contract.ts';
import type { Config } from '../config.ts';
import { newId } from '../ids.ts';
import type { StorageTransaction } from '../storage/open.ts';
import type { ConnectionTable, LinkTable, SessionTable } from '../storage/tables.ts';
import { connectionsOf } from './session-connections.ts';
import { viewConnection, viewLink, viewSession } from './views.ts';

/**
 * What the merchant is told. Written in the same transaction as the change itself, so that neither can be without the other; sent later
 * (deliveries.ts). The body is made once: what was true then, `updated_at` says which news is newer.
 */
export interface Outbox {
  connectionChanged(trx: StorageTransaction, connection: ConnectionTable, now: number): Promise<void>;
  sessionEnded(trx: StorageTransaction, session: SessionTable, now: number): Promise<void>;
  /** A link is completed or has expired. */
  linkEnded(trx: StorageTransaction, link: LinkTable, connections: ConnectionTable[], now: number): Promise<void>;
  /** A debit or a payout came back. */
  connectionReturned(trx: StorageTransaction, connection: ConnectionTable, reason: string, now: number): Promise<void>;
  /** A customer who is paid has connected another account than before. */
  bankChanged(trx: StorageTransaction, connection: ConnectionTable, reason: string, now: number): Promise<void>;
}

/** Which states are news. A merchant who waits for `pending` to end learns of the end. */
const CONNECTION_EVENTS = new Set(['active', 'pending_verification', 'needs_repair', 'revoked', 'removed', 'failed']);
const SESSION_EVENTS = new Set(['completed', 'failed', 'restart_required']);

/** Keeps nothing when there is no MERCHANT_WEBHOOK_URL: nobody would ever fetch it. */
export function createOutbox(config: Pick<Config, 'merchantWebhook' | 'plaid'>): Outbox {
  const { merchantWebhook } = config;

  async function add(
    trx: StorageTransaction,
    now: number,
    event: {
      type: string;
      data: object;
      reason?: string | null;
      session: string;
      connection: string | null;
      link?: string | null;
      merchant: string | null;
    },
  ): Promise<void> {
    const { type, data, reason, session, connection, link, merchant } = event;
    // `reason` is beside what the specification asks for: why a connection is as it is, such as Plaid's own code.
    const body = { type, timestamp: new Date(now).toISOString(), data, ...(reason ? { reason } : {}) };
    await trx
      .insertInto('deliveries')
      .values({
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
      })
      .execute();
  }

  async function addConnection(
    trx: StorageTransaction,
    now: number,
    event: string,
    connection: ConnectionTable,
    reason: string | null,
  ): Promise<void> {
    if (!merchantWebhook) return;
    await add(trx, now, {
      type: `connection.${event}`,
      data: viewConnection(connection, 'merchant'),
      reason,
      session: connection.session_id,
      connection: connection.id,
      merchant: connection.merchant_id,
    });
  }

  return {
    async connectionChanged(trx, connection, now) {
      if (!CONNECTION_EVENTS.has(connection.status)) return;
      await addConnection(trx, now, connection.status, connection, connection.reason);
    },
    connectionReturned: (trx, connection, reason, now) => addConnection(trx, now, 'returned', connection, reason),
    bankChanged: (trx, connection, reason, now) => addConnection(trx, now, 'changed_bank', connection, reason),
    async sessionEnded(trx, session, now) {
      if (!merchantWebhook || !SESSION_EVENTS.has(session.status)) return;
      const connections = await connectionsOf(trx, session);
      const data: Session = viewSession(session, connections, 'merchant', now, config);
      const type = `session.${session.status}`;
      await add(trx, now, { type, data, session: session.id, connection: null, merchant: session.merchant_id });
    },
    async linkEnded(trx, link, connections, now) {
      if (!merchantWebhook) return;
      await add(trx, now, {
        type: `link.${link.status}`,
        data: viewLink(link, connections, now),
        session: link.session_id ?? '',
        connection: null,
        link: link.id,
        merchant: link.merchant_id,
      });
    },
  };
}
