import { LitElement, type PropertyValues, type TemplateResult } from 'lit';
import type { ConnectBackend } from './backend.ts';
import type { ConnectController, ControllerSettings } from './connect-controller.ts';
import type { FlowEffect } from './connect-flow.ts';
import type { Connection, CreatePublicSessionRequest, LinkMode } from './contract.ts';
import type { ElementError } from './errors.ts';
import {
  FbcCanceledEvent,
  FbcConnectedEvent,
  FbcErrorEvent,
  FbcNeedsRepairEvent,
  FbcOpenEvent,
  FbcPendingEvent,
  FbcStepEvent,
} from './events.ts';
import { styles } from './finix-bank-connect.styles.ts';
import { type ElementStatus, type FlowState, initialState, statusOf, usable } from './flow-state.ts';
import { firstStrings } from './i18n/first.ts';
import type { LateStrings, Strings } from './i18n/index.ts';
import { createSecretStore } from './secret-store.ts';
import { firstParts, render, type View } from './view.ts';

type Core = typeof import('./core.ts');

// Link's script and a link token take about a second; this is about that much of scrolling ahead.
const WARM_MARGIN = '400px';

/**
 * A button that becomes a connected bank account. Form-associated: its value is the connection's id, several connections are several entries.
 *
 * The id is no proof of anything: before charging, fetch the connection with the merchant's key and compare `customer_id`.
 *
 * @attr endpoint - Address of the server; the script-tag build uses the folder that it came from.
 * @attr client-secret - Permission for one customer and one session. Without it and without `fetchClientSecret`, a public session is asked for.
 * @attr mode - `button`.
 * @attr name - Name of the form entry.
 * @attr required - The form can't be submitted without a usable connection.
 * @attr disabled - Nothing can be pressed, nothing is submitted.
 * @attr first-name - For a public session's identity, as are `last-name` and `email`.
 *
 * @fires fbc-open - Before Link opens; cancelable.
 * @fires fbc-step - `detail.step`: the customer came to another step.
 * @fires fbc-connected - `detail.connections`
 * @fires fbc-pending - `detail.connections`: the bank has yet to confirm.
 * @fires fbc-needs-repair - `detail.connections`: the bank wants the customer to sign in again.
 * @fires fbc-canceled - `detail.step`: where the customer left.
 * @fires fbc-error - `detail.error`
 * @fires change - The customer changed the value, as with any form control.
 *
 * @slot label - The button's text.
 * @slot icon - The button's icon.
 * @slot connected - In place of the card with the connected account.
 * @slot legal - Under the button.
 * @slot fallback - Another way to pay; shown when the customer's bank can't be used.
 *
 * @csspart base @csspart button @csspart label @csspart spinner @csspart status @csspart account @csspart bank-name
 * @csspart mask @csspart error @csspart retry @csspart legal
 *
 * @cssprop --fbc-accent @cssprop --fbc-on-accent @cssprop --fbc-text @cssprop --fbc-muted @cssprop --fbc-surface @cssprop --fbc-border
 * @cssprop --fbc-tint @cssprop --fbc-error @cssprop --fbc-focus @cssprop --fbc-radius @cssprop --fbc-height @cssprop --fbc-font
 */
export class FinixBankConnect extends LitElement {
  static readonly formAssociated = true;
  /** Where the server is when no `endpoint` says otherwise. Empty in the npm build, which cannot know. */
  static defaultEndpoint = '';
  static override shadowRootOptions: ShadowRootInit = { ...LitElement.shadowRootOptions, delegatesFocus: true };
  static override styles = styles;
  static override properties = {
    endpoint: {},
    clientSecret: { attribute: 'client-secret' },
    mode: {},
    name: { reflect: true },
    required: { type: Boolean, reflect: true },
    disabled: { type: Boolean, reflect: true },
    firstName: { attribute: 'first-name' },
    lastName: { attribute: 'last-name' },
    email: {},
    fetchClientSecret: { attribute: false },
    backend: { attribute: false },
    strings: { attribute: false },
  };

  static override get observedAttributes(): string[] {
    // biome-ignore lint/complexity/noThisInStatic: Lit's getter prepares the class that it is read from, which naming LitElement would miss.
    return [...super.observedAttributes, 'lang'];
  }

