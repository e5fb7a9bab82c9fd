import type { AuthorizationAcceptance, LinkTokenResponse } from '../contract.ts';
import { ConnectError, flowError, toFlowError } from '../errors.ts';
import { prepareHosted } from '../link/hosted-link.ts';
import type { AwayStore, Return } from '../link/oauth-return.ts';
import {
  isLinkOpen,
  type LinkListener,
  type LinkOptions,
  loadPlaid,
  type PreparedLink,
  prepareLink,
} from '../link/plaid-link.ts';
import type { PlaidGlobal } from '../link/plaid-link.types.ts';
import { isWebview } from '../link/webview.ts';
import type { ConnectBackend } from '../session/backend.ts';
import { SessionAccess } from '../session/session-access.ts';
import type { ControllerHost } from './controller-host.ts';
import type { FlowEffect, FlowEvent } from './events.ts';
import { POLL_CEILING, pollDelay } from './pace.ts';
import { transition } from './reducer.ts';
import { type FlowState, initialState, isBusy } from './state.ts';

// A word after 8 s, when people begin to doubt; another after 60 s, when the server itself has handed over to its jobs.
const SLOW_AFTER = [8_000, 60_000] as const;
// Link may be in use for minutes after it was opened, so a token is replaced this long before its end.
const TOKEN_MARGIN = 5 * 60_000;
// The shortest life that Plaid documents; assumed where this device's clock says that a new token is already over.
const TOKEN_LIFE = 30 * 60_000;
// `INVALID_LINK_TOKEN` this soon after the press is a token that was spoiled beforehand, not a customer who took long.
const JUST_OPENED = 10_000;
// About as long as the server needs to ask Plaid twice.
const LOOKS_ON_RETURN = 3;

/** Carries out what the flow decides. Has no user interface and touches no DOM except through Link itself. */
export class ConnectController {
  #state = initialState;
  #link: PreparedLink | null = null;
  readonly #access: SessionAccess;
  /** The secret whose session was already asked about at start-up. */
  #asked: string | null = null;
  #tokenEnds = 0;
  /** What the way back would need, if Link left the page. */
  #leave: Parameters<AwayStore['write']>[0] | null = null;
  #return: Return | null = null;
  #canEmbed = true;
  /** What Link was prepared for; where that has changed, it is prepared anew. */
  #preparedFor = '';
  #started = false;
  #looks = 0;
  #openedAt = 0;
  #busySince = 0;
  #tokenTimer: ReturnType<typeof setTimeout> | undefined;
  #pollTimer: ReturnType<typeof setTimeout> | undefined;
  #slowTimer: ReturnType<typeof setTimeout> | undefined;

  readonly #host: ControllerHost;

  constructor(host: ControllerHost) {
    this.#host = host;
    this.#access = new SessionAccess(host);
  }

  get state(): FlowState {
    return this.#state;
  }

  /** Who is asking the customer, and what for. */
  get asker(): Pick<SessionAccess, 'merchant' | 'purpose'> {
    return this.#access;
  }

  /** The element is on a page, or has another client secret. */
  start(): void {
    const access = this.#access;
    const { clientSecret, fetchClientSecret, mode } = this.#host.settings();
    // Once: what is written down later is this page's own, for the next one.
    this.#return ??= this.#started ? null : this.#host.away.take();
    const back = this.#started ? null : this.#return;
    this.#started = true;
    if (back) access.secret = back.clientSecret;
    access.look();
    const resumes = back?.linkToken !== undefined;
    this.dispatch({
      type: 'start',
      known: access.secret !== null && access.secret !== this.#asked && !resumes,
      returning: back !== null && !resumes,
      renewable: fetchClientSecret !== null || clientSecret === null,
      hosted: mode === 'hosted' || (back !== null && !resumes),
    });
    if (resumes) this.dispatch({ type: 'return' });
  }

  /** Another client secret, endpoint or backend: what was under way belongs to the old one. */
  restart(): void {
    this.dispatch({ type: 'restart' });
    this.#access.secret = null;
    this.#asked = null;
    this.start();
  }

