import type { ConnectBackend } from './backend.ts';
import { type FlowEffect, type FlowEvent, transition } from './connect-flow.ts';
import type { CreatePublicSessionRequest, LinkTokenResponse } from './contract.ts';
import { ConnectError, flowError, toFlowError } from './errors.ts';
import { type FlowState, initialState, isBusy } from './flow-state.ts';
import { loadPlaid, type PreparedLink, prepareLink } from './plaid-link.ts';
import type { SecretStore } from './secret-store.ts';

/** What the flow needs to know of its surroundings; asked for whenever it is needed, so it may change at any time. */
export interface ControllerSettings {
  /** Null where neither an endpoint nor a backend is known. */
  backend: ConnectBackend | null;
  clientSecret: string | null;
  fetchClientSecret: (() => Promise<string>) | null;
  /** For a public session, where there is no client secret. */
  publicSession: CreatePublicSessionRequest;
  language: string | undefined;
  nonce: string | undefined;
}

export interface ControllerHost {
  settings(): ControllerSettings;
  /** Keeps the client secret of a public session over a reload. */
  store: SecretStore;
  /** The state has changed; what follows from it must be in place on return, because events come next. */
  changed(state: FlowState): void;
  emit(effect: Extract<FlowEffect, { type: 'emit' }>): void;
}

// A word after 8 s, when people begin to doubt; another after 60 s, when the server itself has handed over to its jobs.
const SLOW_AFTER = [8_000, 60_000] as const;
// Link may be in use for minutes after it was opened, so a token is replaced this long before its end.
const TOKEN_MARGIN = 5 * 60_000;
// The shortest life that Plaid documents; assumed where this device's clock says that a new token is already over.
const TOKEN_LIFE = 30 * 60_000;
// `INVALID_LINK_TOKEN` this soon after the press is a token that was spoiled beforehand, not a customer who took long.
const JUST_OPENED = 10_000;
// Polling slows from the server's pace to this, so that a page left open for hours is no burden.
const POLL_CEILING = 15;
// Seconds by which the pace slows with every minute.
const POLL_EASE = 2;
// A merchant's own route may hang; the customer must not hang with it.
const SECRET_TIMEOUT = 15_000;

/** Carries out what the flow decides. Has no user interface and touches no DOM except through Link itself. */
export class ConnectController {
  #state = initialState;
  #link: PreparedLink | null = null;
  #secret: string | null = null;
  /** The secret whose session was already asked about at start-up. */
  #asked: string | null = null;
  #tokenEnds = 0;
  #openedAt = 0;
  #busySince = 0;
  #tokenTimer: ReturnType<typeof setTimeout> | undefined;
  #pollTimer: ReturnType<typeof setTimeout> | undefined;
  #slowTimer: ReturnType<typeof setTimeout> | undefined;

  readonly #host: ControllerHost;

  constructor(host: ControllerHost) {
    this.#host = host;
  }

  get state(): FlowState {
    return this.#state;
  }

  /** The element is on a page, or has another client secret. */
  start(): void {
    const { clientSecret, fetchClientSecret } = this.#host.settings();
    this.#secret ??= clientSecret ?? (fetchClientSecret ? null : this.#host.store.read());
    const known = this.#secret !== null && this.#secret !== this.#asked;
    this.dispatch({ type: 'start', known, renewable: fetchClientSecret !== null || clientSecret === null });
  }

  /** Another client secret, endpoint or backend: what was under way belongs to the old one. */
  restart(): void {
    this.dispatch({ type: 'reset' });
    this.#secret = null;
    this.#asked = null;
    this.start();
  }

