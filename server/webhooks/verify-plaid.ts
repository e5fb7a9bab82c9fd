import { createHash, timingSafeEqual } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { z } from 'zod';
import type { PlaidClient } from '../clients/plaid.ts';
import { parseProviderJson } from '../clients/provider-json.ts';
import { unverifiedWebhook } from '../errors.ts';
import { sha256 } from '../ids.ts';
import { jsonColumn } from '../storage/json-column.ts';
import type { Storage } from '../storage/open.ts';
import { createPlaidKeys } from './plaid-keys.ts';

/** A statement that Plaid has signed: the hash of a body, at a time. */
interface PlaidClaims {
  /** Milliseconds. */
  issuedAt: number;
  /** In hex. */
  bodyHash: string;
}

export interface PlaidVerifier {
  /**
   * Proves that Plaid has signed a webhook just now. The token is a JWT over the body's hash, signed with a key that
   * Plaid names and gives out itself.
   * @param readBody called after the signature was proved, except with a key that Plaid must be asked for: then the
   * body
   * comes first, and what does not fit it is not worth a question
   * @param caller whom to count questions about unknown keys to, such as an address
   * @throws ProblemError `unauthorized`, `plaid_unavailable`; UpstreamError when Plaid can't be asked
   */
  verify(
    token: string | undefined,
    readBody: (isProven: boolean) => Promise<Uint8Array>,
    caller: string,
  ): Promise<PlaidClaims & { body: Uint8Array }>;
}

/** Plaid's own advice: older ones may be replayed. */
const MAX_AGE_MS = 5 * 60_000;
/** How far Plaid's clock may be ahead of ours. */
const CLOCK_MARGIN_S = 60;

export function createPlaidVerifier(deps: { plaid: PlaidClient; storage: Storage }): PlaidVerifier {
  const keys = createPlaidKeys(deps);
  return {
    async verify(token = '', readBody, caller) {
      const now = await deps.storage.now();
      const { kid, ...claims } = readClaims(token, now);
      const isKnown = await keys.isKnown(kid);
      const early = isKnown ? undefined : await readBody(false);
      if (early) requireSignedBody(early, claims);
      const found = await keys.find(kid, now, caller);
      if (!found) throw unverifiedWebhook('The key is unknown.', true);
      if (found.expiredAt !== null && found.expiredAt <= now) throw unverifiedWebhook('The key has expired.', true);
      try {
        await jwtVerify(token, found.key, {
          algorithms: ['ES256'],
          maxTokenAge: MAX_AGE_MS / 1000,
          clockTolerance: CLOCK_MARGIN_S,
          currentDate: new Date(now),
        });
      } catch {
        throw unverifiedWebhook('The signature is not valid.', true);
      }
      const body = early ?? (await readBody(true));
      requireSignedBody(body, claims);
      await keys.noteGenuine(caller);
      return { ...claims, body };
    },
  };
}

function requireSignedBody(body: Uint8Array, { bodyHash }: PlaidClaims): void {
  const hash = createHash('sha256').update(body).digest('hex');
  if (!timingSafeEqual(Buffer.from(bodyHash), Buffer.from(hash))) {
    throw unverifiedWebhook('The body does not match the signature.', true);
  }
}

/**
 * The token's claims, not verified yet. All of it is checked before a key is looked for: what could not be Plaid's by
 * its own words is not worth a question to Plaid. The algorithm comes first, for a key must never be used for another
 * one than its own.
 */
function readClaims(token: string, now: number): PlaidClaims & { kid: string } {
  if (token === '') throw unverifiedWebhook('The Plaid-Verification header is missing.', true);
  const { alg, kid, iat, request_body_sha256: bodyHash } = decode(token);
  const isReadable = typeof kid === 'string' && typeof iat === 'number' && typeof bodyHash === 'string';
  if (!isReadable || alg !== 'ES256' || !KEY_ID.test(kid) || !SHA256.test(bodyHash)) {
    throw unverifiedWebhook('The Plaid-Verification header is not a JWT from Plaid.', true);
  }
  const issuedAt = iat * 1000;
  if (now - issuedAt > MAX_AGE_MS) throw unverifiedWebhook('The signature is too old.', true);
  if (issuedAt - now > CLOCK_MARGIN_S * 1000) throw unverifiedWebhook('The signature is dated in the future.', true);
  return { kid, issuedAt, bodyHash };
}

