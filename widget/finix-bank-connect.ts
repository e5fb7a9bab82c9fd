import type { PropertyValues, TemplateResult } from 'lit';
import type { Connection } from './contract.ts';
import { watchApproach } from './element/approach.ts';
import { FbcErrorEvent, FbcOpenEvent } from './element/events.ts';
import { languageOf } from './element/language.ts';
import { failureOf, loadLazy } from './element/load-lazy.ts';
import { watchPage } from './element/page-events.ts';
import { ElementProperties } from './element/properties.ts';
import { styles } from './element/styles.ts';
import { type FirstState, type FirstView, firstMessage, firstParts, firstState, render } from './element/view.ts';
import { whenIdle } from './element/when-idle.ts';
import type { ElementError } from './errors.ts';
import type { ElementStatus } from './flow/state.ts';
import type { FirstStrings } from './i18n/first.ts';
import { given } from './i18n/given.ts';
import { Speech } from './i18n/speech.ts';
import type { ElementCore } from './lazy/element-core.ts';
import { mayReturn } from './link/may-return.ts';

/**
 * A button that becomes a connected bank account. Form-associated: its value is the connection's id, several
 * connections are several entries.
 *
 * The id is no proof of anything: before charging, fetch the connection with the merchant's key and compare
 * `customer_id`.
 *
 * @tagname finix-bank-connect
 *
 * @attr {ElementStatus} status - The element's status; written by the element, for styles. Also a custom state: `:state(ready)`.
 * @attr {string} lang - Language of the texts and of Link; without it that of the nearest ancestor.
 * @attr {string} aria-label - Names the control, as on any form control.
 * @attr {string} aria-labelledby - Names the control by other elements of the page.
 * @attr {string} aria-describedby - Describes the control by other elements of the page.
 * @attr {string} nonce - For the tag of Link's script, where the page's policy asks for one.
 *
 * @fires {FbcOpenEvent} fbc-open - Before Link opens; `preventDefault()` keeps it closed.
 * @fires {FbcStepEvent} fbc-step - The customer came to another step: `detail.step`, a lower-case name. Plaid adds names without notice.
 * @fires {FbcConnectedEvent} fbc-connected - A bank account can be used: `detail.connections`.
 * @fires {FbcPendingEvent} fbc-pending - The bank has yet to confirm the account: `detail.connections`.
 * @fires {FbcNeedsRepairEvent} fbc-needs-repair - The bank wants the customer to sign in again: `detail.connections`.
 * @fires {FbcCanceledEvent} fbc-canceled - The customer left without connecting: `detail.step` is how far they came, the rest is for support.
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
 * @csspart spinner - Turns while the element is busy.
 * @csspart status - The message about the state, under the control.
 * @csspart account - The card with the connected account.
 * @csspart bank-name - The bank's name in the card.
 * @csspart mask - The last digits of the account.
 * @csspart error - What went wrong, under the button.
 * @csspart retry - The button while it leads out of an error.
 * @csspart legal - The sentence under the button.
 *
 * @cssprop [--fbc-accent=#1c6f5b] - Background of the button.
 * @cssprop [--fbc-on-accent=#fff] - Text on the button.
 * @cssprop [--fbc-text=inherit] - Text. In dialogs: `CanvasText`.
 * @cssprop [--fbc-muted=inherit] - Text of less weight: the message under the control, and the kind of an account.
 * @cssprop [--fbc-surface=transparent] - Background of the card. In dialogs: `Canvas`.
 * @cssprop [--fbc-border=#808b87] - Lines around the card and around choices.
 * @cssprop [--fbc-tint=#808b8729] - Background of what is chosen, of the bank's initial and of a dead end.
 * @cssprop [--fbc-error=inherit] - Text and icon of errors. The icon by itself: `#d92d20`.
 * @cssprop [--fbc-focus=#1d8663] - The ring around what has the focus.
 * @cssprop [--fbc-radius=12px] - Corners.
 * @cssprop [--fbc-height=56px] - Least height of the button and the card.
 * @cssprop [--fbc-font=400 max(1rem, 16px) / 1.4 system-ui, sans-serif] - As `font`.
 */
export class FinixBankConnect extends ElementProperties {
  /** Address of the server where no `endpoint` is set. Empty in the npm build, which cannot know. */
  static defaultEndpoint = '';
  static override styles = styles;

  /** Follows the controller's, once there is one. */
  #state: FirstState = firstState;
  #core: ElementCore | null = null;
  #loading: Promise<void> | null = null;
  #listening: AbortController | null = null;
  #near = false;
  #language: string | null = null;
  readonly #face = { text: '', isOdd: false };
  readonly #speech = new Speech(() => this.requestUpdate());

  /** The state of the element. */
  get status(): ElementStatus {
    return this.#core?.status ?? (this.#state.error ? 'error' : 'loading');
  }

  /** The connected bank accounts, also those that need repair. */
  get connections(): readonly Connection[] {
    return this.#state.connections;
  }