  /** The customer wants Link. Opens it before returning when the flow is `ready`. */
  press(type: 'press' | 'act' = 'press'): void {
    if (this.#state.link === 'ready' && Date.now() >= this.#tokenEnds) this.dispatch({ type: 'expiring' });
    this.dispatch({ type });
  }

  /** The language or the mode may be another one. An open Link stays as it is; it is looked at again when that closes. */
  refresh(): void {
    if (this.#preparedFor !== this.#purpose()) this.dispatch({ type: 'outdated' });
  }

  /** The page can be seen again: a token may have run out meanwhile, and timers may have slept. */
  wake(): void {
    if (this.#state.link === 'ready' && Date.now() >= this.#tokenEnds) this.dispatch({ type: 'expiring' });
  }

  /** Another Link is open on this page, and there is room for one. */
  get isTaken(): boolean {
    return isLinkOpen() && this.#state.phase !== 'open';
  }

  dispatch(event: FlowEvent): void {
    const { state, effects } = transition(this.#state, event);
    if (state !== this.#state) {
      this.#state = state;
      this.#watchSlowness(isBusy(state.phase));
      this.#host.changed(state);
    }
    for (const effect of effects) this.#perform(effect);
    // Nobody is there to be told; a timer would only keep alive what has left the page.
    if (event.type === 'leave') this.#watchSlowness(false);
  }

  #perform(effect: FlowEffect): void {
    switch (effect.type) {
      case 'emit':
        this.#host.emit(effect);
        return;
      case 'prepare':
        void this.#prepare(effect.run, effect.agreed);
        return;
      case 'resume':
        void this.#resume(effect.run);
        return;
      case 'offer_hosted':
        void this.#offerHosted(effect.run);
        return;
      case 'open':
        this.#openedAt = Date.now();
        this.#open();
        return;
      case 'close':
        this.#close();
        return;
      case 'forget':
        this.#access.forget();
        return;
      case 'submit':
        void this.#ask(effect.run, (backend, secret) => backend.complete(secret, effect.submission));
        return;
      case 'read':
        this.#pollTimer = setTimeout(
          () => void this.#ask(effect.run, (backend, secret) => backend.getSession(secret)),
          pollDelay(effect.delay, this.#busySince) * 1000,
        );
    }
  }

  #open(): void {
    try {
      if (this.#link?.open()) this.#rememberLeave();
      else this.dispatch({ type: 'link_busy' });
    } catch {
      this.dispatch({ type: 'link_exited', error: flowError('link_failed', 'restart'), step: 'start', fresh: true });
    }
  }

  #close(): void {
    clearTimeout(this.#pollTimer);
    clearTimeout(this.#tokenTimer);
    if (this.#link) this.#host.away.clear();
    this.#link?.close();
    this.#link = null;
  }

  #purpose(): string {
    const { mode, language } = this.#host.settings();
    return `${mode} ${language}`;
  }

  async #prepare(run: number, agreed?: { authorization: AuthorizationAcceptance; hosted: boolean }): Promise<void> {
    try {
      this.#preparedFor = this.#purpose();
      const { mode, nonce } = this.#host.settings();
      const place = mode === 'embedded' && this.#canEmbed ? this.#host.place(this.#state) : null;
      const own = mode === 'embedded' && !place ? 'button' : mode;
      const asked = agreed?.hosted ? 'hosted' : own;
      const [plaid, token] = await Promise.all([
        asked === 'hosted' ? null : loadPlaid({ nonce }),
        this.#access.createLinkToken(asked, isWebview(), agreed?.authorization),
      ]);
      if (run !== this.#state.run) return;
      this.#close();
      if (plaid && !token.hosted_link_url) this.#link = this.#prepareLink(plaid, token.link_token, { place });
      else this.#link = this.#prepareHosted(token, isWebview());
      this.#watchToken(token, plaid !== null && !token.hosted_link_url);
      const { hosted_link_url, authorization: beforehand } = token;
      const { embedded } = this.#link;
      this.dispatch({ type: 'prepared', run, hosted: !!hosted_link_url, embedded, authorization: beforehand });
    } catch (error) {
      this.dispatch({ type: 'prepare_failed', run, error: toFlowError(error) });
    }
  }

  /** With the link token that the page was left with, and the exact address that it was come back to. */
  async #resume(run: number): Promise<void> {
    try {
      const { linkToken = '', receivedRedirectUri, until } = this.#return ?? {};
      const plaid = await loadPlaid({ nonce: this.#host.settings().nonce });
      if (run !== this.#state.run) return;
      this.#close();
      this.#link = this.#prepareLink(plaid, linkToken, { receivedRedirectUri });
      this.#leave = null;
      this.#tokenEnds = until ?? 0;
      this.dispatch({ type: 'prepared', run });
    } catch (error) {
      this.dispatch({ type: 'prepare_failed', run, error: toFlowError(error) });
    }
  }

  #prepareLink(plaid: PlaidGlobal, token: string, options: LinkOptions): PreparedLink {
    const isReturn = options.receivedRedirectUri !== undefined;
    const listener: LinkListener = {
      succeeded: (submission) => this.dispatch({ type: 'link_succeeded', submission }),
      exited: (error, step) => {
        this.#host.away.clear();
        // Who came back from a bank is told that it has to begin anew, rather than thrown into another Link.
        const fresh = !isReturn && Date.now() - this.#openedAt < JUST_OPENED;
        this.dispatch({ type: 'link_exited', error, step, fresh });
        // What it was made to go on with is used up.
        if (isReturn) this.dispatch({ type: 'expiring' });
        this.refresh();
      },
      step: (step) => this.#host.emit({ type: 'emit', name: 'step', step }),
      opened: () => {
        this.#openedAt = Date.now();
        this.#rememberLeave();
        this.dispatch({ type: 'link_opened' });
      },
      refused: () => {
        this.#canEmbed = false;
        this.dispatch({ type: 'expiring' });
      },
    };
    return prepareLink(plaid, token, listener, options);
  }

  #prepareHosted({ hosted_link_url }: LinkTokenResponse, leavesPage: boolean): PreparedLink {
    // A server of an own kind may not know of Hosted Links.
    if (!hosted_link_url) throw new ConnectError(flowError('provider_misconfigured', 'contact_merchant'));
    const listener = {
      moved: () => this.dispatch({ type: 'link_moved' }),
      left: () => this.dispatch({ type: 'link_exited', error: null, step: 'hosted', fresh: false }),
      blocked: () => void this.#leaveForHosted(),
    };
    const ask = () => this.#access.backend().getSession(this.#access.secret ?? '');
    return prepareHosted(hosted_link_url, listener, { leavesPage, ask });
  }

  /** No window opens: Plaid's page takes the place of this one, with an address to come back to. */
  async #leaveForHosted(): Promise<void> {
    try {
      const token = await this.#access.createLinkToken('hosted', true);
      if (this.#state.phase !== 'open') return;
      this.#close();
      this.#link = this.#prepareHosted(token, true);
      this.#watchToken(token, false);
      this.#open();
    } catch (error) {
      this.dispatch({ type: 'link_exited', error: toFlowError(error), step: 'hosted', fresh: false });
    }
  }

  async #offerHosted(run: number): Promise<void> {
    try {
      const token = await this.#access.createLinkToken('hosted', isWebview());
      if (run !== this.#state.run || !token.hosted_link_url) return;
      this.#close();
      this.#link = this.#prepareHosted(token, isWebview());
      this.#watchToken(token, false);
      this.dispatch({ type: 'hosted_offered', run, authorization: token.authorization });
    } catch {
      // The customer has been told already that Link can't run here, and this was only a way around it.
    }
  }

  #rememberLeave(): void {
    if (this.#leave) this.#host.away.write(this.#leave);
  }

  async #ask(run: number, call: (backend: ConnectBackend, secret: string) => ReturnType<ConnectBackend['getSession']>) {
    try {
      const answer = await call(this.#access.backend(), this.#access.secret ?? '');
      // Plaid sends the customer back before it has told anybody how it went.
      const { status, error } = answer.session;
      this.#access.learn(answer.session);
      if (this.#state.phase === 'returning' && run === this.#state.run && status === 'open' && !error) {
        if (this.#looks++ < LOOKS_ON_RETURN) return this.#perform({ type: 'read', run, delay: answer.retryAfter });
      }
      this.#asked = this.#access.secret;
      this.dispatch({ type: 'answered', run, ...answer });
    } catch (thrown) {
      const error = toFlowError(thrown);
      const lost = this.#state.phase === 'polling' && error.retryable;
      // The server goes on by itself, so while polling a lost answer is no news for the customer.
      if (lost && run === this.#state.run) {
        this.#perform({ type: 'read', run, delay: POLL_CEILING / 3 });
      } else {
        this.dispatch({ type: 'unanswered', run, error });
      }
    }
  }

  #watchToken({ expires_at, link_token }: LinkTokenResponse, returnsHere: boolean): void {
    const now = Date.now();
    const left = Date.parse(expires_at) - now;
    const life = left > 0 ? left : TOKEN_LIFE;
    const leave = { clientSecret: this.#access.secret ?? '', until: now + life };
    this.#leave = returnsHere ? { ...leave, linkToken: link_token } : leave;
    this.#tokenEnds = now + Math.max(life - TOKEN_MARGIN, life / 2);
    // A page that nobody looks at asks for nothing; `wake` makes up for it. The clock is not asked again: timers may run a millisecond ahead of it.
    const renew = () => document.hidden || this.dispatch({ type: 'expiring' });
    this.#tokenTimer = setTimeout(renew, this.#tokenEnds - now);
  }

  #watchSlowness(busy: boolean): void {
    if (busy === this.#busySince > 0) return;
    clearTimeout(this.#slowTimer);
    this.#busySince = busy ? Date.now() : 0;
    if (!busy) return;
    const [first, second] = SLOW_AFTER;
    this.#slowTimer = setTimeout(() => {
      this.dispatch({ type: 'slow' });
      this.#slowTimer = setTimeout(() => this.dispatch({ type: 'slow' }), second - first);
    }, first);
  }
}
