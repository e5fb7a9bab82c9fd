import type { CompleteRequest } from '../contract.ts';
import { ConnectError, type FlowError, flowError, fromLinkError } from '../errors.ts';
import type { EmbeddedHandler, PlaidGlobal, PlaidLinkConfig, PlaidSuccess } from './plaid-link.types.ts';

/** Plaid allows no other address, and no copy. It is not versioned, so there is no hash to check it by. */
export const LINK_SCRIPT = 'https://cdn.plaid.com/link/v2/stable/link-initialize.js';

// A slow 3G line brings the script in about 6 s; who waited 15 s is better served by a word and a button.
const SCRIPT_TIMEOUT = 15_000;
// A script tag of the page's own may have loaded or failed before we looked, and then fires no event: the global is looked for as often as this.
const POLL_INTERVAL = 50;

/** Shared by all copies of this package on the page: Plaid does not support its script twice, and shows one Link at a time. */
interface PageState {
  script?: Promise<PlaidGlobal>;
  policy?: { createScriptURL(url: string): unknown };
  open?: object;
}

const page = (() => {
  const key = Symbol.for('finix-bank-connect');
  const all = globalThis as unknown as Record<symbol, PageState | undefined>;
  all[key] ??= {};
  return all[key];
})();

export interface LoadOptions {
  nonce?: string;
  /** Milliseconds. */
  timeout?: number;
}

/**
 * Link's script, once per page. A `window.Plaid` that is already there wins, then a script tag that is already there. A failure is
 * forgotten and its tag removed, so that the next call tries anew.
 * @throws ConnectError `script_blocked`, or `offline`
 */
export function loadPlaid(options: LoadOptions = {}): Promise<PlaidGlobal> {
  if (globalThis.Plaid) return Promise.resolve(globalThis.Plaid);
  page.script ??= waitForScript(options).finally(() => {
    page.script = undefined;
  });
  return page.script;
}

function waitForScript({ nonce, timeout = SCRIPT_TIMEOUT }: LoadOptions): Promise<PlaidGlobal> {
  const existing = document.querySelector<HTMLScriptElement>(`script[src="${LINK_SCRIPT}"]`);
  const script = existing ?? createTag(nonce);
  return new Promise((resolve, reject) => {
    const look = () => {
      if (!globalThis.Plaid) return;
      stop();
      resolve(globalThis.Plaid);
    };
    const fail = () => {
      stop();
      script.remove();
      reject(new ConnectError(flowError(navigator.onLine ? 'script_blocked' : 'offline', 'retry')));
    };
    const stop = () => {
      clearInterval(poll);
      clearTimeout(timer);
      script.removeEventListener('error', fail);
    };
    const poll = setInterval(look, POLL_INTERVAL);
    const timer = setTimeout(fail, timeout);
    script.addEventListener('load', look, { once: true });
    script.addEventListener('error', fail);
    if (!existing) document.head.append(script);
  });
}

function createTag(nonce?: string): HTMLScriptElement {
  const script = document.createElement('script');
  if (nonce) script.nonce = nonce;
  script.async = true;
  script.src = trusted(LINK_SCRIPT);
  return script;
}

/** Under `require-trusted-types-for 'script'` only a policy may name a script. Ours, `finix-bank-connect`, knows exactly one. */
function trusted(url: string): string {
  const factory = (globalThis as { trustedTypes?: { createPolicy(name: string, rules: object): PageState['policy'] } })
    .trustedTypes;
  page.policy ??= factory?.createPolicy('finix-bank-connect', {
    createScriptURL(asked: string) {
      if (asked === LINK_SCRIPT) return asked;
      throw new TypeError('Only the script of Plaid Link may be loaded');
    },
  });
  return (page.policy?.createScriptURL(url) as string | undefined) ?? url;
}

/** Whether any Link is open on this page, also one of another copy of this package. */
export function isLinkOpen(): boolean {
  return !!page.open;
}

export interface LinkListener {
  succeeded(submission: CompleteRequest): void;
  exited(error: FlowError | null, step: string): void;
  step(step: string): void;
  /** The customer has opened Link from the embedded search. */
  opened(): void;
  /** The embedded search can't be had here. */
  refused(): void;
}

export interface LinkOptions {
  /** The exact address that a bank's page came back to, with the link token that it left with. */
  receivedRedirectUri?: string;
  /** Where the embedded search is put. */
  place?: HTMLElement | null;
}

