import type { CompleteRequest } from '../contract.ts';
import { type FlowError, flowError, type LinkTrace } from '../errors.ts';
import { guardScroll, withoutScrolling } from './page-scroll.ts';
import { page } from './page-state.ts';
import type {
  EmbeddedHandler,
  PlaidExit,
  PlaidGlobal,
  PlaidLinkConfig,
  PlaidLinkError,
  PlaidSuccess,
} from './plaid-link.types.ts';

/** How Link ended without a bank. */
export interface LinkExit {
  /** Where Link did not report one itself. */
  error: FlowError | null;
  /** How far they came. */
  step: string;
  trace: LinkTrace;
  /** Plaid's code for the error that Link reported; null where the customer left. */
  plaid: string | null;
  /** Plaid's own word for how it ended, for the server's audit. */
  status: string | null;
}

export interface LinkListener {
  succeeded(submission: CompleteRequest): void;
  exited(exit: LinkExit): void;
  /** Link can't be opened: what it was created with is not accepted. */
  failed(exit: LinkExit): void;
  step(step: string): void;
  /** Link is in front of the customer; in the embedded search, they have opened it themselves. */
  opened(): void;
}

export interface LinkOptions {
  /** The exact address that a bank's page came back to, with the link token that it left with. */
  receivedRedirectUri?: string;
  /** The embedded search. */
  search?: SearchPlace | null;
}

/** Link in the page, opened from a search that is a part of it (detour/embedded-search.ts). */
export interface SearchPlace {
  create(plaid: PlaidGlobal, config: PlaidLinkConfig): LinkHandler;
  /** @returns what stops watching whether the page takes it away */
  watch(): () => void;
  /** Whether Link, which has not begun, refuses the place and not its token. */
  isRefusal(plaid: string | null): boolean;
  /** The search can't be had here. */
  refused(): void;
}

/** Without `open`, only the customer opens it. */
export type LinkHandler = EmbeddedHandler & { open?(): void };

export interface PreparedLink {
  /**
   * False when another element's Link is open on this page (one at a time), and where only the customer opens it, in
   * the embedded search.
   */
  open(): boolean;
  /** The customer opens it, from the embedded search. */
  readonly embedded?: boolean;
  /** Whether the page has taken Link's frame away: then it can't be opened. */
  isLost(): boolean;
  /** Takes Link off the page. No callback comes afterwards. */
  close(): void;
}

// Link may take its frame away itself, and report later how it ended.
const LATE_CALLBACK = 1_000;

/** One Link handler for one link token. */
export function prepareLink(
  plaid: PlaidGlobal,
  token: string,
  listener: LinkListener,
  { receivedRedirectUri, search }: LinkOptions = {},
): PreparedLink {
  let closed = false;
  let lastStep = 'start';
  const lock = {};
  const isOpen = () => page.open === lock;
  const isLost = () => frame !== last && frame?.localName === 'iframe' && !frame.isConnected;
  // The page may take Link's frame away, as one does that brings its body back to the server's: then no callback comes.
  const scroll = guardScroll(() => {
    if (isLost()) setTimeout(() => isOpen() && end(() => listener.exited(exitOf())), LATE_CALLBACK);
  });

  const step = (name: unknown) => {
    const word = String(name).toLowerCase();
    // Names only: the rest of Link's events contains what the customer typed.
    if (!/^[a-z_]{1,40}$/.test(word)) return;
    lastStep = word;
    listener.step(word);
  };
  const exitOf = (failure?: Partial<PlaidLinkError> | null, metadata?: Partial<PlaidExit> | null): LinkExit => {
    const status = metadata?.status ?? null;
    const plaid = failure?.error_code || null;
    return { error: null, plaid, step: status || lastStep, trace: traceOf(metadata), status };
  };
  const end = (done?: () => void) => {
    if (!isOpen()) return done?.();
    page.open = undefined;
    scroll.closing(done);
  };
  const open = (call: () => void) => {
    if (page.open && !isOpen()) return false;
    if (isOpen()) call();
    else {
      page.open = lock;
      scroll.opening(call);
    }
    return true;
  };
  const config: PlaidLinkConfig = {
    token,
    ...(receivedRedirectUri ? { receivedRedirectUri } : {}),
    onSuccess(publicToken, metadata) {
      if (closed) return;
      end(() => {
        if (publicToken) listener.succeeded(submissionOf(publicToken, metadata));
        else listener.exited({ ...exitOf(null, metadata), error: flowError('link_failed', 'restart') });
      });
    },
    onExit(error, metadata) {
      if (closed) return;
      const exit = exitOf(error, metadata);
      // Link reports with the same callback that it could not even begin.
      if (isOpen()) end(() => listener.exited(exit));
      else if (search?.isRefusal(exit.plaid)) search.refused();
      else if (exit.plaid) listener.failed(exit);
    },
    onEvent(name, metadata) {
      if (closed) return;
      if (name === 'OPEN' && (isOpen() || (search && open(() => {})))) {
        scroll.opened();
        listener.opened();
      }
      step((name === 'TRANSITION_VIEW' && metadata?.view_name) || name);
    },
  };
  const { lastElementChild: last } = document.body;
  const handler: LinkHandler = search ? search.create(plaid, config) : plaid.create(config);
  const { lastElementChild: frame } = document.body;
  const stopWatching = search && !handler.open && search.watch();

  return {
    embedded: !handler.open,
    isLost,
    open: () => !!handler.open && open(() => handler.open?.()),
    close() {
      if (closed) return;
      closed = true;
      if (stopWatching) stopWatching();
      end();
      // Link may be in the middle of calling us; it must not lose its frame under its feet.
      queueMicrotask(() => withoutScrolling(() => handler.destroy()));
    },
  };
}

// As much as the server takes: a bank's name for an account must not cost the customer the connection.
const LONGEST_NAME = 255;

/** Not in the middle of a character, half of which is no text. */
function cut<T extends string | null | undefined>(name: T): T | string {
  return name ? name.slice(0, LONGEST_NAME).replace(/[\uD800-\uDBFF]$/, '') : name;
}

/**
 * The server asks Plaid about what is not here: no oddity of what came with the token may cost the customer the bank.
 */
function submissionOf(public_token: string, metadata: PlaidSuccess | null): CompleteRequest {
  try {
    return described(public_token, metadata);
  } catch {
    return { public_token, accounts: [] };
  }
}

function described(public_token: string, metadata: PlaidSuccess | null): CompleteRequest {
  const bank = metadata?.institution;
  return {
    public_token,
    accounts: (metadata?.accounts ?? []).map(({ id, name, mask, type, subtype, verification_status }) => {
      return { id, name: cut(name), mask, type, subtype, verification_status };
    }),
    institution: bank ? { institution_id: bank.institution_id, name: cut(bank.name) } : null,
    link_session_id: metadata?.link_session_id ?? null,
  };
}

/** Where support and Plaid find this run of Link again. */
function traceOf(metadata: Partial<PlaidExit> | null | undefined): LinkTrace {
  const { request_id, link_session_id, institution } = metadata ?? {};
  return {
    requestId: request_id || null,
    linkSessionId: link_session_id || null,
    institution: institution ? { id: institution.institution_id, name: institution.name } : null,
  };
}
