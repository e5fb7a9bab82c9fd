import type { Context } from '../context.ts';
import { finixId, iso, traceId } from '../ids.ts';
import type { FinixResource } from '../state.ts';
import { finixRefusal, invalidField } from './errors.ts';
import type { Base } from './identities.ts';
import { type Filter, page, TIME_FILTERS } from './lists.ts';
import { getInstrument } from './payment-instruments.ts';
import { createReversal, createTransfer, read, updateTransfer } from './transfer-schemas.ts';

const TYPES: Record<string, string | undefined> = { DEBITS: 'DEBIT', CREDITS: 'CREDIT', REVERSAL: 'REVERSAL' };
const STATES = ['ALL', 'SUCCEEDED', 'FAILED', 'PENDING', 'CANCELED'];
/** Parameters about cards and merchants: known to Finix, and not distinguished here. */
const UNUSED = [
  'instrument_bin instrument_brand_type instrument_card_last4 instrument_name instrument_account_last4 instrument_type',
  'merchant_identity_id merchant_identity_name merchant_mid merchant_processor_id',
  'ready_to_settle_at.gte ready_to_settle_at.lte statement_descriptor trace_id',
].flatMap((line) => line.split(' '));

const amountOf = (transfer: FinixResource): number => Number(transfer['amount']);

const FILTERS: Record<string, Filter> = {
  ...TIME_FILTERS,
  ...Object.fromEntries(UNUSED.map((name): [string, Filter] => [name, () => true])),
  'updated_at.gte': ({ updated_at }, value) => Date.parse(updated_at) >= Date.parse(value),
  'updated_at.lte': ({ updated_at }, value) => Date.parse(updated_at) <= Date.parse(value),
  id: ({ id }, value) => id === value,
  idempotency_id: (transfer, value) => transfer['idempotency_id'] === value,
  merchant_id: (transfer, value) => transfer['merchant'] === value,
  amount: (transfer, value) => amountOf(transfer) === Number(value),
  'amount.gt': (transfer, value) => amountOf(transfer) > Number(value),
  'amount.gte': (transfer, value) => amountOf(transfer) >= Number(value),
  'amount.lt': (transfer, value) => amountOf(transfer) < Number(value),
  'amount.lte': (transfer, value) => amountOf(transfer) <= Number(value),
  state: (transfer, value) => {
    if (!STATES.includes(value)) throw invalidField('state', 'state is not known');
    return value === 'ALL' || transfer['state'] === value;
  },
  type: (transfer, value) => {
    if (value === 'ALL') return true;
    if (value === 'SETTLEMENT') return false;
    if (TYPES[value] === undefined) throw invalidField('type', 'type is not known');
    return transfer['type'] === TYPES[value];
  },
};

/** A debit (`source`) or a payout (`destination`). Accepted is not paid: the bank's answer comes later. */
export function postTransfer(context: Context, json: unknown, base: Base): FinixResource {
  const request = read(createTransfer, json);
  const [field, id] = request.source ? ['source', request.source] : ['destination', request.destination ?? ''];
  if (Boolean(request.source) === Boolean(request.destination)) {
    throw invalidField('source', 'exactly one of source and destination is required');
  }
  const earlier = sentBefore(context, request.idempotency_id);
  if (earlier) throw finixRefusal(422, `A transfer with this idempotency_id exists: ${earlier.id}`);
  const instrument = context.state.instruments.get(id)?.resource;
  if (!instrument) throw invalidField(field ?? 'source', `payment instrument ${id} was not found`);
  if (instrument['enabled'] !== true) throw invalidField(field ?? 'source', `payment instrument ${id} is disabled`);
  const transfer = newTransfer(context, base, {
    ...request,
    type: field === 'source' ? 'DEBIT' : 'CREDIT',
    subtype: 'API',
    state: 'PENDING',
  });
  context.ach.begin(transfer);
  return transfer;
}

function sentBefore({ state }: Context, id: string | null | undefined): FinixResource | undefined {
  if (!id) return undefined;
  return [...state.transfers.values()].find(({ resource }) => resource['idempotency_id'] === id)?.resource;
}

/** Makes a Transfer and sends its webhook. `parent`: of a reversal. */
export function newTransfer(context: Context, base: Base, fields: Record<string, unknown>): FinixResource {
  const now = context.now();
  const id = finixId('TR');
  const self = `${base.url}/transfers/${id}`;
  const { tags, ...rest } = fields;
  const transfer: FinixResource = {
    id,
    created_at: iso(now),
    updated_at: iso(now),
    application: base.application,
    currency: 'USD',
    destination: null,
    failure_code: null,
    failure_message: null,
    fee: 0,
    idempotency_id: null,
    merchant: '',
    messages: [],
    parent_transfer: null,
    parent_transfer_trace_id: null,
    raw: null,
    ready_to_settle_at: null,
    source: null,
    statement_descriptor: null,
    trace_id: traceId(),
    ...rest,
    tags: (tags as Record<string, string> | null | undefined) ?? {},
    _links: {
      self: { href: self },
      reversals: { href: `${self}/reversals` },
      application: { href: `${base.url}/applications/${base.application}` },
    },
  };
  context.state.transfers.set(id, { resource: transfer, listed_from: now + context.settings.listLagMs });
  context.webhooks.finix('transfer', 'created', transfer);
  return transfer;
}

export function getTransfer(context: Context, id: string): FinixResource {
  const found = context.state.transfers.get(id);
  if (!found) throw finixRefusal(404, `No transfer ${id} was found`);
  return found.resource;
}

export function putTransfer(context: Context, id: string, json: unknown): FinixResource {
  const transfer = getTransfer(context, id);
  const { tags } = read(updateTransfer, json);
  if (tags) transfer.tags = tags;
  transfer.updated_at = iso(context.now());
  context.webhooks.finix('transfer', 'updated', transfer);
  return transfer;
}

/** A refund, by the merchant. */
export function postReversal(context: Context, id: string, json: unknown, base: Base): FinixResource {
  const parent = getTransfer(context, id);
  const request = read(createReversal, json);
  const amount = request.refund_amount ?? request.amount ?? amountOf(parent);
  if (amount > amountOf(parent)) throw invalidField('refund_amount', 'refund_amount is more than was debited');
  getInstrument(context, String(parent['source'] ?? parent['destination']));
  return newTransfer(context, base, {
    ...reversalOf(parent),
    subtype: 'API',
    amount,
    idempotency_id: request.idempotency_id ?? null,
    tags: request.tags,
  });
}

/** The fields that each reversal has from its parent. The direction is turned round. */
export function reversalOf(parent: FinixResource): Record<string, unknown> {
  return {
    type: 'REVERSAL',
    state: 'SUCCEEDED',
    amount: parent['amount'],
    currency: parent['currency'],
    merchant: parent['merchant'],
    source: parent['destination'],
    destination: parent['source'],
    parent_transfer: parent.id,
    parent_transfer_trace_id: parent['trace_id'],
  };
}

export function listTransfers(context: Context, query: Record<string, string>, base: Base): Record<string, unknown> {
  return page(context, 'transfers', context.state.transfers.values(), query, FILTERS, `${base.url}/transfers`);
}

export function listReversals(
  context: Context,
  id: string,
  query: Record<string, string>,
  base: Base,
): Record<string, unknown> {
  getTransfer(context, id);
  const all = [...context.state.transfers.values()].filter(({ resource }) => resource['parent_transfer'] === id);
  return page(context, 'transfers', all, query, {}, `${base.url}/transfers/${id}/reversals`);
}
