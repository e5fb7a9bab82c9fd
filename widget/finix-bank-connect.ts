import type { PropertyValues, TemplateResult } from 'lit';
import type { Connection } from './contract.ts';
import { watchApproach } from './element/approach.ts';
import { FbcErrorEvent, FbcOpenEvent } from './element/events.ts';
import { languageOf } from './element/language.ts';
import { type Core, loadCore, whenIdle } from './element/load-lazy.ts';
import { watchPage } from './element/page-events.ts';
import { ElementProperties } from './element/properties.ts';
import { styles } from './element/styles.ts';
import { firstParts, render, type View } from './element/view.ts';
import type { ElementError } from './errors.ts';
import type { ConnectController } from './flow/controller.ts';
import { type ElementStatus, type FlowState, initialState, statusOf, usable } from './flow/state.ts';
import type { Strings } from './i18n/index.ts';
import { Speech } from './i18n/speech.ts';
import { mayReturn } from './link/may-return.ts';

/**
 * A button that becomes a connected bank account. Form-associated: its value is the connection's id, several connections are several entries.
 *
 * The id is no proof of anything: before charging, fetch the connection with the merchant's key and compare `customer_id`.
 *
 * @tagname finix-bank-connect
 *
 * @attr {ElementStatus} status - Where the element stands; written by the element, for styles. Also a custom state: `:state(ready)`.
 * @attr {string} lang - Language of the texts and of Link; without it that of the nearest ancestor.
 * @attr {string} nonce - For the tag of Link's script, where the page's policy asks for one.
 *
 * @fires {FbcOpenEvent} fbc-open - Before Link opens; `preventDefault()` keeps it closed.
 * @fires {FbcStepEvent} fbc-step - The customer came to another step: `detail.step`, a lower-case name. Plaid adds names without notice.
 * @fires {FbcConnectedEvent} fbc-connected - A bank account can be used: `detail.connections`.
 * @fires {FbcPendingEvent} fbc-pending - The bank has yet to confirm the account: `detail.connections`.
 * @fires {FbcNeedsRepairEvent} fbc-needs-repair - The bank wants the customer to sign in again: `detail.connections`.
 * @fires {FbcCanceledEvent} fbc-canceled - The customer left without connecting: `detail.step` is how far they came.
 * @fires {FbcErrorEvent} fbc-error - Something stopped the element: `detail.error`.
 * @fires {Event} change - The customer changed or removed the connected bank, as with any form control.
 *
 * @slot label - The button's text.
 * @slot icon - The button's icon.
 * @slot connected - In place of the card with the connected account.
 * @slot legal - In place of the sentence under the button.
 * @slot embedded - The bank search of mode `embedded`; the element fills it itself.
 * @slot fallback - Another way to pay; shown where the customer's bank can't be used.
 *
 * @csspart base - Everything.
 * @csspart button - The button.
 * @csspart label - The button's text.
 * @csspart spinner - Turns while the element is at work.
 * @csspart status - What is said about the state, under the control.
 * @csspart account - The card with the connected account.
 * @csspart bank-name - The bank's name in the card.
 * @csspart mask - The last digits of the account.
 * @csspart error - What went wrong, under the button.
 * @csspart retry - The button while it leads out of an error.
 * @csspart legal - The sentence under the button.
 *
 * @cssprop [--fbc-accent=light-dark(#17483f, #a9dcc9)] - Ground of the button, color of links.
 * @cssprop [--fbc-on-accent=light-dark(#fff, #08251d)] - Text on the button.
 * @cssprop [--fbc-text=light-dark(#15201d, #edf3f0)] - Text.
 * @cssprop [--fbc-muted=light-dark(#55625e, #a5b3ae)] - Text of less weight.
 * @cssprop [--fbc-surface=light-dark(#fff, #17201d)] - Ground of the card and of dialogs.
 * @cssprop [--fbc-border=light-dark(#86938e, #66746f)] - Lines around the card and around choices.
 * @cssprop [--fbc-tint=light-dark(#e4f0eb, #243a33)] - Ground of what is chosen or pointed at.
 * @cssprop [--fbc-error=light-dark(#a8261c, #ffb1a6)] - Text of errors.
 * @cssprop [--fbc-focus=var(--fbc-accent)] - The ring around what has the focus.
 * @cssprop [--fbc-radius=12px] - Corners.
 * @cssprop [--fbc-height=56px] - Least height of the button and the card.
 * @cssprop [--fbc-font=400 1rem / 1.4 system-ui, sans-serif] - As `font`.
 */
export class FinixBankConnect extends ElementProperties {
  /** Where the server is when no `endpoint` says otherwise. Empty in the npm build, which cannot know. */
  static defaultEndpoint = '';
  static override styles = styles;

