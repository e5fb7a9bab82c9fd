import { createHash, randomBytes, randomUUID } from 'node:crypto';

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
// Finix's ids leave out the characters that people confuse.
const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

function pick(alphabet: string, length: number, bytes: Uint8Array = randomBytes(length)): string {
  let text = '';
  for (let i = 0; i < length; i++) text += alphabet[(bytes[i] ?? 0) % alphabet.length];
  return text;
}

/** Plaid's ids of Items and accounts have 37 characters. */
export const plaidId = (): string => pick(ALPHANUMERIC, 37);

/** Plaid's request ids have 15 characters. */
export const plaidRequestId = (): string => pick(ALPHANUMERIC, 15);

/** `link-sandbox-…`, `public-sandbox-…`, `access-sandbox-…`, `processor-sandbox-…`. */
export const plaidToken = (kind: 'link' | 'public' | 'access' | 'processor'): string =>
  `${kind}-sandbox-${randomUUID()}`;

export type FinixPrefix = 'AP' | 'ID' | 'PI' | 'TR' | 'US';

/** Finix's ids: a two-letter prefix and 22 characters. */
export const finixId = (prefix: FinixPrefix): string => `${prefix}${pick(BASE58, 22)}`;

/** Finix's trace ids of transfers have six digits here. */
export const traceId = (): string => pick('0123456789', 6);

/** The same account gives the same fingerprint, whichever identity it belongs to. */
export function fingerprintOf(routing: string, account: string): string {
  const digest = createHash('sha256').update(`${routing}:${account}`).digest();
  return `FPR${pick(BASE58, 22, digest)}`;
}

/** Names the same account across Items, at the banks that have it; 64 hexadecimal characters as Plaid's. */
export function persistentAccountId(institution: string, account: string): string {
  return createHash('sha256').update(`${institution}:${account}`).digest('hex');
}

/** A time as both providers write it. */
export const iso = (ms: number): string => new Date(ms).toISOString();

/** Standard base64 with padding, without Node's Buffer: the simulator runs in browsers, too. */
export function base64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
