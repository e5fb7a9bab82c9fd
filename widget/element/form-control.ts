import { LitElement, type PropertyDeclarations } from 'lit';
import { whenIdle } from './when-idle.ts';

let clicking: boolean | undefined;

/**
 * The event `invalid` doesn't distinguish a form that is about to be sent from one that a script only validates. A
 * customer sends it with a click: browsers make one of the Enter key, too. One listener for all elements of the page,
 * which remembers none of them.
 */
function watchClicks(): void {
  if (clicking !== undefined) return;
  clicking = false;
  const clicked = () => {
    clicking = true;
    setTimeout(() => {
      clicking = false;
    });
  };
  addEventListener('click', clicked, { capture: true });
}

/**
 * What makes an element a form control: value, validity, reset, disabling, and custom states. Knows nothing of banks.
 */
export abstract class FormControl extends LitElement {
  static readonly formAssociated = true;
  /** So that a `<label>`, `focus()` and a form that finds a value missing all come to our button. */
  static override shadowRootOptions: ShadowRootInit = { mode: 'open', delegatesFocus: true };
  static override properties: PropertyDeclarations = {
    name: { reflect: true },
    required: { type: Boolean, reflect: true },
    disabled: { type: Boolean, reflect: true },
  };

  /** Not properties of ours, but for the status all are a reason to render. */
  static override get observedAttributes(): string[] {
    // biome-ignore lint/complexity/noThisInStatic: Lit's getter prepares the class that it is read from, which naming LitElement would miss.
    return [...super.observedAttributes, 'status', 'lang', 'aria-label', 'aria-labelledby', 'aria-describedby'];
  }

  /** Name of the form's entry. */
  declare name: string | null;
  /** The form can't be submitted without a usable connection. */
  declare required: boolean;
  /** Nothing can be pressed, nothing is submitted. */
  declare disabled: boolean;

  /** The customer sent the form without a value, and has done nothing about it yet. */
  protected missing = false;
  readonly #internals = this.attachInternals();
  #formDisabled = false;
  #status: string | null = null;
  /**
   * The tag was in the page before its definition: a framework may yet compare it with what its server has rendered. So
   * a status that needs nothing of the customer is not written before the page has come to rest.
   */
  #isHeld = this.isConnected;

  /** Each is an entry of the form. */
  protected abstract get values(): string[];
  protected abstract get requiredText(): string;

  /** The first entry, or null. */
  get value(): string | null {
    return this.values[0] ?? null;
  }

  /** Ignored: form libraries assign to every control, and a bank is not typed into one. */
  set value(_ignored: string | null) {}

  get form(): HTMLFormElement | null {
    return this.#internals.form;
  }

  /** The page's labels for the control, as of any control. */
  get labels(): NodeListOf<HTMLLabelElement> {
    return this.#internals.labels as NodeListOf<HTMLLabelElement>;
  }

  get validity(): ValidityState {
    return this.#internals.validity;
  }

  get validationMessage(): string {
    return this.#internals.validationMessage;
  }

  get willValidate(): boolean {
    return this.#internals.willValidate;
  }

  checkValidity(): boolean {
    return this.#internals.checkValidity();
  }

  /** Shows what is missing under the control, and moves the focus there. */
  reportValidity(): boolean {
    const isValid = this.checkValidity();
    if (!isValid) this.#markMissing(true);
    return isValid;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // Assigned before the tag was defined, it would hide the getter.
    delete (this as Partial<FormControl>).value;
    watchClicks();
    if (this.#isHeld) {
      whenIdle(() => {
        this.#isHeld = false;
        this.#writeStatus();
      });
    }
    this.addEventListener('invalid', this.#reportMissing);
  }

  formResetCallback(): void {
    this.missing = false;
    this.requestUpdate();
  }

  formDisabledCallback(disabled: boolean): void {
    this.#formDisabled = disabled;
    // Not within the rendering that has written the attribute `disabled`, where the request would be lost.
    queueMicrotask(() => this.requestUpdate());
  }

  /** Disabled by itself or by a fieldset around it. */
  protected get off(): boolean {
    return this.disabled || this.#formDisabled;
  }

  /**
   * Brings the form, the `status` attribute and the custom state up to date, at once: events that follow must find them
   * so.
   */
  protected publish(status: string): void {
    const internals = this.#internals;
    const { name, values } = this;
    let entries: FormData | null = null;
    if (name) {
      for (const value of values) {
        entries ??= new FormData();
        entries.append(name, value);
      }
    }
    internals.setFormValue(entries, values.join(' ') || null);
    const missing = this.required && !values.length;
    internals.setValidity(missing ? { valueMissing: true } : {}, missing ? this.requiredText : '', this.#anchor);
    if (!missing) this.missing = false;
    if (status === this.#status) return;
    try {
      if (this.#status) internals.states.delete(this.#status);
      internals.states.add(status);
    } catch {
      // Browsers before the final syntax refuse plain names; they still have the attribute.
    }
    this.#status = status;
    this.#writeStatus();
  }

  /** What there is to press where a value is missing. */
  get #anchor(): HTMLElement | undefined {
    return this.shadowRoot?.querySelector<HTMLElement>('.main, .search') ?? undefined;
  }

  readonly #writeStatus = (): void => {
    const status = this.#status;
    const isQuiet = status === 'loading' || status === 'ready';
    if (this.#isHeld && isQuiet && !this.hasAttribute('status')) return;
    if (status && this.getAttribute('status') !== status) this.setAttribute('status', status);
  };

  /** A host that renders again takes away the status, which it did not write. Before the next frame it is back. */
  override attributeChangedCallback(name: string, old: string | null, value: string | null): void {
    super.attributeChangedCallback(name, old, value);
    if (name === 'status' && value !== this.#status) requestAnimationFrame(this.#writeStatus);
    if (/^lang|^aria/.test(name)) this.requestUpdate();
  }

  /** In place of the browser's bubble, which would repeat the message and disappear in a moment. */
  readonly #reportMissing = (event: Event): void => {
    if (!clicking) return;
    event.preventDefault();
    // Not by `form.elements`, which a field of that name would hide.
    const root = this.getRootNode() as ParentNode & Node;
    const invalid = [...root.querySelectorAll<HTMLInputElement>(':invalid:not(form, fieldset)')];
    this.#markMissing(invalid.find(({ form }) => form === this.form) === (this as unknown));
  };

  #markMissing(focuses: boolean): void {
    this.missing = true;
    this.requestUpdate();
    // Where the page leaves the element itself without a box, Firefox passes no focus on.
    if (focuses) (this.#anchor ?? this).focus();
  }
}
