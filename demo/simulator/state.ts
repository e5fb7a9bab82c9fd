import type { AccountTemplate } from './account-templates.ts';
import type { Faults } from './faults.ts';
import { plaidId, plaidToken } from './ids.ts';
import type { SimulatedInstitution } from './institutions.ts';
import type { Owner, Person, Scenario } from './scenario.ts';
import { AUTH_SUBTYPES } from './scenarios.ts';
import type { ServiceName } from './types.ts';

export interface Lifetimes {
  /** Plaid: four hours for a new Item. */
  linkTokenMs: number;
  /** Plaid: thirty minutes in update mode, and for Hosted Link unless the request sets another time. */
  updateLinkTokenMs: number;
  /** Plaid: thirty minutes. */
  publicTokenMs: number;
}

const MINUTE = 60_000;
export const PLAID_LIFETIMES: Lifetimes = {
  linkTokenMs: 240 * MINUTE,
  updateLinkTokenMs: 30 * MINUTE,
  publicTokenMs: 30 * MINUTE,
};

export interface SimulatedAccount extends AccountTemplate {
  account_id: string;
  /** Full number, for Finix only; never in an answer other than `/auth/get`. */
  number: string;
}

export interface SimulatedItem {
  item_id: string;
  /** Made with the Item, given out by the exchange. */
  access_token: string;
  institution: SimulatedInstitution;
  scenario: Scenario;
  owner: Owner;
  accounts: SimulatedAccount[];
  products: string[];
  consented: string[];
  webhook: string | null;
  created_at: number;
  exchanged: boolean;
  removed: boolean;
  login_required: boolean;
  /** When the consent ends; null: the bank sets no end. */
  consent_ends_at: number | null;
  /** The scenario's own faults, counted for this Item. */
  faults: Faults;
}

export interface SimulatedPublicToken {
  public_token: string;
  item_id: string;
  expires_at: number;
  exchanged: boolean;
}

export interface SimulatedProcessorToken {
  processor_token: string;
  item_id: string;
  account_id: string;
  /** What the partner may read; empty: everything. */
  products: string[];
}

/** A debit that `/signal/evaluate` was asked about. */
export interface SignalTransaction {
  /** Account and amount, which the same id must come with again. */
  debit: string;
  result: 'ACCEPT' | 'REVIEW' | 'REROUTE';
  answer: Record<string, unknown>;
  /** The last `/signal/decision/report`; null: none. */
  initiated: boolean | null;
  /** Return code of `/signal/return/report`; null: none. */
  returned: string | null;
}

export interface SimulatedLinkToken {
  link_token: string;
  created_at: number;
  expires_at: number;
  client_name: string;
  client_user_id: string | null;
  language: string;
  country_codes: string[];
  products: string[];
  required_if_supported_products: string[];
  optional_products: string[];
  additional_consented_products: string[];
  webhook: string | null;
  redirect_uri: string | null;
  link_customization_name: string;
  appearance_mode: 'LIGHT' | 'DARK' | 'SYSTEM';
  /** Depository subtypes that the request lets through; null: Plaid's own for the products. */
  account_subtypes: string[] | null;
  /** Update mode: the Item to repair. */
  update_item_id: string | null;
  update_account_selection: boolean;
  hosted: { id: string; completion_redirect_uri: string | null } | null;
  sessions: SimulatedLinkSession[];
}

export interface LinkResult {
  public_token: string;
  institution: { name: string; institution_id: string } | null;
  accounts: LinkAccount[];
}

/** An account as in `onSuccess`. */
export interface LinkAccount {
  id: string;
  name: string;
  mask: string | null;
  type: string;
  subtype: string;
  verification_status: string | null;
  class_type: string | null;
}

export interface SimulatedLinkSession {
  link_session_id: string;
  link_token: string;
  started_at: number;
  finished_at: number | null;
  institution: SimulatedInstitution | null;
  scenario: Scenario | null;
  /** Whether the credentials, and the code if one was asked for, were good. */
  signed_in: boolean;
  code_asked: boolean;
  /** The bank's own page, for banks with OAuth. `redirect`: it takes the place of the shop's page. */
  oauth: SimulatedOauth | null;
  accounts: SimulatedAccount[];
  result: LinkResult | null;
  exit: { error_code: string | null; status: string | null } | null;
}

export interface SimulatedOauth {
  state_id: string;
  how: 'popup' | 'redirect';
  outcome: 'waiting' | 'granted' | 'declined';
  /** Link was begun again with this state: it is good for one return. */
  returned: boolean;
}

