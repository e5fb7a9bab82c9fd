import { z } from 'zod';
import { firstCode, type TagCode, tagCodesIn } from './finix-return-codes.ts';
import { timeOf } from './provider-json.ts';

/**
 * What a Transfer is about. A platform reports thousands that are about none of our customers: no more of them is read.
 */
export interface TransferSides {
  id: string;
  source: string | null;
  destination: string | null;
  /** Of a reversal: the debit that it takes back. */
  parent: string | null;
}

/** The part of a Transfer that is read. Finix documents little about returns, so only the id is required. */
export interface FinixTransfer extends TransferSides {
  /** `DEBIT`, `CREDIT`, `REVERSAL`, … */
  type: string;
  /** `SYSTEM`: made by Finix itself; `API`: by the merchant. */
  subtype: string | null;
  /** `FAILED`, `RETURNED`, … */
  state: string;
  amount: number | null;
  currency: string | null;
  failureCode: string | null;
  /** The ACH return code, from a place that is Finix's own. */
  returnCode: string | null;
  /** Tags with a return code in them, which may be the merchant's. */
  tagCodes: TagCode[];
  isReturned: boolean;
  idempotencyId: string | null;
  /** Values of the tags, by which a merchant may name its own order. */
  tagValues: string[];
  createdAt: number | null;
  updatedAt: number | null;
}

/** Longer ones are none of Finix's. */
const MAX_TEXT = 255;
const MAX_HREF = 2048;
/** A member of another kind than expected is read as none, and does not cost the rest. */
const text = z.string().max(MAX_TEXT).nullish().catch(null);
/** One of Finix's words, which it writes in capital letters. */
const word = z.string().max(MAX_TEXT).toUpperCase().nullish().catch(null);
/** In minor units. A number may be a text. */
const amount = z
  .union([
    z.number().int(),
    z
      .string()
      .regex(/^\d{1,15}$/)
      .transform(Number),
  ])
  .nullish()
  .catch(null);

const nullable = z.string().nullable();
/** As it is kept: what this client itself has made. */
export const transferSchema = z.object({
  id: z.string(),
  type: z.string(),
  subtype: nullable,
  state: z.string(),
  amount: z.number().nullable(),
  currency: nullable,
  source: nullable,
  destination: nullable,
  parent: nullable,
  failureCode: nullable,
  returnCode: nullable,
  // Left out by the version before this one.
  tagCodes: z.array(z.object({ key: z.string(), code: z.string() })).default([]),
  isReturned: z.boolean(),
  idempotencyId: nullable,
  tagValues: z.array(z.string()),
  createdAt: z.number().nullable(),
  updatedAt: z.number().nullable(),
}) satisfies z.ZodType<FinixTransfer>;

/** Requires an id alone, as readSides does. */
export const transferBody = z.object({
  id: z.string().min(1).max(MAX_TEXT),
  source: z.unknown().optional(),
  destination: z.unknown().optional(),
  parent_transfer: z.unknown().optional(),
  _links: z.unknown().optional(),
  type: word,
  subtype: word,
  state: word,
  amount,
  currency: text,
  failure_code: word,
  idempotency_id: text,
  created_at: text,
  updated_at: text,
  tags: z.record(z.string(), z.unknown()).nullish().catch(null),
  messages: z.unknown().optional(),
  raw: z.unknown().optional(),
  bank_return_details: z.unknown().optional(),
  failure_message: z.unknown().optional(),
});

/**
 * Without a schema, which would take as long as everything else that is done about a foreign Transfer.
 * @returns undefined without a readable id
 */
export function readSides(body: unknown): TransferSides | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { id } = body as { id?: unknown };
  return typeof id === 'string' && id !== '' && id.length <= MAX_TEXT ? sidesOf(id, body) : undefined;
}

function sidesOf(id: string, body: object): TransferSides {
  const { source, destination, parent_transfer, _links } = body as Record<string, unknown>;
  return {
    id,
    source: textIn(source) ?? idIn(_links, 'source', 'PI'),
    destination: textIn(destination) ?? idIn(_links, 'destination', 'PI'),
    parent: textIn(parent_transfer) ?? idIn(_links, 'parent', 'TR'),
  };
}

function textIn(value: unknown): string | null {
  return typeof value === 'string' && value.length <= MAX_TEXT ? value : null;
}

/** The id at the end of a link, where the member that has it is left out. */
function idIn(links: unknown, name: 'source' | 'destination' | 'parent', prefix: 'PI' | 'TR'): string | null {
  const { [name]: link } = (links ?? {}) as Record<string, { href?: unknown } | null | undefined>;
  const href = link?.href;
  if (typeof href !== 'string' || href.length > MAX_HREF) return null;
  const id = href.split(/[?#]/)[0]?.split('/').at(-1) ?? '';
  return /^\w{1,64}$/.test(id) && id.startsWith(prefix) ? id : null;
}

/** Only these fields leave the client: `raw` can hold the processor's own record of the account. */
export function toTransfer(body: z.infer<typeof transferBody>): FinixTransfer {
  return {
    ...sidesOf(body.id, body),
    type: body.type ?? '',
    subtype: body.subtype ?? null,
    state: body.state ?? '',
    amount: body.amount ?? null,
    currency: body.currency ?? null,
    failureCode: /^\w{1,64}$/.test(body.failure_code ?? '') ? (body.failure_code ?? null) : null,
    returnCode: firstCode([
      body.failure_code,
      body.bank_return_details,
      body.messages,
      body.raw,
      // A sentence comes last.
      body.failure_message,
    ]),
    tagCodes: tagCodesIn(body.tags),
    isReturned: body.state === 'RETURNED' || !isEmpty(body.bank_return_details),
    idempotencyId: body.idempotency_id ?? null,
    tagValues: Object.values(body.tags ?? {}).filter((value): value is string => typeof value === 'string'),
    createdAt: timeOf(body.created_at),
    updatedAt: timeOf(body.updated_at),
  };
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || (typeof value === 'object' && Object.keys(value).length === 0);
}
