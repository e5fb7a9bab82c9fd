import { z } from 'zod';
import { firstCode, type TagCode, tagCodesIn } from './finix-return-codes.ts';

/** The part of a Transfer that is read. Finix documents little about returns, so only the id is required. */
export interface FinixTransfer {
  id: string;
  /** `DEBIT`, `CREDIT`, `REVERSAL`, … */
  type: string;
  /** `SYSTEM`: made by Finix itself; `API`: by the merchant. */
  subtype: string | null;
  /** `FAILED`, `RETURNED`, … */
  state: string;
  amount: number | null;
  currency: string | null;
  source: string | null;
  destination: string | null;
  /** Of a reversal: the debit that it takes back. */
  parent: string | null;
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

/** A member of another kind than expected is read as none, and does not cost the rest. */
const text = z.string().max(255).nullish().catch(null);
/** One of Finix's words, which it writes in capital letters. */
const word = z.string().max(255).toUpperCase().nullish().catch(null);
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
const link = z
  .object({ href: z.string().max(2048) })
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

export const transferBody = z.object({
  id: z.string().min(1).max(255),
  type: word,
  subtype: word,
  state: word,
  amount,
  currency: text,
  source: text,
  destination: text,
  parent_transfer: text,
  failure_code: word,
  idempotency_id: text,
  created_at: text,
  updated_at: text,
  tags: z.record(z.string(), z.unknown()).nullish().catch(null),
  messages: z.unknown().optional(),
  raw: z.unknown().optional(),
  bank_return_details: z.unknown().optional(),
  failure_message: z.unknown().optional(),
  _links: z.object({ source: link, destination: link, parent: link }).nullish().catch(null),
});

/** Only these fields leave the client: `raw` can hold the processor's own record of the account. */
export function toTransfer(body: z.infer<typeof transferBody>): FinixTransfer {
  return {
    id: body.id,
    type: body.type ?? '',
    subtype: body.subtype ?? null,
    state: body.state ?? '',
    amount: body.amount ?? null,
    currency: body.currency ?? null,
    source: body.source ?? idIn(body._links?.source, 'PI'),
    destination: body.destination ?? idIn(body._links?.destination, 'PI'),
    parent: body.parent_transfer ?? idIn(body._links?.parent, 'TR'),
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

/** The id at the end of a link, where the member that has it is left out. */
function idIn(link: { href: string } | null | undefined, prefix: 'PI' | 'TR'): string | null {
  const id = link?.href.split(/[?#]/)[0]?.split('/').at(-1) ?? '';
  return /^\w{1,64}$/.test(id) && id.startsWith(prefix) ? id : null;
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || (typeof value === 'object' && Object.keys(value).length === 0);
}

function timeOf(value: string | null | undefined): number | null {
  const ms = Date.parse(value ?? '');
  return Number.isNaN(ms) ? null : ms;
}
