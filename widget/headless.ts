import type { AuthorizationText, Connection, LinkMode, SelectableAccount } from './contract.ts';
import * as detour from './detour/flow-detour.ts';
import { warnCovered } from './diagnose.ts';
import { watchPage } from './element/page-events.ts';
import { type ElementError, isRetry, type LinkTrace } from './errors.ts';
import { ConnectController } from './flow/controller.ts';
import type { ControllerSettings } from './flow/controller-host.ts';
import type { FlowEffect, FlowEvent } from './flow/events.ts';
import { type ElementStatus, type FlowState, initialState, statusOf } from './flow/state.ts';
import { en, loadStrings } from './i18n/index.ts';
import { describe } from './i18n/messages.ts';
import { createAwayStore, type Named, type Place } from './link/away-store.ts';
import { isModalOpen } from './link/cover.ts';
import { type ConnectBackend, createHttpBackend } from './session/backend.ts';
import { createSecretStore } from './session/client-secret-store.ts';

export type * from './contract.ts';
export { ConnectError, type ElementError, type ElementErrorCode, type LinkTrace } from './errors.ts';
export type { ElementStatus } from './flow/state.ts';
export {
  type ConnectBackend,
  createHttpBackend,
  type HttpBackendOptions,
  type SessionAnswer,
} from './session/backend.ts';

export interface ConnectOptions {
  /** Address of the server. Needed unless there is a `backend`. */
  endpoint?: string;
  /** Takes the place of the HTTP calls to `endpoint`. */
  backend?: ConnectBackend;
  /**
   * Permission for one customer and one session. Without it and without `fetchClientSecret`, a public session is asked
   * for.
   */
  clientSecret?: string;
  /** Gives a client secret whenever one is needed; also after `change()`, and when a session is over. */
  fetchClientSecret?: () => Promise<string>;
  /** For a public session. */
  identity?: { first_name?: string; last_name?: string; email?: string };
  /** `button` by default. */
  mode?: LinkMode;
  /** Where the bank search of mode `embedded` is put: an element in the page, at least 300 by 350 pixels. */
  container?: HTMLElement;
  /** BCP 47; of Link, and of the sentences in `error.message`. */
  language?: string;
  /** For the tag of Link's script, where the page's policy asks for one. */
  nonce?: string;
  /** Distinguishes several flows on one page, as a form field's name does. */
  name?: string;
  onConnected?(connections: readonly Connection[]): void;
  /** The bank has yet to confirm the account. */
  onPending?(connections: readonly Connection[]): void;
  onNeedsRepair?(connections: readonly Connection[]): void;
  /** The customer left without connecting; `step` is how far they came, `trace` is for support. */
  onCanceled?(step: string, trace: LinkTrace): void;
  onError?(error: ElementError): void;
  /** The customer came to another step. Plaid adds names without notice. */
  onStep?(step: string): void;
}

/** What the customer has to be asked before the connection can be made; answered by `choose`, `accept` or `decline`. */
export type ConnectQuestion =
  | { type: 'choose_account'; accounts: readonly SelectableAccount[] }
  | ({ type: 'authorize' } & AuthorizationText);

/**
 * Never changed: every change makes another, so that comparing two is enough (React's `useSyncExternalStore`, for one).
 */
export interface ConnectSnapshot {
  readonly status: ElementStatus;
  readonly connections: readonly Connection[];
  readonly error: ElementError | null;
  readonly question: ConnectQuestion | null;
  /** Connecting takes longer than customers expect; a word to them would be kind. */
  readonly slow: boolean;
  /** Link's script can't run here (`blocked`), but `openHosted` can open Link on a page of Plaid's own. */
  readonly hosted: boolean;
}

