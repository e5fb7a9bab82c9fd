import { setMaxListeners } from 'node:events';
import { Hono } from 'hono';
import { createBank } from './bank.ts';
import type { AchNetwork, Bank, Context, LinkStep, SimulatorSettings, Step } from './context.ts';
import { Faults } from './faults.ts';
import { createAch } from './finix/ach.ts';
import { finixApp } from './finix/app.ts';
import { linkApp } from './link/app.ts';
import type { SimulatorEnv } from './pipe.ts';
import { plaidApp } from './plaid/app.ts';
import { checkErrorRule } from './plaid/errors.ts';
import type { Person } from './scenario.ts';
import {
  type FinixResource,
  type Lifetimes,
  PLAID_LIFETIMES,
  type SignalTransaction,
  type SimulatedCall,
  type SimulatedItem,
  type SimulatedLinkToken,
  type SimulatedPublicToken,
  State,
} from './state.ts';
import type { FaultRule } from './types.ts';
import { type Deliver, type SimulatedWebhook, Webhooks } from './webhooks.ts';

/** Credentials that the simulator takes by default; not secrets. */
export const SIMULATOR_CREDENTIALS = {
  plaid: { clientId: 'simulator-client-id', secret: 'simulator-plaid-secret' },
  finix: { username: 'USsimulator', password: 'simulator-finix-password' },
} as const;

/** Long enough to have looked at the result, short enough to be waited for. */
const LATER_MS = 15_000;

export interface SimulatorOptions {
  plaid?: { clientId: string; secret: string };
  finix?: { username: string; password: string };
  /** The simulated clock, in milliseconds since 1970; the real one when left out. Delays always take real time. */
  now?: () => number;
  /** How long tokens live; Plaid's own times when left out. */
  lifetimes?: Partial<Lifetimes>;
  /** How long new identities and payment instruments stay out of Finix's lists; 0 when left out. */
  listLagMs?: number;
  /** Takes every browser for a webview; the user agent decides when left out. */
  isWebview?: boolean;
  /**
   * Reports every Link by its link token, as for clients that Plaid has enabled for Link events; Hosted Links only when
   * left out.
   */
  linkEvents?: boolean;
  /** Products that Plaid has not enabled for the client; none when left out. */
  disabledProducts?: string[];
  /** The rulesets of Signal by their keys; a `default` one that scores and a `balance` one when left out. */
  signalRulesets?: Record<string, 'signal' | 'balance'>;
  /** Where Finix sends its webhooks, and the key that signs them; nowhere when left out. */
  finixWebhook?: { url: string; secret: string };
  /** How long after the exchange a scenario's later event comes, in real milliseconds; 15 s when left out. */
  laterMs?: number;
  /** Brings webhooks to their receiver; `fetch` when left out. */
  deliver?: Deliver;
}

/** What the simulated providers hold, as copies. Tokens are in it: for tests and local pages only. */
export interface Ledger {
  items(): LedgerItem[];
  instruments(): FinixResource[];
  identities(): FinixResource[];
  transfers(): FinixResource[];
  /** What Signal was asked and sent, by `client_transaction_id`. */
  signalTransactions(): ({ client_transaction_id: string } & SignalTransaction)[];
  /** Each processor token with the products that it is limited to; an empty list: all. */
  processorPermissions(): { processor_token: string; item_id: string; products: string[] }[];
  linkTokens(): SimulatedLinkToken[];
  publicTokens(): SimulatedPublicToken[];
  processorTokens(): string[];
  /** Every request to Plaid and Finix, oldest first. */
  calls(): SimulatedCall[];
  /** Every webhook that was made, oldest first. */
  webhooks(): SimulatedWebhook[];
  /** Forgets everything; faults and settings stay. */
  reset(): void;
}

export interface LedgerItem {
  item_id: string;
  access_token: string;
  institution_id: string;
  /** User name of the scenario. */
  username: string;
  account_ids: string[];
  products: string[];
  exchanged: boolean;
  removed: boolean;
  login_required: boolean;
  /** Where its webhooks go; null: nowhere. */
  webhook: string | null;
}

export interface Simulator {
  /** All under one origin: `/plaid/*`, `/finix/*`, `/link/*`. */
  app: Hono<SimulatorEnv>;
  ledger: Ledger;
  faults: {
    /** @returns ends the fault */
    add(rule: FaultRule): () => void;
    clear(): void;
  };
  settings: SimulatorSettings;
  /** The webhooks of both providers: late, twice, out of order. */
  webhooks: Webhooks;
  /** What happens at a bank outside of Link. */
  bank: Bank;
  /** The banks' responses to debits: success, and returns by hand. */
  ach: AchNetwork;
  /** Who is at the keyboard, by `client_user_id`. Link fills in their user name, and the accounts are theirs. */
  people: Map<string, Person>;
  on: Listen;
  /** Ends all waits and hanging requests; the app answers no more `timeout` faults afterwards. */
  close(): void;
}

