import { z } from 'zod';
import { wireSchemas } from './response-schemas.ts';

export { wireSchemas };

/** The wire contract as OpenAPI 3.1, made from the schemas that requests are parsed with, so that it can't say anything else. */

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
    summary:
      'Make a new link token. With hosted_link_url comes the text that the customer has yet to accept, if there is one: accepted here, before the Hosted Link is opened, it is finished also when the page is gone.',
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
    path: '/v1/sessions/{id}/link-exit',
    who: 'page',
    summary:
      'Keep in the audit how a run of Link ended without a bank: Plaid’s ids and words, for support. It decides nothing, and no page waits for it.',
    request: 'LinkExit',
    answers: { 204: 'Kept' },
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
      merchant_id: 'only this merchant’s',
      status: 'only with this status',
      cursor: 'next_cursor of the page before',
      limit: '1 to 100, 25 unless told',
    },
    answers: { 200: 'ConnectionList' },
  },
  {
    method: 'delete',
    path: '/v1/connections/{id}',
    who: 'merchant',
    summary:
      'Disable the instrument in Finix and end the access at Plaid when nothing else uses it. 202: a job goes on until it says removed.',
    answers: { 200: 'MerchantConnection', 202: 'MerchantConnection' },
  },
  {
    method: 'get',
    path: '/v1/connections/{id}/audit',
    who: 'merchant',
    summary: 'Who did what to the connection and its sessions, oldest first.',
    query: { cursor: 'next_cursor of the page before', limit: '1 to 100, 25 unless told' },
    answers: { 200: 'AuditList' },
  },
  {
    method: 'delete',
    path: '/v1/customers/{customer_id}',
    who: 'merchant',
    summary:
      'Remove all connections and erase what identifies the customer. Authorization receipts and the audit stay for two years after the end, as proof. 202: a job goes on; ask again.',
    answers: { 200: 'ErasedCustomer', 202: 'ErasedCustomer' },
  },
  {
    method: 'post',
    path: '/v1/links',
    who: 'merchant',
    summary:
      'Create an address to send to one customer. url is in this answer only. Idempotency-Key: same key and body within 24 hours, same answer.',
    request: 'CreateLink',
    answers: { 201: 'Link' },
  },
  { method: 'get', path: '/v1/links/{id}', who: 'merchant', summary: 'Read a link.', answers: { 200: 'Link' } },
  {
    method: 'get',
    path: '/v1/links',
    who: 'merchant',
    summary: 'List links.',
    query: {
      customer_id: 'only this customer’s',
      merchant_id: 'only this merchant’s',
      status: 'only with this status',
      cursor: 'next_cursor of the page before',
      limit: '1 to 100, 25 unless told',
    },
    answers: { 200: 'LinkList' },
  },
  {
    method: 'post',
    path: '/v1/links/{id}/revoke',
    who: 'merchant',
    summary: 'End a link at once. One that has ended already stays as it is.',
    answers: { 200: 'Link' },
  },
  {
    method: 'get',
    path: '/v1/links/{id}/qr.svg',
    who: 'merchant',
    summary: 'The address as a QR code.',
    answers: { 200: 'image/svg+xml' },
  },
  {
    method: 'get',
    path: '/v1/webhook-deliveries',
    who: 'merchant',
    summary: 'What became of the webhooks to you, newest first.',
    query: {
      status: 'pending, delivered or dead',
      merchant_id: 'only this merchant’s',
      cursor: 'next_cursor of the page before',
      limit: '1 to 100, 25 unless told',
    },
    answers: { 200: 'DeliveryList' },
  },
  {
    method: 'post',
    path: '/v1/webhook-deliveries/{id}/resend',
    who: 'merchant',
    summary: 'Send one again, with the same webhook-id. Takes back a 410 that your address has answered.',
    answers: { 200: 'Delivery' },
  },
  {
    method: 'post',
    path: '/webhooks/plaid',
    who: 'anyone',
    summary: 'For Plaid. Proved by the Plaid-Verification header.',
    answers: { 200: 'received' },
  },
  {
    method: 'post',
    path: '/webhooks/finix',
    who: 'anyone',
    summary: 'For Finix. Proved by the Finix-Signature header; an empty body is Finix’s test of the address.',
    answers: { 200: 'received' },
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
