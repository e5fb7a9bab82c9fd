import { z } from 'zod';
import type {
  Check,
  ConnectionEvent,
  ConnectionList,
  Evidence,
  Link,
  LinkEvent,
  LinkTokenResponse,
  MerchantSession,
  Problem,
  Session,
  SessionEvent,
} from '../../widget/contract.ts';
import type { DeliveryList, DeliveryView } from '../deliveries/deliveries.ts';
import { listProblems } from '../errors.ts';
import type { AuditEntry, AuditList } from '../records/audit.ts';
import { ACTIONS } from '../records/columns.ts';
import { CONNECTION_EVENTS, LINK_EVENTS, SESSION_EVENTS } from '../records/outbox.ts';
import { DELIVERY_STATUSES, LINK_STATUSES, MODES, PURPOSES, SESSION_STATUSES } from '../storage/statuses.ts';
import { authorizationReceipt, connection, merchantConnection } from './connection-schemas.ts';
import {
  completeRequest,
  createCheck,
  createLink,
  createPublicSession,
  createSession,
  linkExitRequest,
  linkTokenRequest,
} from './request-schemas.ts';

/**
 * What travels, as schemas: bound to the types of the wire contract, shown in the published contract, held against real
 * answers by tests.
 */

const text = z.string();
const time = z.iso.datetime();

const fieldError = z.strictObject({ path: text, message: text });

const authorizationText = z.strictObject({ text, version: text, text_sha256: text });

const problem = z.strictObject({
  type: text,
  title: text,
  status: z.int(),
  detail: text,
  code: z.enum(listProblems().map(({ code }) => code) as [Problem['code'], ...Problem['code'][]]),
  retryable: z.boolean(),
  action: z.enum(ACTIONS),
  request_id: text,
  errors: z.array(fieldError).optional(),
  accounts: z
    .array(z.strictObject({ id: text, name: text, mask: text.nullable(), subtype: text.nullable() }))
    .optional(),
  authorization: authorizationText.optional(),
}) satisfies z.ZodType<Problem>;

const sessionPurpose = {
  merchant: z.strictObject({ name: text }),
  purpose: z.enum(PURPOSES),
};

const sessionFields = {
  id: text,
  object: z.literal('session'),
  status: z.enum(SESSION_STATUSES),
  mode: z.enum(MODES),
  ...sessionPurpose,
  customer_id: text,
  error: problem.nullable(),
  created_at: time,
  updated_at: time,
  expires_at: time,
  client_secret: text.optional(),
};

const session = z.strictObject({ ...sessionFields, connections: z.array(connection) }) satisfies z.ZodType<Session>;
const merchantSession = z.strictObject({
  ...sessionFields,
  connections: z.array(merchantConnection),
}) satisfies z.ZodType<MerchantSession>;

const connectionList = z.strictObject({
  object: z.literal('list'),
  data: z.array(merchantConnection),
  has_more: z.boolean(),
  next_cursor: text.nullable(),
}) satisfies z.ZodType<ConnectionList>;

const auditEntry = z.strictObject({
  id: text,
  object: z.literal('audit_entry'),
  at: time,
  actor: z.enum(['merchant', 'page', 'plaid', 'finix', 'job']),
  action: text,
  session: text.nullable(),
  connection: text.nullable(),
  link: text.nullable(),
  ip: text.nullable(),
  details: z.record(text, z.union([text, z.number(), z.null()])),
}) satisfies z.ZodType<AuditEntry>;

const delivery = z.strictObject({
  id: text,
  object: z.literal('webhook_delivery'),
  type: text,
  status: z.enum(DELIVERY_STATUSES),
  session: text.nullable(),
  connection: text.nullable(),
  link: text.nullable(),
  attempts: z.int(),
  last_attempt_at: time.nullable(),
  last_status: z.int().nullable(),
  last_error: text.nullable(),
  next_attempt_at: time.nullable(),
  created_at: time,
}) satisfies z.ZodType<DeliveryView>;

const pageOf = { object: z.literal('list'), has_more: z.boolean(), next_cursor: text.nullable() };
const auditList = z.strictObject({ ...pageOf, data: z.array(auditEntry) }) satisfies z.ZodType<AuditList>;
const deliveryList = z.strictObject({ ...pageOf, data: z.array(delivery) }) satisfies z.ZodType<DeliveryList>;

const erasedCustomer = z.strictObject({
  object: z.literal('customer'),
  customer_id: text,
  status: z.enum(['erased', 'erasing']),
});

const link = z.strictObject({
  id: text,
  object: z.literal('link'),
  url: z.url().optional(),
  status: z.enum(LINK_STATUSES),
  customer_id: text,
  mode: z.enum(MODES),
  connections: z.array(merchantConnection),
  created_at: time,
  expires_at: time,
}) satisfies z.ZodType<Link>;

const linkList = z.strictObject({ ...pageOf, data: z.array(link) });

