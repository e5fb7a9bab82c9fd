import type {
  AccountSelection,
  ConnectionStatus,
  Ownership,
  Purpose,
  SessionMode,
  SessionStatus,
} from '../../widget/contract.ts';

import type {
  AuditTable,
  CheckTable,
  ConnectionInstrumentTable,
  DeliveryTable,
  ErasureTable,
  EvidenceKeyTable,
  IdempotencyTable,
  InboundEventTable,
  LinkTable,
  MetaTable,
  ProviderCallTable,
  RateLimitTable,
  ScriptTable,
  TransferTable,
} from './tables-later.ts';

export type * from './tables-later.ts';

/**
 * The rows, as every query sees them. Portable on purpose: ids are text made by us, times are milliseconds since 1970
 * (UTC), JSON is text, truth is 0 or 1. A column ending in `_enc` holds a value sealed by secrets.ts.
 */
export interface Database {
  sessions: SessionTable;
  items: ItemTable;
  connections: ConnectionTable;
  connection_instruments: ConnectionInstrumentTable;
  transfers: TransferTable;
  checks: CheckTable;
  links: LinkTable;
  evidence_keys: EvidenceKeyTable;
  customers: CustomerTable;
  create_calls: CreateCallTable;
  link_tokens: LinkTokenTable;
  hosted_links: StoredLinkTable;
  inbound_events: InboundEventTable;
  deliveries: DeliveryTable;
  audit: AuditTable;
  provider_calls: ProviderCallTable;
  erasures: ErasureTable;
  idempotency: IdempotencyTable;
  rate_limits: RateLimitTable;
  scripts: ScriptTable;
  meta: MetaTable;
}

/** What is already true of a session's way to a payment instrument. Work resumes from here. */
export type RecoveryPoint = 'started' | 'item_linked' | 'identity_ready' | 'instrument_created' | 'finished';

/** Only the stored ones: `expired` is also what an open session is seen as once its time is over. */
export type StoredSessionStatus = SessionStatus;

/** One permission for one customer to connect a bank, and how far the work on it has come. */
export interface SessionTable {
  id: string;
  mode: SessionMode;
  status: StoredSessionStatus;
  recovery_point: RecoveryPoint;
  customer_id: string;
  purpose: Purpose;
  account_selection: AccountSelection;
  language: string;
  /** What is done with the owner of the account. */
  ownership: Ownership;
  /** 1: minted by a page in public mode. */
  is_public: number;
  /** The Finix identity that the merchant named, or the one that was found or made for the customer. */
  finix_identity: string | null;
  /** JSON of the identity's fields, kept until the identity exists at Finix. */
  identity_enc: string | null;
  authorization_text: string | null;
  authorization_version: string | null;
  /** JSON of an AuthorizationReceipt, once accepted. */
  authorization_receipt: string | null;
  /** JSON object of strings. */
  metadata: string;
  /** The connection that a repair session is about. */
  repair_connection_id: string | null;
  /** SHA-256 (hex) of the public token that a repair was completed with. It is never exchanged. */
  repair_token_hash: string | null;
  /** Which encryption key the client secret is derived from. */
  secret_key_id: string;
  /** The item that `complete` is working on, or worked on last. */
  item_id: string | null;
  /**
   * JSON array of the ids of connections that the customer had already, when the session ended with them; null: with
   * its own.
   */
  recognized_connections: string | null;
  /** JSON array of the Plaid account ids that the page chose; empty: none named. */
  chosen_accounts: string;
  /** JSON of { code, detail?, accounts? }: the problem that the session shows. */
  error: string | null;
  /** When the last link token of this session expires; 0: none was made. */
  link_tokens_until: number;
  /** The link behind which the session was opened. */
  link_id: string | null;
  /** JSON of a MerchantInput: the platform's merchant that the session is for. */
  merchant: string | null;
  merchant_id: string | null;
  link_customization: string | null;
  /** JSON array of origins that may use this session in addition to the server's own list. */
  allowed_origins: string | null;
  /** Fence: grows with every write of a worker; a write with an old version is refused. */
  version: number;
  lease_owner: string | null;
  lease_until: number;
  /** When work on it is due again, and how often a step has failed in a row. */
  next_at: number;
  tries: number;
  /** When this session began to be worked on. */
  processing_since: number | null;
  /** How long the work has waited for Plaid and Finix since; the budget is of this, because a clock may be wrong. */
  waited_ms: number;
  created_at: number;
  updated_at: number;
  expires_at: number;
}

/**
 * One exchange of one public token, and the Plaid Item that came of it. Survives until the Item is removed at Plaid.
 */
export interface ItemTable {
  id: string;
  session_id: string;
  /** SHA-256 (hex) of the public token: the same token never starts a second exchange, in whichever session. */
  public_token_hash: string;
  /** Erased once exchanged. */
  public_token_enc: string | null;
  /** When the exchange was last sent, and how often. An answer may have been lost after it. */
  exchange_sent_at: number | null;
  exchange_tries: number;
  access_token_enc: string | null;
  plaid_item_id: string | null;
  institution_id: string | null;
  institution_name: string | null;
  /** Where Plaid sends its webhooks, as Plaid returns it; empty: nowhere; null: not known. */
  webhook_url: string | null;
  /** Plaid's name for the customer's way through Link, as the page gave it: a reference, not proof. */
  link_session_id: string | null;
  /** When a job prepares it for Signal; null: it is not to be, or it was. */
  signal_prepare_at: number | null;
  signal_prepared_at: number | null;
  /** `spent`: the token could not be exchanged. `removing`: to be removed at Plaid by a job. */
  status: 'exchanging' | 'linked' | 'spent' | 'removing' | 'removed';
  /** When a job may look at it: to remove it, or to bring `webhook_url` up to date. */
  next_at: number;
  tries: number;
  created_at: number;
  updated_at: number;
}

