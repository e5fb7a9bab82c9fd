import { z } from 'zod';
import type { LastReturn, OwnerMatch, Verification, VerificationMethod } from '../../widget/contract.ts';
import type { OwnerScores } from '../clients/plaid-risk.ts';
import { iso } from '../ids.ts';
import { jsonColumn } from '../storage/json-column.ts';
import type { ConnectionTable } from '../storage/tables.ts';

/**
 * What is known of an account: how its numbers were verified, and how well its owner fits the session's identity. Never
 * a name.
 */

/** How well one field of the owner fits the session's identity. */
export const ownerMatch = z.enum(['match', 'partial', 'mismatch', 'unknown']);
/** How an account's numbers were verified. */
export const verificationMethod = z.enum([
  'instant',
  'instant_match',
  'automated_microdeposits',
  'same_day_microdeposits',
  'instant_microdeposits',
  'database',
]);
export const holderCategory = z.enum(['personal', 'business']);
const verification = z.object({
  method: verificationMethod.nullable(),
  verified_at: z.string().nullable(),
  holder_category: holderCategory.nullable(),
  owner: z.object({
    status: ownerMatch,
    name: ownerMatch,
    email: ownerMatch,
    phone: ownerMatch,
    address: ownerMatch,
    checked_at: z.string().nullable(),
  }),
}) satisfies z.ZodType<Verification>;

const lastReturn = z.object({
  code: z.string().nullable(),
  failure_code: z.string().nullable(),
  transfer: z.string(),
  amount: z.number().nullable(),
  currency: z.string().nullable(),
  at: z.string(),
}) satisfies z.ZodType<LastReturn>;

const readColumn = jsonColumn<Verification>('connections.verification', verification);
const readLastReturn = jsonColumn<LastReturn>('connections.last_return', lastReturn);

const UNKNOWN_OWNER: Verification['owner'] = {
  status: 'unknown',
  name: 'unknown',
  email: 'unknown',
  phone: 'unknown',
  address: 'unknown',
  checked_at: null,
};

const NOTHING_KNOWN: Verification = {
  method: null,
  verified_at: null,
  holder_category: null,
  owner: UNKNOWN_OWNER,
};

export function verificationOf(row: Pick<ConnectionTable, 'verification'>): Verification {
  return row.verification === null ? NOTHING_KNOWN : readColumn(row.verification);
}

/** Whether a session that requires the owner may end with this connection. */
export function isOwnedAsRequired(row: Pick<ConnectionTable, 'verification'>): boolean {
  const { status } = verificationOf(row).owner;
  return status === 'match' || status === 'partial';
}

export function lastReturnOf(row: Pick<ConnectionTable, 'last_return'>): LastReturn | null {
  return row.last_return === null ? null : readLastReturn(row.last_return);
}

/**
 * Plaid's words for how the numbers of an Item were set. Not among them: numbers that came from another integration.
 */
const METHODS: Record<string, VerificationMethod> = {
  INSTANT_AUTH: 'instant',
  INSTANT_MATCH: 'instant_match',
  AUTOMATED_MICRODEPOSITS: 'automated_microdeposits',
  SAME_DAY_MICRODEPOSITS: 'same_day_microdeposits',
  INSTANT_MICRODEPOSITS: 'instant_microdeposits',
  DATABASE_MATCH: 'database',
  DATABASE_INSIGHTS: 'database',
};

/** The account's own status, where the Item has none. */
const METHODS_BY_STATUS: Record<string, VerificationMethod> = {
  automatically_verified: 'automated_microdeposits',
  pending_automatic_verification: 'automated_microdeposits',
  manually_verified: 'same_day_microdeposits',
  pending_manual_verification: 'same_day_microdeposits',
  database_matched: 'database',
  database_insights_pass: 'database',
};

interface ReadAccount {
  authMethod: string | null;
  verificationStatus: string | null;
  holderCategory: string | null;
  isVerified: boolean;
}

/** Plaid's data of the account as it is read, over what was known before. */
export function readVerification(account: ReadAccount, now: number, before?: Verification): Verification {
  const { authMethod, verificationStatus, holderCategory, isVerified } = account;
  const method = METHODS[authMethod ?? ''] ?? METHODS_BY_STATUS[verificationStatus ?? ''] ?? null;
  return {
    method: method ?? before?.method ?? null,
    verified_at: isVerified ? iso(now) : null,
    holder_category: holderOf(holderCategory) ?? before?.holder_category ?? null,
    owner: before?.owner ?? UNKNOWN_OWNER,
  };
}

/** Plaid also has `unrecognized`, which means nothing here. */
function holderOf(category: string | null): Verification['holder_category'] {
  return category === 'personal' || category === 'business' ? category : null;
}

/**
 * From which score on a field matches, and from which on it matches in part. Plaid's bands (plaid.com/docs/identity,
 * October 2026): a name from 85 on is a strong match and from 70 on a partial one; of an email address or a phone
 * number only 100 is the same one; an address counts as strong from 90 on.
 */
const BANDS: Record<keyof OwnerScores, { match: number; partial: number }> = {
  name: { match: 85, partial: 70 },
  email: { match: 100, partial: 70 },
  phone: { match: 100, partial: 70 },
  address: { match: 90, partial: 70 },
};

/** Each field for itself: none weakens another. */
export function ownerOf(scores: OwnerScores, now: number): Verification['owner'] {
  const name = band('name', scores.name);
  return {
    status: name,
    name,
    email: band('email', scores.email),
    phone: band('phone', scores.phone),
    address: band('address', scores.address),
    checked_at: iso(now),
  };
}

function band(field: keyof OwnerScores, score: number | null): OwnerMatch {
  if (score === null) return 'unknown';
  if (score >= BANDS[field].match) return 'match';
  return score >= BANDS[field].partial ? 'partial' : 'mismatch';
}