const evidence = z.strictObject({
  object: z.literal('evidence'),
  connection: text,
  customer_id: text.nullable(),
  purpose: z.enum(PURPOSES).nullable(),
  authorization: merchantConnection.shape.authorization,
  later_authorizations: z.array(authorizationReceipt),
  merchant: z.strictObject({ id: text, name: text }).nullable(),
  institution: connection.shape.institution,
  account: connection.shape.account,
  verification: merchantConnection.shape.verification,
  link_session_id: text.nullable(),
  finix_identity: text.nullable(),
  payment_instruments: z.array(z.strictObject({ id: text, created_at: time })),
  returns: z.array(merchantConnection.shape.last_return.unwrap()),
  events: z.array(z.strictObject({ at: time, action: text, actor: text, reason: text.nullable() })),
  created_at: time,
  jws: text.optional(),
}) satisfies z.ZodType<Evidence>;

const evidenceKeys = z.strictObject({
  keys: z.array(
    z.strictObject({
      kty: z.literal('OKP'),
      crv: z.literal('Ed25519'),
      x: text,
      kid: text,
      alg: z.literal('EdDSA'),
      use: z.literal('sig'),
    }),
  ),
});

const check = z.strictObject({
  id: text,
  object: z.literal('check'),
  decision: z.enum(['ok', 'review', 'stop']),
  reasons: z.array(
    z.strictObject({
      code: z.enum([
        'revoked',
        'returned',
        'needs_repair',
        'not_active',
        'owner_mismatch',
        'changed_bank',
        'insufficient_funds',
        'balance_uncertain',
        'signal_review',
        'signal_reroute',
        'signal_no_ruleset',
        'consent_required',
        'provider_unavailable',
      ]),
      message: text,
    }),
  ),
  action: problem.shape.action.nullable(),
  balance: z
    .strictObject({ available: z.int().nullable(), current: z.int().nullable(), as_of: time.nullable() })
    .nullable(),
  signal: z
    .strictObject({
      result: z.enum(['ACCEPT', 'REVIEW', 'REROUTE']).nullable(),
      scores: z
        .strictObject({ customer_initiated: z.number().nullable(), bank_initiated: z.number().nullable() })
        .nullable(),
    })
    .nullable(),
  connection: text,
  created_at: time,
}) satisfies z.ZodType<Check>;

const linkToken = z.strictObject({
  link_token: text,
  expires_at: time,
  ...sessionPurpose,
  returned: z.boolean().optional(),
  repair: connection.optional(),
  hosted_link_url: text.optional(),
  authorization: authorizationText.optional(),
}) satisfies z.ZodType<LinkTokenResponse>;

const sessionList = z.strictObject({ ...pageOf, data: z.array(merchantSession) });

const received = z.strictObject({ received: z.literal(true) });

const status = z.strictObject({
  status: z.enum(['ok', 'ready', 'stopping', 'storage is not available']),
  needs_attention: z
    .array(
      z.strictObject({
        service: z.enum(['plaid', 'finix']),
        call: text,
        code: text,
        remedy: text,
        since: time,
      }),
    )
    .optional()
    .describe(
      'Calls that a provider refuses until a setting or an account is changed. Without one, the field is left out.',
    ),
});

const webhookFields = { timestamp: time };

const connectionEvent = z.strictObject({
  type: z.enum(CONNECTION_EVENTS),
  ...webhookFields,
  data: merchantConnection,
  reason: text.optional(),
  repair_link: z.strictObject({ id: text, url: z.url(), expires_at: time }).optional(),
}) satisfies z.ZodType<ConnectionEvent>;

const sessionEvent = z.strictObject({
  type: z.enum(SESSION_EVENTS),
  ...webhookFields,
  data: merchantSession,
}) satisfies z.ZodType<SessionEvent>;

const linkEvent = z.strictObject({
  type: z.enum(LINK_EVENTS),
  ...webhookFields,
  data: link,
}) satisfies z.ZodType<LinkEvent>;

/** Answers and requests by name; also what tests hold real answers against. */
export const wireSchemas = {
  Problem: problem,
  Session: session,
  MerchantSession: merchantSession,
  Connection: connection,
  MerchantConnection: merchantConnection,
  ConnectionList: connectionList,
  LinkToken: linkToken,
  Link: link,
  LinkList: linkList,
  AuditList: auditList,
  Delivery: delivery,
  DeliveryList: deliveryList,
  ErasedCustomer: erasedCustomer,
  SessionList: sessionList,
  AnySession: z.union([merchantSession, session]),
  AuthorizationText: authorizationText,
  Received: received,
  Status: status,
  ConnectionEvent: connectionEvent,
  SessionEvent: sessionEvent,
  LinkEvent: linkEvent,
  Check: check,
  Evidence: evidence,
  EvidenceKeys: evidenceKeys,
  CreateCheck: createCheck,
  CreateSession: createSession,
  CreateLink: createLink,
  CreatePublicSession: createPublicSession,
  LinkTokenRequest: linkTokenRequest,
  LinkExit: linkExitRequest,
  Complete: completeRequest,
};
