import type { LinkStatus, SessionMode } from '../../widget/contract.ts';
import type { Provider } from '../errors.ts';

/** Rows of what follows a connection: transfers, checks, links, events in and out, and the server's own. */

/**
 * Every instrument that a connection has or had: a return can be about one that was replaced weeks ago. Kept as long as
 * the connection.
 */
export interface ConnectionInstrumentTable {
  payment_instrument: string;
  connection_id: string;
  /** Finix's, of its numbers; null: not known, or the customer is erased. */
  fingerprint: string | null;
  created_at: number;
}

/** A debit or a payout of a connected account, as far as Finix has reported it: what a return and a check belong to. */
export interface TransferTable {
  /** Finix's id. */
  id: string;
  connection_id: string;
  payment_instrument: string;
  type: 'debit' | 'payout';
  /** Finix's word, as reported last. */
  state: string;
  /** Minor units. */
  amount: number | null;
  currency: string | null;
  /** When it was made at Finix, where Finix returns it. */
  sent_at: number;
  /** The check that was made before it. */
  check_id: string | null;
  /** The Transfer that shows that it came back: itself, or the one that takes the money back. */
  return_transfer: string | null;
  /** ACH return code; null: not known. */
  return_code: string | null;
  failure_code: string | null;
  /** When it came back; null: it did not. */
  returned_at: number | null;
  /** What the return means for the connection, by lifecycle/return-codes.ts; null: it did not come back. */
  effect: ReturnEffect | null;
  created_at: number;
  updated_at: number;
}

/**
 * `keep`: nothing. `repair`: the customer connects the account again. `blocked`: no debit without a new permission.
 * `dead`: another account.
 */
export type ReturnEffect = 'keep' | 'repair' | 'blocked' | 'dead';

/** A question before a debit, and its answer, which is given again to the same question. */
export interface CheckTable {
  id: string;
  client_transaction_id: string;
  connection_id: string;
  /** SHA-256 (hex) of the connection and the request. */
  request_hash: string;
  /** Minor units. */
  amount: number;
  /** JSON of the answer; null: being found out. */
  answer: string | null;
  /** 1: Signal was asked, or may have been, and wants to learn what became of the debit. */
  is_evaluated: number;
  /** ACCEPT, REVIEW or REROUTE; null: no ruleset ran. */
  signal_result: string | null;
  /** The debit that followed. */
  transfer_id: string | null;
  /** 1: Signal has yet to learn that the debit was made. */
  is_decision_due: number;
  return_code: string | null;
  returned_at: number | null;
  /** 1: Signal has yet to learn that the debit came back. */
  is_return_due: number;
  /** When a job reports what is due; null: nothing is. */
  report_at: number | null;
  tries: number;
  /** Until when the request that asks may take; it renews it while it waits for Plaid. */
  lease_until: number;
  created_at: number;
}

/** Keys that have signed evidence. A public half is published for as long as evidence may be shown. */
export interface EvidenceKeyTable {
  /** The key's id: its RFC 7638 thumbprint. */
  id: string;
  public_jwk: string;
  /** Sealed seed of a key that was made here; null: of the setting. */
  private_enc: string | null;
  created_at: number;
}

/** A webhook of Plaid's or Finix's, stored before it is answered, so that none is lost. */
export interface InboundEventTable {
  id: string;
  source: Provider;
  /** The same webhook sent again is not stored again. */
  dedupe_key: string;
  /** SHA-256 (hex) of the raw body. */
  body_hash: string;
  /** `ITEM/ERROR`, `instrument/updated`, … */
  type: string;
  /** The Item or instrument that it is about: of each, one webhook at a time is handled. Null: it is independent. */
  subject: string | null;
  /** JSON of the members that are used, chosen by name: nothing secret can be among them. */
  facts: string;
  /** A public token that came with it; erased once handled. */
  public_token_enc: string | null;
  /** `ignored`: of no meaning here. `failed`: given up. */
  status: 'received' | 'handled' | 'ignored' | 'failed';
  tries: number;
  /** How long handling it has waited for Plaid and Finix; the budget is of this. */
  waited_ms: number;
  next_at: number;
  lease_until: number;
  received_at: number;
  handled_at: number | null;
}