/** A resource as Finix shows it, and when lists begin to show it. */
export interface Listed<T> {
  resource: T;
  listed_from: number;
}

export interface FinixResource {
  id: string;
  created_at: string;
  updated_at: string;
  tags: Record<string, string>;
  [field: string]: unknown;
}

/**
 * One request that came in, and what came of it. Credentials are left out; tokens are not, because tests compare them.
 */
export interface SimulatedCall {
  at: string;
  service: ServiceName;
  method: string;
  path: string;
  query: Record<string, string>;
  body: unknown;
  /** null: no answer was given. */
  status: number | null;
  response: unknown;
  /** Whether the request reached the provider's own code: false for a fault before it took effect. */
  handled: boolean;
  fault: string | null;
  /** From arrival to answer, in milliseconds. */
  ms: number;
}

/** Everything that the simulated providers remember. */
export class State {
  readonly linkTokens = new Map<string, SimulatedLinkToken>();
  readonly publicTokens = new Map<string, SimulatedPublicToken>();
  readonly processorTokens = new Map<string, SimulatedProcessorToken>();
  /** By `client_transaction_id`. */
  readonly signalTransactions = new Map<string, SignalTransaction>();
  /** By item id. */
  readonly items = new Map<string, SimulatedItem>();
  /** Item ids by access token, so that a load test is not slowed down by the stand-in. */
  readonly #accessTokens = new Map<string, string>();
  readonly identities = new Map<string, Listed<FinixResource>>();
  readonly instruments = new Map<string, Listed<FinixResource>>();
  readonly transfers = new Map<string, Listed<FinixResource>>();
  readonly sessions = new Map<string, SimulatedLinkSession>();
  /** By `client_user_id`. Introduced from outside, so that a reset leaves it. */
  readonly people = new Map<string, Person>();
  calls: SimulatedCall[] = [];

  reset(): void {
    const maps = [
      this.linkTokens,
      this.publicTokens,
      this.processorTokens,
      this.signalTransactions,
      this.items,
      this.#accessTokens,
      this.identities,
      this.instruments,
      this.transfers,
      this.sessions,
    ];
    for (const map of maps) map.clear();
    this.calls = [];
  }

  itemByAccessToken(accessToken: string): SimulatedItem | undefined {
    const item = this.items.get(this.#accessTokens.get(accessToken) ?? '');
    return item?.exchanged ? item : undefined;
  }

  addItem(item: SimulatedItem): void {
    this.items.set(item.item_id, item);
    this.#accessTokens.set(item.access_token, item.item_id);
  }

  /** The Item that a request is about, whichever token names it. */
  itemOf(body: unknown): SimulatedItem | undefined {
    if (!body || typeof body !== 'object') return undefined;
    const { access_token, public_token, third_party_token, processor_token } = body as Record<string, unknown>;
    if (typeof access_token === 'string') return this.itemByAccessToken(access_token);
    if (typeof public_token === 'string') return this.items.get(this.publicTokens.get(public_token)?.item_id ?? '');
    const processor = third_party_token ?? processor_token;
    if (typeof processor === 'string') return this.items.get(this.processorTokens.get(processor)?.item_id ?? '');
    return undefined;
  }

  newPublicToken(itemId: string, now: number, lifetimes: Lifetimes): string {
    const public_token = plaidToken('public');
    this.publicTokens.set(public_token, {
      public_token,
      item_id: itemId,
      expires_at: now + lifetimes.publicTokenMs,
      exchanged: false,
    });
    return public_token;
  }
}

/** The scenario's accounts, with ids of their own: Plaid gives every Item new ones. */
export function openAccounts(scenario: Scenario): SimulatedAccount[] {
  // As Plaid's Sandbox numbers them: the mask is the end of the number.
  return scenario.accounts.map((template) => ({
    ...template,
    account_id: plaidId(),
    number: `111122223333${template.mask}`,
  }));
}

/** Whether Link offers the account for this link token. */
export function isOffered(account: SimulatedAccount, token: SimulatedLinkToken): boolean {
  if (token.account_subtypes) {
    const any = token.account_subtypes.includes('all');
    if (account.type !== 'depository' || !(any || token.account_subtypes.includes(account.subtype))) return false;
  }
  const asksForAuth = [...token.products, ...token.required_if_supported_products].includes('auth');
  return !asksForAuth || (account.type === 'depository' && AUTH_SUBTYPES.includes(account.subtype));
}
