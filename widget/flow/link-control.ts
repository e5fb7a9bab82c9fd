import type {
  AuthorizationAcceptance,
  LinkExitRequest,
  LinkMode,
  LinkTokenResponse,
  ProblemAction,
} from '../contract.ts';
import { COVERED, report } from '../diagnose.ts';
import { ConnectError, type ElementErrorCode, flowError, lost, toFlowError } from '../errors.ts';
import { prepareHosted } from '../link/hosted-link.ts';
import { loadPlaid } from '../link/load-plaid.ts';
import type { AwayStore, Return } from '../link/oauth-return.ts';
import {
  type LinkExit,
  type LinkListener,
  type LinkOptions,
  type PreparedLink,
  prepareLink,
} from '../link/plaid-link.ts';
import type { PlaidGlobal } from '../link/plaid-link.types.ts';
import { isSafeAddress } from '../link/safe-address.ts';
import { isWebview } from '../link/webview.ts';
import type { SessionAccess } from '../session/session-access.ts';
import type { ControllerHost } from './controller-host.ts';
import type { FlowEvent } from './events.ts';
import type { FlowState } from './state.ts';

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

/** What the control of Link needs of the flow. */
export interface Flow {
  readonly state: FlowState;
  dispatch(event: FlowEvent): void;
}

/** Link, from its token to its end: prepares it, opens it, watches it, and takes it away. */
export class LinkControl {
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
  readonly #access: SessionAccess;
  readonly #flow: Flow;

  constructor(host: ControllerHost, access: SessionAccess, flow: Flow) {
    this.#host = host;
    this.#access = access;
    this.#flow = flow;
  }

