import type { Random } from '../faults/random.ts';
import type { Grammar, Schema } from './grammar.ts';
import type { World } from './world.ts';

/** Every event that has a handler, and some that have none. */
const PLAID_EVENTS = [
  'AUTH/AUTOMATICALLY_VERIFIED',
  'AUTH/VERIFICATION_EXPIRED',
  'AUTH/DEFAULT_UPDATE',
  'AUTH/SMS_MICRODEPOSITS_VERIFICATION',
  'AUTH/PRODUCT_PERMISSIONS_REQUIRED',
  'ITEM/ERROR',
  'ITEM/LOGIN_REPAIRED',
  'ITEM/PENDING_DISCONNECT',
  'ITEM/PENDING_EXPIRATION',
  'ITEM/USER_PERMISSION_REVOKED',
  'ITEM/USER_ACCOUNT_REVOKED',
  'ITEM/NEW_ACCOUNTS_AVAILABLE',
  'ITEM/WEBHOOK_UPDATE_ACKNOWLEDGED',
  'LINK/SESSION_FINISHED',
  'LINK/ITEM_ADD_RESULT',
  'LINK/EVENTS',
  'BANK_TRANSFERS/BANK_TRANSFERS_EVENTS_UPDATE',
  'NEW_KIND/NEW_CODE',
] as const;

const nullable = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });
const text: Schema = { type: 'string', maxLength: 512 };

/** What Plaid's documents name, as the server reads it (webhooks/verify-plaid.ts). */
const PLAID_BODY: Schema = {
  type: 'object',
  properties: {
    environment: { enum: ['sandbox', 'production'] },
    item_id: nullable(text),
    account_id: nullable(text),
    account_ids_with_new_auth: nullable({ type: 'array', items: text }),
    account_ids_with_updated_auth: nullable({ type: 'object', additionalProperties: { type: 'array', items: text } }),
    status: nullable({ enum: ['SUCCESS', 'EXITED', 'MANUALLY_VERIFIED', 'VERIFICATION_FAILED', 'other'] }),
    error: nullable({
      type: 'object',
      required: ['error_code'],
      properties: {
        error_type: text,
        error_code: { enum: ['ITEM_LOGIN_REQUIRED', 'INSTITUTION_DOWN', 'NO_SUCH_CODE'] },
        error_message: text,
      },
    }),
    reason: nullable(text),
    link_token: nullable(text),
    link_session_id: nullable(text),
    public_token: nullable(text),
    public_tokens: nullable({ type: 'array', items: text }),
    consent_expiration_time: nullable({ enum: ['2026-12-31T00:00:00Z', 'soon'] }),
  },
};

/** What Finix's documents name, as the server reads it (webhooks/verify-finix.ts, clients/finix-transfers.ts). */
const FINIX_RESOURCE: Schema = {
  type: 'object',
  required: ['id', 'state'],
  properties: {
    id: text,
    type: { enum: ['DEBIT', 'CREDIT', 'REVERSAL'] },
    subtype: { enum: ['API', 'RETURN', 'SYSTEM'] },
    state: { enum: ['PENDING', 'SUCCEEDED', 'FAILED', 'RETURNED', 'CANCELED'] },
    amount: { type: 'integer' },
    currency: { enum: ['USD', 'CAD'] },
    failure_code: nullable({ enum: ['INSUFFICIENT_FUNDS', 'NO_BANK_ACCOUNT_FOUND', 'R10', 'R01'] }),
    failure_message: nullable(text),
    source: nullable(text),
    destination: nullable(text),
    parent_transfer: nullable(text),
    enabled: { type: 'boolean' },
    tags: { type: 'object', additionalProperties: text },
    messages: { type: 'array', items: text },
    trace_id: text,
    created_at: { enum: ['2026-01-01T00:00:00.00Z', 'yesterday'] },
    updated_at: { enum: ['2026-01-01T00:00:00.00Z', ''] },
  },
};

export function plaidBody(random: Random, grammar: Grammar, world: World): Record<string, unknown> {
  const [webhook_type, webhook_code] = random.pick(PLAID_EVENTS).split('/');
  const body = grammar.valid(PLAID_BODY) as Record<string, unknown>;
  const items = world.server.ledger.items();
  if (items.length > 0 && random.next() < 0.8) {
    const item = random.pick(items);
    body['item_id'] = item.item_id;
    body['account_id'] = item.account_ids[0];
  }
  return { webhook_type, webhook_code, ...body };
}

export function finixBody(random: Random, grammar: Grammar, world: World): Record<string, unknown> {
  const entity = random.pick(['instrument', 'transfer', 'payment_instrument', 'identity', 'dispute']);
  const resource = grammar.valid(FINIX_RESOURCE) as Record<string, unknown>;
  const instruments = world.server.ledger.instruments();
  if (instruments.length > 0 && random.next() < 0.8) {
    const { id } = random.pick(instruments);
    if (entity === 'transfer') Object.assign(resource, { id: `TR${random.between(1, 99)}`, source: id });
    else resource['id'] = id;
  }
  return {
    id: `event_${random.between(1, 100_000)}`,
    type: random.pick(['created', 'updated', 'underwritten']),
    entity,
    occurred_at: '2026-01-01T00:00:00.00',
    _embedded: { [`${entity}s`]: Array.from({ length: random.between(1, 2) }, () => resource) },
  };
}
