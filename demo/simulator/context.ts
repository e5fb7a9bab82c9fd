import { setTimeout as sleep } from 'node:timers/promises';
import type { Faults } from './faults.ts';
import type { FinixResource, Lifetimes, SimulatedCall, SimulatedItem, SimulatedLinkToken, State } from './state.ts';
import type { ServiceName } from './types.ts';

/** One line for a live log: no token, no credential, no name. */
export interface Step {
  at: string;
  service: ServiceName;
  /** Method and path, or what happened in Link. */
  what: string;
  /** null: no answer was given. */
  status: number | null;
  ms: number;
  /** Why a webhook got no answer, such as the error code of the connection. */
  problem?: string;
}

export interface SimulatorSettings {
  /** How long new identities and payment instruments stay out of Finix's lists, in milliseconds. */
  listLagMs: number;
  /**
   * Takes every browser for a webview, where banks with OAuth take the place of the page. Without it the user agent
   * decides, as with Plaid.
   */
  isWebview: boolean;
  /**
   * Reports every Link by its link token, as Plaid does for clients that are enabled for Link events; otherwise Hosted
   * Links only.
   */
  linkEvents: boolean;
  /**
   * Products that Plaid has not enabled for the client: a link token that names one is refused, and so is every call
   * for one.
   */
  disabledProducts: string[];
  /**
   * Plaid's Dashboard > Signal > Rules: the kind of each ruleset by its key. `default` runs when a request names none.
   */
  signalRulesets: Record<string, 'signal' | 'balance'>;
  /** How long after the exchange that happens which a scenario has in store, in real milliseconds. */
  laterMs: number;
  /** The user name that Link begins with and that `/sandbox/public_token/create` takes where it is given none. */
  username: string;
}

/** What happens at a bank outside of Link, days later: each changes the Item and has Plaid send its webhook. */
export interface Bank {
  /** The wait for the small deposits is over, for all accounts of the login that wait. */
  verify(itemId: string, outcome: 'automatically_verified' | 'verification_expired'): void;
  /** The login is no longer good. */
  breakLogin(itemId: string): void;
  /** The customer has signed in again, at another app or at the bank. */
  repairLogin(itemId: string): void;
  /** The customer takes the permission back; until they sign in again the Item is of no use. */
  revokePermission(itemId: string): void;
  /** As `revokePermission`, for one account of the login. */
  revokeAccount(itemId: string, accountId: string): void;
  /** The customer no longer shares the account numbers; update mode with `products: ['auth']` asks for them. */
  withholdNumbers(itemId: string): void;
  /** The bank gives the accounts new numbers. */
  renumber(itemId: string): void;
  /** The consent ends in a week. */
  announceDisconnect(itemId: string, code?: 'PENDING_DISCONNECT' | 'PENDING_EXPIRATION'): void;
  /** The consent has an end from now on, in milliseconds since 1970; a sign-in renews it. */
  limitConsent(itemId: string, endsAt: number): void;
  /** There is one more account at the login. */
  openAccount(itemId: string): void;
  /** An operator disables the login's payment instruments in Finix's dashboard. */
  disableInstruments(itemId: string): void;
  /** The customer has agreed to more products. */
  grantConsent(itemId: string, products: string[]): void;
  /**
   * The customer signs in again by way of update mode, without Link: no webhook. `newIds`: the accounts come back with
   * other ids.
   */
  signInAgain(itemId: string, how?: { newIds?: boolean }): void;
  /** Sets in motion what the scenario of a newly exchanged Item has in store. */
  beginLater(item: SimulatedItem): void;
}

/** Sends the webhooks of both providers. */
export interface WebhookSender {
  /** About an Item, to the address that the Item has; false: it has none. */
  plaidItem(item: SimulatedItem, type: string, code: string, more?: Record<string, unknown>): boolean;
  /** About a Hosted Link, to the address of its link token. */
  plaidLink(token: SimulatedLinkToken, code: string, more: Record<string, unknown>): void;
  /** About a payment instrument or a transfer, to the subscription. */
  finix(entity: 'instrument' | 'transfer', type: 'created' | 'updated', resource: FinixResource): void;
  /** The public key as `/webhook_verification_key/get` returns it. */
  key(kid: string): Record<string, unknown> | undefined;
}

export interface ReturnOptions {
  /**
   * How Finix reports it, which is not published for certain. `failed`: the debit turns FAILED. `reversal`: it keeps
   * its state, and a Transfer of type REVERSAL, subtype SYSTEM, takes the money back. `returned`: it turns RETURNED. By
   * default `failed` until it has succeeded, then `reversal`.
   */
  form?: 'failed' | 'reversal' | 'returned';
  /** The place of the return code; in `messages`, `tags` and `details` for the three forms when left out. */
  codeIn?: 'tags' | 'messages' | 'raw' | 'details' | 'nowhere';
  /** Finix's `failure_code`, where it is to be another one than is published for the return code. */
  failureCode?: string;
  /** Tags that Finix adds to those of the merchant. */
  tags?: Record<string, string>;
}

/** The banks' responses to debits, by way of Finix. */
export interface AchNetwork {
  /** A new transfer: its outcome, by its amount, comes after `settings.laterMs`. */
  begin(transfer: FinixResource): void;
  /** Handed to the network; not paid yet. */
  succeed(transferId: string): void;
  /** Refused before the network. */
  fail(transferId: string, failureCode: string, message?: string): void;
  /** The bank sends it back, also weeks after it succeeded. @returns the Transfer that reports it */
  returnDebit(transferId: string, code: string, options?: ReturnOptions): FinixResource;
}

/** What a customer does in Link, with what it is about: for tests and local pages only, as the ledger is. */
export interface LinkStep {
  at: string;
  what: string;
  link_session_id: string;
  link_token: string;
  institution: string | null;
  /** Once Link has succeeded. */
  accounts: { name: string; mask: string | null }[];
}

/** What the three services share. */
export interface Context {
  state: State;
  faults: Faults;
  plaid: { clientId: string; secret: string };
  finix: { username: string; password: string };
  lifetimes: Lifetimes;
  /** May be changed at any time. */
  settings: SimulatorSettings;
  now: () => number;
  webhooks: WebhookSender;
  bank: Bank;
  ach: AchNetwork;
  /** Ends every wait when the simulator closes. */
  closing: AbortSignal;
  emit: (step: Step) => void;
  emitLink: (step: LinkStep) => void;
  /** A request has come in. */
  record: (call: SimulatedCall) => void;
  /** The same request has its answer, or never gets one. */
  answered: (call: SimulatedCall) => void;
}

/** Waits, at most until the simulator closes. Real time, also where `now` is a test's own clock. */
export async function pause(context: Context, ms: number): Promise<void> {
  try {
    await sleep(ms, undefined, { signal: context.closing });
  } catch {
    // Closing ends the wait early; what comes after it finds its connection gone.
  }
}
