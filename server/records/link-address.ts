import { timingSafeEqual } from 'node:crypto';
import type { Secrets } from '../storage/secrets.ts';

/**
 * The address of a link: `/c/` and 43 base64url characters, the 16 bytes of its id and 16 bytes that only a holder of
 * the encryption key can derive from them. So nothing of the address is stored, and an invented one is refused without
 * asking the database.
 */
export function linkPath(secrets: Secrets, link: { id: string; secret_key_id: string }): string {
  const proof = secrets.deriveLinkProof(link.id, link.secret_key_id);
  return `/c/${Buffer.concat([idBytes(link.id), proof]).toString('base64url')}`;
}

/** The link's whole address. Derived, so that a repeated request returns it again although it is not stored. */
export function linkUrl(
  { publicUrl }: { publicUrl: string },
  secrets: Secrets,
  link: { id: string; secret_key_id: string },
): string {
  return publicUrl + linkPath(secrets, link);
}

/** @returns the id of the link and of the key that its address was derived with; undefined: not an address of ours */
export function parseLinkToken(secrets: Secrets, token: string): { id: string; keyId: string } | undefined {
  if (!/^[\w-]{43}$/.test(token)) return undefined;
  const bytes = Buffer.from(token, 'base64url');
  // The last character has bits to spare: only one of its spellings is the address.
  if (bytes.length !== 32 || bytes.toString('base64url') !== token) return undefined;
  const id = `lnk_${bytes.subarray(0, 16).toString('hex')}`;
  const given = bytes.subarray(16);
  // Compares with every key, so that the time does not show which one was right.
  const [keyId] = secrets.keyIds.filter((key) => timingSafeEqual(secrets.deriveLinkProof(id, key), given));
  return keyId === undefined ? undefined : { id, keyId };
}

function idBytes(id: string): Buffer {
  return Buffer.from(id.slice('lnk_'.length), 'hex');
}