export interface Connect extends ConnectSnapshot {
  /** Calls `listener` after every change, until the function that it gives back is called. */
  subscribe(listener: () => void): () => void;
  getSnapshot(): ConnectSnapshot;
  /** Makes Link ready, so that `open` opens it at once; worth calling when the customer comes near the button. */
  prepare(): void;
  /**
   * Opens Link, before returning where `status` is `ready`: some banks open a window, which browsers allow only in
   * answer to a press. After an error that can be retried, tries again, and opens Link if that helped. Does nothing
   * while connected or busy, and while another Link is open on this page.
   */
  open(): void;
  /** Another way while `hosted` is true; otherwise nothing. */
  openHosted(): void;
  /** Answers `choose_account` with the ids of the accounts. */
  choose(...ids: string[]): void;
  /** Answers `authorize`: the customer agrees to the text that they were shown. */
  accept(): void;
  /** Answers either question with no; the customer is back at the beginning. */
  decline(): void;
  /** Another bank in place of the connected one. Deletes nothing on the server. */
  change(): void;
  /**
   * Back to the beginning, without connections. Deletes nothing on the server. A `clientSecret` whose session has
   * connected a bank is over: then the error is `session_already_completed`, and another bank needs another
   * `createConnect`.
   */
  reset(): void;
  /**
   * Takes Link off the page and stops listening. What the server already has goes on there. Nothing is called or
   * changed afterwards.
   */
  destroy(): void;
}

/** Those of this page that are not destroyed, in the order in which they were created. */
const flows = new Set<Named>();

function placeAmongFlows(flow: Named): Place {
  const same = [...flows].filter(({ name }) => name === flow.name);
  return { name: flow.name ?? '', index: same.indexOf(flow) };
}

/**
 * The flow of `<finix-bank-connect>` without its appearance, for a button of the merchant's own.
 *
 * Works in browsers; on a server it can be imported and called, and stays `loading`. Call `destroy` when its button
 * leaves the page.
 *
 * @example
 * const connect = createConnect({ endpoint: 'https://connect.merchant.example', fetchClientSecret, onConnected:
 * ([bank]) => show(bank) }); button.addEventListener('pointerenter', () => connect.prepare());
 * button.addEventListener('click', () => connect.open());
 */
