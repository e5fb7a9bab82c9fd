/**
 * The wire contract, v1: what travels between the page, the merchant's server and this server. Types only, so that importing it costs no bytes.
 * Names are snake_case as on the wire; times are ISO 8601 in UTC. The server's zod schemas are bound to these types in server/http/request-schemas.ts.
 */

/** Why a request or a session could not go on. A closed list: programs switch on it, people read `detail`. */
export type ProblemCode =
  // the request itself
  | 'invalid_json'
  | 'invalid_request'
  | 'body_too_large'
  | 'unsupported_media_type'
  | 'not_found'
  | 'method_not_allowed'
  | 'idempotency_key_reused'
  // who is asking
  | 'unauthorized'
  | 'merchant_key_in_browser'
  | 'origin_not_allowed'
  | 'public_sessions_off'
  | 'rate_limited'
  // where the session stands
  | 'session_busy'
  | 'session_already_completed'
  | 'session_expired'
  | 'session_canceled'
  | 'session_failed'
  | 'restart_required'
  | 'account_selection_required'
  | 'authorization_required'
  // what the bank account is
  | 'account_unknown'
  | 'account_not_supported'
  | 'bank_not_supported'
  | 'bank_unavailable'
  | 'verification_failed'
  | 'owner_mismatch'
  | 'owner_unknown'
  // who else is needed
  | 'plaid_unavailable'
  | 'finix_unavailable'
  | 'provider_misconfigured'
  | 'instrument_refused'
  | 'storage_unavailable'
  | 'shutting_down'
  | 'internal_error';

/** What the customer, or the page for them, can do next. A closed list. */
export type ProblemAction =
  | 'retry'
  | 'restart'
  | 'choose_account'
  | 'use_other_bank'
  | 'use_other_method'
  | 'wait'
  | 'contact_merchant';

/** One wrong field. `path` is dotted (`identity.email`, `accounts.0.id`); empty for the body as a whole. */
export interface FieldError {
  path: string;
  message: string;
}

/** RFC 9457 problem document, sent as `application/problem+json`. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ProblemCode;
  /** Whether sending the same request again can succeed. */
  retryable: boolean;
  action: ProblemAction;
  /** The same as the `X-Request-Id` header; for support. */
  request_id: string;
  /** With `invalid_request`, `invalid_json` and the account codes: which fields. */
  errors?: FieldError[];
  /** With `account_selection_required`: the accounts to choose from. */
  accounts?: SelectableAccount[];
  /** With `authorization_required`: the text that the customer must accept. */
  authorization?: AuthorizationText;
}

export interface SelectableAccount {
  id: string;
  name: string;
  mask: string | null;
  subtype: string | null;
}

export interface AuthorizationText {
  text: string;
  version: string;
  /** Lower-case hex SHA-256 of `text` in UTF-8; sent back on acceptance, so that what was shown is what was accepted. */
  text_sha256: string;
}

export type SessionStatus =
  | 'open'
  | 'processing'
  | 'completed'
  | 'restart_required'
  | 'failed'
  | 'expired'
  | 'canceled';

export type SessionMode = 'connect' | 'repair';

/** Who is asking, and what for: so that the texts around Link can say it. */
export interface SessionPurpose {
  merchant: { name: string };
  purpose: Purpose;
}

/** Permission for one customer to connect a bank. `client_secret` comes only with the 201 of `POST /v1/sessions`. */
export interface Session extends SessionPurpose {
  id: string;
  object: 'session';
  status: SessionStatus;
  mode: SessionMode;
  customer_id: string;
  connections: Connection[];
  error: Problem | null;
  created_at: string;
  expires_at: string;
  client_secret?: string;
}

export type ConnectionStatus =
  | 'pending'
  | 'active'
  | 'pending_verification'
  | 'needs_repair'
  | 'revoked'
  | 'removed'
  | 'failed';

