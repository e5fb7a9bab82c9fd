import { html, nothing, type TemplateResult } from 'lit';
import { type FlowState, statusOf } from './connect-flow.ts';
import type { Connection } from './contract.ts';
import { fill, type StringKey, type Strings } from './i18n/index.ts';
import { messageKey } from './i18n/messages.ts';
import { bankIcon, checkIcon, clockIcon, noticeIcon } from './icons.ts';

/** What the element hands to its picture, and what the picture hands back. */
export interface View {
  state: FlowState;
  strings: Strings;
  disabled: boolean;
  /** The form was submitted without a bank. */
  missing: boolean;
  press(): void;
  change(): void;
  remove(): void;
  decline(): void;
  accept(): void;
  choose(id: string): void;
}

export function render(view: View): TemplateResult {
  const { state, strings } = view;
  const stranded =
    statusOf(state) === 'blocked' ||
    (state.phase === 'failed' && /^(use_other|contact)/.test(state.error?.action ?? ''));
  return html`<div part="base" class="base">
    ${state.phase === 'done' && statusOf(state) !== 'needs_repair' ? accounts(state) : control(view)}
    <div class="note" id="note">${note(view)}</div>
    <slot name="fallback" ?hidden=${!stranded}></slot>
    <dialog aria-labelledby="title" @cancel=${(event: Event) => cancelDialog(event, view)}>${dialog(view)}</dialog>
    <p class="spoken" role="status">${sentence(state, strings)}</p>
  </div>`;
}

/** One button through all states that have one, so that it keeps the focus. `aria-disabled` while there is nothing to press for the same reason. */
function control(view: View): TemplateResult {
  const { state, strings, disabled } = view;
  const { phase, error } = state;
  const failed = phase === 'failed';
  const working =
    /^(submitting|polling|choosing|authorizing)$/.test(phase) || (state.wanted && !failed) || phase === 'open';
  const stuck = failed && error?.action === 'contact_merchant';
  return html`<button
    type="button"
    class="main ${failed && !stuck ? 'again' : ''}"
    part="button ${failed ? 'retry' : ''}"
    aria-describedby="note"
    aria-disabled=${(working && phase !== 'open') || stuck ? 'true' : 'false'}
    ?disabled=${disabled}
    @click=${view.press}
  >
    ${working ? html`<span part="spinner" class="spinner"></span>` : leading(failed)}
    <span part="label">${phase === 'rest' && !state.wanted ? html`<slot name="label">${strings.connect}</slot>` : caption(view)}</span>
  </button>`;
}

function leading(failed: boolean): TemplateResult {
  return failed
    ? html`<span class="icon">${noticeIcon}</span>`
    : html`<span class="icon"><slot name="icon">${bankIcon}</slot></span>`;
}

function caption({ state, strings }: View): string {
  switch (state.phase) {
    case 'rest':
    case 'checking':
      return state.wanted ? strings.opening : strings.connect;
    case 'open':
      return strings.link_open;
    case 'choosing':
    case 'authorizing':
      return strings.one_more;
    case 'done':
      return fill(strings.reconnect, bankOf(state.connections[0], strings));
    case 'failed':
      return strings[actionKey(state)];
    default:
      return strings.connecting;
  }
}

function actionKey({ error }: FlowState): StringKey {
  switch (error?.action) {
    case 'contact_merchant':
      return 'unavailable';
    case 'restart':
      return 'restart';
    case 'use_other_bank':
    case 'use_other_method':
    case 'choose_account':
      return 'other_bank';
    default:
      return 'retry';
  }
}

function accounts(state: FlowState): TemplateResult {
  return html`<slot name="connected">${state.connections.map(
    (connection) => html`<div class="card" part="account" tabindex="-1">
      <span class="initial" aria-hidden="true">${connection.institution.name?.[0] ?? bankIcon}</span>
      <div class="account">${accountLines(connection)}</div>
      <span class="state">${connection.status === 'active' ? checkIcon : clockIcon}</span>
    </div>`,
  )}</slot>`;
}

