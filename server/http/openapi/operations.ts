import type { z } from 'zod';
import type { ProblemCode } from '../../../widget/contract.ts';
import { listConnections, listDeliveries, listLinks, listPage, listSessions } from '../request-schemas.ts';
import type { wireSchemas } from '../response-schemas.ts';

export type SchemaName = keyof typeof wireSchemas;

type MediaType = 'text/plain' | 'application/json' | 'image/svg+xml' | 'text/html';

/** Groups of calls, with what a reader finds there. */
export const TAGS = {
  Sessions: 'One permission for one customer to connect a bank: created by your server, used by the page.',
  Connections: 'One bank account of a customer that became, or is becoming, a Finix payment instrument.',
  Links: 'An address to send to one customer, who connects a bank behind it without a page of yours.',
  Customers: 'What is kept about a customer.',
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
  query?: z.ZodObject;
  /** The problems of this call, besides those that every call of its kind can answer. */
  problems?: ProblemCode[];
}

const PROVIDER_PROBLEMS: ProblemCode[] = ['plaid_unavailable', 'provider_misconfigured', 'bank_unavailable'];
const CLOSED_SESSION: ProblemCode[] = [
  'session_already_completed',
  'session_busy',
  'session_canceled',
  'session_expired',
  'session_failed',
];

