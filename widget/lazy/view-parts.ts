import { html, nothing, type TemplateResult } from 'lit';
import type { Connection } from '../contract.ts';
import { bankIcon } from '../element/icons.ts';
import { errorText, firstParts, type Parts, type View } from '../element/view.ts';
import { oneOf } from '../errors.ts';
import { statusOf } from '../flow/state.ts';
import { fill, type Strings } from '../i18n/index.ts';
import { captionKey, messageKey } from '../i18n/messages.ts';
import { dialogFor } from './dialogs.ts';
import { checkIcon, clockIcon } from './icons.ts';
import { kindOf, link, mask, statusText } from './view-pieces.ts';

// Letters of a bank's name on a button: with the words around it, two lines of the narrowest one.
const SHORT = 20;

/** What each state shows. */
export function partsOf(view: View): Parts {
  const { phase, link, embedded } = view.state;
  const tall = view.embedded && phase !== 'done' && (embedded || link !== 'ready');
  return { ...phaseParts(view, sentence(view)), tall };
}

function phaseParts(view: View, text: string): Parts {
  const { state, strings } = view;
  switch (state.phase) {
    case 'open':
      if (showsSearch(view)) return { card: searchBox(view) };
      // Plaid's own page does not lead back here.
      return {
        caption: strings.link_open,
        working: true,
        note: state.hosted ? statusText(strings.finish_window) : undefined,
      };
    case 'submitting':
    case 'polling':
      return {
        caption: strings.connecting,
        working: true,
        idle: true,
        note: state.slow ? statusText(text) : nothing,
        spoken: text,
      };
    case 'choosing':
    case 'authorizing':
      return { caption: strings.one_more, working: true, idle: true, dialog: dialogFor(view) };
    case 'done':
      return doneParts(view, text);
    case 'failed':
      return failedParts(view, text);
    case 'returning':
      return { caption: strings.returning, working: true, idle: true, spoken: strings.returning };
    default:
      return restParts(view, text);
  }
}

function restParts(view: View, text: string): Parts {
  const { state, strings } = view;
  const first = firstParts(view);
  if (state.error) return { ...first, spoken: text };
  // Before Link is there the place is shown as well, so that Plaid's script finds it as large as it will be.
  const note = state.notice ? statusText(text) : undefined;
  if (showsSearch(view)) return { card: searchBox(view), note, spoken: text };
  const [connection] = state.repair;
  if (!connection || state.wanted) return { ...first, note, spoken: text };
  const label = fill(strings.reconnect, { bank: bankOf(state.repair, strings, SHORT) });
  return { ...first, label, note: note ?? statusText(strings.needs_repair), spoken: text };
}

function showsSearch({ state, embedded }: View): boolean {
  return embedded && (state.link === 'preparing' || (state.link === 'ready' && state.embedded));
}

function searchBox({ state, strings }: View): TemplateResult {
  return html`<div class="search" role="group" aria-labelledby="name search" aria-describedby="said description" tabindex="-1">
    <span id="search" hidden>${strings.connect}</span>
    <slot name="embedded"></slot>${state.link === 'ready' ? nothing : html`<span part="spinner" class="spinner"></span>`}
  </div>`;
}

function doneParts(view: View, text: string): Parts {
  const { state, strings, disabled } = view;
  const status = statusOf(state);
  const pending = status === 'needs_repair' ? strings.needs_repair : strings.pending;
  const note = html`${status === 'connected' ? nothing : statusText(pending)}<span class="links">${
    status === 'needs_repair' ? nothing : link(view.change, strings.change, disabled)
  }${link(view.remove, strings.remove, disabled)}</span>`;
  if (status === 'needs_repair')
    return {
      caption: fill(strings.reconnect, { bank: bankOf(state.connections, strings, SHORT) }),
      note,
      spoken: text,
    };
  return {
    card: html`<slot name="connected">${state.connections.map((one) => card(one, view))}</slot>`,
    note,
    spoken: text,
  };
}

function failedParts({ state, strings, disabled, pressHosted }: View, text: string): Parts {
  const { action = 'retry' } = state.error ?? {};
  return {
    caption: strings[state.error ? captionKey(state.error) : 'retry'],
    failed: true,
    idle: action === 'contact_merchant',
    note: state.hosted
      ? html`${errorText(text)}<span class="links">${link(pressHosted, strings.new_window, disabled)}</span>`
      : errorText(text),
    spoken: text,
    stranded: statusOf(state) === 'blocked' || oneOf(action, 'use_other_bank', 'use_other_method', 'contact_merchant'),
  };
}

function card(connection: Connection, { state, strings, names }: View): TemplateResult {
  const { institution, account, status } = connection;
  const name = institution.name ?? account.name;
  const isActive = status === 'active';
  // A single account that is pending has a sentence under its card.
  const words = isActive || state.connections.length > 1 ? stateOf(connection, strings, false) : '';
  const label = `${names?.label ?? ''} ${bankOf([connection], strings)}`.trim();
  return html`<div class="card" part="account" role="group" aria-label=${label} tabindex="-1">
    <span class="initial" aria-hidden="true">${institution.name?.[0] ?? bankIcon}</span>
    <div class="account">
      <div class="line"><span part="bank-name" dir="auto">${name}</span> ${mask(account.mask)}</div>
      <div class="small">${institution.name ? account.name : kindOf(account.subtype, strings)}</div>
    </div>
    <span class="state" role=${words ? 'img' : nothing} aria-label=${words || nothing}>${isActive ? checkIcon : clockIcon}</span>
  </div>`;
}

/** Where the flow came to, in one sentence, or nothing. */
function sentence({ state, strings, merchant, purpose }: View): string {
  switch (state.phase) {
    case 'rest':
    case 'checking':
      if (state.wanted) return strings.opening;
      return state.notice ? strings[state.notice] : '';
    case 'submitting':
    case 'polling':
      return strings[(['connecting', 'slow', 'very_slow'] as const)[state.slow]];
    case 'done':
      return state.connections.map((one) => stateOf(one, strings, state.connections.length > 1)).join(' ');
    case 'failed':
      return state.error ? fill(strings[messageKey(state.error, purpose)], { merchant }) : '';
    default:
      return '';
  }
}

/** Where one of the accounts stands, in words; with its name where there are others. */
function stateOf(connection: Connection, strings: Strings, isNamed: boolean): string {
  const bank = bankOf([connection], strings);
  if (connection.status === 'active') return fill(strings.connected, { bank });
  const text = strings[connection.status === 'needs_repair' ? 'needs_repair' : 'pending'];
  return isNamed ? `${bank}: ${text}` : text;
}

/** "Chase ••1234"; of a longer name the beginning, so that the digits are seen. */
function bankOf(connections: Connection[], strings: Strings, most = Number.POSITIVE_INFINITY): string {
  const { institution, account } = connections[0] ?? {};
  const letters = [...(institution?.name ?? strings.your_bank)];
  const name = letters.length > most ? `${letters.slice(0, most).join('').trim()}…` : letters.join('');
  return account?.mask ? `${name} ••${account.mask}` : name;
}