  /** Why the element stopped, in the customer's language; null where it did not. */
  get error(): ElementError | null {
    const { error } = this.#state;
    return (
      error &&
      (this.#core?.describe(error) ?? ({ ...error, message: firstMessage(error, this.#strings()) } as ElementError))
    );
  }

  protected override get values(): string[] {
    return this.#core?.values ?? [];
  }

  protected override get requiredText(): string {
    return this.#strings().required;
  }

  /**
   * Opens Link, or prepares it and opens it then. Does nothing while disabled, connected, busy or not on the page,
   * while another element's Link is open on it, and where nothing but another session could help.
   */
  open(): void {
    if (this.off || !this.isConnected) return;
    const mayOpen = () => this.dispatchEvent(new FbcOpenEvent());
    if (this.#core) {
      this.#core.press(mayOpen);
    } else if (mayOpen()) {
      this.#show({ ...firstState, wanted: true });
      void this.#need();
    }
  }

  /**
   * Back to the beginning, without a value. Deletes nothing on the server. A `clientSecret` whose session has connected
   * a bank can't be used again: then the error is `session_already_completed` until there is another one.
   */
  reset(): void {
    if (this.#core) this.#core.controller.end('reset');
    else this.#show(firstState);
    this.#warmUp();
  }

  override formResetCallback(): void {
    super.formResetCallback();
    if (this.#core?.withdraw() ?? true) this.reset();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.#listening) {
      this.#core?.moved();
      return;
    }
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    watchPage(signal, {
      awake: () => this.#core?.controller.wake(),
      online: () =>
        this.#core ? this.#core.controller.dispatch({ type: 'online' }) : this.#state.error && this.#warmUp(),
    });
    watchApproach(this, signal, (near = true) => {
      this.#near = near;
      // The page may have hidden the element or shown it again, and changed its label or its own language.
      this.requestUpdate();
      this.#warmUp();
    });
    // While the files of this release are surely there. A failure is not reported yet: the customer's approach tries
    // again.
    whenIdle(() => void this.#load().catch(() => {}));
    if (this.hasUpdated) this.#start();
    this.#show(this.#state);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    // A move in the document is a removal and an insertion in the same task, and must not close Link.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#listening?.abort();
      this.#listening = null;
      this.#core?.controller.dispatch({ type: 'leave' });
    });
  }

  /** The element was moved to another document, or back: a window, a frame, or a library's store for hidden nodes. */
  adoptedCallback(): void {
    this.#core?.adoptElementStyles();
  }

  /** Where the browser can move the element whole, nothing has happened to it. */
  connectedMoveCallback(): void {}

  /** The browser kept that there was a value; only the server knows what has become of it. */
  formStateRestoreCallback(): void {
    if (this.hasUpdated) this.#start();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const language = languageOf(this);
    if (language !== this.#language) {
      this.#language = language;
      this.#speech.follow(language);
    }
    if (!this.#core) {
      if (!this.hasUpdated || changed.has('clientSecret')) this.#start();
    } else if (this.#core.update()) {
      this.#start();
    }
  }

  protected override render(): TemplateResult {
    const view: FirstView = {
      state: this.#state,
      strings: this.#strings(),
      lang: this.#speech.foreign,
      speechless: this.#speech.language === null,
      disabled: this.off,
      missing: this.missing,
      embedded: this.mode === 'embedded',
      face: this.#face,
      press: () => this.open(),
    };
    return render(...(this.#core?.view(view) ?? [view, firstParts(view)]));
  }

  protected override updated(): void {
    this.#core?.updated();
    this.publish(this.status);
  }

  #strings(): FirstStrings {
    return this.#core?.strings() ?? { ...this.#speech.strings(), ...given(this.strings) };
  }

  /** Where the rest can't be loaded, the customer sees an error. */
  async #need(): Promise<void> {
    try {
      await this.#load();
    } catch (cause) {
      if (this.#state.phase === 'failed') return;
      this.#show({ ...firstState, phase: 'failed', error: failureOf(cause) });
      if (this.error) this.dispatchEvent(new FbcErrorEvent(this.error));
    }
  }

  async #load(): Promise<void> {
    this.#loading ??= this.#createCore();
    try {
      await this.#loading;
    } finally {
      if (!this.#core) this.#loading = null;
    }
  }

  async #createCore(): Promise<void> {
    const { ElementCore } = await loadLazy();
    // With the texts, so that nothing is first shown in another language.
    this.#speech.retry();
    await this.#speech.ready;
    const core = await ElementCore.create(this, {
      speech: this.#speech,
      endpoint: () => this.endpoint || FinixBankConnect.defaultEndpoint,
      isOff: () => this.off,
      show: (state) => this.#show(state),
    });
    this.#core = core;
    // Not where the page has reset or disabled the element since.
    const isPressed = this.#state.wanted && !this.off;
    if (this.isConnected) {
      core.controller.start();
      if (isPressed) core.controller.press();
      // The customer may have come near when an earlier try failed.
      this.#warmUp();
    }
    this.#show(core.controller.state);
  }

  /**
   * Asks about a session that may have begun before this page did. Without one there is nothing to do until the
   * customer comes near.
   */
  #start(): void {
    if (this.#core) this.#core.controller.start();
    else if (this.clientSecret || mayReturn()) void this.#need();
    this.#warmUp();
  }

  #warmUp(): void {
    if (!this.#near || !this.hasUpdated) return;
    if (this.#core) this.#core.warm();
    else void this.#need().then(() => this.isConnected && this.#core?.warm());
  }

  #show(state: FirstState): void {
    // A customer who acts on it need not see it any more.
    if (isActing(state) && !isActing(this.#state)) this.missing = false;
    this.#state = state;
    this.publish(this.status);
    this.requestUpdate();
  }
}

/** The customer has begun to connect a bank. */
const isActing = ({ wanted, phase }: FirstState) => !(phase === 'failed' || phase === 'rest') || wanted;

declare global {
  interface HTMLElementTagNameMap {
    'finix-bank-connect': FinixBankConnect;
  }
}