  /** The customer wants Link. Opens it before returning when the flow is `ready`. */
  press(type: 'press' | 'act' = 'press'): void {
    if (this.#state.link === 'ready' && Date.now() >= this.#tokenEnds) this.dispatch({ type: 'expiring' });
    this.dispatch({ type });
  }

  /** The page can be seen again: a token may have run out meanwhile, and timers may have slept. */
  wake(): void {
    if (this.#state.link === 'ready' && Date.now() >= this.#tokenEnds) this.dispatch({ type: 'expiring' });
  }

  dispatch(event: FlowEvent): void {
    const { state, effects } = transition(this.#state, event);
    if (state !== this.#state) {
      this.#state = state;
      this.#watchSlowness(isBusy(state.phase));
      this.#host.changed(state);
    }
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: FlowEffect): void {
    switch (effect.type) {
      case 'emit':
        this.#host.emit(effect);
        return;
      case 'prepare':
        void this.#prepare(effect.run);
        return;
      case 'open':
        this.#openedAt = Date.now();
        this.#open();
        return;
      case 'close':
        this.#close();
        return;
      case 'forget':
        this.#secret = null;
        this.#host.store.clear();
        return;
      case 'submit':
        void this.#ask(effect.run, (backend, secret) => backend.complete(secret, effect.submission));
        return;
      case 'read':
        this.#pollTimer = setTimeout(
          () => void this.#ask(effect.run, (backend, secret) => backend.getSession(secret)),
          this.#pollDelay(effect.delay) * 1000,
        );
    }
  }

  #open(): void {
    try {
      if (!this.#link?.open()) this.dispatch({ type: 'link_busy' });
    } catch {
      this.dispatch({ type: 'link_exited', error: flowError('link_failed', 'restart'), step: 'start', fresh: true });
    }
  }

  #close(): void {
    clearTimeout(this.#pollTimer);
    clearTimeout(this.#tokenTimer);
    this.#link?.close();
    this.#link = null;
  }

  async #prepare(run: number): Promise<void> {
    try {
      const { nonce } = this.#host.settings();
      const [plaid, token] = await Promise.all([loadPlaid({ nonce }), this.#createLinkToken()]);
      if (run !== this.#state.run) return;
      this.#close();
      this.#link = prepareLink(plaid, token.link_token, {
        succeeded: (submission) => this.dispatch({ type: 'link_succeeded', submission }),
        exited: (error, step) =>
          this.dispatch({ type: 'link_exited', error, step, fresh: Date.now() - this.#openedAt < JUST_OPENED }),
        step: (step) => this.#host.emit({ type: 'emit', name: 'step', step }),
      });
      this.#watchToken(token);
      this.dispatch({ type: 'prepared', run });
    } catch (error) {
      this.dispatch({ type: 'prepare_failed', run, error: toFlowError(error) });
    }
  }

  async #createLinkToken(): Promise<LinkTokenResponse> {
    const backend = this.#backend();
    const secret = await this.#obtainSecret(backend);
    return backend.createLinkToken(secret, { mode: 'button', language: this.#host.settings().language });
  }

  async #obtainSecret(backend: ConnectBackend): Promise<string> {
    if (this.#secret) return this.#secret;
    const { clientSecret, fetchClientSecret, publicSession } = this.#host.settings();
    let secret: string | null = clientSecret;
    if (fetchClientSecret) {
      secret = await Promise.race([fetchClientSecret().catch(() => null), after(SECRET_TIMEOUT)]);
    } else if (!clientSecret) {
      secret = (await backend.createPublicSession(publicSession)).clientSecret;
      this.#host.store.write(secret);
    }
    if (typeof secret !== 'string' || !secret.includes('_secret_')) {
      throw new ConnectError(flowError('client_secret_unavailable', fetchClientSecret ? 'retry' : 'contact_merchant'));
    }
    this.#secret = secret;
    return secret;
  }

  #backend(): ConnectBackend {
    const { backend } = this.#host.settings();
    if (!backend) throw new ConnectError(flowError('endpoint_missing', 'contact_merchant'));
    return backend;
  }

  async #ask(run: number, call: (backend: ConnectBackend, secret: string) => ReturnType<ConnectBackend['getSession']>) {
    try {
      const answer = await call(this.#backend(), this.#secret ?? '');
      this.#asked = this.#secret;
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

  #pollDelay(delay: number): number {
    const minutes = this.#busySince ? (Date.now() - this.#busySince) / 60_000 : 0;
    return delay && Math.max(delay, Math.min(delay + minutes * POLL_EASE, POLL_CEILING));
  }

  #watchToken({ expires_at }: LinkTokenResponse): void {
    const now = Date.now();
    const left = Date.parse(expires_at) - now;
    const life = left > 0 ? left : TOKEN_LIFE;
    this.#tokenEnds = now + Math.max(life - TOKEN_MARGIN, life / 2);
    // A page that nobody looks at asks for nothing; `wake` makes up for it.
    this.#tokenTimer = setTimeout(() => document.hidden || this.wake(), this.#tokenEnds - now);
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

function after(milliseconds: number): Promise<null> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, null));
}
