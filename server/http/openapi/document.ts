import { z } from 'zod';
import type { ProblemCode } from '../../../widget/contract.ts';
import { listProblems } from '../../errors.ts';
import { CONNECTION_EVENTS, LINK_EVENTS, SESSION_EVENTS } from '../../records/outbox.ts';
import { wireSchemas } from '../response-schemas.ts';
import examples from './examples.json' with { type: 'json' };
import { type Operation, operations, type SchemaName, TAGS } from './operations.ts';

/**
 * The wire contract as OpenAPI 3.1, made from the schemas that requests are parsed with, so that it can't differ from
 * them.
 */

type Json = Record<string, unknown>;

const recorded: Partial<Record<string, { request?: unknown; answers?: Json }>> = examples.operations;
const recordedEvents: Partial<Record<string, unknown>> = examples.events;

export function openApiDocument(publicUrl: string, version: string): Json {
  const paths: Record<string, Json> = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describeOperation(operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'finix-bank-connect',
      version,
      summary: 'Connect a bank account through Plaid Link and get a Finix payment instrument.',
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: publicUrl, description: 'PUBLIC_URL of the server' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    webhooks: Object.fromEntries([
      ...CONNECTION_EVENTS.map((type) => [type, describeEvent(type, 'ConnectionEvent')]),
      ...SESSION_EVENTS.map((type) => [type, describeEvent(type, 'SessionEvent')]),
      ...LINK_EVENTS.map((type) => [type, describeEvent(type, 'LinkEvent')]),
    ]),
    components: {
      schemas: schemas(),
      parameters: { IdempotencyKey: IDEMPOTENCY_KEY },
      headers: HEADERS,
      securitySchemes: {
        merchant: { type: 'http', scheme: 'bearer', description: 'MERCHANT_API_KEY. From a server only.' },
        page: { type: 'http', scheme: 'bearer', description: 'The session’s client_secret. For that session only.' },
      },
    },
  };
}

const DESCRIPTION = `JSON in snake_case, times in ISO 8601 UTC. Errors are RFC 9457 problems with a \`code\` and an \`action\` from closed lists.

Your server sends MERCHANT_API_KEY; the page sends the client secret of its session. Answers may gain fields: ignore those you do not know.`;

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'The same key and body get the same answer for 24 hours; another body gets `idempotency_key_reused`. Use one for each attempt of an order, not one for the order.',
  schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' },
};

const HEADERS = {
  RequestId: {
    description: 'Of this request; also in the log and in problems. A harmless one that you send is kept.',
    schema: { type: 'string' },
  },
  RetryAfter: { description: 'Seconds to wait before asking again.', schema: { type: 'integer', minimum: 0 } },
};

/**
 * Every body as a component; a schema that is part of another one is referred to. Requests as they are written, answers
 * as they are read.
 */
function schemas(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(wireSchemas)) registry.add(schema, { id });
  const options = { uri: (id: string) => `#/components/schemas/${id}`, unrepresentable: 'any' } as const;
  const read = z.toJSONSchema(registry, { ...options, io: 'output' }).schemas as Record<string, Json>;
  const written = z.toJSONSchema(registry, { ...options, io: 'input' }).schemas as Record<string, Json>;
  const named = Object.keys(wireSchemas).map((name) => {
    const { $schema: _, $id: __, ...schema } = (REQUESTS.has(name) ? written : read)[name] ?? {};
    return [name, REQUESTS.has(name) ? schema : open(schema)];
  });
  return Object.fromEntries(named);
}

const REQUESTS = new Set<string>(operations.flatMap(({ requests }) => requests ?? []));

/** Answers may gain fields, so that a client which was generated today must not refuse them. */
function open(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(open);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { additionalProperties, ...rest } = schema as Json;
  const kept = additionalProperties === undefined || additionalProperties === false ? {} : { additionalProperties };
  return { ...Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, open(value)])), ...kept };
}

function describeOperation(operation: Operation): Json {
  const { id, tag, who, summary, description, requests, answers, path, isIdempotent, proof = {}, body } = operation;
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    ...{ name, in: 'path', required: true },
    schema: { type: 'string', minLength: 1 },
  }));
  const inHeader = Object.entries(proof).map(([name, about]) => ({
    ...{ name, in: 'header', required: body !== 'optional', description: about },
    schema: { type: 'string' },
  }));
  const key = isIdempotent ? [{ $ref: '#/components/parameters/IdempotencyKey' }] : [];
  const sent = recorded[id]?.request;
  const requestBody = requests
    ? { content: jsonContent(requests, sent) }
    : operation.foreignBody && { content: { 'application/json': { schema: { type: 'object' } } } };
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description ? { description } : {}),
    security: securityOf(operation),
    parameters: [...inPath, ...inQuery(operation), ...key, ...inHeader],
    ...(requestBody ? { requestBody: { required: body !== 'optional', ...requestBody } } : {}),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, name]) => [status, answer(operation, status, name)])),
      ...problemAnswers(operation, Object.keys(answers)),
      ...(who === 'anyone' ? MALFORMED : { default: problemAnswer('Another problem.') }),
    },
  };
}