  declare endpoint: string | null;
  declare clientSecret: string | null;
  declare mode: LinkMode | null;
  declare name: string | null;
  declare required: boolean;
  declare disabled: boolean;
  declare firstName: string | null;
  declare lastName: string | null;
  declare email: string | null;
  /** Gives a client secret whenever one is needed; also after "Change", and when a session is over. */
  declare fetchClientSecret: (() => Promise<string>) | null;
  /** Takes the place of the HTTP calls to `endpoint`. */
  declare backend: ConnectBackend | null;
  /** Texts to use in place of ours. */
  declare strings: Partial<Strings> | null;

  readonly #internals = this.attachInternals();
  readonly #store = createSecretStore(() => [this.#endpoint(), this.name, ...this.#person()].map(String));
  /** Follows the controller's, once there is one. */
  #state = initialState;
  #core: Core | null = null;
  #controller: ConnectController | null = null;
  #loading: Promise<void> | null = null;
  #listening: AbortController | null = null;
  #http: { endpoint: string; backend: ConnectBackend } | null = null;
  #status: ElementStatus | null = null;
  #wasOpen = false;
  #formDisabled = false;
  #missing = false;
  #near = false;
  #texts: LateStrings | null = null;
  #language: string | null = null;

  get status(): ElementStatus {
    return statusOf(this.#state);
  }

  get connections(): readonly Connection[] {
    return this.#state.connections;
  }

  get error(): ElementError | null {
    const { error } = this.#state;
    if (!error) return null;
    const { code, retryable, action, requestId } = error;
    const message = this.#strings()[this.#core?.messageKey(error) ?? 'error_general'];
    return { code, message, retryable, action, requestId };
  }

  /** The first usable connection's id, or null. */
  get value(): string | null {
    return usable(this.#state.connections)[0]?.id ?? null;
  }

  get form(): HTMLFormElement | null {
    return this.#internals.form;
  }

  get validity(): ValidityState {
    return this.#internals.validity;
  }

  get validationMessage(): string {
    return this.#internals.validationMessage;
  }

  checkValidity(): boolean {
    return this.#internals.checkValidity();
  }

  reportValidity(): boolean {
    return this.#internals.reportValidity();
  }

  /**
   * Opens Link, or prepares it and opens it then. Does nothing while disabled, connected or at work, and while another element's Link is
   * open on this page.
   */
  open(): void {
    const { phase, error } = this.#state;
    if (this.#off || /^(submitting|polling|choosing|authorizing)$/.test(phase) || (phase === 'done' && this.value))
      return;
    if (phase === 'failed' && /^(retry|wait|contact_merchant)$/.test(error?.action ?? '')) {
      this.#with((controller) => controller.press('act'));
    } else if (this.dispatchEvent(new FbcOpenEvent())) {
      if (!this.#controller) this.#show({ ...initialState, wanted: true });
      this.#with((controller) => controller.press());
    }
  }

  /** Back to the beginning, without a value. Deletes nothing on the server. */
  reset(): void {
    this.#controller?.dispatch({ type: 'reset' });
    this.#warmUp();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.#listening) return;
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    const wake = () => document.hidden || this.#controller?.wake();
    const online = () =>
      this.#controller ? this.#controller.dispatch({ type: 'online' }) : this.#state.error && this.#start();
    globalThis.addEventListener('online', online, { signal });
    globalThis.addEventListener('pageshow', wake, { signal });
    document.addEventListener('visibilitychange', wake, { signal });
    for (const intent of ['pointerenter', 'focusin'] as const) {
      this.addEventListener(intent, () => this.#with((controller) => controller.dispatch({ type: 'warm' })), {
        signal,
      });
    }
    this.addEventListener('invalid', () => this.#setMissing(true), { signal });
    const observer = new IntersectionObserver(
      (entries) => {
        this.#near = entries.at(-1)?.isIntersecting ?? false;
        this.#warmUp();
      },
      { rootMargin: WARM_MARGIN },
    );
    observer.observe(this);
    signal.addEventListener('abort', () => observer.disconnect());
    if (this.hasUpdated) this.#start();
    this.#show(this.#state);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    // A move in the document is a removal and an insertion in the same breath, and must not close Link.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#listening?.abort();
      this.#listening = null;
      this.#controller?.dispatch({ type: 'leave' });
    });
  }

  override attributeChangedCallback(name: string, old: string | null, value: string | null): void {
    super.attributeChangedCallback(name, old, value);
    if (name === 'lang') this.requestUpdate();
  }

  formResetCallback(): void {
    this.#setMissing(false);
    this.reset();
  }

  formDisabledCallback(disabled: boolean): void {
    this.#formDisabled = disabled;
    this.requestUpdate();
  }

  /** The browser kept that there was a value; what has become of it only the server knows. */
  formStateRestoreCallback(): void {
    if (this.hasUpdated) this.#start();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const credentials = [
      'endpoint',
      'clientSecret',
      'fetchClientSecret',
      'backend',
      'firstName',
      'lastName',
      'email',
    ] as const;
    if (!this.hasUpdated) {
      if (this.mode && this.mode !== 'button')
        console.warn(`<finix-bank-connect>: mode "${this.mode}" is not available, "button" is used`);
      this.#start();
    } else if (credentials.some((name) => changed.has(name))) {
      this.#controller?.restart();
      this.#start();
      // A name being typed must not ask for a session with every letter, so after a change of the person only the customer's approach does.
      if (credentials.slice(0, 4).some((name) => changed.has(name))) this.#warmUp();
    }
    const language = languageOf(this);
    if (language !== this.#language) {
      this.#language = language;
      if (this.#core) void this.#speak(this.#core);
    }
  }

  protected override render(): TemplateResult {
    const view = this.#view();
    return render(view, (this.#core?.partsOf ?? firstParts)(view));
  }

  protected override updated(): void {
    const state = this.#state;
    const root = this.shadowRoot;
    const dialog = root?.querySelector('dialog');
    const asks = state.phase === 'choosing' || state.phase === 'authorizing';
    if (dialog && dialog.open !== asks) {
      if (!asks) dialog.close();
      else if (this.isConnected) dialog.showModal();
    }
    this.#setFormValue(state);
    const focused = document.activeElement;
    // Link took the focus with it; whoever had it elsewhere meanwhile keeps it.
    if (this.#wasOpen && state.phase !== 'open' && (!focused || focused === document.body || focused === this)) {
      root?.querySelector<HTMLElement>('.main, .card')?.focus({ preventScroll: true });
    }
    this.#wasOpen =
      state.phase === 'open' ||
      (this.#wasOpen && state.phase !== 'rest' && state.phase !== 'failed' && state.phase !== 'done');
  }

  get #off(): boolean {
    return this.disabled || this.#formDisabled;
  }

  /** Before the rest has loaded there are only the first texts, and nothing asks for another. */
  #strings(): Strings {
    return { ...firstStrings(this.#language ?? ''), ...this.#texts, ...this.strings } as Strings;
  }

  #view(): View {
    const byCustomer = (type: 'change' | 'remove') => () => {
      this.#controller?.dispatch({ type });
      this.dispatchEvent(new Event('change', { bubbles: true }));
    };
    return {
      state: this.#state,
      strings: this.#strings(),
      disabled: this.#off,
      missing: this.#missing,
      press: () => this.open(),
      change: byCustomer('change'),
      remove: byCustomer('remove'),
      decline: () => this.#controller?.dispatch({ type: 'decline' }),
      accept: () => this.#controller?.dispatch({ type: 'accept' }),
      choose: (id) => this.#controller?.dispatch({ type: 'choose', ids: [id] }),
    };
  }

  /** At once where the controller is there, so that a press opens Link before it returns; else as soon as it is. */
  #with(act: (controller: ConnectController) => void): void {
    if (this.#controller) act(this.#controller);
    else void this.#load().then(() => this.#controller && act(this.#controller));
  }

  #load(): Promise<void> {
    this.#loading ??= import('./core.ts')
      .then(async (core) => {
        await this.#speak(core);
        this.shadowRoot?.adoptedStyleSheets.push(core.lateStyles.styleSheet as CSSStyleSheet);
        this.#core = core;
        this.#controller = new core.ConnectController({
          settings: () => this.#settings(core),
          store: this.#store,
          changed: (state) => this.#show(state),
          emit: (effect) => this.#emit(effect),
        });
        this.#controller.start();
        this.#show(this.#controller.state);
      })
      .catch(() => {
        const code = navigator.onLine ? 'network_failed' : 'offline';
        this.#show({
          ...initialState,
          phase: 'failed',
          error: { code, action: 'retry', retryable: true, requestId: null },
        });
        this.#emit({ type: 'emit', name: 'error' });
      })
      .finally(() => {
        this.#loading = null;
      });
    return this.#loading;
  }

  async #speak(core: Core): Promise<void> {
    this.#texts = await core.loadStrings(this.#language ?? '');
    this.requestUpdate();
  }

  /** Asks about a session that may have begun before this page did. Without one there is nothing to do until the customer comes near. */
  #start(): void {
    if (this.#controller) this.#controller.start();
    else if (this.clientSecret || (!this.fetchClientSecret && this.#store.read())) void this.#load();
    this.#warmUp();
  }

  #endpoint(): string {
    return this.endpoint || FinixBankConnect.defaultEndpoint;
  }

  #person(): (string | null | undefined)[] {
    return [this.firstName, this.lastName, this.email];
  }

  #settings(core: Core): ControllerSettings {
    const endpoint = this.#endpoint();
    if (endpoint && this.#http?.endpoint !== endpoint)
      this.#http = { endpoint, backend: core.createHttpBackend(endpoint) };
    const [first_name, last_name, email] = this.#person().map((value) => value || undefined);
    const language = languageOf(this) || undefined;
    const publicSession: CreatePublicSessionRequest = { language };
    if (first_name || last_name || email) publicSession.identity = { first_name, last_name, email };
    return {
      backend: this.backend ?? (endpoint ? (this.#http?.backend ?? null) : null),
      clientSecret: this.clientSecret || null,
      fetchClientSecret: this.fetchClientSecret ?? null,
      publicSession,
      language,
      nonce: this.nonce || undefined,
    };
  }

  #warmUp(): void {
    if (this.#near && this.hasUpdated) this.#with((controller) => controller.dispatch({ type: 'warm' }));
  }

  #show(state: FlowState): void {
    this.#state = state;
    const status = statusOf(state);
    if (status !== this.#status) {
      const { states } = this.#internals;
      try {
        if (this.#status) states.delete(this.#status);
        states.add(status);
      } catch {
        // Browsers before the final syntax refuse plain names; they still have the attribute.
      }
      this.#status = status;
      this.setAttribute('status', status);
    }
    if (usable(state.connections).length) this.#missing = false;
    this.#setFormValue(state);
    this.requestUpdate();
  }

  #setFormValue({ connections }: FlowState): void {
    const ids = usable(connections).map(({ id }) => id);
    if (ids.length > 1 && this.name) {
      const entries = new FormData();
      for (const id of ids) entries.append(this.name, id);
      this.#internals.setFormValue(entries, ids.join(' '));
    } else {
      this.#internals.setFormValue(ids[0] ?? null, ids[0] ?? null);
    }
    const missing = this.required && !ids.length;
    const anchor = this.shadowRoot?.querySelector<HTMLElement>('.main') ?? undefined;
    this.#internals.setValidity(missing ? { valueMissing: true } : {}, missing ? this.#strings().required : '', anchor);
  }

  #setMissing(missing: boolean): void {
    this.#missing = missing;
    this.requestUpdate();
  }

  #emit(effect: Extract<FlowEffect, { type: 'emit' }>): void {
    const { connections } = this.#state;
    const { error } = this;
    switch (effect.name) {
      case 'connected':
        this.dispatchEvent(new FbcConnectedEvent(connections));
        return;
      case 'pending':
        this.dispatchEvent(new FbcPendingEvent(connections));
        return;
      case 'needs-repair':
        this.dispatchEvent(new FbcNeedsRepairEvent(connections));
        return;
      case 'canceled':
        this.dispatchEvent(new FbcCanceledEvent(effect.step));
        return;
      case 'step':
        this.dispatchEvent(new FbcStepEvent(effect.step));
        return;
      case 'error':
        if (error) this.dispatchEvent(new FbcErrorEvent(error));
    }
  }
}

/** The language of the nearest ancestor that names one, also across shadow roots; empty when there is none, or when it is no language tag. */
function languageOf(element: Element): string {
  for (let at: Element | null = element; at; ) {
    const lang = at.closest('[lang]')?.getAttribute('lang');
    if (lang) return /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i.test(lang) ? lang : '';
    const root = at.getRootNode();
    at = root instanceof ShadowRoot ? root.host : null;
  }
  return '';
}

declare global {
  interface HTMLElementTagNameMap {
    'finix-bank-connect': FinixBankConnect;
  }
}
