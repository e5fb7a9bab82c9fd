import { ConnectError, flowError, oneOf, toFlowError, unreachedCode } from '../errors.ts';
import type { Return } from '../link/away-store.ts';
import { isLinkOpen } from '../link/page-state.ts';
import type { ConnectBackend, SessionAnswer } from '../session/backend.ts';
import { SessionAccess } from '../session/session-access.ts';
import type { ControllerHost } from './controller-host.ts';
import type { FlowEffect, FlowEvent, Transition } from './events.ts';
import { LinkControl } from './link-control.ts';
import { POLL_CEILING, pollDelay } from './pace.ts';
import { failWithoutDetour, isOutdated, NO_TRACE, straight } from './reducer.ts';
import { type FlowState, initialState, isBusy } from './state.ts';

// A word after 8 s, when people begin to doubt; another after 60 s, when the server itself has handed over to its jobs.
const SLOW_AFTER = [8_000, 60_000] as const;

/** Carries out what the flow decides. Has no user interface and touches no DOM except through Link itself. */
export class ConnectController {
  #state = initialState;
  readonly #link: LinkControl;
  readonly #access: SessionAccess;
  /** The secret whose session was already asked about at start-up. */
  #asked: string | null = null;
  #hasStarted = false;
  /** What the page was left with, where it was come back to. */
  #back: Return | null = null;
  #busySince = 0;
  #pollTimer: ReturnType<typeof setTimeout> | undefined;
  #slowTimer: ReturnType<typeof setTimeout> | undefined;

  readonly #host: ControllerHost;

  constructor(host: ControllerHost) {
    this.#host = host;
    this.#access = new SessionAccess(host);
    this.#link = new LinkControl(host, this.#access, this);
  }

  get state(): FlowState {
    return this.#state;
  }

  /** Who is asking the customer, and what for; also the logos of the session's banks. */
  get asker(): Pick<SessionAccess, 'merchant' | 'purpose' | 'returned' | 'getLogo' | 'leave'> {
    return this.#access;
  }

