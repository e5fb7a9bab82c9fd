import type { z } from 'zod';
import type { ProblemCode } from '../../../widget/contract.ts';
import type { wireSchemas } from '../response-schemas.ts';

export type SchemaName = keyof typeof wireSchemas;

type MediaType = 'text/plain' | 'image/png' | 'image/svg+xml' | 'text/html';

/** Groups of calls, with what a reader finds there. */
export const TAGS = {
  Sessions: 'One permission for one customer to connect a bank: created by your server, used by the page.',
  Connections: 'One bank account of a customer that became, or is becoming, a Finix payment instrument.',
  Links: 'An address to send to one customer, who connects a bank behind it without a page of yours.',
  Customers: 'What is kept about a customer.',
  Audit: 'Who did what, and when.',
  'Webhook deliveries': 'The webhooks to your server: their status, and sending one again.',
  'Provider webhooks': 'Called by Plaid and Finix, not by you.',
  Operations: 'For load balancers, orchestrators and monitoring.',
} as const;

export interface Operation {
  /** `operationId`: the method's name in a generated client. Never changed once it is released. */
  id: string;
  tag: keyof typeof TAGS;
  method: 'get' | 'post' | 'delete';
  path: string;
  who: 'merchant' | 'page' | 'merchant or page' | 'anyone';
  /** A few words, as a heading. */
  summary: string;
  description?: string;
  /** Whether it takes `Idempotency-Key`. */
  isIdempotent?: true;
  /** Headers that prove who calls, where that is no bearer token. */
  proof?: Record<string, string>;
  /** The body; of several, the first is a server's. */
  requests?: SchemaName[];
  /** Sent by others, in a shape of theirs. */
  foreignBody?: true;
  /** `optional`: the call has a meaning without a body. */
  body?: 'optional';
  /** The name of a schema, or the media type of an answer that is no JSON. */
  answers: Record<number, SchemaName | MediaType | 'nothing'>;
  /** Another form of an answer that is JSON, for callers whose `Accept` prefers it. */
  form?: MediaType;
  query?: z.ZodObject;
  /** The problems of this call, in addition to those of every call of its kind. */
  problems?: ProblemCode[];
}

export const PROVIDER_PROBLEMS: ProblemCode[] = ['plaid_unavailable', 'provider_misconfigured', 'bank_unavailable'];
export const CLOSED_SESSION: ProblemCode[] = [
  'session_already_completed',
  'session_busy',
  'session_canceled',
  'session_expired',
  'session_failed',
];
