import type { AccountSelection, CreateSessionRequest, Ownership, Purpose } from '../../widget/contract.ts';
import type { Owner } from '../simulator/index.ts';
import { MERCHANTS as KEYS, type MerchantKey } from '../step.ts';

/** One of the invented merchants, with the customer who is signed in there. */
export interface Merchant {
  key: MerchantKey;
  /** In Link too: at most 30 characters. */
  name: string;
  orderPrefix: string;
  purpose: Purpose;
  ownership?: Ownership;
  authorization?: CreateSessionRequest['authorization'];
  account_selection?: AccountSelection;
  language?: string;
  /** Cents, so that sums are exact. */
  amountCents: number;
  person: { firstName: string; lastName: string; owner: Owner };
}

function person(firstName: string, lastName: string, owner: Omit<Owner, 'name'>): Merchant['person'] {
  return { firstName, lastName, owner: { name: `${firstName} ${lastName}`, ...owner } };
}

export const MERCHANTS: Record<MerchantKey, Merchant> = {
  coffee: {
    key: 'coffee',
    name: 'Kestrel & Oak',
    orderPrefix: 'KO',
    purpose: 'debit',
    amountCents: 8_660,
    person: person('Maya', 'Okafor', {
      email: 'maya@okafor.example',
      phone: '2075550148',
      address: { street: '48 Harbor Street', city: 'Portland', region: 'ME', postal_code: '04101', country: 'US' },
    }),
  },
  rent: {
    key: 'rent',
    name: 'Linden Court',
    orderPrefix: 'LC',
    purpose: 'debit',
    authorization: {
      text: 'I authorize Linden Court to debit my bank account for rent on the first of each month until I revoke this.',
      version: '2026-11',
    },
    amountCents: 184_500,
    person: person('Daniel', 'Reyes', {
      email: 'daniel@reyes.example',
      phone: '5035550172',
      address: { street: '310 Linden Court, 4B', city: 'Eugene', region: 'OR', postal_code: '97401', country: 'US' },
    }),
  },
  payout: {
    key: 'payout',
    name: 'Fieldnote Studio',
    orderPrefix: 'FN',
    purpose: 'payout',
    amountCents: 247_000,
    person: person('Priya', 'Raman', {
      email: 'priya@raman.example',
      phone: '5125550116',
      address: { street: '77 Juniper Lane', city: 'Austin', region: 'TX', postal_code: '78704', country: 'US' },
    }),
  },
};

/** The merchant that a request names; the first where it names none. */
export function merchantOf(key: unknown): Merchant {
  return MERCHANTS[KEYS.find((known) => known === key) ?? 'coffee'];
}

export function dollars(cents: number): string {
  return (cents / 100).toLocaleString('en-US', { style: 'currency', currency: 'USD' });
}
