import type { Context } from '../context.ts';
import { finixId, iso } from '../ids.ts';
import type { FinixResource } from '../state.ts';
import { finixRefusal } from './errors.ts';
import { type Filter, page, TIME_FILTERS } from './lists.ts';
import { createIdentity, read, updateIdentity } from './schemas.ts';

/** Where this Finix is, and the one application that everything belongs to. */
export interface Base {
  url: string;
  application: string;
}

const ENTITY_FIELDS = [
  'first_name',
  'last_name',
  'title',
  'email',
  'phone',
  'personal_address',
  'business_name',
  'doing_business_as',
  'business_phone',
  'business_address',
  'business_type',
  'default_statement_descriptor',
];
/** Fields of the entity that the list can be searched by. */
const SEARCHABLE = [
  'email',
  'first_name',
  'last_name',
  'business_name',
  'business_type',
  'title',
  'default_statement_descriptor',
];
const LINKS = [
  'verifications',
  'merchants',
  'settlements',
  'authorizations',
  'transfers',
  'payment_instruments',
  'associated_identities',
  'disputes',
];

const FILTERS: Record<string, Filter> = {
  ...TIME_FILTERS,
  id: (identity, value) => identity.id === value,
  ...Object.fromEntries(
    SEARCHABLE.map((field): [string, Filter] => [field, (identity, value) => entityOf(identity)[field] === value]),
  ),
};

function entityOf(identity: FinixResource): Record<string, unknown> {
  return identity['entity'] as Record<string, unknown>;
}

export function postIdentity(context: Context, json: unknown, base: Base): FinixResource {
  const request = read(createIdentity, json);
  const now = context.now();
  const id = finixId('ID');
  const at = iso(now);
  const identity: FinixResource = {
    id,
    created_at: at,
    updated_at: at,
    additional_underwriting_data: null,
    application: base.application,
    entity: {
      ...Object.fromEntries(ENTITY_FIELDS.map((field) => [field, null])),
      ...request.entity,
      // Secret values are reported as present, never shown.
      tax_id_provided: false,
      business_tax_id_provided: false,
    },
    identity_roles: request.identity_roles ?? [],
    tags: request.tags ?? {},
    type: request.type ?? null,
    _links: {
      self: { href: `${base.url}/identities/${id}` },
      ...Object.fromEntries(LINKS.map((link) => [link, { href: `${base.url}/identities/${id}/${link}` }])),
      application: { href: `${base.url}/applications/${base.application}` },
    },
  };
  context.state.identities.set(id, { resource: identity, listed_from: now + context.settings.listLagMs });
  return identity;
}

export function getIdentity(context: Context, id: string): FinixResource {
  const found = context.state.identities.get(id);
  if (!found) throw finixRefusal(404, `No identity ${id} was found`);
  return found.resource;
}

export function putIdentity(context: Context, id: string, json: unknown): FinixResource {
  const identity = getIdentity(context, id);
  const request = read(updateIdentity, json);
  if (request.entity) identity['entity'] = { ...entityOf(identity), ...request.entity };
  if (request.identity_roles) identity['identity_roles'] = request.identity_roles;
  if (request.type) identity['type'] = request.type;
  if (request.tags) identity.tags = request.tags;
  identity.updated_at = iso(context.now());
  return identity;
}

export function listIdentities(context: Context, query: Record<string, string>, base: Base): Record<string, unknown> {
  const all = context.state.identities.values();
  return page(context, 'identities', all, query, FILTERS, `${base.url}/identities`);
}
