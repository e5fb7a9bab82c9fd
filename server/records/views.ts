import type {
  AuthorizationText,
  Connection,
  Link,
  LinkStatus,
  MerchantConnection,
  Problem,
  Session,
  SessionStatus,
} from '../../widget/contract.ts';
import type { Config } from '../config.ts';
import { toProblem } from '../errors.ts';
import { iso, sha256 } from '../ids.ts';
import { ACCEPT_GRACE_MS, USABLE_LINK } from '../storage/statuses.ts';
import type { ConnectionTable, LinkTable, SessionTable } from '../storage/tables.ts';
import { readMerchant, readMetadata, readProblem, readReceipt, type StoredProblem } from './columns.ts';
import { lastReturnOf, verificationOf } from './verification.ts';

/** Who reads: the merchant's server sees more than the page. */
export type Audience = 'merchant' | 'page';

/** Until when `complete` accepts a public token: the session's own end, or 30 minutes after the last link token's. */
export function acceptsUntil(session: Pick<SessionTable, 'expires_at' | 'link_tokens_until'>): number {
  return Math.max(session.expires_at, session.link_tokens_until > 0 ? session.link_tokens_until + ACCEPT_GRACE_MS : 0);
}

/** The status that is shown: a session that waits for its customer is over when its time is. */
export function shownStatus(session: SessionTable, now: number): SessionStatus {
  const waits = session.status === 'open' || session.status === 'restart_required';
  return waits && now >= session.expires_at ? 'expired' : session.status;
}

/** Who is asking the customer, by the name that Link's own panes show: the session's merchant, or the server's. */
export function merchantOf(
  { merchant }: Pick<SessionTable, 'merchant'>,
  { plaid }: Pick<Config, 'plaid'>,
): Session['merchant'] {
  return { name: merchant === null ? plaid.clientName : readMerchant(merchant).name };
}

export function viewSession(
  session: SessionTable,
  connections: ConnectionTable[],
  audience: Audience,
  now: number,
  config: Pick<Config, 'plaid'>,
): Session {
  return {
    id: session.id,
    object: 'session',
    status: shownStatus(session, now),
    mode: session.mode,
    purpose: session.purpose,
    merchant: merchantOf(session, config),
    customer_id: session.customer_id,
    connections: connections.map((row) => viewConnection(row, audience)),
    error: viewProblem(session),
    created_at: iso(session.created_at),
    updated_at: iso(session.updated_at),
    expires_at: iso(session.expires_at),
  };
}

export function viewConnection(row: ConnectionTable, audience: 'merchant'): MerchantConnection;
export function viewConnection(row: ConnectionTable, audience: Audience): Connection;
export function viewConnection(row: ConnectionTable, audience: Audience): Connection | MerchantConnection {
  const connection: Connection = {
    id: row.id,
    object: 'connection',
    status: row.status,
    payment_instrument: row.payment_instrument,
    institution: { id: row.institution_id, name: row.institution_name },
    account: { name: row.account_name, mask: row.account_mask, type: row.account_type, subtype: row.account_subtype },
    created_at: iso(row.created_at),
    updated_at: iso(row.updated_at),
  };
  if (audience === 'page') return connection;
  return {
    ...connection,
    customer_id: row.customer_id,
    merchant_id: row.merchant_id,
    finix_identity: row.finix_identity,
    previous_payment_instrument: row.previous_payment_instrument,
    fingerprint: row.fingerprint,
    bank_account_validation_check: row.bank_account_validation_check,
    authorization: row.authorization_receipt ? readReceipt(row.authorization_receipt) : null,
    metadata: readMetadata(row.metadata),
    verification: verificationOf(row),
    last_return: lastReturnOf(row),
    consent_expires_at: row.consent_expires_at === null ? null : iso(row.consent_expires_at),
  };
}

export function storedProblem(session: SessionTable): StoredProblem | null {
  return session.error ? readProblem(session.error) : null;
}

/** The authorization text that this session's customer must accept, if any. */
export function authorizationText(session: SessionTable): AuthorizationText | null {
  const { authorization_text: text, authorization_version: version } = session;
  return text !== null && version !== null ? { text, version, text_sha256: sha256(text) } : null;
}

function viewProblem(session: SessionTable): Problem | null {
  const stored = storedProblem(session);
  if (!stored) return null;
  const { code, request_id, ...extras } = stored;
  if (code === 'authorization_required') {
    return toProblem(code, { ...extras, authorization: authorizationText(session) ?? undefined }, request_id);
  }
  return toProblem(code, extras, request_id);
}

/** The status that is shown: a link is over when its time is, whenever the job comes by. */
export function shownLinkStatus({ status, expires_at }: LinkTable, now: number): LinkStatus {
  return USABLE_LINK.includes(status) && now >= expires_at ? 'expired' : status;
}

export function viewLink(row: LinkTable, connections: ConnectionTable[], now: number): Link {
  return {
    id: row.id,
    object: 'link',
    status: shownLinkStatus(row, now),
    customer_id: row.customer_id,
    mode: row.mode,
    connections: connections.map((connection) => viewConnection(connection, 'merchant')),
    created_at: iso(row.created_at),
    expires_at: iso(row.expires_at),
  };
}
