import { createHash, timingSafeEqual } from 'node:crypto';
import { type CryptoKey, decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { z } from 'zod';
import { UpstreamError } from '../clients/outbound.ts';
import type { PlaidClient } from '../clients/plaid.ts';
import { ProblemError } from '../errors.ts';
import { sha256 } from '../ids.ts';
import type { Storage } from '../storage/open.ts';
import { type RateLimit, takeRateLimit } from '../storage/rate-limit.ts';

/** Proves that a webhook is Plaid's: a JWT over the body's hash, signed with a key that Plaid names and gives out itself. */
export interface PlaidVerifier {
  /**
   * @returns when it was signed (milliseconds) and the body's hash
   * @throws ProblemError `unauthorized` for whatever Plaid has not signed just now, `rate_limited`; UpstreamError when Plaid can't be asked
   */
  verify(body: Uint8Array, token: string | undefined): Promise<{ issuedAt: number; bodyHash: string }>;
}

/** Plaid's own advice: older ones may be replayed. */
const MAX_AGE_MS = 5 * 60_000;
/** How far Plaid's clock may be ahead of ours. */
const CLOCK_MARGIN_S = 60;
/** A key that Plaid retires is learned of within this time. */
const REFRESH_MS = 3600_000;
/** Plaid has a handful of keys; who asks for more makes them up. */
const LOOK_UPS: RateLimit = { limit: 20, windowMs: 60_000 };
/** Made-up key ids that are remembered as such; beyond that all are forgotten, and the limit above holds. */
const MAX_UNKNOWN = 1_000;

interface KnownKey {
  key: CryptoKey | Uint8Array;
  expiredAt: number | null;
  fetchedAt: number;
}

export function createPlaidVerifier({ plaid, storage }: { plaid: PlaidClient; storage: Storage }): PlaidVerifier {
  const keys = new Map<string, KnownKey>();
  const unknown = new Set<string>();
  const asking = new Map<string, Promise<KnownKey>>();

  async function findKey(kid: string, now: number): Promise<KnownKey> {
    const known = keys.get(kid);
    if (known && now - known.fetchedAt < REFRESH_MS) return known;
    if (unknown.has(kid)) throw refused('The key is not known.');
    try {
      // Many webhooks with a new key at once are one question.
      const question = asking.get(kid) ?? askPlaid(kid, now);
      asking.set(kid, question);
      return await question;
    } catch (error) {
      // Plaid's outage does not make a key bad that was good an hour ago.
      if (known && error instanceof UpstreamError && error.failure !== 'refused') return known;
      throw error;
    } finally {
      asking.delete(kid);
    }
  }

  async function askPlaid(kid: string, now: number): Promise<KnownKey> {
    const { allowed, retryAfterSeconds } = await takeRateLimit(storage, 'plaid-webhook-key', LOOK_UPS);
    if (!allowed) throw new ProblemError('rate_limited', { retryAfter: retryAfterSeconds });
    try {
      const { jwk, expiredAt } = await plaid.getWebhookKey(kid);
      const key: KnownKey = { key: await importJWK(jwk, 'ES256'), expiredAt, fetchedAt: now };
      keys.set(kid, key);
      return key;
    } catch (error) {
      if (!(error instanceof UpstreamError) || error.failure !== 'refused') throw error;
      if (unknown.size >= MAX_UNKNOWN) unknown.clear();
      unknown.add(kid);
      keys.delete(kid);
      throw refused('The key is not known.');
    }
  }

  return {
    async verify(body, token) {
      const now = await storage.now();
      const { key, expiredAt } = await findKey(keyIdOf(token), now);
      if (expiredAt !== null && expiredAt <= now) throw refused('The key has expired.');
      let payload: { iat?: number; request_body_sha256?: unknown };
      try {
        ({ payload } = await jwtVerify(token ?? '', key, {
          algorithms: ['ES256'],
          maxTokenAge: MAX_AGE_MS / 1000,
          clockTolerance: CLOCK_MARGIN_S,
          currentDate: new Date(now),
        }));
      } catch {
        throw refused('The signature is not valid.');
      }
      const issuedAt = (payload.iat ?? 0) * 1000;
      // The margin above is for clocks that run ahead, not for older signatures.
      if (now - issuedAt > MAX_AGE_MS) throw refused('The signature is too old.');
      const bodyHash = createHash('sha256').update(body).digest('hex');
      const signedHash = Buffer.from(String(payload.request_body_sha256));
      const hash = Buffer.from(bodyHash);
      if (signedHash.length !== hash.length || !timingSafeEqual(signedHash, hash)) {
        throw refused('The body is not the one that was signed.');
      }
      return { issuedAt, bodyHash };
    },
  };
}

/** The algorithm is checked before anything else: a key must never be used for another one than its own. */
function keyIdOf(token: string | undefined): string {
  if (token === undefined) throw refused('The Plaid-Verification header is missing.');
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    if (alg === 'ES256' && typeof kid === 'string' && /^[\w-]{1,128}$/.test(kid)) return kid;
  } catch {
    // Falls through to the same refusal.
  }
  throw refused('The Plaid-Verification header is not a JWT of Plaid’s.');
}