/** What can be listened to. `step` is a live log without secrets; the others hold tokens, as the ledger does. */
export interface SimulatorEvents {
  step: Step;
  link: LinkStep;
  /** A request to Plaid or Finix has come in, and nothing has come of it yet: a fault that is added now strikes it. */
  call: SimulatedCall;
  /** The same object, with its answer. */
  answered: SimulatedCall;
}

/** Returns the way to stop listening. */
export type Listen = <E extends keyof SimulatorEvents>(
  event: E,
  listener: (event: SimulatorEvents[E]) => void,
) => () => void;

/** Builds the simulator; opens nothing. */
export function createSimulator(options: SimulatorOptions = {}): Simulator {
  const state = new State();
  const faults = new Faults();
  const listeners = new Set<[event: string, listener: (event: never) => void]>();
  const emit = (event: keyof SimulatorEvents, value: unknown) => {
    for (const [name, listener] of listeners) if (name === event) listener(value as never);
  };
  const closing = new AbortController();
  // Every waiting request listens to it; many at once is what load tests do, not a leak.
  setMaxListeners(0, closing.signal);
  const settings: SimulatorSettings = {
    listLagMs: options.listLagMs ?? 0,
    isWebview: options.isWebview ?? false,
    linkEvents: options.linkEvents ?? false,
    disabledProducts: options.disabledProducts ?? [],
    signalRulesets: options.signalRulesets ?? { default: 'signal', balance: 'balance' },
    laterMs: options.laterMs ?? LATER_MS,
    username: 'user_good',
  };
  const shared: Omit<Context, 'webhooks' | 'bank' | 'ach'> = {
    state,
    faults,
    plaid: options.plaid ?? SIMULATOR_CREDENTIALS.plaid,
    finix: options.finix ?? SIMULATOR_CREDENTIALS.finix,
    lifetimes: { ...PLAID_LIFETIMES, ...options.lifetimes },
    settings,
    now: options.now ?? Date.now,
    closing: closing.signal,
    emit: (step) => emit('step', step),
    emitLink: (step) => emit('link', step),
    record: (call) => {
      state.calls.push(call);
      emit('call', call);
    },
    answered: (call) => emit('answered', call),
  };
  const webhooks = new Webhooks(shared, options.deliver);
  webhooks.settings.finix = options.finixWebhook ?? null;
  const bank = createBank({ ...shared, webhooks });
  const ach = createAch(() => context);
  const context: Context = { ...shared, webhooks, bank, ach };
  const app = new Hono<SimulatorEnv>();
  app.route('/plaid', plaidApp(context));
  app.route('/finix', finixApp(context));
  app.route('/link', linkApp(context));
  return {
    app,
    ledger: ledgerOf(state, webhooks),
    faults: {
      add: (rule) => {
        checkErrorRule(rule);
        return faults.add(rule);
      },
      clear: () => faults.clear(),
    },
    settings,
    webhooks,
    bank,
    ach,
    people: state.people,
    on: (event, listener) => {
      const entry: [string, typeof listener] = [event, listener];
      listeners.add(entry);
      return () => listeners.delete(entry);
    },
    close: () => closing.abort(),
  };
}

function ledgerOf(state: State, webhooks: Webhooks): Ledger {
  const copies = <T>(values: Iterable<T>): T[] => structuredClone([...values]);
  return {
    items: () => [...state.items.values()].map(itemCopy),
    instruments: () => copies([...state.instruments.values()].map(({ resource }) => resource)),
    identities: () => copies([...state.identities.values()].map(({ resource }) => resource)),
    transfers: () => copies([...state.transfers.values()].map(({ resource }) => resource)),
    signalTransactions: () =>
      copies(
        [...state.signalTransactions].map(([client_transaction_id, made]) => ({ client_transaction_id, ...made })),
      ),
    processorPermissions: () =>
      copies(
        [...state.processorTokens.values()].map(({ processor_token, item_id, products }) => ({
          processor_token,
          item_id,
          products,
        })),
      ),
    linkTokens: () => copies(state.linkTokens.values()),
    publicTokens: () => copies(state.publicTokens.values()),
    processorTokens: () => [...state.processorTokens.keys()],
    calls: () => copies(state.calls),
    webhooks: () => webhooks.sent(),
    reset: () => {
      state.reset();
      webhooks.forget();
    },
  };
}

function itemCopy(item: SimulatedItem): LedgerItem {
  return {
    item_id: item.item_id,
    access_token: item.access_token,
    institution_id: item.institution.institution_id,
    username: item.scenario.username,
    account_ids: item.accounts.map(({ account_id }) => account_id),
    products: [...item.products],
    exchanged: item.exchanged,
    removed: item.removed,
    login_required: item.login_required,
    webhook: item.webhook,
  };
}