  /**
   * The language, the mode or what surrounds the element may be another one. An open Link stays as it is until it
   * closes.
   */
  refresh(): void {
    const { state } = this.#flow;
    if (state.error?.code === 'link_covered' && !this.#host.cover()) this.#flow.dispatch({ type: 'uncovered' });
    if (this.#preparedFor !== this.#purpose()) this.#flow.dispatch({ type: 'outdated' });
  }

  /** A token may have run out while the page slept, when timers sleep as well. */
  expire(): void {
    if (this.#flow.state.link === 'ready' && Date.now() >= this.#tokenEnds) this.#flow.dispatch({ type: 'expiring' });
  }

  async prepare(run: number, agreed?: { authorization: AuthorizationAcceptance; hosted: boolean }): Promise<void> {
    try {
      this.#preparedFor = this.#purpose();
      const { mode, nonce } = this.#host.settings();
      const placeNow = () => (mode === 'embedded' && this.#canEmbed ? this.#host.place(this.#flow.state) : null);
      const own = mode === 'embedded' && !placeNow() ? 'button' : mode;
      const obtain = (asked: LinkMode) =>
        Promise.all([
          asked === 'hosted' ? null : loadPlaid({ nonce }),
          this.#access.createLinkToken(asked, isWebview(), agreed?.authorization),
        ]);
      const isHosted = own === 'hosted' || agreed?.hosted;
      this.#isAside = !isHosted && (this.#isCovered || this.#host.cover() !== null);
      this.#isCovered = false;
      const aside = this.#isAside ? await obtain('hosted').catch(lost) : null;
      const [plaid, token] = aside?.[1].hosted_link_url ? aside : await obtain(isHosted ? 'hosted' : own);
      if (run !== this.#flow.state.run) return;
      this.close();
      // The page may have taken it away in the meantime.
      const place = placeNow();
      if (plaid && !token.hosted_link_url) this.#link = this.#prepareLink(plaid, token.link_token, { place });
      else this.#link = this.#prepareHosted(token, isWebview());
      // It may have failed in the very call that has made it.
      const { state } = this.#flow;
      if (run !== state.run || state.link !== 'preparing') {
        this.close();
        return;
      }
      this.#watchToken(token, plaid !== null && !token.hosted_link_url);
      const { hosted_link_url, authorization } = token;
      const { embedded } = this.#link;
      this.#flow.dispatch({ type: 'prepared', run, hosted: !!hosted_link_url, embedded, authorization });
    } catch (error) {
      this.#flow.dispatch({ type: 'prepare_failed', run, error: toFlowError(error) });
    }
  }

  /** With the link token that the page was left with, and the exact address that it was come back to. */
  async resume(run: number, back: Return | null): Promise<void> {
    try {
      const { linkToken = '', receivedRedirectUri, until = 0 } = back ?? {};
      const plaid = await loadPlaid({ nonce: this.#host.settings().nonce });
      if (run !== this.#flow.state.run) return;
      this.close();
      this.#link = this.#prepareLink(plaid, linkToken, { receivedRedirectUri });
      this.#leave = null;
      this.#tokenEnds = until;
      this.#flow.dispatch({ type: 'prepared', run });
    } catch (error) {
      this.#flow.dispatch({ type: 'prepare_failed', run, error: toFlowError(error) });
    }
  }

  /** A way around a Link that can't run here. */
  async offerHosted(run: number): Promise<void> {
    try {
      const token = await this.#access.createLinkToken('hosted', isWebview());
      if (run !== this.#flow.state.run || !token.hosted_link_url) return;
      this.close();
      this.#link = this.#prepareHosted(token, isWebview());
      this.#watchToken(token, false);
      this.#flow.dispatch({ type: 'hosted_offered', run, authorization: token.authorization });
    } catch (error) {
      // The customer knows already that Link can't run here, and this was only a way around it; a fault is shown on the
      // console.
      toFlowError(error);
    }
  }

  open(): void {
    this.#openedAt = Date.now();
    const { hosted } = this.#flow.state;
    const cover = hosted ? null : this.#host.cover(true);
    if (cover && !this.#isAside) {
      this.#isCovered = true;
      this.#flow.dispatch({ type: 'covered' });
      return;
    }
    if (cover) console.warn(COVERED);
    if (cover === 'modal') {
      this.#fail('link_covered', 'contact_merchant');
      return;
    }
    try {
      if (!this.#link?.open()) this.#flow.dispatch({ type: 'link_busy' });
    } catch (cause) {
      report('Link could not be opened', cause);
      this.#fail('link_failed', 'restart');
    }
    if (this.#flow.state.phase !== 'open') return;
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

  #fail(code: ElementErrorCode, action: ProblemAction): void {
    this.#flow.dispatch({ type: 'link_exited', error: flowError(code, action), step: 'start', fresh: false });
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

  #prepareLink(plaid: PlaidGlobal, token: string, options: LinkOptions): PreparedLink {
    const dispatch = (event: FlowEvent) => this.#flow.dispatch(event);
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
        if (exit.error) dispatch({ type: 'link_failed', error: exit.error });
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
  #report({ trace, status, errorCode }: LinkExit): void {
    const exit: LinkExitRequest = {
      link_session_id: trace.linkSessionId,
      request_id: trace.requestId,
      institution_id: trace.institution?.id ?? null,
      status,
      error_code: errorCode,
    };
    void this.#access.reportExit(exit);
  }

  #prepareHosted({ hosted_link_url }: LinkTokenResponse, leavesPage: boolean): PreparedLink {
    // A server of another kind may not know of Hosted Links, or may not be one to trust.
    if (!hosted_link_url || !isSafeAddress(hosted_link_url)) {
      report('the server gave no https address for Hosted Link');
      throw new ConnectError(flowError('provider_misconfigured', 'contact_merchant'));
    }
    const dispatch = (event: FlowEvent) => this.#flow.dispatch(event);
    const listener = {
      moved: () => dispatch({ type: 'link_moved' }),
      left: () => dispatch({ type: 'link_exited', error: null, step: 'hosted', fresh: false }),
      blocked: () => void this.#leaveForHosted(),
    };
    const ask = () => this.#access.getSession();
    return prepareHosted(hosted_link_url, listener, { leavesPage, ask });
  }

  /** No window opens: Plaid's page takes the place of this one, with an address to come back to. */
  async #leaveForHosted(): Promise<void> {
    try {
      const token = await this.#access.createLinkToken('hosted', true);
      if (this.#flow.state.phase !== 'open') return;
      this.close();
      this.#link = this.#prepareHosted(token, true);
      this.#watchToken(token, false);
      this.open();
    } catch (error) {
      this.#flow.dispatch({ type: 'link_exited', error: toFlowError(error), step: 'hosted', fresh: false });
    }
  }

  #rememberLeave(): void {
    if (this.#leave) this.#host.away.write(this.#leave);
  }

  #watchToken({ expires_at, link_token }: LinkTokenResponse, returnsHere: boolean): void {
    const now = Date.now();
    const left = Date.parse(expires_at) - now;
    const life = left > 0 ? Math.min(left, LONGEST_TIMER) : TOKEN_LIFE;
    const leave = { clientSecret: this.#access.secret ?? '', until: now + life };
    this.#leave = returnsHere ? { ...leave, linkToken: link_token } : leave;
    this.#tokenEnds = now + Math.max(life - TOKEN_MARGIN, life / 2);
    // A page in the background asks for nothing; `expire` makes up for it. The clock is not asked again: timers may run
    // a millisecond ahead of it.
    const renew = () => document.hidden || this.#flow.dispatch({ type: 'expiring' });
    this.#tokenTimer = setTimeout(renew, this.#tokenEnds - now);
  }
}
