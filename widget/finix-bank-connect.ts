import type { PropertyValues, TemplateResult } from 'lit';
import { watchApproach } from './approach.ts';
import type { ConnectBackend } from './backend.ts';
import type { ConnectController } from './connect-controller.ts';
import type { Connection, LinkMode } from './contract.ts';
import type { ElementError } from './errors.ts';
import { eventFor, FbcOpenEvent } from './events.ts';
import { styles } from './finix-bank-connect.styles.ts';
import { type ElementStatus, type FlowState, initialState, statusOf, usable } from './flow-state.ts';
import { FormControl } from './form-control.ts';
import { firstStrings } from './i18n/first.ts';
import type { LateStrings, Strings } from './i18n/index.ts';
import { languageOf } from './language.ts';
import { type Core, loadCore, whenIdle } from './load-core.ts';
import { mayReturn } from './may-return.ts';
import { createSecretStore } from './secret-store.ts';
import { firstParts, render, type View } from './view.ts';
import { watchPage } from './watch-page.ts';

/**
 * A button that becomes a connected bank account. Form-associated: its value is the connection's id, several connections are several entries.
 *
 * The id is no proof of anything: before charging, fetch the connection with the merchant's key and compare `customer_id`.
 *
 * @attr endpoint - Address of the server; the script-tag build uses the folder that it came from.
 * @attr client-secret - Permission for one customer and one session. Without it and without `fetchClientSecret`, a public session is asked for.
 * @attr mode - `button` (the default), `embedded` (a search for the bank stands in the page) or `hosted` (Link on a page of Plaid's own).
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
export class FinixBankConnect extends FormControl {
  /** Where the server is when no `endpoint` says otherwise. Empty in the npm build, which cannot know. */
  static defaultEndpoint = '';
  static override styles = styles;
  static override properties = {
    ...FormControl.properties,
    endpoint: {},
    clientSecret: { attribute: 'client-secret' },
    mode: {},
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
  declare firstName: string | null;
  declare lastName: string | null;
  declare email: string | null;
  /** Gives a client secret whenever one is needed; also after "Change", and when a session is over. */
  declare fetchClientSecret: (() => Promise<string>) | null;
  /** Takes the place of the HTTP calls to `endpoint`. */
  declare backend: ConnectBackend | null;
  /** Texts to use in place of ours. */
  declare strings: Partial<Strings> | null;

  readonly #store = createSecretStore(() => [this.#endpoint(), this.name, ...this.#person()].map(String));
  /** Follows the controller's, once there is one. */
  #state = initialState;
  #core: Core | null = null;
  #controller: ConnectController | null = null;
  #loading: Promise<void> | null = null;
  #listening: AbortController | null = null;
  #wasOpen = false;
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

  protected override get values(): string[] {
    return usable(this.#state.connections).map(({ id }) => id);
  }

  protected override get requiredText(): string {
    return this.#strings().required;
  }

  /**
   * Opens Link, or prepares it and opens it then. Does nothing while disabled, connected or at work, and while another element's Link is
   * open on this page.
   */
  open(): void {
    const { phase, error, embedded, link } = this.#state;
    if (embedded && phase === 'rest' && link === 'ready') {
      this.#core?.focusSearch(this);
      return;
    }
    if (
      this.off ||
      /^(submitting|polling|choosing|authorizing|returning)$/.test(phase) ||
      (phase === 'done' && this.value)
    )
      return;
    if (this.#controller && phase === 'failed' && /^(retry|wait|contact_merchant)$/.test(error?.action ?? '')) {
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
    watchPage(signal, {
      awake: () => this.#controller?.wake(),
      online: () =>
        this.#controller ? this.#controller.dispatch({ type: 'online' }) : this.#state.error && this.#warmUp(),
    });
    watchApproach(this, signal, (near) => {
      this.#near = near;
      this.#warmUp();
    });
    // While the files of this release are surely there. A failure is no news yet: whoever comes near tries again.
    whenIdle(signal, () => void this.#load().catch(() => {}));
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
      this.#start();
    } else if (changed.has('mode')) {
      this.#controller?.dispatch({ type: 'expiring' });
    }
    if (this.hasUpdated && credentials.some((name) => changed.has(name))) {
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
    this.publish(this.status);
    const focused = document.activeElement;
    // Link took the focus with it; whoever had it elsewhere meanwhile keeps it.
    if (this.#wasOpen && state.phase !== 'open' && (!focused || focused === document.body || focused === this)) {
      root?.querySelector<HTMLElement>('.main, .card')?.focus({ preventScroll: true });
    }
    this.#wasOpen =
      state.phase === 'open' ||
      (this.#wasOpen && state.phase !== 'rest' && state.phase !== 'failed' && state.phase !== 'done');
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
      disabled: this.off,
      missing: this.missing,
      embedded: this.#core?.canEmbed(this, this.#state) ?? false,
      press: () => this.open(),
      pressHosted: () => this.#controller?.dispatch({ type: 'press_hosted' }),
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
    else void this.#need().then(() => this.#controller && this.isConnected && act(this.#controller));
  }

  /** Where the rest can't be had, the customer hears of it. */
  async #need(): Promise<void> {
    try {
      await this.#load();
    } catch {
      if (this.#state.phase === 'failed') return;
      const code = navigator.onLine ? 'network_failed' : 'offline';
      const error = { code, action: 'retry', retryable: true, requestId: null } as const;
      this.#show({ ...initialState, phase: 'failed', error });
      this.#emit({ type: 'emit', name: 'error' });
    }
  }

  #load(): Promise<void> {
    if (this.#controller) return Promise.resolve();
    this.#loading ??= loadCore()
      .then(async (core) => {
        await this.#speak(core);
        this.shadowRoot?.adoptedStyleSheets.push(core.lateStyles.styleSheet as CSSStyleSheet);
        this.#core = core;
        this.#controller = new core.ConnectController({
          settings: core.createSettings(this, () => this.#endpoint()),
          store: this.#store,
          away: core.createAwayStore(this, () => [
            ...(this.getRootNode() as ParentNode & Node).querySelectorAll<FinixBankConnect>(this.localName),
          ]),
          place: (state) => core.embeddedPlace(this, state),
          changed: (state) => this.#show(state),
          emit: (effect) => this.#emit(effect),
        });
        if (this.isConnected) this.#controller.start();
        this.#show(this.#controller.state);
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
    else if (this.clientSecret || mayReturn() || (!this.fetchClientSecret && this.#store.read())) void this.#need();
    this.#warmUp();
  }

  #endpoint(): string {
    return this.endpoint || FinixBankConnect.defaultEndpoint;
  }

  #person(): (string | null | undefined)[] {
    return [this.firstName, this.lastName, this.email];
  }

  #warmUp(): void {
    if (this.#near && this.hasUpdated) this.#with((controller) => controller.dispatch({ type: 'warm' }));
  }

  #show(state: FlowState): void {
    this.#state = state;
    this.publish(this.status);
    this.requestUpdate();
  }

  #emit(news: Parameters<typeof eventFor>[0]): void {
    const event = eventFor(news, this.#state.connections, this.error);
    if (event) this.dispatchEvent(event);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'finix-bank-connect': FinixBankConnect;
  }
}