/** Node's own answers, which no call of ours gives. */
const MALFORMED = {
  '4XX': { description: 'The request was malformed, too large or too slow. Answered without a body.' },
};

function securityOf({ who, id }: Operation): Json[] {
  if (who === 'anyone') return [];
  const schemes = who.split(' or ').map((name) => ({ [name]: [] }));
  // In public mode, a page that has no credential yet.
  return id === 'createSession' ? [...schemes, {}] : schemes;
}

function inQuery({ query }: Operation): Json[] {
  if (!query) return [];
  const { properties = {} } = z.toJSONSchema(query) as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    ...{ name, in: 'query', required: false, description, schema },
  }));
}

function answer({ id, form }: Operation, status: string, name: string): Json {
  const headers = {
    'X-Request-Id': { $ref: '#/components/headers/RequestId' },
    ...(status === '202' ? { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } } : {}),
  };
  if (name === 'nothing') return { description: ANSWERS[status] ?? status, headers };
  if (!(name in wireSchemas)) return { description: ANSWERS[status] ?? status, headers, content: textContent(name) };
  const example = recorded[id]?.answers?.[status];
  return {
    description: ANSWERS[status] ?? name,
    headers,
    content: { ...jsonContent([name], example), ...(form ? textContent(form) : {}) },
  };
}

function textContent(mediaType: string): Json {
  return { [mediaType]: { schema: { type: 'string' } } };
}

const ANSWERS: Record<string, string> = {
  200: 'Done.',
  201: 'Created.',
  202: 'In progress: ask again.',
  204: 'Kept.',
  503: 'Not now.',
};

function problemAnswers(operation: Operation, answered: string[]): Json {
  const byStatus = new Map<number, string[]>();
  const codes = problemsOf(operation);
  for (const { code, status, title } of listProblems()) {
    if (!codes.has(code)) continue;
    byStatus.set(status, [...(byStatus.get(status) ?? []), `\`${code}\`: ${title}.`]);
  }
  const described = [...byStatus].filter(([status]) => !answered.includes(String(status)));
  return Object.fromEntries(described.map(([status, lines]) => [status, problemAnswer(lines.join('\n'))]));
}

/** Every code that a call can answer, also those of its kind. */
export function problemsOf({ who, requests, query, method, problems = [] }: Operation): Set<ProblemCode> {
  const codes: ProblemCode[] = [...problems, 'internal_error', 'storage_unavailable'];
  if (who !== 'anyone') codes.push('unauthorized', 'origin_not_allowed');
  if (who.includes('merchant')) codes.push('merchant_key_in_browser');
  if (requests || query) codes.push('invalid_request');
  if (requests) codes.push('invalid_json', 'unsupported_media_type');
  if (method === 'post' && who !== 'anyone') codes.push('body_too_large');
  return new Set(codes);
}

function problemAnswer(description: string): Json {
  return {
    description,
    headers: {
      'X-Request-Id': { $ref: '#/components/headers/RequestId' },
      'Retry-After': { $ref: '#/components/headers/RetryAfter' },
    },
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

function describeEvent(type: string, schema: SchemaName): Json {
  return {
    post: {
      operationId: `on_${type.replace('.', '_')}`,
      tags: ['Webhook deliveries'],
      summary: type,
      description:
        'Signed as Standard Webhooks specifies. May come twice, with the same `webhook-id`, and in any order.',
      security: [],
      parameters: Object.entries(SIGNATURE).map(([name, about]) => ({
        ...{ name, in: 'header', required: true, description: about },
        schema: { type: 'string' },
      })),
      requestBody: { required: true, content: jsonContent([schema], recordedEvents[type]) },
      responses: {
        '2XX': { description: 'Taken. Any other answer is a failure, and the webhook is sent again for three days.' },
        410: { description: 'Stops all webhooks to this address.' },
      },
    },
  };
}

const SIGNATURE = {
  'webhook-id': 'Of the event: the same for every attempt.',
  'webhook-timestamp': 'Of this attempt, in seconds since 1970.',
  'webhook-signature': '`v1,` and base64, separated by blanks: one for each secret while it is rotated.',
};

function jsonContent(names: string[], example: unknown): Json {
  const refs = names.map((name) => ({ $ref: `#/components/schemas/${name}` }));
  const schema = refs.length === 1 ? refs[0] : { anyOf: refs };
  return { 'application/json': { schema, ...(example === undefined ? {} : { example }) } };
}
