import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { CompactSign, calculateJwkThumbprint, type JWK } from 'jose';
import { z } from 'zod';
import { jsonColumn } from '../storage/json-column.ts';
import type { Storage } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';

/** Signs evidence with Ed25519, whose signatures are the same for the same text. */
export interface EvidenceKeys {
  /** A compact JWS over the text. */
  sign(text: string): Promise<string>;
  /** Every key that has ever signed: a JWKS. */
  published(): Promise<{ keys: JWK[] }>;
}

/** The bytes before the seed in a PKCS #8 key of Ed25519 (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

const readJwk = jsonColumn<JWK>(
  'evidence_keys.public_jwk',
  z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() }),
);

interface Signer {
  id: string;
  key: KeyObject;
  jwk: JWK;
}

/** @param seeds base64 of 32 bytes, the first signs; none: one is made, and kept sealed in the database */
export function createEvidenceKeys(storage: Storage, secrets: Secrets, seeds: readonly string[]): EvidenceKeys {
  let loading: Promise<Signer> | undefined;

  async function load(): Promise<Signer> {
    const given = await Promise.all(seeds.map((seed) => signerOf(Buffer.from(seed, 'base64'))));
    for (const signer of given) await remember(signer, null);
    return given[0] ?? own();
  }

  async function remember({ id, jwk }: Signer, sealed: string | null): Promise<void> {
    const created_at = await storage.now();
    await storage.db
      .insertInto('evidence_keys')
      .values({ id, public_jwk: JSON.stringify(jwk), private_enc: sealed, created_at })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
  }

  /** One for all instances: of several that start together the first one's is used. */
  async function own(): Promise<Signer> {
    const made = await signerOf(randomBytes(32));
    const where = (id: string) => ({ table: 'evidence_keys', row: id, column: 'private_enc' });
    // Before the transaction, which the question for the database's time would otherwise be asked past.
    const created_at = await storage.now();
    return storage.transaction('keys', async (trx) => {
      const known = await trx
        .selectFrom('evidence_keys')
        .select(['id', 'private_enc'])
        .where('private_enc', 'is not', null)
        .orderBy('created_at')
        .executeTakeFirst();
      if (known?.private_enc) return signerOf(Buffer.from(secrets.open(known.private_enc, where(known.id)), 'base64'));
      const seed = made.key.export({ format: 'der', type: 'pkcs8' }).subarray(-32).toString('base64');
      await trx
        .insertInto('evidence_keys')
        .values({
          id: made.id,
          public_jwk: JSON.stringify(made.jwk),
          private_enc: secrets.seal(seed, where(made.id)),
          created_at,
        })
        .execute();
      return made;
    });
  }

  function signer(): Promise<Signer> {
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  }

  return {
    async sign(text) {
      const { id, key } = await signer();
      return new CompactSign(new TextEncoder().encode(text))
        .setProtectedHeader({ alg: 'EdDSA', kid: id, typ: 'evidence+json' })
        .sign(key);
    },
    async published() {
      await signer();
      const rows = await storage.db.selectFrom('evidence_keys').select(['id', 'public_jwk']).orderBy('id').execute();
      return {
        keys: rows.map(({ id, public_jwk }) => ({ ...readJwk(public_jwk), kid: id, alg: 'EdDSA', use: 'sig' })),
      };
    },
  };
}

async function signerOf(seed: Buffer): Promise<Signer> {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const { kty, crv, x } = createPublicKey(key).export({ format: 'jwk' });
  const jwk: JWK = { kty: kty ?? '', crv: crv ?? '', x: x ?? '' };
  return { id: await calculateJwkThumbprint(jwk), key, jwk };
}