  /** Follows the controller's, once there is one. */
  #state = initialState;
  #core: Core | null = null;
  #controller: ConnectController | null = null;
  #loading: Promise<void> | null = null;
  #listening: AbortController | null = null;
  #wasOpen = false;
  #near = false;
  #language: string | null = null;
  readonly #speech = new Speech(() => this.requestUpdate());

  /** Where the element stands. */
  get status(): ElementStatus {
    return statusOf(this.#state);
  }

  /** The connected bank accounts, also those that need repair. */
  get connections(): readonly Connection[] {
    return this.#state.connections;
  }

  /** Why the element stopped, in the customer's language; null where it did not. */
  get error(): ElementError | null {
    const { error } = this.#state;
    if (!error) return null;
    const { code, retryable, action, requestId } = error;
    const text = this.#strings()[this.#core?.messageKey(error, this.#controller?.asker.purpose) ?? 'error_general'];
    const message = this.#core?.fill(text, { merchant: this.#merchant }) ?? text;
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
    if (this.off) return;
    const mayOpen = () => this.dispatchEvent(new FbcOpenEvent());
    if (this.#controller) {
      this.#core?.press(this, this.#controller, mayOpen);
    } else if (mayOpen()) {
      this.#show({ ...initialState, wanted: true });
      this.#with((controller) => controller.press());
    }
  }

  /**
   * Back to the beginning, without a value. Deletes nothing on the server. A `clientSecret` whose session has connected a bank is used up: then the
   * error is `session_already_completed` until there is another one.
   */
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
      this.#speech.follow(language);
    }
    this.#controller?.refresh();
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

  #strings(): Strings {
    return { ...this.#speech.strings(this.#core?.en, this.#core?.KEYS), ...this.strings };
  }

  /** Until the server has named the merchant, the page's host does. */
  get #merchant(): string {
    return this.#controller?.asker.merchant ?? location.hostname.replace(/^www\./, '');
  }

  #view(): View {
    const byCustomer = (type: 'change' | 'remove') => () => {
      this.#controller?.dispatch({ type });
      this.dispatchEvent(new Event('change', { bubbles: true }));
      this.#warmUp();
    };
    const core = this.#core;
    return {
      names: core?.namesOf(this),
      state: this.#state,
      strings: this.#strings(),
      lang: this.#speech.foreign,
      speechless: this.#speech.language === null,
      merchant: this.#merchant,
      purpose: this.#controller?.asker.purpose ?? 'debit',
      disabled: this.off,
      missing: this.missing,
      embedded: core ? core.canEmbed(this, this.#state) : this.mode === 'embedded',
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
      if (this.error) this.dispatchEvent(new FbcErrorEvent(this.error));
    }
  }

  #load(): Promise<void> {
    if (this.#controller) return Promise.resolve();
    this.#loading ??= loadCore()
      .then(async (core) => {
        this.#speech.retry();
        await this.#speech.ready;
        this.shadowRoot?.adoptedStyleSheets.push(core.lateStyles.styleSheet as CSSStyleSheet);
        this.#core = core;
        this.#controller = new core.ConnectController({
          settings: core.createSettings(this, () => this.#endpoint()),
          store: core.createSecretStore(() =>
            [this.#endpoint(), this.name, this.firstName, this.lastName, this.email].map(String),
          ),
          away: core.createAwayStore(this, () => [
            ...(this.getRootNode() as ParentNode & Node).querySelectorAll<FinixBankConnect>(this.localName),
          ]),
          place: (state) => core.embeddedPlace(this, state),
          changed: (state) => this.#show(state),
          emit: (news) => {
            const event = core.eventFor(news, this.#state.connections, this.error);
            if (event) this.dispatchEvent(event);
          },
        });
        if (this.isConnected) this.#controller.start();
        this.#show(this.#controller.state);
      })
      .finally(() => {
        this.#loading = null;
      });
    return this.#loading;
  }

  /** Asks about a session that may have begun before this page did. Without one there is nothing to do until the customer comes near. */
  #start(): void {
    if (this.#controller) this.#controller.start();
    else if (this.clientSecret || mayReturn()) void this.#need();
    this.#warmUp();
  }

  #endpoint(): string {
    return this.endpoint || FinixBankConnect.defaultEndpoint;
  }

  #warmUp(): void {
    if (this.#near && this.hasUpdated) this.#with((controller) => controller.dispatch({ type: 'warm' }));
  }

  #show(state: FlowState): void {
    // The answer came after the element had gone: the server need not be asked again before it comes back.
    if (!this.#listening && state.phase === 'polling' && this.#state.phase !== 'polling') {
      queueMicrotask(() => this.#controller?.dispatch({ type: 'leave' }));
    }
    // Who does something about it need not be told any more.
    if (state.wanted || (state.phase !== 'rest' && state.phase !== 'failed')) this.missing = false;
    this.#state = state;
    this.publish(this.status);
    this.requestUpdate();
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'finix-bank-connect': FinixBankConnect;
  }
}
