import type { Connection, MerchantConnection } from './connection.ts';
import type { AuthorizationText, Problem } from './problem.ts';

/** Sessions, and what pages and merchants send about them. */

export type SessionStatus =
  | 'open'
  | 'processing'
  | 'completed'
  | 'restart_required'
  | 'failed'
  | 'expired'
  | 'canceled';

export type SessionMode = 'connect' | 'repair';

/** Who is asking, and what for: named in the texts around Link. */
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
  /** Orders events about one session. */
  updated_at: string;
  expires_at: string;
  client_secret?: string;
}

/** `settlement`: a seller's own account, for a SELLER identity that exists at Finix. */
export type Purpose = 'debit' | 'payout' | 'settlement';
/**
 * What is done with the owner of an account that is being connected: nothing, show how well it fits, or refuse other
 * owners.
 */
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

/** That the customer agrees to the session's text; the hash names which. */
export interface AuthorizationAcceptance {
  accepted: boolean;
  text_sha256: string;
}

/** A native app, in place of a page. */
export type AppPlatform = 'ios' | 'android' | 'react_native';

export interface LinkTokenRequest {
  mode?: LinkMode;
  language?: string;
  /** Where a Hosted Link leads to at its end: a page on an allowed origin, or for an app an address of NATIVE_APPS. */
  return_url?: string;
  platform?: AppPlatform;
  /** iOS: the app's universal link, one of NATIVE_APPS. */
  redirect_uri?: string;
  /** Android: the app's package name, one of NATIVE_APPS. */
  android_package_name?: string;
  /** Given before a Hosted Link is opened, so that it can be finished when the page is gone. */
  authorization?: AuthorizationAcceptance;
}

export interface LinkTokenResponse extends Partial<SessionPurpose> {
  /** The customer is asked to connect again, or another account, because a payment with the last one was returned. */
  returned?: boolean;
  /** In a repair session: the connection to sign in to again. */
  repair?: Connection;
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

/**
 * What Link's `onSuccess` gave, in our words. The server believes only the public token and re-reads everything else.
 */
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
