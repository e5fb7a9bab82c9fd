import type { AccountTemplate } from './account-templates.ts';
import type { FaultRule } from './types.ts';

/** Where Link shows an error to a user, and which. */
export interface LinkTrouble {
  error_code: string;
  /** `expired`: Link closes at once, as it does with a link token that is over. `pane`: an error pane, then exit. */
  shown: 'pane' | 'expired';
}

export interface Scenario {
  /** What to type as user name in Link, or to send as `override_username`. */
  username: string;
  title: string;
  /** One sentence, for lists of scenarios. */
  description: string;
  accounts: readonly AccountTemplate[];
  owner: string;
  /** The account is another's: it keeps its owner also for a person who was introduced by `simulator.people`. */
  keepsOwner?: true;
  /** The Item needs a new login at once; update mode repairs it. */
  loginRequired?: boolean;
  /** Trouble inside Link, after the credentials. */
  link?: LinkTrouble;
  /** Trouble at the providers, only for this user's Items; each Item counts for itself. */
  faults?: readonly FaultRule[];
  /** What happens at the bank some time after the exchange (`settings.laterMs`). */
  later?: Later;
  /** How the webhooks of this user's Items are sent, instead of the usual way. */
  webhooks?: { copies?: number; delayMs?: number };
  /**
   * How Plaid verified the account, as the Item's `auth_method`; INSTANT_AUTH, or AUTOMATED_MICRODEPOSITS with a
   * verification status.
   */
  authMethod?: string;
  /** Whom the bank has as the account's holder; a person when left out. */
  holderCategory?: 'personal' | 'business' | 'unrecognized' | null;
  /** What `/identity/match` answers to every request; scores by comparing with the owner when left out. */
  ownerScores?: OwnerScores;
  /** In place of `ownerScores`, for accounts of another owner: by the last digits of the account. */
  otherOwners?: Readonly<Record<string, OwnerScores>>;
}

/** The scores of `/identity/match`, 0 to 100; null: the bank has no such data. */
export interface OwnerScores {
  legal_name: number | null;
  email_address: number | null;
  phone_number: number | null;
  address: number | null;
}

/** `disordered`: the login breaks and is repaired, and the webhooks come the other way round. */
export type Later =
  | 'verified'
  | 'verification_expired'
  | 'broken'
  | 'disordered'
  | 'revoked'
  | 'account_revoked'
  | 'account_opened'
  | 'numbers_withheld'
  | 'disabled'
  | 'renumbered'
  | 'disconnecting';

/** What a bank knows of an account's owner. */
export interface Owner {
  name: string;
  email: string;
  /** Ten digits. */
  phone: string;
  address: { street: string; city: string; region: string; postal_code: string; country: string };
}

/** A person whom Link meets under one `client_user_id`. */
export interface Person {
  /** Filled in where Link asks for a user name; `user_good` when left out. */
  username?: string;
  /** Owns the accounts of every scenario that is not about another owner; the scenario's own when left out. */
  owner?: Owner;
}

/** The owner of Plaid's own `user_good`. */
export const OWNER = 'Alberta Bobbeth Charleson';

export function ownerOf(scenario: Scenario, person: Person | undefined): Owner {
  if (person?.owner && !scenario.keepsOwner) return person.owner;
  return {
    name: scenario.owner,
    email: 'accountholder0@example.com',
    phone: '4155550123',
    address: { street: '2992 Cameron Road', city: 'Malakoff', region: 'NY', postal_code: '14236', country: 'US' },
  };
}