/** One bank account of the customer that became, or is becoming, a funding source. */
export interface Connection {
  id: string;
  object: 'connection';
  status: ConnectionStatus;
  /** Finix's id, `PI…`; null until it exists. */
  payment_instrument: string | null;
  institution: { id: string | null; name: string | null };
  account: { name: string | null; mask: string | null; type: string | null; subtype: string | null };
  created_at: string;
  updated_at: string;
}

/** What only the merchant's server sees, on top of `Connection`. */
export interface MerchantConnection extends Connection {
  customer_id: string;
  /** Of a platform: the merchant that the connection's session was for. */
  merchant_id: string | null;
  finix_identity: string | null;
  previous_payment_instrument: string | null;
  fingerprint: string | null;
  bank_account_validation_check: string | null;
  authorization: AuthorizationReceipt | null;
  metadata: Record<string, string>;
  /** What is known of the account, how, and since when. */
  verification: Verification;
  /** The last debit or payout that came back; null: none has. */
  last_return: LastReturn | null;
}

export type VerificationMethod =
  | 'instant'
  | 'instant_match'
  | 'automated_microdeposits'
  | 'same_day_microdeposits'
  | 'instant_microdeposits'
  | 'database';

/** `unknown`: not asked, not given, or the bank does not have it; never a mismatch. */
export type OwnerMatch = 'match' | 'partial' | 'mismatch' | 'unknown';

export interface Verification {
  /** How the account numbers were verified; null: not known. */
  method: VerificationMethod | null;
  /** Null while the verification is under way. */
  verified_at: string | null;
  holder_category: 'personal' | 'business' | null;
  /** How well the bank's owner fits the session's identity. `status` is that of the name. */
  owner: {
    status: OwnerMatch;
    name: OwnerMatch;
    email: OwnerMatch;
    phone: OwnerMatch;
    address: OwnerMatch;
    /** Null: not asked, or no answer came. */
    checked_at: string | null;
  };
}

