import { type CryptoKey, importJWK } from 'jose';
import { z } from 'zod';
import { UpstreamError } from '../clients/outbound.ts';
import type { PlaidClient } from '../clients/plaid.ts';
import { ProblemError } from '../errors.ts';
import { jsonColumn } from '../storage/json-column.ts';
import type { Storage } from '../storage/open.ts';
import { type RateLimit, takeRateLimit } from '../storage/rate-limit.ts';
import { createPlaidCallers } from './plaid-callers.ts';

/**
 * The keys that Plaid signs webhooks with, asked for once and kept, here and in storage: an attacker who makes up keys
 * may exhaust what is left for new ones, never stop webhooks with a known one.
 */
export interface PlaidKeys {
  /**
   * @param caller whose question it is, for the limit on unknown keys
   * @returns undefined when Plaid does not know the key
   * @throws ProblemError `plaid_unavailable`, UpstreamError while Plaid can't be asked
   */
  find(kid: string, now: number, caller: string): Promise<PlaidKey | undefined>;
  /** Whether Plaid has given it out before, so that asking for it again needs no limit. */
  isKnown(kid: string): Promise<boolean>;
  /** A webhook of this caller was genuine. */
  noteGenuine(caller: string): Promise<void>;
}

export interface PlaidKey {
  key: CryptoKey | Uint8Array;
  /** Milliseconds; null: it is in use. */
  expiredAt: number | null;
}

interface KeptKey extends PlaidKey {
  /** When Plaid is asked again. */
  refreshAt: number;
}

type Answer = Awaited<ReturnType<PlaidClient['getWebhookKey']>>;
type StoredKey = Answer & { refreshAt: number };

const readStoredKey = jsonColumn<StoredKey>(
  'meta.value of a Plaid key',
  z.object({ jwk: z.record(z.string(), z.string()), expiredAt: z.number().nullable(), refreshAt: z.number() }),
);

/** A key that Plaid retires is learned of within this time. */
const REFRESH_MS = 3600_000;
/** While Plaid can't be asked, a known key is good and is asked for again after this long, not with every webhook. */
const RETRY_MS = 60_000;
/** Plaid has a handful of keys and brings a new one now and then; who asks for more makes them up. */
const LOOK_UPS_OF_ONE: RateLimit = { limit: 10, windowMs: 60_000 };
/** What this server may cost Plaid when many callers make up keys: two questions a second. */
const LOOK_UPS_OF_ALL: RateLimit = { limit: 120, windowMs: 60_000 };
/** Kept for addresses of genuine webhooks: a flood from everywhere else can't use it up. Plaid has four of them. */
const LOOK_UPS_OF_PROVEN: RateLimit = { limit: 60, windowMs: 60_000 };
/** Plaid sends a webhook again for 24 hours: a key that was unknown is asked for again well within. */
const UNKNOWN_MS = 60_000;
/** Made-up key ids that are remembered as such; beyond that all are forgotten, and the limits above hold. */
const MAX_UNKNOWN = 1_000;
/** In `meta`: a key is public, so it is stored as it is. */
const PREFIX = 'plaid_webhook_key:';

export function createPlaidKeys({ plaid, storage }: { plaid: PlaidClient; storage: Storage }): PlaidKeys {
  const keys = new Map<string, KeptKey>();
  const callers = createPlaidCallers(storage);
  /** Key id → until when Plaid is not asked for it again: a new key can be a moment ahead of Plaid's own answer. */
  const unknown = new Map<string, number>();
  const asking = new Map<string, Promise<KeptKey | undefined>>();

  async function readStored(kid: string): Promise<KeptKey | undefined> {
    const row = await storage.db
      .selectFrom('meta')
      .select('value')
      .where('key', '=', PREFIX + kid)
      .executeTakeFirst();
    if (!row) return undefined;
    const { jwk, expiredAt, refreshAt } = readStoredKey(row.value);
    return { key: await importJWK(jwk, 'ES256'), expiredAt, refreshAt };
  }

  async function store(kid: string, answer: Answer, refreshAt: number): Promise<void> {
    const value = JSON.stringify({ ...answer, refreshAt } satisfies StoredKey);
    await storage.db
      .insertInto('meta')
      .values({ key: PREFIX + kid, value })
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
      .execute();
  }

  /** @returns undefined when Plaid does not know it */
  async function askPlaid(kid: string, now: number): Promise<KeptKey | undefined> {
    try {
      const answer = await plaid.getWebhookKey(kid);
      const refreshAt = now + REFRESH_MS;
      const key = { key: await importJWK(answer.jwk, 'ES256'), expiredAt: answer.expiredAt, refreshAt };
      await store(kid, answer, refreshAt);
      return key;
    } catch (error) {
      if (!(error instanceof UpstreamError) || error.code !== 'INVALID_WEBHOOK_VERIFICATION_KEY_ID') throw error;
      if (unknown.size >= MAX_UNKNOWN) unknown.clear();
      unknown.set(kid, now + UNKNOWN_MS);
      await storage.db
        .deleteFrom('meta')
        .where('key', '=', PREFIX + kid)
        .execute();
      return undefined;
    }
  }

  async function lookUp(kid: string, now: number, caller: string): Promise<KeptKey | undefined> {
    // Another instance, or this one before its restart, may have asked.
    const known = (await readStored(kid)) ?? keys.get(kid);
    if (known && now < known.refreshAt) return known;
    // Only Plaid makes known keys, so asking for them again needs no limit.
    if (!known) await limit(caller);
    try {
      return await askPlaid(kid, now);
    } catch (error) {
      // Plaid's outage does not make a key bad that was good an hour ago.
      if (known && error instanceof UpstreamError) return { ...known, refreshAt: now + RETRY_MS };
      throw error;
    }
  }

  /** Plaid takes 503 for "send it again", so that a webhook with a new key comes once the flood is over. */
  async function limit(caller: string): Promise<void> {
    const shared = (await callers.isProven(caller))
      ? (['plaid-webhook-key:proven', LOOK_UPS_OF_PROVEN] as const)
      : (['plaid-webhook-key', LOOK_UPS_OF_ALL] as const);
    // The caller's own first: what a caller is refused must not be taken from the others.
    for (const [bucket, rate] of [[`plaid-webhook-key:${caller}`, LOOK_UPS_OF_ONE] as const, shared]) {
      const { allowed, retryAfterSeconds } = await takeRateLimit(storage, bucket, rate);
      if (allowed) continue;
      const detail = 'Too many unknown keys were asked for. Send the webhook again later.';
      throw new ProblemError('plaid_unavailable', { detail, retryAfter: retryAfterSeconds });
    }
  }

  return {
    noteGenuine: (caller) => callers.note(caller),
    isKnown: async (kid) => keys.has(kid) || (await readStored(kid)) !== undefined,
    async find(kid, now, caller) {
      const kept = keys.get(kid);
      if (kept && now < kept.refreshAt) return kept;
      if (now < (unknown.get(kid) ?? 0)) return undefined;
      unknown.delete(kid);
      // Many webhooks with a new key at once are one question.
      const question = asking.get(kid) ?? lookUp(kid, now, caller);
      asking.set(kid, question);
      try {
        const found = await question;
        if (found) keys.set(kid, found);
        else keys.delete(kid);
        return found;
      } finally {
        asking.delete(kid);
      }
    },
  };
}
