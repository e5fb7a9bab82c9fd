import type {
  AuthorizationAcceptance,
  LinkExitRequest,
  LinkMode,
  LinkTokenResponse,
  ProblemAction,
} from '../contract.ts';
import { type ElementErrorCode, flowError, lost, report, toFlowError } from '../errors.ts';
import type { AwayStore } from '../link/away-store.ts';
import { loadPlaid } from '../link/load-plaid.ts';
import {
  type LinkExit,
  type LinkListener,
  type LinkOptions,
  type PreparedLink,
  prepareLink,
} from '../link/plaid-link.ts';
import type { PlaidGlobal } from '../link/plaid-link.types.ts';
import { isWebview } from '../link/webview.ts';
import type { SessionAccess } from '../session/session-access.ts';
import type { ControllerHost } from './controller-host.ts';
import type { Flow, LinkHands } from './detours.ts';
import type { FlowEvent } from './events.ts';

// Link may be in use for minutes after it was opened, so a token is replaced this long before its end.
const TOKEN_MARGIN = 5 * 60_000;
// The shortest life that Plaid documents; assumed where a new token is already over by this device's clock.
const TOKEN_LIFE = 30 * 60_000;
// A timer that is longer than this runs out at once; the server or a clock may be wrong by years.
const LONGEST_TIMER = 2 ** 31 - 1;
// `INVALID_LINK_TOKEN` this soon after the press is a token that was spoiled before it, not a customer who took long.
const JUST_OPENED = 10_000;
// Link reports at once that it is open. Without a sign for this long (a slow 3G line needs about 6 s) it never will be.
const OPEN_TIMEOUT = 15_000;
// A page that takes the search away again and again has no place for it.
const MOST_SEARCHES_LOST = 3;

/** Link, from its token to its end: prepares it, opens it, watches it, and takes it away. */
export class LinkControl implements LinkHands {
  #link: PreparedLink | null = null;
  #tokenEnds = 0;
  /** What the way back would need, if Link left the page. */
  #leave: Parameters<AwayStore['write']>[0] | null = null;
  #canEmbed = true;
  #searchesLost = 0;
  /** What Link was prepared for; where that has changed, it is prepared again. */
  #preparedFor = '';
  /** Another window was asked for, because something of the page is in front of Link. */
  #isAside = false;
  /** Found out only when Link was about to open. */
  #isCovered = false;
  #openedAt = 0;
  /** The Link that is prepared has given a sign of life since it was opened. */
  #hasOpened = false;
  #openTimer: ReturnType<typeof setTimeout> | undefined;
  #tokenTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #host: ControllerHost;
  readonly access: SessionAccess;
  readonly flow: Flow;

  constructor(host: ControllerHost, access: SessionAccess, flow: Flow) {
    this.#host = host;
    this.access = access;
    this.flow = flow;
  }