export function createConnect(options: ConnectOptions): Connect {
  const listeners = new Set<() => void>();
  const living = new AbortController();
  const { signal } = living;
  let left = false;
  let texts = en;
  let snapshot = snapshotOf(initialState, null);

  const errorOf = (state: FlowState): ElementError | null => {
    if (!state.error) return null;
    const { purpose, merchant } = controller.asker;
    const host = location.hostname.replace(/^www\./, '');
    return describe(state.error, texts, { purpose, merchant: merchant ?? host });
  };
  function changed(state: FlowState): void {
    if (!signal.aborted) {
      snapshot = snapshotOf(state, errorOf(state));
      for (const listener of [...listeners]) call(listener);
    } else if (state.phase === 'polling' && !left) {
      left = true;
      // No caller waits for the answer any more, so the server need not be asked for it.
      queueMicrotask(() => controller.dispatch({ type: 'leave' }));
    }
  }
  const self = { name: options.name ?? null };
  if (typeof document !== 'undefined') flows.add(self);
  const controller = new ConnectController({
    settings: settingsOf(options),
    store: createSecretStore(() => {
      const { first_name, last_name, email } = options.identity ?? {};
      const { name, index } = placeAmongFlows(self);
      return [options.endpoint, name, String(index), first_name, last_name, email];
    }),
    // At once, because a caller reads an error's sentence as soon as there is an error.
    detours: { now: detour, load: async () => detour },
    isOff: () => false,
    away: createAwayStore(() => placeAmongFlows(self)),
    arrive: () => detour.arriveAmong(self, { all: [...flows], placeOf: placeAmongFlows }),
    place: ({ repair }) => (options.mode === 'embedded' && !repair.length ? (options.container ?? null) : null),
    isCovered: isModalOpen,
    hidesLink: () => {
      warnCovered();
      return isModalOpen();
    },
    changed,
    emit: (effect) => signal.aborted || call(() => notify(options, effect, snapshot)),
  });

  const inBrowser = typeof document !== 'undefined';
  let begun = false;
  const begin = () => {
    if (begun || signal.aborted) return;
    begun = true;
    watchPage(signal, { awake: () => controller.wake(), online: () => controller.dispatch({ type: 'online' }) });
    controller.start();
    void loadStrings(options.language ?? '').then((strings) => {
      texts = strings;
      if (snapshot.error) changed(controller.state);
    });
  };
  // Not before the caller has what this function returns; and one that is destroyed at once, as in React's strict mode,
  // asks for nothing.
  if (inBrowser) queueMicrotask(begin);
  const unlessOver = (act: () => void) => {
    if (!inBrowser || signal.aborted) return;
    begin();
    act();
  };
  const dispatch = (event: FlowEvent) => unlessOver(() => controller.dispatch(event));

  return {
    get status() {
      return snapshot.status;
    },
    get connections() {
      return snapshot.connections;
    },
    get error() {
      return snapshot.error;
    },
    get question() {
      return snapshot.question;
    },
    get hosted() {
      return snapshot.hosted;
    },
    get slow() {
      return snapshot.slow;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    getSnapshot: () => snapshot,
    prepare: () => dispatch({ type: 'warm' }),
    open: () =>
      unlessOver(() => {
        const { phase, error } = controller.state;
        controller.press(phase === 'failed' && isRetry(error) ? 'act' : 'press');
      }),
    openHosted: () => dispatch({ type: 'press_hosted' }),
    choose: (...ids) => dispatch({ type: 'choose', ids }),
    accept: () => dispatch({ type: 'accept' }),
    decline: () => dispatch({ type: 'decline' }),
    change: () => dispatch({ type: 'change' }),
    reset: () => {
      unlessOver(() => controller.end('reset'));
      // Who was near still is.
      if (controller.state.warm) dispatch({ type: 'warm' });
    },
    destroy() {
      living.abort();
      flows.delete(self);
      listeners.clear();
      if (begun) controller.dispatch({ type: 'leave' });
    },
  };
}

function snapshotOf(state: FlowState, error: ElementError | null): ConnectSnapshot {
  const { phase, accounts, authorization, connections } = state;
  let question: ConnectQuestion | null = null;
  if (phase === 'choosing') question = { type: 'choose_account', accounts };
  if (phase === 'authorizing' && authorization) question = { type: 'authorize', ...authorization };
  const hosted = phase === 'failed' && state.hosted && state.link === 'ready';
  return { status: statusOf(state), connections, error, question, slow: state.slow > 0, hosted };
}

function settingsOf(options: ConnectOptions): () => ControllerSettings {
  const { endpoint = '', backend = endpoint ? createHttpBackend(endpoint) : null, language, nonce } = options;
  const { mode = 'button', clientSecret = null, fetchClientSecret = null, identity } = options;
  const publicSession = { language, ...(identity ? { identity } : {}) };
  return () => ({ endpoint, backend, clientSecret, fetchClientSecret, publicSession, mode, language, nonce });
}

function notify(
  options: ConnectOptions,
  effect: Extract<FlowEffect, { type: 'emit' }>,
  { connections, error }: ConnectSnapshot,
): void {
  if (effect.name === 'connected') options.onConnected?.(connections);
  if (effect.name === 'pending_verification') options.onPending?.(connections);
  if (effect.name === 'needs_repair') options.onNeedsRepair?.(connections);
  if (effect.name === 'canceled') options.onCanceled?.(effect.step, effect.trace);
  if (effect.name === 'step') options.onStep?.(effect.step);
  if (effect.name === 'error' && error) options.onError?.(error);
}

/** What the page's own functions throw is the page's: it goes where uncaught errors go, and stops nothing here. */
function call(ours: () => void): void {
  try {
    ours();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
