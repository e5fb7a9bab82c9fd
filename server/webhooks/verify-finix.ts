import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import {
  type FinixTransfer,
  readSides,
  type TransferSides,
  toTransfer,
  transferBody,
  transferSchema,
} from '../clients/finix-transfers.ts';
import { parseProviderJson } from '../clients/provider-json.ts';
import { unverifiedWebhook } from '../errors.ts';
import { jsonColumn } from '../storage/json-column.ts';

/** Long enough for clocks that differ and a slow network, too short to replay yesterday's. Finix names no number. */
const TOLERANCE_MS = 5 * 60_000;

/** The parts of the header, in either order. */
const TIMESTAMP = /(?:^|,)\s*timestamp\s*=\s*(\d{1,12})\s*(?:,|$)/;
const SIG = /(?:^|,)\s*sig\s*=\s*([0-9a-f]{64})\s*(?:,|$)/i;

/**
 * Proves that a webhook is Finix's: `Finix-Signature: timestamp=…, sig=…`, an HMAC over the time and the raw body.
 * @param secrets FINIX_WEBHOOK_SECRET, each valid while it is rotated; an empty list refuses every webhook
 * @throws ProblemError `unauthorized`
 */
export function verifyFinixSignature(
  body: Uint8Array,
  header: string | undefined = '',
  secrets: string[],
  now: number,
): void {
  if (secrets.length === 0)
    throw unverifiedWebhook('FINIX_WEBHOOK_SECRET is not set, so no webhook can be verified.', false);
  const timestamp = TIMESTAMP.exec(header)?.[1];
  const sig = SIG.exec(header)?.[1];
  if (timestamp === undefined || sig === undefined) {
    throw unverifiedWebhook('The Finix-Signature header is missing or malformed.', false);
  }
  const given = Buffer.from(sig, 'hex');
  const isSignedWith = (secret: string) => {
    const expected = createHmac('sha256', secret).update(`${timestamp}:`).update(body).digest();
    return timingSafeEqual(given, expected);
  };
  // Compares with every secret, so that the time does not reveal which one was near.
  if (secrets.filter(isSignedWith).length === 0) throw unverifiedWebhook('The signature is not valid.', false);
  if (Math.abs(now - Number(timestamp) * 1000) > TOLERANCE_MS)
    throw unverifiedWebhook('The signature is too old.', false);
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
  transfers: ReportedTransfer[];
}

/** Most are about the merchant's other customers, and never read whole. */
export interface ReportedTransfer {
  sides: TransferSides;
  read(): FinixTransfer;
}

const utf8 = new TextDecoder();
/** Longer ids are none of Finix's. */
const MAX_ID = 255;
/** One resource an event is what Finix sends. */
const MAX_RESOURCES = 1000;

/** SHA-256 (hex). Not taken of the many that are about others. */
export function bodyHash(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}

/**
 * Never fails, as readPlaidWebhook. Without a schema, which would take as long as everything else that is done about
 * the many that are none of ours.
 */
export function readFinixWebhook(body: Uint8Array): FinixWebhook {
  const event = membersOf(parseProviderJson(utf8.decode(body)));
  const [type, named] = [nameIn(event['type']), nameIn(event['entity'])];
  const id = event['id'];
  const key = typeof id === 'string' && id !== '' && id.length <= MAX_ID ? id : bodyHash(body);
  if (type === undefined || named === undefined) {
    return { type: 'UNREADABLE', key: bodyHash(body), instruments: [], transfers: [] };
  }
  const entity = named.replace(/s$/, '');
  const resources = resourcesIn(membersOf(event['_embedded']));
  return {
    type: `${entity}/${type}`,
    key,
    // Under which name the resources come is not documented for instruments; their ids show what they are.
    instruments: entity.includes('instrument') ? resources.flatMap(instrumentIn) : [],
    transfers: entity === 'transfer' ? resources.flatMap(transferIn) : [],
  };
}

function membersOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function nameIn(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) ? value.toLowerCase() : undefined;
}

/** Of all lists in it. One resource may be there without its list. */
function resourcesIn(embedded: Record<string, unknown>): unknown[] {
  return Object.values(embedded).flat().slice(0, MAX_RESOURCES);
}

function instrumentIn(one: unknown): string[] {
  const { id } = membersOf(one);
  return typeof id === 'string' && id.length <= MAX_ID && id.startsWith('PI') ? [id] : [];
}

/** One that can't be read is none: repeating it would not make it readable. */
function transferIn(one: unknown): ReportedTransfer[] {
  const sides = readSides(one);
  return sides ? [{ sides, read: () => toTransfer(transferBody.parse(one)) }] : [];
}