/** A UUID so far; Plaid does not promise it. */
const KEY_ID = /^[\w-]{16,64}$/;
const SHA256 = /^[0-9a-f]{64}$/;

function decode(token: string): Record<string, unknown> {
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    return { ...decodeJwt(token), alg, kid };
  } catch {
    return {};
  }
}

const fact = z.string().optional();

const plaidFacts = z.object({
  environment: fact,
  item_id: fact,
  /** One account, or all that a DEFAULT_UPDATE names. */
  account_ids: z.array(z.string()).optional(),
  status: fact,
  error_code: fact,
  reason: fact,
  consent_expires_at: fact,
  link_token_hash: fact,
  link_session_id: fact,
  /** When each connection was revoked by an event that is in doubt; see revocations.ts. */
  stopped: z.record(z.string(), z.number()).optional(),
});

/** The members of a webhook that are used. Tokens are not among them, except for the hash of one. */
export type PlaidFacts = z.infer<typeof plaidFacts>;

/** The facts of a stored webhook. */
export const readPlaidFacts = jsonColumn<PlaidFacts>('inbound_events.facts', plaidFacts);

export interface PlaidWebhook {
  /** `ITEM/ERROR` */
  type: string;
  facts: PlaidFacts;
  /** Of a Hosted Link that has succeeded. Secret. */
  publicToken: string | null;
}

// A member of another type is read as none: what it would add is worth less than the event itself.
const text = z.string().max(512).nullish().catch(null);
const texts = z.array(z.string().max(512).nullable().catch(null)).max(1000).nullish().catch(null);
const name = z.string().regex(/^\w{1,64}$/);

const payloadBody = z.looseObject({
  webhook_type: name,
  webhook_code: name,
  environment: text,
  item_id: text,
  account_id: text,
  account_ids_with_new_auth: texts,
  account_ids_with_updated_auth: z.record(z.string().max(512), z.unknown()).nullish().catch(null),
  status: text,
  error: z.looseObject({ error_code: text }).nullish().catch(null),
  reason: text,
  consent_expiration_time: text,
  disconnect_time: text,
  link_token: text,
  link_session_id: text,
  public_token: text,
  public_tokens: texts,
});

/**
 * Never fails: what can't be read is kept by a type of its own, and ignored. Repeating it would not make it readable.
 */
export function readPlaidWebhook(body: Uint8Array): PlaidWebhook {
  const parsed = payloadBody.safeParse(parseProviderJson(new TextDecoder().decode(body)));
  if (!parsed.success) return { type: 'UNREADABLE', facts: {}, publicToken: null };
  const webhook = parsed.data;
  const accounts = [
    ...(webhook.account_id ? [webhook.account_id] : []),
    ...present(webhook.account_ids_with_new_auth),
    ...Object.keys(webhook.account_ids_with_updated_auth ?? {}),
  ];
  return {
    type: typeOf(webhook),
    facts: {
      ...pick('environment', webhook.environment),
      ...pick('item_id', webhook.item_id),
      ...(accounts.length > 0 ? { account_ids: [...new Set(accounts)] } : {}),
      ...pick('status', webhook.status),
      ...pick('error_code', webhook.error?.error_code),
      ...pick('reason', webhook.reason),
      // PENDING_DISCONNECT, of banks in the United States and Canada, has its own name for it.
      ...pick('consent_expires_at', webhook.consent_expiration_time ?? webhook.disconnect_time),
      ...pick('link_token_hash', webhook.link_token ? sha256(webhook.link_token) : undefined),
      ...pick('link_session_id', webhook.link_session_id),
    },
    publicToken: present(webhook.public_tokens)[0] ?? webhook.public_token ?? null,
  };
}

/** A revocation that Plaid reports as the login's error stops debits as fast as one that it reports by its own name. */
function typeOf({ webhook_type, webhook_code, error }: z.infer<typeof payloadBody>): string {
  const type = `${webhook_type}/${webhook_code}`;
  const isRevocation = type === 'ITEM/ERROR' && error?.error_code === 'USER_PERMISSION_REVOKED';
  return isRevocation ? 'ITEM/USER_PERMISSION_REVOKED' : type;
}

function present(given: readonly (string | null)[] | null | undefined): string[] {
  return (given ?? []).filter((one) => one !== null);
}

function pick(key: keyof PlaidFacts, value: string | null | undefined): PlaidFacts {
  return value ? { [key]: value } : {};
}
