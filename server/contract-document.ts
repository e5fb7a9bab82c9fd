import { z } from 'zod';
import type { Connection, ConnectionList, MerchantConnection, Problem, Session } from '../widget/contract.ts';
import { listProblems } from './errors.ts';
import { completeRequest, createPublicSession, createSession, linkTokenRequest } from './schemas.ts';

/** The wire contract as OpenAPI 3.1, made from the schemas that requests are parsed with, so that it can't say anything else. */

const text = z.string();
const time = z.iso.datetime();

const fieldError = z.strictObject({ path: text, message: text });

const problem = z.strictObject({
  type: text,
  title: text,
  status: z.int(),
  detail: text,
  code: z.enum(listProblems().map(({ code }) => code) as [Problem['code'], ...Problem['code'][]]),
  retryable: z.boolean(),
  action: z.enum([
    'retry',
    'restart',
    'choose_account',
    'use_other_bank',
    'use_other_method',
    'wait',
    'contact_merchant',
  ]),
  request_id: text,
  errors: z.array(fieldError).optional(),
  accounts: z
    .array(z.strictObject({ id: text, name: text, mask: text.nullable(), subtype: text.nullable() }))
    .optional(),
  authorization: z.strictObject({ text, version: text, text_sha256: text }).optional(),
}) satisfies z.ZodType<Problem>;

const connectionFields = {
  id: text,
  object: z.literal('connection'),
  status: z.enum(['pending', 'active', 'pending_verification', 'needs_repair', 'revoked', 'removed', 'failed']),
  payment_instrument: text.nullable(),
  institution: z.strictObject({ id: text.nullable(), name: text.nullable() }),
  account: z.strictObject({
    name: text.nullable(),
    mask: text.nullable(),
    type: text.nullable(),
    subtype: text.nullable(),
  }),
  created_at: time,
  updated_at: time,
};

const connection = z.strictObject(connectionFields) satisfies z.ZodType<Connection>;

const merchantConnection = z.strictObject({
  ...connectionFields,
  customer_id: text,
  finix_identity: text.nullable(),
  previous_payment_instrument: text.nullable(),
  fingerprint: text.nullable(),
  bank_account_validation_check: text.nullable(),
  authorization: z
    .strictObject({
      text,
      version: text,
      text_sha256: text,
      language: text,
      accepted_at: time,
      ip: text.nullable(),
      user_agent: text.nullable(),
    })
    .nullable(),
  metadata: z.record(text, text),
}) satisfies z.ZodType<MerchantConnection>;

const sessionFields = {
  id: text,
  object: z.literal('session'),
  status: z.enum(['open', 'processing', 'completed', 'restart_required', 'failed', 'expired', 'canceled']),
  mode: z.enum(['connect', 'repair']),
  customer_id: text,
  error: problem.nullable(),
  created_at: time,
  expires_at: time,
  client_secret: text.optional(),
};

const session = z.strictObject({ ...sessionFields, connections: z.array(connection) }) satisfies z.ZodType<Session>;
const merchantSession = z.strictObject({ ...sessionFields, connections: z.array(merchantConnection) });

const connectionList = z.strictObject({
  object: z.literal('list'),
  data: z.array(merchantConnection),
  has_more: z.boolean(),
  next_cursor: text.nullable(),
}) satisfies z.ZodType<ConnectionList>;

const linkToken = z.strictObject({ link_token: text, expires_at: time, hosted_link_url: text.optional() });

/** Answers and requests by name; also what tests hold real answers against. */
export const wireSchemas = {
  Problem: problem,
  Session: session,
  MerchantSession: merchantSession,
  Connection: connection,
  MerchantConnection: merchantConnection,
  ConnectionList: connectionList,
  LinkToken: linkToken,
  CreateSession: createSession,
  CreatePublicSession: createPublicSession,
  LinkTokenRequest: linkTokenRequest,
  Complete: completeRequest,
};

type SchemaName = keyof typeof wireSchemas;

export interface Operation {
  method: 'get' | 'post' | 'delete';
  path: string;
  who: 'merchant' | 'page' | 'merchant or page' | 'anyone';
  summary: string;
  request?: SchemaName;
  answers: Record<number, SchemaName | string>;
  query?: Record<string, string>;
}

