import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { type FinixTransfer, toTransfer, transferBody, transferSchema } from '../clients/finix-transfers.ts';
import { parseProviderJson } from '../clients/provider-json.ts';
import { ProblemError } from '../errors.ts';
import { jsonColumn } from '../storage/json-column.ts';

/** Long enough for clocks that differ and a slow network, too short to replay yesterday's. Finix names no number. */
const TOLERANCE_MS = 5 * 60_000;

/**
 * Proves that a webhook is Finix's: `Finix-Signature: timestamp=…, sig=…`, an HMAC over the time and the raw body.
 * @param secrets FINIX_WEBHOOK_SECRET, each valid while it is rotated; an empty list refuses every webhook
 * @throws ProblemError `unauthorized`
 */
export function verifyFinixSignature(
  body: Uint8Array,
  header: string | undefined,
  secrets: string[],
  now: number,
): void {
  if (secrets.length === 0) throw refused('FINIX_WEBHOOK_SECRET is not set, so no webhook can be verified.');
  const parts = new Map((header ?? '').split(',').map((part) => splitPair(part.trim())));
  const timestamp = parts.get('timestamp') ?? '';
  const given = parts.get('sig') ?? '';
  if (!/^\d{1,12}$/.test(timestamp) || !/^[0-9a-f]{64}$/i.test(given)) {
    throw refused('The Finix-Signature header is missing or malformed.');
  }
  const isSignedWith = (secret: string) => {
    const expected = createHmac('sha256', secret).update(`${timestamp}:`).update(body).digest();
    return timingSafeEqual(Buffer.from(given, 'hex'), expected);
  };
  // Compares with every secret, so that the time does not reveal which one was near.
  if (secrets.filter(isSignedWith).length === 0) throw refused('The signature is not valid.');
  if (Math.abs(now - Number(timestamp) * 1000) > TOLERANCE_MS) throw refused('The signature is too old.');
}

export interface FinixFacts {
  /** The payment instrument that it is about. What became of it is asked of Finix itself, so order does not matter. */
  instrument?: string | undefined;
  /** The debit, payout or reversal that it is about, as it was reported: nothing in it ever becomes untrue. */
  transfer?: FinixTransfer | undefined;
}

export const readFinixFacts = jsonColumn<FinixFacts>(
  'inbound_events.facts',
  z.object({ instrument: z.string().optional(), transfer: transferSchema.optional() }),
);

export interface FinixWebhook {
  /** `instrument/updated` */
  type: string;
  /** Finix's id of the event, or the body's hash. */
  key: string;
  /** Payment instruments that it is about. */
  instruments: string[];
  transfers: FinixTransfer[];
}

const utf8 = new TextDecoder();
const name = z
  .string()
  .regex(/^[\w.-]{1,64}$/)
  .toLowerCase();
const eventBody = z.object({
  // Without it the body's hash names the event.
  id: z.string().min(1).max(255).nullish().catch(null),
  type: name,
  entity: name,
  _embedded: z.record(z.string(), z.unknown()).nullish().catch(null),
});
/** One resource an event is what Finix sends. */
const MAX_RESOURCES = 1000;
const resource = z.object({ id: z.string().max(255) });

/** SHA-256 (hex). Not taken of the many that are about others. */
export function bodyHash(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}

/** Never fails, as readPlaidWebhook. */
export function readFinixWebhook(body: Uint8Array): FinixWebhook {
  const parsed = eventBody.safeParse(parseProviderJson(utf8.decode(body)));
  if (!parsed.success) return { type: 'UNREADABLE', key: bodyHash(body), instruments: [], transfers: [] };
  const { id, type, _embedded } = parsed.data;
  const entity = parsed.data.entity.replace(/s$/, '');
  if (entity === 'transfer') {
    return {
      type: `${entity}/${type}`,
      key: id ?? bodyHash(body),
      instruments: [],
      transfers: readTransfers(_embedded),
    };
  }
  // Under which name the resources come is not documented for instruments; their ids show what they are.
  const instruments = resourcesIn(_embedded).flatMap((one) => {
    const { data } = resource.safeParse(one);
    return data?.id.startsWith('PI') ? [data.id] : [];
  });
  const isAboutInstruments = entity.includes('instrument');
  return {
    type: `${entity}/${type}`,
    key: id ?? bodyHash(body),
    instruments: isAboutInstruments ? instruments : [],
    transfers: [],
  };
}

/** One that can't be read is none: repeating it would not make it readable. */
function readTransfers(embedded: Record<string, unknown> | null | undefined): FinixTransfer[] {
  return resourcesIn(embedded).flatMap((one) => {
    const read = transferBody.safeParse(one);
    return read.success ? [toTransfer(read.data)] : [];
  });
}

/** Of all lists in it. One resource may be there without its list. */
function resourcesIn(embedded: Record<string, unknown> | null | undefined): unknown[] {
  return Object.values(embedded ?? {})
    .flat()
    .slice(0, MAX_RESOURCES);
}

function splitPair(part: string): [string, string] {
  const at = part.indexOf('=');
  return at < 0 ? [part, ''] : [part.slice(0, at).trim(), part.slice(at + 1).trim()];
}

function refused(detail: string): ProblemError {
  return new ProblemError('unauthorized', { detail, action: 'contact_merchant' });
}