function accountLines({ institution, account }: Connection): TemplateResult {
  return html`<div class="line"><span part="bank-name">${institution.name ?? account.name}</span> ${
    account.mask ? html`<span part="mask">••${account.mask}</span>` : nothing
  }</div>
  <div class="small">${institution.name ? account.name : account.subtype}</div>`;
}

function note(view: View): unknown {
  const { state, strings } = view;
  const text = sentence(state, strings);
  switch (state.phase) {
    case 'failed':
      return html`<p part="error" class="error">${text}</p>`;
    case 'done':
      return html`${statusOf(state) === 'connected' ? nothing : html`<p part="status">${text}</p>`}
        <div class="links">
          ${statusOf(state) === 'needs_repair' ? nothing : link(view.change, strings.change, view.disabled)}
          ${link(view.remove, strings.remove, view.disabled)}
        </div>`;
    case 'submitting':
    case 'polling':
      return state.slow ? html`<p part="status">${text}</p>` : nothing;
    default:
      return html`${view.missing ? html`<p part="error" class="error">${strings.required}</p>` : nothing}
        <p part="legal"><slot name="legal">${strings.legal}</slot></p>`;
  }
}

function link(act: () => void, text: string, disabled: boolean): TemplateResult {
  return html`<button type="button" class="link" ?disabled=${disabled} @click=${act}>${text}</button>`;
}

/** Where the flow came to, in one sentence, or nothing: what the live region says, and in part what the note shows. */
function sentence(state: FlowState, strings: Strings): string {
  switch (state.phase) {
    case 'rest':
      if (state.wanted) return strings.opening;
      return state.notice ? strings[state.notice] : '';
    case 'submitting':
    case 'polling':
      return strings[(['connecting', 'slow', 'very_slow'] as const)[state.slow]];
    case 'done': {
      const key = ({ connected: 'connected', pending_verification: 'pending' } as const)[statusOf(state) as string];
      return fill(strings[key ?? 'needs_repair'], bankOf(state.connections[0], strings));
    }
    case 'failed':
      return state.error ? strings[messageKey(state.error)] : '';
    default:
      return '';
  }
}

/** "Chase ••1234" */
function bankOf(connection: Connection | undefined, strings: Strings): string {
  const name = connection?.institution.name ?? strings.your_bank;
  const mask = connection?.account.mask;
  return mask ? `${name} ••${mask}` : name;
}

function cancelDialog(event: Event, view: View): void {
  event.preventDefault();
  view.decline();
}

function dialog(view: View): unknown {
  const { state, strings } = view;
  if (state.phase === 'choosing') {
    return html`<form @submit=${(event: SubmitEvent) => choose(event, view)}>
      <h2 id="title">${strings.choose_title}</h2>
      <fieldset>
        <legend>${strings.choose_text}</legend>
        ${state.accounts.map(
          ({ id, name, mask, subtype }, index) => html`<label>
            <input type="radio" name="account" value=${id} required ?checked=${index === 0} />
            <span class="account">
              <div class="line"><span>${name}</span> ${mask ? html`<span part="mask">••${mask}</span>` : nothing}</div>
              <div class="small">${subtype}</div>
            </span>
          </label>`,
        )}
      </fieldset>
      ${dialogButtons(view, strings.use_account)}
    </form>`;
  }
  if (state.phase !== 'authorizing') return nothing;
  return html`<form @submit=${(event: SubmitEvent) => agree(event, view)}>
    <h2 id="title">${strings.authorize_title}</h2>
    <div class="text" role="region" aria-labelledby="title" tabindex="0">${state.authorization?.text}</div>
    ${dialogButtons(view, strings.agree)}
  </form>`;
}

function dialogButtons(view: View, text: string): TemplateResult {
  return html`<button class="main">${text}</button>
    <div class="links">${link(view.decline, view.strings.cancel, false)}</div>`;
}

function choose(event: SubmitEvent, view: View): void {
  event.preventDefault();
  const id = new FormData(event.target as HTMLFormElement).get('account');
  if (typeof id === 'string') view.choose(id);
}

function agree(event: SubmitEvent, view: View): void {
  event.preventDefault();
  view.accept();
}
