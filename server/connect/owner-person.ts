import type { Address, IdentityInput, Verification } from '../../widget/contract.ts';
import type { PlaidPerson } from '../clients/plaid-risk.ts';

/** Plaid writes countries in two letters, Finix in three: those that Plaid has banks of. */
const COUNTRIES: Record<string, string> = {
  USA: 'US',
  CAN: 'CA',
  GBR: 'GB',
  ESP: 'ES',
  NLD: 'NL',
  FRA: 'FR',
  IRL: 'IE',
  DEU: 'DE',
  ITA: 'IT',
  POL: 'PL',
  DNK: 'DK',
  NOR: 'NO',
  SWE: 'SE',
  EST: 'EE',
  LTU: 'LT',
  LVA: 'LV',
  PRT: 'PT',
  BEL: 'BE',
  AUT: 'AT',
  FIN: 'FI',
};

/** Whom the owner of an account is compared with: the business where the account is a business's, else the person. */
export function personOf(identity: IdentityInput, holder: Verification['holder_category']): PlaidPerson {
  const { first_name, last_name, business_name, email } = identity;
  const own = first_name && last_name ? `${first_name} ${last_name}` : (last_name ?? first_name);
  const isBusiness = business_name !== undefined && (holder === 'business' || own === undefined);
  const legal_name = isBusiness ? business_name : own;
  const phone = comparablePhone(isBusiness ? (identity.business_phone ?? identity.phone) : identity.phone);
  const address = addressOf(
    isBusiness ? (identity.business_address ?? identity.personal_address) : identity.personal_address,
  );
  return {
    ...(legal_name ? { legal_name } : {}),
    ...(email ? { email_address: email } : {}),
    ...(phone ? { phone_number: phone } : {}),
    ...(address ? { address } : {}),
  };
}

export function canCompare(person: PlaidPerson): boolean {
  return Object.keys(person).length > 0;
}

const digitsOf = (phone: string | undefined) => phone?.replace(/[ ().-]/g, '') ?? '';

/** The number with its country, as Plaid wants it (E.164); undefined for one without. */
export function internationalPhone(phone: string | undefined): string | undefined {
  const digits = digitsOf(phone);
  return /^\+[1-9]\d{6,14}$/.test(digits) ? digits : undefined;
}

/** Ten digits without a country are of the United States. */
function comparablePhone(phone: string | undefined): string | undefined {
  const digits = digitsOf(phone);
  return /^[2-9]\d{9}$/.test(digits) ? `+1${digits}` : internationalPhone(phone);
}

function addressOf(address: Address | undefined): PlaidPerson['address'] {
  if (!address) return undefined;
  const { line1, line2, city, region, postal_code, country } = address;
  const street = [line1, line2].filter(Boolean).join(' ');
  const code = COUNTRIES[country ?? ''];
  const parts = {
    ...(street ? { street } : {}),
    ...(city ? { city } : {}),
    ...(region ? { region } : {}),
    ...(postal_code ? { postal_code } : {}),
    ...(code ? { country: code } : {}),
  };
  return Object.keys(parts).length > 0 ? parts : undefined;
}