  /** The element is on a page, or has another client secret. */
  start(): void {
    const access = this.#access;
    const { clientSecret, fetchClientSecret, mode } = this.#host.settings();
    // Once: what is written down later is this page's own, for the next one.
    const { back = null, unusable = null } = (!this.#hasStarted && this.#host.arrive()) || {};
    this.#back ??= back;
    this.#hasStarted = true;
    if (back) access.secret = back.clientSecret;
    access.look();
    const resumes = back?.linkToken !== undefined;
    this.dispatch({
      type: 'start',
      known: access.secret !== null && access.secret !== this.#asked && !resumes,
      returning: back !== null && !resumes,
      unusable,
      renewable: fetchClientSecret !== null || clientSecret === null,
      hosted: mode === 'hosted' || (back !== null && !resumes),
    });
    if (resumes) this.dispatch({ type: 'return' });
  }

  /** Another client secret, endpoint or backend: work in progress belongs to the old one. */
  restart(): void {
    const { wanted, phase } = this.#state;
    this.end('restart', () => {
      this.#access.leave();
      this.#asked = null;
      this.start();
      // A press that waits for Link waits for the other session's.
      if (wanted && phase !== 'failed') this.dispatch({ type: 'press' });
    });
  }

  /**
   * The page ends what is in progress. Where that is Link or a question, the customer leaves without connecting.
   * @param begin what comes instead: before the event, so that what a listener begins belongs to it
   */
  end(step: 'reset' | 'restart', begin?: () => void): void {
    const { phase } = this.#state;
    this.dispatch({ type: step });
    begin?.();
    if (oneOf(phase, 'open', 'choosing', 'authorizing')) {
      this.#host.emit({ type: 'emit', name: 'canceled', step, trace: NO_TRACE });
    }
  }

  /** The customer wants Link. Opens it before returning when the flow is `ready`. */
  press(type: 'press' | 'act' = 'press'): void {
    // The page may have put the element into a dialog, or closed the one around it, in answer to `fbc-open`.
    this.refresh();
    this.#link.expire();
    this.dispatch({ type });
  }

  /** The language, the mode or what surrounds the element may be another one. */
  refresh(): void {
    this.#link.refresh();
  }

  /**
   * The page can be seen again. Where it slept, it received no event that the network is back, and its requests were
   * lost.
   */
  wake(): void {
    this.#link.expire();
    this.dispatch({ type: 'online' });
  }

  /** Another Link is open on this page, and only one fits. */
  get isTaken(): boolean {
    return isLinkOpen() && this.#state.phase !== 'open';
  }

  dispatch(event: FlowEvent): void {
    const next = straight(this.#state, event) ?? this.#host.detours.now?.transition(this.#state, event);
    if (next) this.#go(next, event);
    else void this.#detour(event);
  }

  /** What follows from an event that the straight way does not know, as soon as it is known. */
  async #detour(event: FlowEvent): Promise<void> {
    let next: Transition;
    try {
      const { transition } = await this.#host.detours.load();
      next = transition(this.#state, event);
    } catch {
      next = failWithoutDetour(this.#state, event, flowError(unreachedCode(), 'retry'));
    }
    this.#go(next, event);
  }

  #go({ state, effects }: Transition, event: FlowEvent): void {
    if (this.#state.phase === 'returning' && state.phase !== 'returning') this.#settleReturn(event);
    if (state !== this.#state) {
      this.#state = state;
      this.#watchSlowness(isBusy(state.phase));
      this.#host.changed(state);
    }
    for (const effect of effects) {
      // A listener of an event may have started something else.
      if (!isOutdated(effect, this.#state)) this.#perform(effect);
    }
    // The token may have run out while Link was open.
    if (event.type === 'link_exited') this.#link.expire();
    // No customer is left to see it; a timer would only keep alive what has left the page.
    if (event.type === 'leave') this.#watchSlowness(false);
  }

  /** An element that leaves the page before Link goes on leaves the return to the next one, or to itself. */
  #settleReturn({ type }: FlowEvent): void {
    if (type === 'leave') {
      this.#hasStarted = false;
      this.#back = null;
      this.#asked = null;
    } else this.#host.detours.now?.consumeReturn();
  }

  #perform(effect: FlowEffect): void {
    switch (effect.type) {
      case 'emit':
        if (effect.name === 'error') this.#emitError(effect);
        else this.#host.emit(effect);
        return;
      case 'prepare':
        void this.#link.prepare(effect.run, effect.agreed);
        return;
      case 'open':
        this.#link.open();
        return;
      case 'close':
        clearTimeout(this.#pollTimer);
        this.#link.close();
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
        return;
      default:
        this.#host.detours.now?.perform(effect, this.#link, this.#back, this.#host.settings().nonce);
    }
  }

  /** With its sentence, which comes with the detour. */
  #emitError(effect: Extract<FlowEffect, { type: 'emit' }>): void {
    const { detours } = this.#host;
    const emit = () => {
      const { error } = this.#state;
      if (!error) return;
      detours.now?.explain(error, this.#host.settings().endpoint);
      this.#host.emit(effect);
    };
    if (detours.now) emit();
    else void detours.load().then(emit, emit);
  }

  async #ask(run: number, call: (backend: ConnectBackend, secret: string) => ReturnType<ConnectBackend['getSession']>) {
    let answer: SessionAnswer;
    try {
      answer = await call(this.#access.backend(), this.#access.secret ?? '');
      // Something in between has answered, such as a service worker of the page.
      if (!answer.session?.connections) throw new ConnectError(flowError('network_failed', 'retry'));
    } catch (thrown) {
      const error = toFlowError(thrown);
      const lost = this.#state.phase === 'polling' && error.retryable;
      // The server goes on by itself, so while polling the customer need not know of a lost answer.
      if (lost && run === this.#state.run) this.#perform({ type: 'read', run, delay: POLL_CEILING / 3 });
      else this.dispatch({ type: 'unanswered', run, error });
      return;
    }
    this.#access.learn(answer.session);
    this.#asked = this.#access.secret;
    this.dispatch({ type: 'answered', run, ...answer });
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
