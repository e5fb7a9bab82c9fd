import { iso, persistentAccountId } from '../ids.ts';
import type { SimulatedInstitution } from '../institutions.ts';
import type { SimulatedAccount, SimulatedItem } from '../state.ts';
import { plaidErrorObject } from './errors.ts';
import { logoOf } from './logo.ts';

type Shape = Record<string, unknown>;

export function accountShape(item: SimulatedItem, account: SimulatedAccount): Shape & { balances: Shape } {
  const { holderCategory = 'personal' } = item.scenario;
  return {
    account_id: account.account_id,
    balances: {
      available: account.available,
      current: account.current,
      limit: account.limit,
      iso_currency_code: 'USD',
      unofficial_currency_code: null,
    },
    holder_category: holderCategory,
    mask: account.mask,
    name: account.name,
    official_name: account.official_name,
    type: account.type,
    subtype: account.subtype,
    ...(account.verification_status ? { verification_status: account.verification_status } : {}),
    ...(item.institution.tokenizedNumbers && account.type === 'depository'
      ? { persistent_account_id: persistentAccountId(item.institution.institution_id, account.number) }
      : {}),
  };
}

export function itemShape(item: SimulatedItem): Shape {
  const byDeposits = item.accounts.some(({ verification_status }) => verification_status !== undefined);
  const authMethod = item.scenario.authMethod ?? (byDeposits ? 'AUTOMATED_MICRODEPOSITS' : 'INSTANT_AUTH');
  return {
    item_id: item.item_id,
    institution_id: item.institution.institution_id,
    institution_name: item.institution.name,
    webhook: item.webhook ?? '',
    auth_method: item.products.includes('auth') ? authMethod : null,
    error: item.login_required ? plaidErrorObject('ITEM_LOGIN_REQUIRED') : null,
    available_products: ['assets', 'signal', 'transactions'].filter((product) => !item.products.includes(product)),
    billed_products: item.products,
    products: item.products,
    consent_expiration_time: item.consent_ends_at === null ? null : iso(item.consent_ends_at),
    update_type: 'background',
  };
}

interface OwnerShape {
  names: string[];
  phone_numbers: { data: string; primary: boolean; type: string }[];
  emails: { data: string; primary: boolean; type: string }[];
  addresses: {
    data: { street: string; city: string; region: string; postal_code: string; country: string };
    primary: boolean;
  }[];
}

/** The one owner of all the accounts of an Item. */
export function ownerShape(item: SimulatedItem): OwnerShape {
  return {
    names: [item.owner.name],
    phone_numbers: [{ data: item.owner.phone, primary: true, type: 'mobile' }],
    emails: [{ data: item.owner.email, primary: true, type: 'primary' }],
    addresses: [{ data: item.owner.address, primary: true }],
  };
}

/** @param withLook the parts that Plaid returns only on request */
export function institutionShape(institution: SimulatedInstitution, withLook = false): Shape {
  return {
    institution_id: institution.institution_id,
    name: institution.name,
    products: ['assets', 'auth', 'identity', 'signal', 'transactions'],
    country_codes: ['US'],
    ...(withLook && {
      url: institution.url,
      primary_color: institution.color,
      logo: institution.hasLogo ? logoOf(institution.color) : null,
    }),
    routing_numbers: [institution.routing_number],
    oauth: institution.oauth,
  };
}
