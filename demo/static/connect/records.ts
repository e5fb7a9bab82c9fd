import { verificationOf } from '../../../server/records/verification.ts';
import type {
  AuthorizationText,
  CreateSessionRequest,
  MerchantConnection,
  Problem,
  Session,
  SessionMode,
  SessionStatus,
} from '../../../widget/contract.ts';

/** What the connect server of the static demo keeps, in memory, until the page is closed. */

export interface SessionRecord {
  id: string;
  secret: string;
  mode: SessionMode;
  status: SessionStatus;
  request: CreateSessionRequest;
  merchant: string;
  authorization: AuthorizationText | null;
  connections: ConnectionRecord[];
  error: Problem | null;
  createdAt: number;
  updatedAt: number;
  /** The login by its public token: the same token again continues where it stopped. */
  login: { publicToken: string; accessToken: string; itemId: string } | null;
  /** The work on a public token, which a repetition joins. */
  work: Promise<void> | null;
}

export interface ConnectionRecord {
  view: MerchantConnection;
  reason: string | null;
  accessToken: string;
  itemId: string;
  accountId: string;
  /** How many instruments came before the present one. */
  generation: number;
}

export interface Records {
  sessions: Map<string, SessionRecord>;
  connections: Map<string, ConnectionRecord>;
  /** Identities at Finix, by customer and role. */
  identities: Map<string, string>;
}

/** As long as the server's. */
const SESSION_MS = 24 * 3600_000;

export function newRecordId(prefix: 'ses' | 'con' | 'chk' | 'anon'): string {
  return `${prefix}_${crypto.randomUUID().replaceAll('-', '').slice(0, 24)}`;
}

export function newConnection(
  session: SessionRecord,
  account: Pick<ConnectionRecord, 'accessToken' | 'itemId' | 'accountId'>,
): ConnectionRecord {
  const now = new Date().toISOString();
  return {
    ...account,
    reason: null,
    generation: 0,
    view: {
      id: newRecordId('con'),
      object: 'connection',
      status: 'pending',
      payment_instrument: null,
      institution: { id: null, name: null },
      account: { name: null, mask: null, type: null, subtype: null },
      created_at: now,
      updated_at: now,
      customer_id: session.request.customer_id,
      merchant_id: session.request.merchant?.id ?? null,
      finix_identity: null,
      previous_payment_instrument: null,
      fingerprint: null,
      bank_account_validation_check: null,
      authorization: null,
      metadata: session.request.metadata ?? {},
      verification: verificationOf({ verification: null }),
      last_return: null,
      consent_expires_at: null,
    },
  };
}

export function viewOf(session: SessionRecord, audience: 'merchant' | 'page'): Session {
  const { id, mode, status, request, merchant, connections, error, createdAt, updatedAt } = session;
  return {
    id,
    object: 'session',
    status,
    mode,
    purpose: request.purpose ?? 'debit',
    merchant: { name: merchant },
    customer_id: request.customer_id,
    connections: connections.map(({ view }) => (audience === 'merchant' ? view : pageView(view))),
    error,
    created_at: new Date(createdAt).toISOString(),
    updated_at: new Date(updatedAt).toISOString(),
    expires_at: new Date(createdAt + SESSION_MS).toISOString(),
  };
}

function pageView({
  id,
  object,
  status,
  payment_instrument,
  institution,
  account,
  created_at,
  updated_at,
}: MerchantConnection) {
  return { id, object, status, payment_instrument, institution, account, created_at, updated_at };
}