/** A webhook to the merchant, written in the same transaction as the change that it reports. */
export interface DeliveryTable {
  /** Also its `webhook-id`, the same at every try. */
  id: string;
  type: string;
  /** JSON, exactly as signed and sent. */
  body: string;
  /** Empty for a link that was never opened. */
  session_id: string;
  connection_id: string | null;
  link_id: string | null;
  /** Copied, so that a platform can list its merchants' deliveries. */
  merchant_id: string | null;
  status: 'pending' | 'delivered' | 'dead';
  tries: number;
  next_at: number;
  lease_until: number;
  last_tried_at: number | null;
  /** HTTP status of the last answer; null: there was none. */
  last_status: number | null;
  last_error: string | null;
  created_at: number;
  updated_at: number;
}

/** Who did what when. Append-only: the database refuses updates. Names no person but by an address. */
export interface AuditTable {
  id: string;
  at: number;
  actor: 'merchant' | 'page' | 'plaid' | 'finix' | 'job';
  action: string;
  session_id: string | null;
  connection_id: string | null;
  link_id: string | null;
  /** Only of a page. */
  ip: string | null;
  /** JSON object of short facts. */
  details: string;
}

/** Customers who are being erased; gone when they are. */
export interface ErasureTable {
  customer_id: string;
  next_at: number;
  requested_at: number;
}

/** Answers to requests with an Idempotency-Key, to be given again. */
export interface IdempotencyTable {
  key: string;
  /** SHA-256 (hex) of the request's canonical body. */
  request_hash: string;
  session_id: string;
  /** JSON of the answer, without the client secret, which is derived again. */
  response: string;
  created_at: number;
}

/** Fixed-window counters, shared by all instances. */
export interface RateLimitTable {
  bucket: string;
  window_start: number;
  hits: number;
}

/** Facts about the database itself: which encryption keys its values need (check-keys.ts). */
export interface MetaTable {
  key: string;
  value: string;
}

/**
 * Pinned scripts and their chunks, of this version and of earlier ones: an upgrade of the server must not break a page
 * that pins.
 */
export interface ScriptTable {
  /** File name, with the version or the content's hash in it. */
  name: string;
  /** Base64. */
  content: string;
  created_at: number;
}

/** Addresses that are sent to customers. The address itself is derived from the id and never stored. */
export interface LinkTable {
  id: string;
  customer_id: string;
  merchant_id: string | null;
  /** `expired` is written by a job, and shown from `expires_at` on. */
  status: LinkStatus;
  mode: SessionMode;
  /** Of a repair link. */
  connection_id: string | null;
  /**
   * JSON of the session request, for the session behind each opening; null once the link has ended, because it names
   * the customer.
   */
  request_enc: string | null;
  return_url: string | null;
  /** The session of the last opening. */
  session_id: string | null;
  /** Which encryption key the address is derived from. */
  secret_key_id: string;
  /** The rate limit of openings is part of the row, so that an opening is one commit. */
  window_start: number;
  openings: number;
  opened_at: number | null;
  completed_at: number | null;
  created_at: number;
  updated_at: number;
  expires_at: number;
}

/** A call to Plaid or Finix, for support: written later than it was made, and kept for a month. */
export interface ProviderCallTable {
  id: string;
  at: number;
  /** What the work that made the call was about; at least one of both. */
  session_id: string | null;
  connection_id: string | null;
  service: Provider;
  call: string;
  /** `ok`, or how it failed. */
  outcome: string;
  /** The provider's code of a failure, or ours. */
  code: string | null;
  /** The provider's own id of the request. */
  request_id: string | null;
  ms: number;
}
