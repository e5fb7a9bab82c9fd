import type {
  AuthorizationAcceptance,
  LinkExitRequest,
  LinkMode,
  LinkTokenResponse,
  ProblemAction,
} from '../contract.ts';
import { type ElementErrorCode, flowError, report, toFlowError } from '../errors.ts';
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
import type { Flow, LinkControlPort, LinkRequest, LinkSearch, LinkSource } from './detours.ts';
import type { FlowEvent } from './events.ts';

// Link may be in use for minutes after it was opened, so a token is replaced this long before its end.
const TOKEN_MARGIN = 5 * 60_000;
// The shortest life that Plaid documents; assumed where a new token is already over by this device's clock.
const TOKEN_LIFE = 30 * 60_000;
// A timer that is longer than this runs out at once; the server or a clock may be wrong by years.
const LONGEST_TIMER = 2 ** 31 - 1;
// `INVALID_LINK_TOKEN` this soon after the press means that the token was invalid before it, not that it expired in
// use.
const JUST_OPENED = 10_000;
// Link reports at once that it is open. Without a sign for this long (a slow 3G line needs about 6 s) it never will be.
const OPEN_TIMEOUT = 15_000;

/** Link, from its token to its end: prepares it, opens it, watches it, and takes it away. */
export class LinkControl implements LinkControlPort {
  #link: PreparedLink | null = null;
  #tokenEnds = 0;
  /** The entry to store for the return, when Link opens; null where none is needed. */
  #leave: Parameters<AwayStore['write']>[0] | null = null;
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
  readonly place: ControllerHost['place'];
  search: LinkSearch | null = null;

  constructor(host: ControllerHost, access: SessionAccess, flow: Flow) {
    this.#host = host;
    this.access = access;
    this.flow = flow;
    this.place = host.place;
  }

  /**
   * The language, the mode or what surrounds the element may be another one. An open Link stays as it is until it
   * closes.
   */
  refresh(): void {
    const { state } = this.flow;
    if (state.error?.code === 'link_covered' && !this.#host.isCovered(true)) this.flow.dispatch({ type: 'uncovered' });
    if (this.#preparedFor !== this.#purpose()) this.flow.dispatch({ type: 'outdated' });
  }

  /** A token may have run out while the page slept, when timers sleep as well; or the page may have been morphed. */
  expire(): void {
    const isOver = Date.now() >= this.#tokenEnds || this.#link?.isLost();
    if (this.flow.state.link === 'ready' && isOver) this.flow.dispatch({ type: 'expiring' });
  }

  async prepare(run: number, agreed?: LinkRequest['agreed']): Promise<void> {
    try {
      this.#preparedFor = this.#purpose();
      const { mode } = this.#host.settings();
      const { detours } = this.#host;
      const isAside = mode !== 'hosted' && !agreed?.hosted && (this.#isCovered || this.#host.isCovered());
      this.#isAside = isAside;
      this.#isCovered = false;
      let way = null;
      if (mode !== 'button' || agreed) way = await detours.load();
      // Link opens all the same.
      else if (isAside) way = await detours.load().catch(() => null);
      const { plaid, token } = await (way?.obtainLink(this, { mode, agreed, isAside }) ?? this.obtain('button'));
      const detour = !plaid || token.hosted_link_url ? await detours.load() : null;
      // Has to be explained to the customer; Link opens all the same.
      if (token.returned || token.repair) await detours.load().catch(() => null);
      if (run !== this.flow.state.run) return;
      this.close();
      // The page may have taken the search away in the meantime, and a repair has none.
      const search = mode === 'embedded' && !token.repair ? this.search?.begin() : null;
      if (detour) this.#link = detour.hostedLink(this, token, isWebview());
      else if (plaid) this.#link = this.prepareLink(plaid, token.link_token, { search });
      // It may have failed in the very call that has made it.
      const { state } = this.flow;
      if (run !== state.run || state.link !== 'preparing') {
        this.close();
        return;
      }
      this.#watchToken(token, !detour);
      if (this.#host.isOff()) this.flow.dispatch({ type: 'withdraw' });
      const { hosted_link_url, authorization, repair } = token;
      const about = { embedded: this.#link?.embedded, authorization, repair: repair && [repair] };
      this.flow.dispatch({ type: 'prepared', run, hosted: !!hosted_link_url, ...about });
    } catch (error) {
      this.flow.dispatch({ type: 'prepare_failed', run, error: toFlowError(error) });
    }
  }

  /** Link's script, where it is needed, and a link token. */
  async obtain(mode: LinkMode, authorization?: AuthorizationAcceptance): Promise<LinkSource> {
    const { nonce } = this.#host.settings();
    const [plaid, token] = await Promise.all([
      mode === 'hosted' ? null : loadPlaid({ nonce }),
      this.access.createLinkToken(mode, isWebview(), authorization),
    ]);
    return { plaid, token };
  }

  open(): void {
    this.#openedAt = Date.now();
    const { hosted } = this.flow.state;
    if (!hosted && this.#host.isCovered(true)) {
      if (!this.#isAside) {
        this.#isCovered = true;
        this.flow.dispatch({ type: 'covered' });
        return;
      }
      if (this.#host.hidesLink()) {
        this.#fail('link_covered', 'contact_merchant');
        return;
      }
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
    return `${mode} ${language} ${this.#host.isCovered()}`;
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
        this.search?.opened();
        this.#openedAt = Date.now();
        this.#rememberLeave();
        if (this.flow.state.embedded) dispatch({ type: 'link_opened' });
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
