/** A bank account of a customer, as the page and the merchant see it. */

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
  /** When the customer's consent ends at the bank; null: no end is known. */
  consent_expires_at: string | null;
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
  /** Null while the verification is in progress. */
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

export interface LastReturn {
  /** The ACH return code (`R01`); null where Finix has not reported it. */
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

/** A page of a list. Pass `next_cursor` as `cursor` to get the next one; null on the last. */
export interface Page<T> {
  object: 'list';
  data: T[];
  has_more: boolean;
  next_cursor: string | null;
}