/** Every call, in the order in which one meets them. */
export const operations: Operation[] = [
  {
    method: 'post',
    path: '/v1/sessions',
    who: 'merchant',
    summary:
      'Create a session for one customer. Idempotency-Key: same key and body within 24 hours, same answer. In public mode a page sends only CreatePublicSession, without Authorization.',
    request: 'CreateSession',
    answers: { 201: 'MerchantSession' },
  },
  {
    method: 'get',
    path: '/v1/sessions/{id}',
    who: 'merchant or page',
    summary: 'Read a session, in the caller’s view.',
    answers: { 200: 'Session' },
  },
  {
    method: 'post',
    path: '/v1/sessions/{id}/link-token',
    who: 'page',
    summary: 'Make a new link token.',
    request: 'LinkTokenRequest',
    answers: { 200: 'LinkToken' },
  },
  {
    method: 'post',
    path: '/v1/sessions/{id}/complete',
    who: 'page',
    summary:
      'Send what Link’s onSuccess gave. Idempotent. 202: still being worked on; read the session after Retry-After seconds.',
    request: 'Complete',
    answers: { 200: 'Session', 202: 'Session' },
  },
  {
    method: 'post',
    path: '/v1/sessions/{id}/cancel',
    who: 'merchant',
    summary: 'Close an open session at once.',
    answers: { 200: 'MerchantSession' },
  },
  {
    method: 'get',
    path: '/v1/connections/{id}',
    who: 'merchant',
    summary: 'Read a connection. Compare customer_id before you charge.',
    answers: { 200: 'MerchantConnection' },
  },
  {
    method: 'get',
    path: '/v1/connections',
    who: 'merchant',
    summary: 'List connections.',
    query: {
      customer_id: 'only this customer’s',
      status: 'only with this status',
      cursor: 'next_cursor of the page before',
      limit: '1 to 100, 25 unless told',
    },
    answers: { 200: 'ConnectionList' },
  },
  { method: 'get', path: '/healthz', who: 'anyone', summary: 'The process answers.', answers: { 200: 'status' } },
  {
    method: 'get',
    path: '/readyz',
    who: 'anyone',
    summary: 'Storage answers and the process is not stopping; 503 otherwise.',
    answers: { 200: 'status', 503: 'status' },
  },
  { method: 'get', path: '/metrics', who: 'anyone', summary: 'Figures for Prometheus.', answers: { 200: 'text' } },
];

/** The OpenAPI document, as a plain object. */
export function openApiDocument(publicUrl: string, version: string): Record<string, unknown> {
  const schemas = Object.fromEntries(
    Object.entries(wireSchemas).map(([name, schema]) => [name, z.toJSONSchema(schema, { unrepresentable: 'any' })]),
  );
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const path = paths[operation.path] ?? {};
    paths[operation.path] = path;
    path[operation.method] = describeOperation(operation);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'finix-bank-connect', version, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: publicUrl }],
    components: {
      schemas,
      securitySchemes: {
        merchant: { type: 'http', scheme: 'bearer', description: 'MERCHANT_API_KEY, from a server only' },
        page: { type: 'http', scheme: 'bearer', description: 'the session’s client_secret' },
      },
    },
    paths,
  };
}

function describeOperation({ path, who, summary, request, answers, query }: Operation): Record<string, unknown> {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => parameter(name ?? '', 'path'));
  const inQuery = Object.entries(query ?? {}).map(([name, description]) => ({
    ...parameter(name, 'query'),
    description,
  }));
  const responses = Object.fromEntries(
    Object.entries(answers).map(([status, name]) => [status, { description: name, ...content(name) }]),
  );
  const security = who === 'anyone' ? [] : who.split(' or ').map((name) => ({ [name]: [] }));
  return {
    summary,
    security,
    parameters: [...inPath, ...inQuery],
    ...(request ? { requestBody: { required: true, ...content(request) } } : {}),
    responses: {
      ...responses,
      ...(who === 'anyone'
        ? {}
        : { default: { description: 'A problem (RFC 9457)', ...content('Problem', 'problem+json') } }),
    },
  };
}

function parameter(name: string, place: 'path' | 'query'): Record<string, unknown> {
  return { name, in: place, required: place === 'path', schema: { type: 'string' } };
}

function content(name: string, type = 'json'): Record<string, unknown> {
  if (!(name in wireSchemas)) return {};
  return { content: { [`application/${type}`]: { schema: { $ref: `#/components/schemas/${name}` } } } };
}
