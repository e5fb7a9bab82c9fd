import { adoptStyles, type CSSResult, type LitElement } from 'lit';
import { FbcOpenEvent } from '../element/events.ts';
import type { ElementProperties } from '../element/properties.ts';
import { type FirstView, firstParts, type Parts, type View } from '../element/view.ts';
import { type ElementError, type FlowError, lost, oneOf } from '../errors.ts';
import { ConnectController } from '../flow/controller.ts';
import type { ControllerSettings } from '../flow/controller-host.ts';
import type { FlowEffect } from '../flow/events.ts';
import { type ElementStatus, type FlowState, initialState, statusOf, usable } from '../flow/state.ts';
import { given } from '../i18n/given.ts';
import type { Strings } from '../i18n/index.ts';
import { LATE_KEYS, type LateStrings, late } from '../i18n/late.ts';
import type { Speech } from '../i18n/speech.ts';
import { createAwayStore, mayArrive, placeOf } from '../link/away-store.ts';
import { isBehindCover, isDrawnBehind } from '../link/cover.ts';
import { createSecretStore } from '../session/client-secret-store.ts';
import { toJson } from '../session/json.ts';
import { eventFor } from './create-event.ts';
import { type Detour, detours } from './load-detour.ts';
import { Logos } from './logos.ts';
import { namesOf } from './names.ts';
import { press } from './press.ts';
import { returnFocus } from './return-focus.ts';
import { createSettings } from './settings.ts';
import { lateStyles } from './styles.ts';
import { straightParts } from './view-parts.ts';
import { named } from './view-pieces.ts';

/** Which keep copies of a page that the customer leaves. */
type Libraries = { Turbo?: unknown; htmx?: unknown };

// Text that is surely dark, each part at most 99 of 255, and attributes as they may be: mode and theme.
const PLAIN = /^rgb\(\d\d?, \d\d?, \d\d?\),(button|embedded|hosted)?,(dark|light)?$/;

export interface CoreHost {
  readonly speech: Speech;
  endpoint(): string;
  /** Disabled: nothing may be pressed. */
  isOff(): boolean;
  /** The state has changed; the element shows it. */
  show(state: FlowState): void;
}

/** What the element does once this chunk is there: the flow behind it, its texts, its questions, and the focus. */
export class ElementCore {
  readonly controller: ConnectController;
  readonly #element: ElementProperties;
  readonly #root: ShadowRoot;
  readonly #host: CoreHost;
  readonly #settings: () => ControllerSettings;
  readonly #logos: Logos;
  /** What the session depends on, as it was last seen. */
  #source: string;
  #person: string;
  #phase = initialState.phase;
  /** Link, or what was pressed, may have taken the focus along. */
  #focusMayBeLost = false;
  /** The live region has announced why Link ended; the control that gets the focus back must not repeat it. */
  #isAnnounced = false;
  /** The page's own strings are to be marked as such. */
  #isMarking = false;
  /** The detour is being fetched for this element. */
  #isDetourLoading = false;
  /** Its styles have been added. */
  #isComplete = false;

  /** With all that the element needs from its beginning. */
  static async create(element: ElementProperties, host: CoreHost): Promise<ElementCore> {
    // Both decide at once what the element shows and does.
    if (mayArrive() || (element.mode || 'button') !== 'button') await detours.load();
    return new ElementCore(element, host);
  }

