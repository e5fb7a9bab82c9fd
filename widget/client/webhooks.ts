import type { WebhookEvent } from '../contract.ts';
import { WebhookError } from './errors.ts';
import { entriesOf } from './http.ts';

/** An event with the id of its delivery: the same event may come twice, with the same id. */
export type ReceivedEvent = WebhookEvent & { id: string };

/** As a framework gives them: `Headers`, or an object whose names are in any case. */
export type WebhookHeaders = Headers | Record<string, string | string[] | undefined>;

export interface ParseWebhookOptions {
  /** How old, or how far ahead, the signature may be; 300 when left out, as Standard Webhooks advises. */
  toleranceSeconds?: number;
}

const TOLERANCE_SECONDS = 300;

/**
 * Verifies a webhook and returns its event.
 *
 * A later version of the server may send types that this one does not name: give a `switch` a `default`.
 * @param rawBody the bytes or text that came, before any parser: the signature covers them exactly
 * @param secret MERCHANT_WEBHOOK_SECRET; a comma-separated list while it is rotated
 * @throws WebhookError; TypeError when an argument is missing
 */
export async function parseWebhook(
  rawBody: string | Uint8Array | ArrayBuffer,
  headers: WebhookHeaders,
  secret: string,
  { toleranceSeconds = TOLERANCE_SECONDS }: ParseWebhookOptions = {},
): Promise<ReceivedEvent> {
  if (typeof rawBody !== 'string' && !(rawBody instanceof ArrayBuffer) && !ArrayBuffer.isView(rawBody)) {
    throw new TypeError('parseWebhook needs the raw body, as text or bytes: read it before a parser does.');
  }
  const keys = await importKeys(secret, 'parseWebhook');
  if (typeof headers !== 'object' || headers === null) {
    throw new TypeError('parseWebhook needs the request’s headers, as Headers or an object.');
  }
  const body = typeof rawBody === 'string' ? rawBody : new TextDecoder().decode(rawBody);
  const [id, timestamp, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) =>
    header(headers, name),
  );
  if (!id || !timestamp || !signatures) {
    throw new WebhookError('missing_headers', 'webhook-id, webhook-timestamp or webhook-signature is missing.');
  }
  const content = encode(`${id}.${timestamp}.${body}`);
  const given = signatures.split(' ').flatMap((part) => (part.startsWith('v1,') ? (decode(part.slice(3)) ?? []) : []));
  const results = await Promise.all(
    keys.flatMap((key) => given.map((signature) => crypto.subtle.verify('HMAC', key, signature, content))),
  );
  if (!results.includes(true)) throw new WebhookError('invalid_signature', 'No signature is valid.');
  const age = Math.abs(Date.now() / 1000 - Number(timestamp));
  // Also when the timestamp is no number.
  if (!(age <= toleranceSeconds))
    throw new WebhookError('outside_tolerance', 'The signature is too old, or a clock is wrong.');
  try {
    return { id, ...JSON.parse(body) };
  } catch {
    throw new WebhookError('invalid_body', 'The body is not JSON.');
  }
}

/** Signs an event as the server does, for tests of a merchant's endpoint. */
export async function signTestWebhook(
  event: WebhookEvent,
  secret: string,
  { id = `msg_${crypto.randomUUID()}`, timestamp = new Date() }: { id?: string; timestamp?: Date } = {},
): Promise<{ body: string; headers: Record<string, string> }> {
  const body = JSON.stringify(event);
  const seconds = String(Math.floor(timestamp.getTime() / 1000));
  const content = encode(`${id}.${seconds}.${body}`);
  const keys = await importKeys(secret, 'signTestWebhook');
  const signatures = await Promise.all(keys.map((key) => crypto.subtle.sign('HMAC', key, content)));
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': seconds,
      'webhook-signature': signatures
        .map((signature) => `v1,${btoa(String.fromCharCode(...new Uint8Array(signature)))}`)
        .join(' '),
    },
  };
}

/** As the server accepts for MERCHANT_WEBHOOK_SECRET: a shorter key can be guessed. */
const LEAST_KEY_BYTES = 24;

function importKeys(secret: unknown, caller: string): Promise<CryptoKey[]> {
  if (typeof secret !== 'string') {
    throw new TypeError(`${caller} was given no secret: set MERCHANT_WEBHOOK_SECRET where this server runs.`);
  }
  const secrets = entriesOf(secret);
  return Promise.all((secrets.length > 0 ? secrets : ['']).map(importKey));
}

function importKey(secret: string): Promise<CryptoKey> {
  const bytes = decode(secret.replace(/^whsec_/, ''));
  if (!bytes || bytes.length < LEAST_KEY_BYTES) {
    throw new WebhookError('invalid_secret', 'The secret must be whsec_ and the base64 of at least 24 bytes.');
  }
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
}

function header(headers: WebhookHeaders, name: string): string | undefined {
  // Not by `instanceof`: frameworks bring their own.
  if (typeof headers.get === 'function') return (headers as Headers).get(name) ?? undefined;
  const value = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return Array.isArray(value) ? value[0] : value;
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function decode(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