export interface PreparedLink {
  /** False when another element's Link is open on this page (one at a time), and where only the customer opens it, in the embedded search. */
  open(): boolean;
  /** The customer opens it, from the embedded search. */
  readonly embedded?: boolean;
  /** Takes Link off the page and gives the page back as it was. No callback comes afterwards. */
  close(): void;
}

/** One Link handler for one link token. */
export function prepareLink(
  plaid: PlaidGlobal,
  token: string,
  listener: LinkListener,
  { receivedRedirectUri, place }: LinkOptions = {},
): PreparedLink {
  let closed = false;
  let lastStep = 'start';
  let restorePage = () => {};
  const lock = {};

  const step = (name: unknown) => {
    const word = String(name).toLowerCase();
    // Names only: the rest of Link's events tells what the customer typed.
    if (!/^[a-z_]{1,40}$/.test(word)) return;
    lastStep = word;
    listener.step(word);
  };
  const letGo = () => {
    if (page.open !== lock) return;
    page.open = undefined;
    restorePage();
  };
  const takeLock = () => {
    if (page.open && page.open !== lock) return false;
    if (page.open !== lock) restorePage = rememberPage();
    page.open = lock;
    return true;
  };
  const config: PlaidLinkConfig = {
    token,
    ...(receivedRedirectUri ? { receivedRedirectUri } : {}),
    onSuccess(publicToken, metadata) {
      if (closed) return;
      letGo();
      if (publicToken) listener.succeeded(submissionOf(publicToken, metadata));
      else listener.exited(flowError('link_failed', 'restart'), lastStep);
    },
    onExit(error, metadata) {
      if (closed) return;
      // The search itself was refused, before anybody opened anything.
      if (place && page.open !== lock) return listener.refused();
      letGo();
      listener.exited(error?.error_code ? fromLinkError(error) : null, metadata?.status || lastStep);
    },
    onEvent(name, metadata) {
      if (closed) return;
      if (place && name === 'OPEN' && page.open !== lock && takeLock()) listener.opened();
      step((name === 'TRANSITION_VIEW' && metadata?.view_name) || name);
    },
  };
  const handler: EmbeddedHandler & { open?(): void } = place ? embed(plaid, config, place) : plaid.create(config);

  return {
    embedded: !handler.open,
    open() {
      if (!handler.open || !takeLock()) return false;
      handler.open();
      return true;
    },
    close() {
      if (closed) return;
      closed = true;
      letGo();
      // Link may be in the middle of calling us; it must not lose its frame under its feet.
      queueMicrotask(() => handler.destroy());
    },
  };
}

/** The real script takes no element that is not in the page, and none without room; what it throws, a button can do without. */
function embed(plaid: PlaidGlobal, config: PlaidLinkConfig, place: HTMLElement): EmbeddedHandler & { open?(): void } {
  try {
    if (plaid.createEmbedded) return plaid.createEmbedded(config, place);
  } catch {
    place.replaceChildren();
  }
  return plaid.create(config);
}

/** Link locks the page's scrolling while it is open and is known to give it back wrongly, and to jump to the top. */
function rememberPage(): () => void {
  const { overflow } = document.body.style;
  const { scrollX, scrollY } = globalThis;
  return () => {
    // After Link's own clean-up, which follows its callbacks.
    setTimeout(() => {
      if (page.open) return;
      document.body.style.overflow = overflow;
      if (globalThis.scrollX !== scrollX || globalThis.scrollY !== scrollY) {
        globalThis.scrollTo({ left: scrollX, top: scrollY, behavior: 'instant' });
      }
    });
  };
}

// As much as the server takes: a bank's name for an account must not cost the customer the connection.
const LONGEST_NAME = 255;

/** Not in the middle of a character, half of which is no text. */
function cut<T extends string | null | undefined>(name: T): T | string {
  return name ? name.slice(0, LONGEST_NAME).replace(/[\uD800-\uDBFF]$/, '') : name;
}

function submissionOf(publicToken: string, metadata: PlaidSuccess | null): CompleteRequest {
  const bank = metadata?.institution;
  return {
    public_token: publicToken,
    accounts: (metadata?.accounts ?? []).map(({ id, name, mask, type, subtype, verification_status }) => {
      return { id, name: cut(name), mask, type, subtype, verification_status };
    }),
    institution: bank ? { institution_id: bank.institution_id, name: cut(bank.name) } : null,
    link_session_id: metadata?.link_session_id ?? null,
  };
}