function refused(detail: string): ProblemError {
  return new ProblemError('unauthorized', { detail, action: 'contact_merchant' });
}

/** What of a webhook is used, by name. Tokens are not among it, but for the hash of one. */
export interface PlaidFacts {
  environment?: string;
  item_id?: string;
  /** One account, or all that a DEFAULT_UPDATE names. */
  account_ids?: string[];
  status?: string;
  error_code?: string;
  reason?: string;
  link_token_hash?: string;
  link_session_id?: string;
}

export interface PlaidWebhook {
  /** `ITEM/ERROR` */
  type: string;
  facts: PlaidFacts;
  /** Of a Hosted Link that has succeeded. Secret. */
  publicToken: string | null;
}

const text = z.string().max(512).nullish();
const texts = z.array(z.string().max(512)).max(1000).nullish();
const name = z.string().regex(/^\w{1,64}$/);

const payloadBody = z.looseObject({
  webhook_type: name,
  webhook_code: name,
  environment: text,
  item_id: text,
  account_id: text,
  account_ids_with_new_auth: texts,
  account_ids_with_updated_auth: z.record(z.string().max(512), z.unknown()).nullish(),
  status: text,
  error: z.looseObject({ error_code: text }).nullish(),
  reason: text,
  link_token: text,
  link_session_id: text,
  public_token: text,
  public_tokens: texts,
});

/** Never fails: what can't be read is kept by a type of its own, and ignored. Repeating it would not make it readable. */
export function readPlaidWebhook(body: Uint8Array): PlaidWebhook {
  const parsed = payloadBody.safeParse(parseJson(body));
  if (!parsed.success) return { type: 'UNREADABLE', facts: {}, publicToken: null };
  const webhook = parsed.data;
  const accounts = [
    ...(webhook.account_id ? [webhook.account_id] : []),
    ...(webhook.account_ids_with_new_auth ?? []),
    ...Object.keys(webhook.account_ids_with_updated_auth ?? {}),
  ];
  return {
    type: `${webhook.webhook_type}/${webhook.webhook_code}`,
    facts: {
      ...pick('environment', webhook.environment),
      ...pick('item_id', webhook.item_id),
      ...(accounts.length > 0 ? { account_ids: [...new Set(accounts)] } : {}),
      ...pick('status', webhook.status),
      ...pick('error_code', webhook.error?.error_code),
      ...pick('reason', webhook.reason),
      ...pick('link_token_hash', webhook.link_token ? sha256(webhook.link_token) : undefined),
      ...pick('link_session_id', webhook.link_session_id),
    },
    publicToken: webhook.public_tokens?.[0] ?? webhook.public_token ?? null,
  };
}

function pick(key: keyof PlaidFacts, value: string | null | undefined): PlaidFacts {
  return value ? { [key]: value } : {};
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