/** One bank account of the customer that became, or is becoming, a funding source. */
export interface ConnectionTable {
  id: string;
  session_id: string;
  customer_id: string;
  /** Copied from the session. */
  merchant_id: string | null;
  item_id: string;
  status: ConnectionStatus;
  plaid_account_id: string;
  account_name: string | null;
  account_mask: string | null;
  account_type: string | null;
  account_subtype: string | null;
  /** Names the same account across Items, at the banks that have it (Chase, PNC, US Bank). */
  persistent_account_id: string | null;
  institution_id: string | null;
  institution_name: string | null;
  finix_identity: string | null;
  payment_instrument: string | null;
  previous_payment_instrument: string | null;
  fingerprint: string | null;
  bank_account_validation_check: string | null;
  authorization_receipt: string | null;
  metadata: string;
  /**
   * When a create call was last sent, while its worker waits for what came of it. For servers of version 0.1; see
   * CreateCallTable.
   */
  instrument_sent_at: number | null;
  instrument_tries: number;
  /**
   * Written by servers of version 0.1 only: when Finix's list is to be looked at for what their create calls have made.
   */
  sweep_at: number | null;
  /** Why it failed: a ProblemCode. */
  error_code: string | null;
  /** Why the status is what it is, for people: Plaid's webhook code or a word of ours. */
  reason: string | null;
  /** What is being done with it outside of a session; null: nothing. */
  goal: ConnectionTask | null;
  /** When the task was set. */
  goal_since: number | null;
  /** How long its work has waited for Plaid and Finix since; the budget is of this. */
  waited_ms: number;
  /** When work on the task is due, and how often it has failed in a row. */
  next_at: number;
  tries: number;
  lease_owner: string | null;
  lease_until: number;
  /** Fence, as in sessions. */
  version: number;
  /** How many instruments came before the present one; part of the tag by which Finix's list is searched. */
  generation: number;
  repaired_at: number | null;
  /** When the customer's permission last ended: a repair that began before is void. */
  revoked_at: number | null;
  removed_at: number | null;
  /** Copied from the session, which is deleted earlier. */
  purpose: Purpose | null;
  link_session_id: string | null;
  /** JSON of a Verification; null: connected before it was kept. */
  verification: string | null;
  /** JSON of a LastReturn. */
  last_return: string | null;
  /** JSON array of the receipts that repairs have brought; `authorization_receipt` is never changed. */
  later_authorizations: string | null;
  /** When this account took the place of another one of a customer who is paid; null: it did not. */
  changed_bank_at: number | null;
  /** When the customer's consent ends at the bank; null: Plaid names no end. */
  consent_expires_at: number | null;
  /** JSON of a MerchantInput, copied from the session: who asked the customer. */
  merchant: string | null;
  created_at: number;
  updated_at: number;
}

/**
 * `instrument`: make one, disabling the previous. `disable`: disable all. `remove`: disable all, let the Item go. A
 * later one in this list takes the place of an earlier one.
 */
export type ConnectionTask = 'instrument' | 'disable' | 'remove';

/** A customer's identity at Finix, one for each role, made once and used again. */
export interface CustomerTable {
  customer_id: string;
  role: 'BUYER' | 'RECIPIENT' | 'SELLER';
  finix_identity: string | null;
  /**
   * The tag that our create calls carry. Derived from the customer, so that a server on a restored older database finds
   * its identity.
   */
  identity_tag: string;
  /** When a create call was last sent, while its worker waits for what came of it. For servers of version 0.1. */
  identity_sent_at: number | null;
  identity_tries: number;
  /** Which session is making it, until when. */
  lease_owner: string | null;
  lease_until: number;
  created_at: number;
  updated_at: number;
}

/**
 * A create call at Finix from before it is sent, for as long as it is not certain what it has made
 * (work/create-call.ts). As long as there are rows, Finix's list is looked at; without rows it is not. Also an
 * instrument that must go, by its id.
 */
export interface CreateCallTable {
  /** Also a tag of what the call makes, so that each call's work is known. */
  id: string;
  kind: 'instrument' | 'identity';
  /** Of an instrument. The row outlives the connection. */
  connection_id: string | null;
  generation: number;
  /** Of an identity; null once the customer is erased. */
  customer_id: string | null;
  role: CustomerTable['role'] | null;
  /** The tag by which Finix's list is searched: the connection's with its generation, or the customer's. */
  tag: string;
  /** Whose bank accounts are listed; null for an identity. */
  finix_identity: string | null;
  sent_at: number;
  /**
   * null: not answered. `error`: answered with an error that may have come after the commit. `made`: `instrument` is to
   * be disabled.
   */
  outcome: 'error' | 'made' | null;
  instrument: string | null;
  /** When it is looked for next; later while a job is at it. */
  look_at: number;
  /** How often Finix could not be asked, in a row. */
  tries: number;
}

/** Which session a link token was made for: a webhook about a Hosted Link names nothing else. */
export interface LinkTokenTable {
  /** SHA-256 (hex) of the link token. */
  hash: string;
  session_id: string;
  created_at: number;
}

/**
 * A Link that a customer may be in, whose outcome can be read from Plaid with the link token: a Hosted Link, or that of
 * a customer who has connected a bank before. Gone when nothing can come of it any more.
 */
export interface StoredLinkTable {
  id: string;
  session_id: string;
  link_token_enc: string;
  /** 0: Link is opened in the page, which hands its outcome over itself. */
  is_hosted: number;
  /** 1: its outcome was handed over. */
  is_used: number;
  tries: number;
  /** When a job looks at it. */
  next_at: number;
  ends_at: number;
  created_at: number;
}
