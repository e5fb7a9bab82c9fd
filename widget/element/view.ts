import { html, nothing, type TemplateResult } from 'lit';
import type { Connection, Purpose } from '../contract.ts';
import type { FlowError } from '../errors.ts';
import type { FlowEvent } from '../flow/events.ts';
import type { FlowState } from '../flow/state.ts';
import type { FirstStrings } from '../i18n/first.ts';
import type { LateStrings } from '../i18n/late.ts';
import { bankIcon, noticeIcon } from './icons.ts';

/** As much of the flow's state as there is before the rest has loaded. */
export type FirstState = Pick<FlowState, 'phase' | 'wanted' | 'error' | 'connections'>;

export const firstState: FirstState = { phase: 'rest', wanted: false, error: null, connections: [] };

/** What the element shows, and what it does when something of it is pressed. */
export interface FirstView {
  state: FirstState;
  strings: FirstStrings;
  /** Of the strings, where it is not the page's own: English replaces a language that is not supported. */
  lang: string | null;
  /**
   * The strings are still on their way, so that nothing is first shown in another language: what is here keeps their
   * space.
   */
  speechless: boolean;
  disabled: boolean;
  /** The form was sent without a bank. */
  missing: boolean;
  /** An embedded search can stand in the button's place; before the rest has loaded, it is meant to. */
  embedded: boolean;
  names?: Names;
  /** The text on the button, and which of two places in the tree it has. */
  face: { text: string; isOdd: boolean };
  press(): void;
  decline?(): void;
}

/** The same once the rest has loaded. */
export interface View extends FirstView {
  state: FlowState;
  strings: LateStrings;
  /** For the places in the strings. */
  merchant: string;
  purpose: Purpose;
  /** A payment with the customer's last account was returned. */
  returned: boolean;
  /** Of the bank, once it is there. */
  logo(connection: Connection): HTMLCanvasElement | null;
  change(): void;
  /** One of several accounts, or all that are connected. */
  remove(id?: string): void;
  decline(): void;
  /** Asks the page, before something else than the button opens Link. */
  mayOpen(): boolean;
  /** What else the customer does. */
  send(event: FlowEvent): void;
}

/** The page's label for the control, in addition to its own text, and the page's description of it. */
export interface Names {
  label: string;
  description: string;
}

/** What differs from state to state. The frame around it stays, so that focus and slots do. */
export interface Parts {
  /** Instead of the button. */
  card?: TemplateResult;
  /** The button's text; without it, the label slot. */
  caption?: string;
  /** The text of the label slot where the page puts nothing into it. */
  label?: string;
  /** The same text, where parts of it have a style of their own. */
  styled?: TemplateResult;
  working?: boolean;
  failed?: boolean;
  /** There is nothing to press for now. Not `disabled`, which would lose the focus. */
  idle?: boolean;
  /** The sentence under the control, instead of the legal text; empty for none at all. */
  said?: string;
  /** After the sentence. */
  links?: TemplateResult;
  /** The legal text is not about to be shown again, so that nothing is kept free for it. */
  settled?: boolean;
  /** Nothing follows, so that nothing at all is kept free. */
  ended?: boolean;
  /** An embedded search is about to take the button's place. */
  tall?: boolean;
  /** What the page calls the control, for the ids that its attributes refer to. */
  named?: TemplateResult;
  /** What the live region announces. */
  spoken?: string;
  /** The customer may need another way to pay. */
  needsFallback?: boolean;
  /** The note has just been announced: the control's description must not repeat it. */
  isAnnounced?: boolean;
  dialog?: TemplateResult;
}

/** Before the rest has loaded. Where there is nothing to press, the sentence does not ask the customer to try again. */
export function firstMessage({ retryable }: Pick<FlowError, 'retryable'>, strings: FirstStrings): string {
  return strings[retryable ? 'error_general' : 'error_reload'];
}