  /**
   * The language, the mode or what surrounds the element may be another one. An open Link stays as it is until it
   * closes.
   */
  refresh(): void {
    const { state } = this.flow;
    if (state.error?.code === 'link_covered' && !this.#host.cover()) this.flow.dispatch({ type: 'uncovered' });
    if (this.#preparedFor !== this.#purpose()) this.flow.dispatch({ type: 'outdated' });
  }

  /** A token may have run out while the page slept, when timers sleep as well. */
  expire(): void {
    if (this.flow.state.link === 'ready' && Date.now() >= this.#tokenEnds) this.flow.dispatch({ type: 'expiring' });
  }

  async prepare(run: number, agreed?: { authorization: AuthorizationAcceptance; hosted: boolean }): Promise<void> {
    try {
      this.#preparedFor = this.#purpose();
      const { mode, nonce } = this.#host.settings();
      const { detours } = this.#host;
      if (mode !== 'button') await detours.load();
      const placeNow = () => (mode === 'embedded' && this.#canEmbed ? this.#host.place(this.flow.state) : null);
      const own = mode === 'embedded' && !placeNow() ? 'button' : mode;
      const obtain = (asked: LinkMode) =>
        Promise.all([
          asked === 'hosted' ? null : loadPlaid({ nonce }),
          this.access.createLinkToken(asked, isWebview(), agreed?.authorization),
        ]);
      const isHosted = own === 'hosted' || agreed?.hosted;
      this.#isAside = !isHosted && (this.#isCovered || this.#host.cover() !== null);
      this.#isCovered = false;
      const aside = this.#isAside ? await obtain('hosted').catch(lost) : null;
      const [plaid, token] = aside?.[1].hosted_link_url ? aside : await obtain(isHosted ? 'hosted' : own);
      const detour = !plaid || token.hosted_link_url ? await detours.load() : null;
      // Has to be explained, to the customer or to the merchant; Link opens all the same.
      if (token.returned || this.#isAside) await detours.load().catch(() => null);
      if (run !== this.flow.state.run) return;
      this.close();
      // The page may have taken it away in the meantime.
      const place = placeNow();
      const search = place && detours.now?.searchIn(place);
      if (detour) this.#link = detour.hostedLink(this, token, isWebview());
      else if (plaid) this.#link = this.prepareLink(plaid, token.link_token, { search });
      // It may have failed in the very call that has made it.
      const { state } = this.flow;
      if (run !== state.run || state.link !== 'preparing') {
        this.close();
        return;
      }
      this.#watchToken(token, !detour);
      const { hosted_link_url, authorization } = token;
      const embedded = this.#link?.embedded;
      this.flow.dispatch({ type: 'prepared', run, hosted: !!hosted_link_url, embedded, authorization });
    } catch (error) {
      this.flow.dispatch({ type: 'prepare_failed', run, error: toFlowError(error) });
    }
  }

  open(): void {
    this.#openedAt = Date.now();
    const { hosted } = this.flow.state;
    const cover = hosted ? null : this.#host.cover(true);
    if (cover && !this.#isAside) {
      this.#isCovered = true;
      this.flow.dispatch({ type: 'covered' });
      return;
    }
    if (cover) this.#host.detours.now?.warnCovered();
    if (cover === 'modal') {
      this.#fail('link_covered', 'contact_merchant');
      return;
    }
    try {
      if (!this.#link?.open()) this.flow.dispatch({ type: 'link_busy' });
    } catch (cause) {
      report('Link could not be opened', cause);
      this.#fail('link_failed', 'restart');
    }
    if (this.flow.state.phase !== 'open') return;
    this.#rememberLeave();
    if (!hosted && !this.#hasOpened) this.#watchOpening();
  }

  close(): void {
    clearTimeout(this.#openTimer);
    clearTimeout(this.#tokenTimer);
    this.#openTimer = undefined;
    this.#hasOpened = false;
    if (this.#link) this.#host.away.clear();
    this.#link?.close();
    this.#link = null;
  }

  /** A Link that the detour has prepared, and until when it can be opened. */
  use(link: PreparedLink, ends: LinkTokenResponse | number): void {
    this.#link = link;
    if (typeof ends !== 'number') {
      this.#watchToken(ends, false);
      return;
    }
    this.#leave = null;
    this.#tokenEnds = ends;
  }

  #fail(code: ElementErrorCode, action: ProblemAction): void {
    this.flow.dispatch({ type: 'link_exited', error: flowError(code, action), step: 'start', fresh: false });
  }

  /** A frame that was stopped on its way (a content blocker, a policy) never opens, and sends no event. */
  #watchOpening(): void {
    this.#openTimer ??= setTimeout(() => {
      // Link has the focus, so it is open, with or without its event.
      if (!this.#hasOpened && document.activeElement?.localName !== 'iframe') this.#fail('script_blocked', 'retry');
    }, OPEN_TIMEOUT);
  }

  #purpose(): string {
    const { mode, language } = this.#host.settings();
    return `${mode} ${language} ${this.#host.cover() !== null}`;
  }

  prepareLink(plaid: PlaidGlobal, token: string, options: LinkOptions): PreparedLink {
    const dispatch = (event: FlowEvent) => this.flow.dispatch(event);
    const isReturn = options.receivedRedirectUri !== undefined;
    const listener: LinkListener = {
      succeeded: (submission) => dispatch({ type: 'link_succeeded', submission }),
      exited: (exit) => {
        this.#host.away.clear();
        this.#report(exit);
        // A customer who came back from a bank learns that it has to begin again, instead of seeing another Link.
        const fresh = !isReturn && Date.now() - this.#openedAt < JUST_OPENED;
        dispatch({ type: 'link_exited', ...exit, fresh });
        // What it was made to go on with is consumed.
        if (isReturn) dispatch({ type: 'expiring' });
        this.refresh();
      },
      failed: (exit) => {
        this.#report(exit);
        dispatch({ type: 'link_failed', ...exit });
      },
      step: (step) => {
        this.#hasOpened = true;
        this.#host.emit({ type: 'emit', name: 'step', step });
      },
      opened: () => {
        this.#hasOpened = true;
        this.#searchesLost = 0;
        this.#openedAt = Date.now();
        this.#rememberLeave();
        dispatch({ type: 'link_opened' });
      },
      refused: () => {
        this.#canEmbed = false;
        dispatch({ type: 'expiring' });
      },
      lost: () => {
        if (++this.#searchesLost >= MOST_SEARCHES_LOST) this.#canEmbed = false;
        dispatch({ type: 'search_lost' });
      },
    };
    return prepareLink(plaid, token, listener, options);
  }

  /** For the server's audit; nothing waits for it. */
  #report({ trace, status, plaid }: LinkExit): void {
    const exit: LinkExitRequest = {
      link_session_id: trace.linkSessionId,
      request_id: trace.requestId,
      institution_id: trace.institution?.id ?? null,
      status,
      error_code: plaid,
    };
    void this.access.reportExit(exit);
  }

  #rememberLeave(): void {
    if (this.#leave) this.#host.away.write(this.#leave);
  }

  #watchToken({ expires_at, link_token }: LinkTokenResponse, returnsHere: boolean): void {
    const now = Date.now();
    const left = Date.parse(expires_at) - now;
    const life = left > 0 ? Math.min(left, LONGEST_TIMER) : TOKEN_LIFE;
    const leave = { clientSecret: this.access.secret ?? '', until: now + life };
    this.#leave = returnsHere ? { ...leave, linkToken: link_token } : leave;
    this.#tokenEnds = now + Math.max(life - TOKEN_MARGIN, life / 2);
    // A page in the background asks for nothing; `expire` makes up for it. The clock is not asked again: timers may run
    // a millisecond ahead of it.
    const renew = () => document.hidden || this.flow.dispatch({ type: 'expiring' });
    this.#tokenTimer = setTimeout(renew, this.#tokenEnds - now);
  }
}
