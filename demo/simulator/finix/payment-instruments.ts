import type { Context } from '../context.ts';
import { fingerprintOf, finixId, iso } from '../ids.ts';
import type { FinixResource, SimulatedAccount, SimulatedItem } from '../state.ts';
import { finixRefusal, invalidField } from './errors.ts';
import type { Base } from './identities.ts';
import { type Filter, page, TIME_FILTERS } from './lists.ts';
import { createInstrument, read, updateInstrument } from './schemas.ts';

const last4 = (instrument: FinixResource): string => String(instrument['masked_account_number']).slice(-4);
/** Parameters about cards: known to Finix, but no bank account has them. */
const CARD_FILTERS = ['bin', 'last4', 'expiration_month', 'expiration_year'];

const FILTERS: Record<string, Filter> = {
  ...TIME_FILTERS,
  ...Object.fromEntries(CARD_FILTERS.map((name): [string, Filter] => [name, () => false])),
  owner_identity_id: (instrument, value) => instrument['identity'] === value,
  type: (instrument, value) => {
    if (!['ALL', 'BANK_ACCOUNT', 'PAYMENT_CARD'].includes(value)) throw invalidField('type', 'type is not known');
    return value === 'ALL' || instrument['type'] === value;
  },
  account_last4: (instrument, value) => last4(instrument) === value,
  account_routing_number: (instrument, value) => instrument['bank_code'] === value,
  name: (instrument, value) => instrument['name'] === value,
  application: (instrument, value) => instrument['application'] === value,
};

/** Makes an instrument of a live processor token. Every call makes a new one: Finix has no idempotency here. */
export function postInstrument(context: Context, json: unknown, base: Base): FinixResource {
  const request = read(createInstrument, json);
  if (!context.state.identities.has(request.identity)) {
    throw invalidField('identity', `identity ${request.identity} was not found`);
  }
  const { item, account } = askPlaid(context, request.third_party_token);
  const now = context.now();
  const id = finixId('PI');
  const at = iso(now);
  const self = `${base.url}/payment_instruments/${id}`;
  const routing = item.institution.routing_number;
  const instrument: FinixResource = {
    id,
    created_at: at,
    updated_at: at,
    application: base.application,
    created_via: 'API',
    currency: 'USD',
    disabled_code: null,
    disabled_message: null,
    enabled: true,
    fingerprint: fingerprintOf(routing, account.number),
    identity: request.identity,
    instrument_type: 'BANK_ACCOUNT',
    account_type: account.subtype === 'savings' ? 'SAVINGS' : 'CHECKING',
    bank_account_validation_check: request.attempt_bank_account_validation_check ? 'VALID' : 'NOT_ATTEMPTED',
    bank_code: routing,
    country: 'USA',
    institution_number: null,
    masked_account_number: account.number.replace(/.(?=.{4})/g, 'X'),
    name: request.name ?? item.owner.name,
    transit_number: null,
    tags: request.tags ?? {},
    third_party: 'PLAID',
    // Not known whether Finix echoes it; the simulator does, so that a leak of it is found here.
    third_party_token: request.third_party_token,
    type: 'BANK_ACCOUNT',
    _links: {
      self: { href: self },
      authorizations: { href: `${self}/authorizations` },
      transfers: { href: `${self}/transfers` },
      verifications: { href: `${self}/verifications` },
      application: { href: `${base.url}/applications/${base.application}` },
      identity: { href: `${base.url}/identities/${request.identity}` },
    },
  };
  context.state.instruments.set(id, { resource: instrument, listed_from: now + context.settings.listLagMs });
  context.webhooks.finix('instrument', 'created', instrument);
  return instrument;
}

const VERIFIED = ['automatically_verified', 'manually_verified', 'database_insights_pass'];

/** What Finix does behind the scenes: reads numbers and owner from Plaid by the processor token. */
function askPlaid(context: Context, token: string): { item: SimulatedItem; account: SimulatedAccount } {
  const field = 'third_party_token';
  const processor = context.state.processorTokens.get(token);
  const item = processor && context.state.items.get(processor.item_id);
  const account = item?.accounts.find(({ account_id }) => account_id === processor?.account_id);
  if (!item || !account || item.removed) throw invalidField(field, 'The Plaid processor token is not valid.');
  const granted = [...item.products, ...item.consented];
  const mayRead = processor?.products ?? [];
  for (const product of ['auth', 'identity']) {
    if (!granted.includes(product) || (mayRead.length > 0 && !mayRead.includes(product))) {
      throw invalidField(field, `The Plaid Item does not have the ${product} product.`);
    }
  }
  if (item.login_required) throw invalidField(field, 'The Plaid Item needs a new login.');
  const status = account.verification_status ?? 'automatically_verified';
  if (!VERIFIED.includes(status)) {
    throw invalidField(field, 'The bank account has not been verified by Plaid yet.');
  }
  if (!['checking', 'savings', 'cash management'].includes(account.subtype)) {
    throw invalidField(field, 'The bank account cannot be used for ACH.');
  }
  return { item, account };
}

export function getInstrument(context: Context, id: string): FinixResource {
  const found = context.state.instruments.get(id);
  if (!found) throw finixRefusal(404, `No payment instrument ${id} was found`);
  return found.resource;
}

export function putInstrument(context: Context, id: string, json: unknown): FinixResource {
  const instrument = getInstrument(context, id);
  const request = read(updateInstrument, json);
  if (request.enabled !== undefined) setEnabled(instrument, request.enabled, context.now());
  if (request.name) instrument['name'] = request.name;
  if (request.tags) instrument.tags = request.tags;
  if (request.attempt_bank_account_validation_check) instrument['bank_account_validation_check'] = 'VALID';
  instrument.updated_at = iso(context.now());
  context.webhooks.finix('instrument', 'updated', instrument);
  return instrument;
}

export function setEnabled(instrument: FinixResource, enabled: boolean, now: number): void {
  instrument['enabled'] = enabled;
  // Finix's own words, for bank accounts too.
  instrument['disabled_code'] = enabled ? null : 'USER_INITIATED';
  instrument['disabled_message'] = enabled ? null : 'The card has been disabled by a user.';
  instrument.updated_at = iso(now);
}

export function listInstruments(context: Context, query: Record<string, string>, base: Base): Record<string, unknown> {
  const all = context.state.instruments.values();
  return page(context, 'payment_instruments', all, query, FILTERS, `${base.url}/payment_instruments`);
}