/** All that can be shown before the rest has loaded: at rest, waiting for it, or not having got it. */
export function firstParts({ state, strings, embedded: tall }: FirstView): Parts {
  if (state.error) {
    const text = firstMessage(state.error, strings);
    const parts: Parts = { failed: true, said: text, spoken: text };
    // Where pressing again can't help there is only the sentence.
    return state.error.retryable
      ? { ...parts, caption: strings.retry }
      : { ...parts, card: html``, needsFallback: true, settled: true };
  }
  return state.wanted
    ? { tall, caption: strings.opening, working: true, idle: true, spoken: strings.opening }
    : { tall };
}

export function render(view: FirstView, parts: Parts): TemplateResult {
  const { strings } = view;
  const required = view.missing ? strings.required : '';
  // In every state, before what the state itself shows.
  const said = required ? `${required} ${parts.said ?? ''}`.trim() : parts.said;
  const spoken = view.speechless ? '' : required ? said : parts.spoken;
  // A sentence that is announced and shown is in the page once.
  const isShown = Boolean(said) && said === spoken;
  const isError = Boolean(required || parts.failed);
  const legal = parts.settled ? 'gone' : said ? 'away' : '';
  return html`<div class="frame"><div
    part="base"
    class="base ${parts.tall ? 'tall' : ''} ${view.speechless ? 'speechless' : ''}"
    lang=${view.lang ?? nothing}
    dir=${view.lang ? 'ltr' : nothing}
  >
    ${parts.named}
    <div class="area ${parts.ended ? 'ended' : ''}">
      ${parts.card ?? control(view, parts, parts.isAnnounced ? '' : legal ? 'said' : 'legal')}
      <div class="note">
        <p part="legal" id="legal" class=${legal}><slot name="legal">${strings.legal}</slot></p>
        <div class=${isShown && isError ? 'error' : ''}>
          ${said && !isShown ? html`<p part="status" id="said">${said}</p>` : ''}
          <p
            role="status"
            id=${isShown ? 'said' : nothing}
            part="${isShown ? (isError ? 'error' : 'status') : ''}"
            class=${isShown ? '' : 'spoken'}
          >${isShown && isError ? noticeIcon : ''}${spoken}</p>
          ${parts.links}
        </div>
      </div>
    </div>
    <slot name="fallback" class=${parts.needsFallback ? '' : 'gone'}></slot>
    <dialog aria-labelledby="title" @cancel=${(event: Event) => refuse(event, view)}>${parts.dialog}</dialog>
  </div></div>`;
}

/** @param sentence the id of the button's description: one sentence, without the links that follow it */
function control(view: FirstView, parts: Parts, sentence: string): TemplateResult {
  const { face } = view;
  const { caption, label = view.strings.connect, styled, working, failed, idle } = parts;
  const text = caption ?? label;
  // Another text in the middle begins elsewhere. In another place of the tree that is nothing that browsers count as a
  // shift.
  if (face.text !== text) face.isOdd = !face.isOdd;
  face.text = text;
  const icon = working
    ? html`<span part="spinner" class="spinner"></span>`
    : failed
      ? ''
      : html`<span class="icon"><slot name="icon">${bankIcon}</slot></span>`;
  const content = html`${icon}<span part="label" id="label"
    >${caption ? (styled ?? caption) : html`<slot name="label">${styled ?? label}</slot>`}</span
  >`;
  return html`<button
    type="button"
    class="main ${working ? 'busy' : ''}"
    part="button ${failed ? 'retry' : ''}"
    aria-labelledby=${view.names?.label ? 'name label' : nothing}
    aria-describedby="${sentence} description"
    aria-disabled=${!!idle}
    ?disabled=${view.disabled}
    @click=${view.press}
  >
    ${face.isOdd ? content : nothing}${face.isOdd ? nothing : content}
  </button>`;
}

/** Escape means "no" to a dialog, and the flow closes it. */
function refuse(event: Event, view: FirstView): void {
  event.preventDefault();
  view.decline?.();
}
