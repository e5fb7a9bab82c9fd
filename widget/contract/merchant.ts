import type {
  AuthorizationReceipt,
  ConnectionStatus,
  LastReturn,
  MerchantConnection,
  Verification,
} from './connection.ts';
import type { ProblemAction } from './problem.ts';
import type { CreateSessionRequest, MerchantSession, Purpose, SessionMode } from './session.ts';

/** What only a merchant’s server asks and gets: evidence, checks, links, events. */

/** Proof of an authorization, kept for two years after the connection has ended. The same facts are the same bytes. */
export interface Evidence {
  object: 'evidence';
  connection: string;
  /** Null once the customer is erased. */
  customer_id: string | null;
  purpose: Purpose | null;
  authorization: AuthorizationReceipt | null;
  /** Those that the customer has given since, in repairs and when connecting the same account again. */
  later_authorizations: AuthorizationReceipt[];
  /** Of a platform: who asked the customer. */
  merchant: { id: string; name: string } | null;
  institution: { id: string | null; name: string | null };
  account: { name: string | null; mask: string | null; type: string | null; subtype: string | null };
  verification: Verification;
  link_session_id: string | null;
  finix_identity: string | null;
  payment_instruments: { id: string; created_at: string }[];
  returns: LastReturn[];
  events: { at: string; action: string; actor: string; reason: string | null }[];
  created_at: string;
  /** A compact JWS whose payload is this document without `jws`; keys at `/.well-known/jwks.json`. */
  jws?: string;
}

/** A question before a debit. */
export interface CheckRequest {
  /** Minor units: cents. */
  amount: number;
  currency?: 'USD';
  /** 1 to 36 characters, a new one for each attempt: the same one gives the same answer. */
  client_transaction_id: string;
  user_present?: boolean;
  is_recurring?: boolean;
}

/** Why a debit should be looked at or not be made. A closed list. */
export type CheckReasonCode =
  // what is known here
  | 'revoked'
  | 'returned'
  | 'needs_repair'
  | 'not_active'
  | 'owner_mismatch'
  | 'changed_bank'
  // Plaid's response
  | 'insufficient_funds'
  | 'balance_uncertain'
  | 'signal_review'
  | 'signal_reroute'
  | 'signal_no_ruleset'
  | 'consent_required'
  | 'provider_unavailable';

export interface CheckReason {
  code: CheckReasonCode;
  message: string;
}

/** The answer to the question before a debit. */
export interface Check {
  id: string;
  object: 'check';
  decision: 'ok' | 'review' | 'stop';
  reasons: CheckReason[];
  /** What to do; null with `ok`. */
  action: ProblemAction | null;
  /** Minor units; null where no bank was asked. */
  balance: { available: number | null; current: number | null; as_of: string | null } | null;
  signal: {
    result: 'ACCEPT' | 'REVIEW' | 'REROUTE' | null;
    scores: { customer_initiated: number | null; bank_initiated: number | null } | null;
  } | null;
  /** The connection's id. */
  connection: string;
  created_at: string;
}

/** Erasure of a customer; `erasing` while a job still works on it. */
export interface ErasedCustomer {
  object: 'customer';
  customer_id: string;
  status: 'erased' | 'erasing';
}

/** What a session takes, for an address that is sent. */
export interface CreateLinkRequest extends CreateSessionRequest {
  /** 1 to 21; 7 when left out. */
  expires_in_days?: number;
  return_url?: string;
}

export type LinkStatus = 'open' | 'opened' | 'completed' | 'expired' | 'revoked';

/** An address behind which one customer connects a bank, or repairs a connection, without a page of the merchant's. */
export interface Link {
  /** `lnk_…` */
  id: string;
  object: 'link';
  /** In the answer to its creation only. */
  url?: string;
  status: LinkStatus;
  customer_id: string;
  mode: SessionMode;
  connections: MerchantConnection[];
  created_at: string;
  expires_at: string;
}

/**
 * The body of a webhook to the merchant, signed as Standard Webhooks specifies. `data.updated_at` orders events about
 * one connection.
 */
export type WebhookEvent = ConnectionEvent | SessionEvent | LinkEvent;

export interface ConnectionEvent {
  type: `connection.${Exclude<ConnectionStatus, 'pending'> | 'returned' | 'changed_bank'}`;
  timestamp: string;
  data: MerchantConnection;
  /** Why the connection has this status, such as Plaid's own code or `return_R01`. */
  reason?: string;
  /**
   * With `REPAIR_LINKS=on` and `connection.needs_repair`: a link to send to the customer. Its address is a credential.
   */
  repair_link?: { id: string; url: string; expires_at: string };
}

export interface SessionEvent {
  type: `session.${'completed' | 'failed' | 'restart_required'}`;
  timestamp: string;
  data: MerchantSession;
}

export interface LinkEvent {
  type: `link.${'completed' | 'expired'}`;
  timestamp: string;
  data: Link;
}