/** Proof of an authorization, kept for two years after the connection has ended. The same facts are the same bytes. */
export interface Evidence {
  object: 'evidence';
  connection: string;
  /** Null once the customer is erased. */
  customer_id: string | null;
  purpose: Purpose | null;
  authorization: AuthorizationReceipt | null;
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
  | 'returned_recently'
  | 'needs_repair'
  | 'not_active'
  | 'not_ready'
  | 'owner_mismatch'
  | 'changed_bank'
  // what Plaid says
  | 'insufficient_funds'
  | 'balance_uncertain'
  | 'signal_review'
  | 'signal_reroute'
  | 'signal_no_ruleset'
  | 'login_required'
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

export interface LastReturn {
  /** The ACH return code (`R01`); null where Finix has not told it. */
  code: string | null;
  /** Finix's own code. */
  failure_code: string | null;
  /** The debit that came back. */
  transfer: string;
  /** Minor units. */
  amount: number | null;
  currency: string | null;
  at: string;
}

/** Proof of what the customer accepted; never changed afterwards. */
export interface AuthorizationReceipt {
  text: string;
  version: string;
  text_sha256: string;
  language: string;
  accepted_at: string;
  ip: string | null;
  user_agent: string | null;
}

export interface ConnectionList {
  object: 'list';
  data: MerchantConnection[];
  has_more: boolean;
  /** Give it as `cursor` to get the next page; null on the last. */
  next_cursor: string | null;
}

/** `settlement`: a seller's own account, for a SELLER identity that exists at Finix. */
export type Purpose = 'debit' | 'payout' | 'settlement';
/** What is done with the owner of an account that is being connected: nothing, show how well it fits, or refuse other owners. */
export type Ownership = 'off' | 'report' | 'require';
export type AccountSelection = 'single' | 'multiple';

/** Lengths are Finix's limits, in characters. `country` is ISO 3166-1 alpha-3 (`USA`). */
export interface Address {
  line1?: string;
  line2?: string;
  city?: string;
  region?: string;
  postal_code?: string;
  country?: string;
}

export interface IdentityInput {
  first_name?: string;
  last_name?: string;
  email?: string;
  phone?: string;
  personal_address?: Address;
  business_name?: string;
  doing_business_as?: string;
  business_phone?: string;
  business_address?: Address;
}

export interface CreateSessionRequest {
  customer_id: string;
  finix_identity?: string;
  identity?: IdentityInput;
  purpose?: Purpose;
  ownership?: Ownership;
  account_selection?: AccountSelection;
  language?: string;
  authorization?: { text: string; version: string };
  /** Repair this connection instead of making a new one. */
  connection?: string;
  /** Of a platform: the merchant that this session is for. */
  merchant?: MerchantInput;
  /** Name of a Link customization; PLAID_LINK_CUSTOMIZATION when left out. */
  link_customization?: string;
  /** Exact origins of pages that may use this session, in addition to ALLOWED_ORIGINS. */
  allowed_origins?: string[];
  metadata?: Record<string, string>;
}

/** One of a platform's merchants, as customers see it. */
export interface MerchantInput {
  /** Yours; connections can be listed by it. */
  id: string;
  /** At most 30 characters: Link shows another text in place of a longer name. */
  name: string;
  logo_url?: string;
  /** `#rrggbb`. */
  accent?: string;
  support_url?: string;
}

/** What a page may send in public mode; anything else is refused. */
export interface CreatePublicSessionRequest {
  identity?: { first_name?: string; last_name?: string; email?: string };
  language?: string;
}

export type LinkMode = 'button' | 'embedded' | 'hosted';

/** That the customer agrees to the session's text; the hash says to which. */
export interface AuthorizationAcceptance {
  accepted: boolean;
  text_sha256: string;
}

export interface LinkTokenRequest {
  mode?: LinkMode;
  language?: string;
  return_url?: string;
  /** Given before a Hosted Link is opened, so that it can be finished when the page is gone. */
  authorization?: AuthorizationAcceptance;
}

export interface LinkTokenResponse extends Partial<SessionPurpose> {
  link_token: string;
  expires_at: string;
  hosted_link_url?: string;
  /** With `hosted_link_url`: the text that the customer has yet to accept. */
  authorization?: AuthorizationText;
}

/** In place of the public token of the session's Hosted Link, which Plaid gives to the server only. */
export type HostedPublicToken = 'hosted';

/** How a run of Link ended without a bank, for the audit: Plaid's own ids and words. */
export interface LinkExitRequest {
  link_session_id?: string | null;
  request_id?: string | null;
  institution_id?: string | null;
  /** `metadata.status`, for one `requires_credentials`. */
  status?: string | null;
  error_code?: string | null;
}

/** What Link's `onSuccess` gave, in our words. The server believes only the public token and re-reads everything else. */
export interface CompleteRequest {
  /** Or `HostedPublicToken`. */
  public_token: string;
  accounts: CompleteAccount[];
  institution?: { institution_id?: string | null; name?: string | null } | null;
  link_session_id?: string | null;
  authorization?: AuthorizationAcceptance;
}

export interface CompleteAccount {
  id: string;
  name?: string | null;
  mask?: string | null;
  type?: string | null;
  subtype?: string | null;
  verification_status?: string | null;
}

/** A session in the merchant's view. */
export interface MerchantSession extends Omit<Session, 'connections'> {
  connections: MerchantConnection[];
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

/** A page of a list. Pass `next_cursor` as `cursor` to get the next one; null on the last. */
export interface Page<T> {
  object: 'list';
  data: T[];
  has_more: boolean;
  next_cursor: string | null;
}

/** The body of a webhook to the merchant, signed as Standard Webhooks specifies. `data.updated_at` orders events about one connection. */
export type WebhookEvent = ConnectionEvent | SessionEvent | LinkEvent;

export interface ConnectionEvent {
  type: `connection.${Exclude<ConnectionStatus, 'pending'> | 'returned' | 'changed_bank'}`;
  timestamp: string;
  data: MerchantConnection;
  /** Why the connection has this status, such as Plaid's own code or `return_R01`. */
  reason?: string;
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