  private constructor(element: ElementProperties, host: CoreHost) {
    this.#element = element;
    this.#root = element.shadowRoot as ShadowRoot;
    this.#host = host;
    this.#settings = createSettings(element, () => host.endpoint());
    this.#source = this.#sourceNow();
    this.#person = this.#personNow();
    this.adoptElementStyles();
    // Anything else is looked at more closely, and so is a page that may keep a copy with Link in it.
    const facts = String([getComputedStyle(element).color, element.mode, element.theme]);
    if (!PLAIN.test(facts) || (globalThis as Libraries).Turbo || (globalThis as Libraries).htmx) {
      void detours.load().then((detour) => detour.examine(element, this.controller), lost);
    }
    this.#logos = new Logos(
      (id) => this.controller.asker.getLogo(id),
      () => element.requestUpdate(),
    );
    const place = () => placeOf(element);
    this.controller = new ConnectController({
      detours: {
        get now() {
          return detours.now;
        },
        load: () => this.#loadDetour(),
      },
      settings: this.#settings,
      isOff: () => host.isOff(),
      store: createSecretStore(() => [
        host.endpoint(),
        toJson(place()),
        element.firstName,
        element.lastName,
        element.email,
      ]),
      away: createAwayStore(place),
      arrive: () => detours.now?.arrive(element),
      place: (state) => detours.now?.embeddedPlace(element, state) ?? null,
      isCovered: (isOpening) => isBehindCover(element) || (!!isOpening && isDrawnBehind(element)),
      // Unknown without the detour: then the customer learns at least that Link could not be opened.
      hidesLink: () => detours.now?.hidesLink(element) ?? true,
      changed: (state) => this.#changed(state),
      emit: (effect) => this.#emit(effect),
    });
  }

  get status(): ElementStatus {
    return statusOf(this.controller.state);
  }

  /** Of the form's entries. */
  get values(): string[] {
    return usable(this.controller.state.connections).map(({ id }) => id);
  }

  /** A document that the element comes to takes its styles away, and only those it made itself can be given to it. */
  adoptElementStyles(): void {
    const { elementStyles } = this.#element.constructor as typeof LitElement;
    const styles = [...(elementStyles as CSSResult[]), lateStyles];
    if (detours.now) styles.push(detours.now.detourStyles);
    this.#isComplete = detours.now !== null;
    const { ownerDocument, nonce } = this.#element;
    this.#root.querySelector('style')?.remove();
    if (ownerDocument === document) {
      adoptStyles(this.#root, styles);
      return;
    }
    const style = ownerDocument.createElement('style');
    style.nonce = nonce;
    style.textContent = styles.map(({ cssText }) => cssText).join('');
    this.#root.append(style);
  }

  /** @param mayOpen asks the page */
  press(mayOpen: () => boolean): void {
    press(this.#element, this.controller, mayOpen);
  }

  /**
   * The form is reset.
   * @returns whether an error is in the way of starting over. A bank is not typed into a field: it stays, and so does
   * what is on the way to one. A page's script resets its form for the fields, as React does after every action.
   */
  withdraw(): boolean {
    this.controller.dispatch({ type: 'withdraw' });
    const { phase, submission } = this.controller.state;
    return phase === 'failed' && !submission;
  }

  /** The customer comes near. */
  warm(): void {
    this.controller.refresh();
    this.controller.dispatch({ type: 'warm' });
  }

  /** The element was moved in its document: a frame in it begins again there, and knows nothing of its Link. */
  moved(): void {
    // Into a dialog, for one, or out of it.
    this.controller.refresh();
    detours.now?.moved(this.#element, this.controller);
  }

  /**
   * Before each rendering. A host that renders again sets the same properties again, and functions and objects that are
   * other ones each time; only another session is a reason to start over.
   * @returns whether there is something to start with: a name that is being typed must not ask for a session with every
   * letter, so after that only the customer's approach does
   */
  update(): boolean {
    const [source, person] = [this.#sourceNow(), this.#personNow()];
    const isOtherSource = source !== this.#source;
    const isChanged = isOtherSource || person !== this.#person;
    // A public session, where the page's own comes only now.
    const isInUse = isChanged && !!this.#person && oneOf(this.status, 'open', 'connecting');
    if (isInUse && !detours.now) {
      void detours.load().then(() => this.#element.requestUpdate(), lost);
      return false;
    }
    const isOther = isChanged && !detours.now?.keepsSession(this.#element, isInUse);
    this.#source = source;
    this.#person = person;
    if (isOther) this.controller.restart();
    else this.controller.refresh();
    if (this.#host.isOff()) this.controller.dispatch({ type: 'withdraw' });
    return isOther && isOtherSource;
  }

  /** After each rendering. */
  updated(): void {
    const { strings } = this.#element;
    const { foreign } = this.#host.speech;
    if (strings && foreign && !detours.now && !this.#isMarking) {
      // Once: where it can't be fetched, a text without a language is no reason to ask again.
      this.#isMarking = true;
      void this.#loadDetour().catch(lost);
    }
    detours.now?.rendered(this.#element, this.controller, foreign);
    const { phase } = this.controller.state;
    if (phase !== 'open' && this.#focusMayBeLost) {
      // Another control may follow this one, until the end of what Link began.
      this.#focusMayBeLost = !oneOf(phase, 'rest', 'failed', 'done');
      // Not within the rendering, which the focus may lead to another of.
      queueMicrotask(() => void this.#returnFocus());
    }
  }

  view(first: FirstView): [View, Parts] {
    const { state } = this.controller;
    const detour = detours.now;
    if (detour && !this.#isComplete) this.adoptElementStyles();
    const strings = this.strings();
    const view: View = {
      ...first,
      state,
      strings,
      embedded: detour?.canEmbed(this.#element, state) ?? false,
      names: namesOf(this.#element),
      merchant: this.#merchant,
      purpose: this.controller.asker.purpose,
      returned: this.controller.asker.returned,
      logo: (connection) => this.#logos.of(connection),
      change: () => void this.#changeOrRemove({ type: 'change' }),
      remove: (id) => void this.#changeOrRemove({ type: 'remove', id }),
      mayOpen: () => this.#mayOpen(),
      send: (event) => this.controller.dispatch(event),
      decline: () => view.send({ type: 'decline' }),
    };
    this.#isAnnounced = state.phase === 'failed' && (this.#isAnnounced || this.#focusMayBeLost);
    const parts =
      straightParts(view) ?? detour?.detourParts({ ...view, strings: strings as Strings, element: this.#element });
    return [view, { ...(parts ?? this.#partsMeanwhile(view)), named: named(view), isAnnounced: this.#isAnnounced }];
  }

  describe(error: FlowError): ElementError {
    const strings = this.strings();
    const asker = { merchant: this.#merchant, purpose: this.controller.asker.purpose };
    return (
      detours.now?.describe(error, strings as Strings, asker) ?? {
        linkSessionId: null,
        institution: null,
        ...error,
        message: strings.error_general,
      }
    );
  }

  /** All of them once the detour is there. */
  strings(): LateStrings {
    const { en = late, KEYS = LATE_KEYS } = detours.now ?? {};
    return { ...this.#host.speech.strings(en, KEYS), ...given(this.#element.strings) };
  }

  /** The detour is on its way, or can't be fetched: then there is one sentence for every error, and a way to retry. */
  #partsMeanwhile(view: View): Parts {
    return this.#isDetourLoading ? { settled: true, idle: true } : firstParts(view);
  }

  async #loadDetour(): Promise<Detour> {
    this.#isDetourLoading = true;
    try {
      return await detours.load();
    } finally {
      this.#isDetourLoading = false;
      this.#element.requestUpdate();
    }
  }

  /** Until the server has named the merchant, the page's host does. */
  get #merchant(): string {
    return this.controller.asker.merchant ?? location.hostname.replace(/^www\./, '');
  }

  /** Equal values are equal however they are written; of a function or an object it counts only that there is one. */
  #sourceNow(): string {
    const { backend, clientSecret, fetchClientSecret } = this.#settings();
    const endpoint = this.#element.backend ? '' : this.#host.endpoint().replace(/\/+$/, '');
    return toJson([!!backend, endpoint, clientSecret, !!fetchClientSecret]);
  }

  /** For a session that the merchant's server creates, the page's attributes don't count. */
  #personNow(): string {
    const { clientSecret, fetchClientSecret, publicSession } = this.#settings();
    return clientSecret || fetchClientSecret ? '' : toJson(publicSession.identity);
  }

  #changed(state: FlowState): void {
    // The answer came after the element had gone: the server need not be asked again before it comes back.
    if (!this.#element.isConnected && state.phase === 'polling' && this.#phase !== 'polling') {
      queueMicrotask(() => this.controller.dispatch({ type: 'leave' }));
    }
    this.#phase = state.phase;
    // Link may end before the element has rendered.
    if (state.phase === 'open') this.#focusMayBeLost = true;
    this.#host.show(state);
  }

  #emit(effect: Extract<FlowEffect, { type: 'emit' }>): void {
    const { connections, error } = this.controller.state;
    const event = eventFor(effect, connections, error && this.describe(error));
    if (event) this.#element.dispatchEvent(event);
  }

  /** Asks the page, unless only the customer opens Link, from the search. */
  #mayOpen(): boolean {
    if (detours.now?.canEmbed(this.#element, this.controller.state)) return true;
    return !this.controller.isTaken && this.#element.dispatchEvent(new FbcOpenEvent());
  }

  async #changeOrRemove(event: { type: 'change' } | { type: 'remove'; id?: string }): Promise<void> {
    const { state } = this.controller;
    if (event.type === 'change' && !this.#mayOpen()) return;
    // With it comes what may be shown afterward, and the way back where there is no other session.
    const loading = this.#loadDetour().catch(() => null);
    if (!state.renewable) await loading;
    this.#focusMayBeLost = true;
    this.controller.dispatch(event);
    // Old libraries replace `Event` by a class of their own.
    this.#element.dispatchEvent(new CustomEvent('change', { bubbles: true }));
    this.warm();
  }

  async #returnFocus(): Promise<void> {
    const hasFocus = await returnFocus(this.#root);
    if (!this.#isAnnounced) return;
    const describe = () => {
      this.#isAnnounced = false;
      this.#element.requestUpdate();
    };
    if (hasFocus) this.#root.addEventListener('focusout', describe, { once: true });
    else describe();
  }
}