/** Every call, in the order in which one meets them. */
export const operations: Operation[] = [
  {
    id: 'createSession',
    tag: 'Sessions',
    method: 'post',
    path: '/v1/sessions',
    who: 'merchant',
    summary: 'Create a session',
    description:
      'For one customer. `client_secret` is in this answer only: give it to the page of this customer. In public mode a page on an allowed origin sends `CreatePublicSession`, without `Authorization`.',
    isIdempotent: true,
    requests: ['CreateSession', 'CreatePublicSession'],
    answers: { 201: 'MerchantSession' },
    problems: [
      'idempotency_key_reused',
      'origin_not_allowed',
      'public_sessions_off',
      'rate_limited',
      'shutting_down',
      'not_found',
      ...PROVIDER_PROBLEMS,
    ],
  },
  {
    id: 'getSession',
    tag: 'Sessions',
    method: 'get',
    path: '/v1/sessions/{id}',
    who: 'merchant or page',
    summary: 'Read a session',
    description: 'In the caller’s view: a page sees less of its connections than your server.',
    answers: { 200: 'AnySession' },
    problems: ['not_found'],
  },
  {
    id: 'listSessions',
    tag: 'Sessions',
    method: 'get',
    path: '/v1/sessions',
    who: 'merchant',
    summary: 'List sessions',
    description: 'To find those of a customer, or those that are stuck: `processing` for long, or `failed`.',
    query: listSessions,
    answers: { 200: 'SessionList' },
  },
  {
    id: 'createLinkToken',
    tag: 'Sessions',
    method: 'post',
    path: '/v1/sessions/{id}/link-token',
    who: 'page',
    summary: 'Create a link token',
    description:
      'Every call makes a new one. With `hosted_link_url` comes the text that the customer has yet to accept, if there is one: accepted here, before the Hosted Link is opened, the session finishes although the page is gone.',
    requests: ['LinkTokenRequest'],
    body: 'optional',
    answers: { 200: 'LinkToken' },
    problems: [
      ...CLOSED_SESSION,
      'authorization_required',
      'not_found',
      'rate_limited',
      'restart_required',
      'shutting_down',
      ...PROVIDER_PROBLEMS,
    ],
  },
  {
    id: 'completeSession',
    tag: 'Sessions',
    method: 'post',
    path: '/v1/sessions/{id}/complete',
    who: 'page',
    summary: 'Turn Link’s public token into connections',
    description:
      'Idempotent for the same public token. 202: the work continues; read the session after `Retry-After` seconds. A refusal by Finix is no problem but an answer: a session that has `failed`.',
    requests: ['Complete'],
    answers: { 200: 'Session', 202: 'Session' },
    problems: [
      ...CLOSED_SESSION,
      'account_not_supported',
      'account_selection_required',
      'account_unknown',
      'authorization_required',
      'bank_not_supported',
      'finix_unavailable',
      'instrument_refused',
      'not_found',
      'owner_mismatch',
      'owner_unknown',
      'rate_limited',
      'restart_required',
      'shutting_down',
      'verification_failed',
      ...PROVIDER_PROBLEMS,
    ],
  },
  {
    id: 'reportLinkExit',
    tag: 'Sessions',
    method: 'post',
    path: '/v1/sessions/{id}/link-exit',
    who: 'page',
    summary: 'Report how a run of Link ended without a bank',
    description: 'Plaid’s ids and words, kept in the audit for support. It decides nothing, and no page waits for it.',
    requests: ['LinkExit'],
    answers: { 204: 'nothing' },
    problems: ['not_found', 'rate_limited'],
  },
  {
    id: 'cancelSession',
    tag: 'Sessions',
    method: 'post',
    path: '/v1/sessions/{id}/cancel',
    who: 'merchant',
    summary: 'Cancel a session',
    description: 'Closes an open session at once; its client secret is of no use afterwards.',
    answers: { 200: 'MerchantSession' },
    problems: ['not_found', 'session_already_completed', 'session_busy', 'session_expired', 'session_failed'],
  },
  {
    id: 'getConnection',
    tag: 'Connections',
    method: 'get',
    path: '/v1/connections/{id}',
    who: 'merchant',
    summary: 'Read a connection',
    description: 'Compare `customer_id` with the customer who is paying before you charge: a page can send any id.',
    answers: { 200: 'MerchantConnection' },
    problems: ['not_found'],
  },
  {
    id: 'listConnections',
    tag: 'Connections',
    method: 'get',
    path: '/v1/connections',
    who: 'merchant',
    summary: 'List connections',
    query: listConnections,
    answers: { 200: 'ConnectionList' },
  },
  {
    id: 'removeConnection',
    tag: 'Connections',
    method: 'delete',
    path: '/v1/connections/{id}',
    who: 'merchant',
    summary: 'Remove a connection',
    description:
      'Disables the payment instrument at Finix, and ends the access at Plaid when no other connection uses it. 202: a job continues until the status is `removed`.',
    answers: { 200: 'MerchantConnection', 202: 'MerchantConnection' },
    problems: ['not_found', 'session_busy'],
  },
  {
    id: 'checkDebit',
    tag: 'Connections',
    method: 'post',
    path: '/v1/connections/{id}/check',
    who: 'merchant',
    summary: 'Check before a debit',
    description:
      'The same `client_transaction_id` and body give the same answer; another body is refused. A bank or Signal that does not answer in time is a `review`, never an error.',
    requests: ['CreateCheck'],
    answers: { 200: 'Check' },
    problems: ['not_found', 'idempotency_key_reused'],
  },
  {
    id: 'getEvidence',
    tag: 'Connections',
    method: 'get',
    path: '/v1/connections/{id}/evidence',
    who: 'merchant',
    summary: 'Get the evidence of an authorization',
    description:
      'For two years after the connection has ended. With `Accept: text/html` it is a page to print. `jws` signs the document without it; the keys are at `/.well-known/jwks.json`.',
    answers: { 200: 'Evidence' },
    problems: ['not_found'],
  },
  {
    id: 'listConnectionAudit',
    tag: 'Connections',
    method: 'get',
    path: '/v1/connections/{id}/audit',
    who: 'merchant',
    summary: 'List the audit of a connection',
    description: 'Who did what to the connection and its sessions, oldest first.',
    query: listPage,
    answers: { 200: 'AuditList' },
    problems: ['not_found'],
  },
  {
    id: 'eraseCustomer',
    tag: 'Customers',
    method: 'delete',
    path: '/v1/customers/{customer_id}',
    who: 'merchant',
    summary: 'Erase a customer',
    description:
      'Removes all connections and erases what identifies the customer. Proofs of authorization and the audit are kept for two years after the end, as the law asks. 202: a job continues; ask again.',
    answers: { 200: 'ErasedCustomer', 202: 'ErasedCustomer' },
  },
  {
    id: 'createLink',
    tag: 'Links',
    method: 'post',
    path: '/v1/links',
    who: 'merchant',
    summary: 'Create a link',
    description: 'An address to send to one customer. `url` is in this answer only.',
    isIdempotent: true,
    requests: ['CreateLink'],
    answers: { 201: 'Link' },
    problems: ['idempotency_key_reused', 'not_found', 'shutting_down', ...PROVIDER_PROBLEMS],
  },
  {
    id: 'getLink',
    tag: 'Links',
    method: 'get',
    path: '/v1/links/{id}',
    who: 'merchant',
    summary: 'Read a link',
    answers: { 200: 'Link' },
    problems: ['not_found'],
  },
  {
    id: 'listLinks',
    tag: 'Links',
    method: 'get',
    path: '/v1/links',
    who: 'merchant',
    summary: 'List links',
    query: listLinks,
    answers: { 200: 'LinkList' },
  },
  {
    id: 'revokeLink',
    tag: 'Links',
    method: 'post',
    path: '/v1/links/{id}/revoke',
    who: 'merchant',
    summary: 'Revoke a link',
    description: 'Ends it at once. One that has ended already stays as it is.',
    answers: { 200: 'Link' },
    problems: ['not_found'],
  },
  {
    id: 'getLinkQrCode',
    tag: 'Links',
    method: 'get',
    path: '/v1/links/{id}/qr.svg',
    who: 'merchant',
    summary: 'Read a link as a QR code',
    answers: { 200: 'image/svg+xml' },
    problems: ['not_found'],
  },
  {
    id: 'listWebhookDeliveries',
    tag: 'Webhook deliveries',
    method: 'get',
    path: '/v1/webhook-deliveries',
    who: 'merchant',
    summary: 'List webhook deliveries',
    description: 'Newest first.',
    query: listDeliveries,
    answers: { 200: 'DeliveryList' },
  },
  {
    id: 'resendWebhookDelivery',
    tag: 'Webhook deliveries',
    method: 'post',
    path: '/v1/webhook-deliveries/{id}/resend',
    who: 'merchant',
    summary: 'Send a webhook again',
    description: 'With the same `webhook-id`. Also lifts the stop that a 410 of your endpoint has caused.',
    answers: { 200: 'Delivery' },
    problems: ['not_found'],
  },
  {
    id: 'receivePlaidWebhook',
    tag: 'Provider webhooks',
    method: 'post',
    path: '/webhooks/plaid',
    who: 'anyone',
    summary: 'Receive a webhook of Plaid',
    proof: { 'Plaid-Verification': 'A JWT over the body’s hash.' },
    foreignBody: true,
    answers: { 200: 'Received' },
    problems: [
      'unauthorized',
      'invalid_json',
      'body_too_large',
      'plaid_unavailable',
      'provider_misconfigured',
      'rate_limited',
    ],
  },
  {
    id: 'receiveFinixWebhook',
    tag: 'Provider webhooks',
    method: 'post',
    path: '/webhooks/finix',
    who: 'anyone',
    summary: 'Receive a webhook of Finix',
    description: 'An empty body is Finix’s test of the address, and always answered 200.',
    proof: { 'Finix-Signature': '`timestamp=…, sig=…`: an HMAC over the time and the body.' },
    foreignBody: true,
    body: 'optional',
    answers: { 200: 'Received' },
    problems: ['unauthorized', 'invalid_json', 'body_too_large'],
  },
  {
    id: 'getEvidenceKeys',
    tag: 'Operations',
    method: 'get',
    path: '/.well-known/jwks.json',
    who: 'anyone',
    summary: 'Public keys of the evidence',
    description: 'A JWKS with every key that has ever signed evidence.',
    answers: { 200: 'application/json' },
  },
  {
    id: 'getHealth',
    tag: 'Operations',
    method: 'get',
    path: '/healthz',
    who: 'anyone',
    summary: 'Whether the process is alive',
    answers: { 200: 'Status' },
  },
  {
    id: 'getReadiness',
    tag: 'Operations',
    method: 'get',
    path: '/readyz',
    who: 'anyone',
    summary: 'Whether the server takes requests',
    description: '503 while storage does not answer or the process is stopping.',
    answers: { 200: 'Status', 503: 'Status' },
  },
  {
    id: 'getMetrics',
    tag: 'Operations',
    method: 'get',
    path: '/metrics',
    who: 'anyone',
    summary: 'Metrics for Prometheus',
    answers: { 200: 'text/plain' },
  },
];
