import { html, nothing, type TemplateResult } from 'lit';
import type { Connection } from '../contract.ts';
import { bankIcon, noticeIcon } from '../element/icons.ts';
import { firstParts, type Parts, type View } from '../element/view.ts';
import { oneOf } from '../errors.ts';
import { statusOf } from '../flow/state.ts';
import { fill, type Strings } from '../i18n/index.ts';
import { captionKey, messageKey } from '../i18n/messages.ts';
import { dialogFor } from './dialogs.ts';
import { alertIcon, checkIcon, clockIcon } from './icons.ts';
import { accountLine, kindOf, link } from './view-pieces.ts';

/** What each state shows. */
export function partsOf(view: View): Parts {
  const { state, strings } = view;
  const text = sentence(view);
  switch (state.phase) {
    case 'open':
      if (showsSearch(view)) return { card: searchBox(view) };
      // Plaid's own page does not lead back here.
      return {
        caption: strings.link_open,
        working: true,
        said: state.hosted ? strings.finish_window : undefined,
      };
    case 'submitting':
    case 'polling':
      return {
        caption: strings.connecting,
        working: true,
        idle: true,
        said: state.slow ? text : undefined,
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
  const first = { ...firstParts(view), spoken: text };
  if (state.error) return { ...first, said: text };
  const said = state.notice || (text && view.returned && !state.wanted) ? text : undefined;
  // Before Link is there the place is shown as well, so that Plaid's script finds it as large as it will be.
  if (showsSearch(view)) return { card: searchBox(view), said, spoken: text };
  const rest: Parts = { ...first, said, tall: first.tall && state.link !== 'ready' };
  const [connection] = state.repair;
  if (!connection || state.wanted) return rest;
  const why = view.returned ? strings.returned_repair : strings.needs_repair;
  return { ...rest, ...reconnect(connection, strings), caption: undefined, said: said ?? why };
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
  const { connections } = state;
  const [first] = connections;
  const remove = () => view.remove();
  if (first && statusOf(state) === 'needs_repair') {
    const links = html`<span class="links">${link(remove, strings.remove, disabled)}</span>`;
    return { ...reconnect(first, strings), settled: true, said: strings.needs_repair, spoken: text, links };
  }
  return {
    card: html`<slot name="connected">${connections.map((one) => card(one, view))}</slot>`,
    settled: true,
    links: html`<span class="links">${link(view.change, strings.change, disabled)}${
      connections.length > 1 ? nothing : link(remove, strings.remove, disabled)
    }</span>`,
    spoken: text,
  };
}

/** On a button, which shows the label of a page where it is at rest, and ours in every case where it is not. */
function reconnect({ institution, account }: Connection, strings: Strings): Parts {
  const bank = institution.name ?? strings.your_bank;
  const [before, after] = strings.reconnect.split('{bank}');
  const text = fill(strings.reconnect, { bank: bankOf({ institution, account }, strings) });
  const styled = after === undefined ? undefined : html`${before}${accountLine(bank, account.mask)}${after}`;
  return { caption: text, label: text, styled };
}

function failedParts({ state, strings, disabled, pressHosted }: View, text: string): Parts {
  const { action = 'retry' } = state.error ?? {};
  const parts: Parts = {
    failed: true,
    said: text,
    spoken: text,
    stranded: statusOf(state) === 'blocked' || oneOf(action, 'use_other_bank', 'use_other_method', 'contact_merchant'),
  };
  const caption = strings[state.error ? captionKey(state.error) : 'retry'];
  // There is nothing to press, so there is no button.
  if (action === 'contact_merchant') {
    const card = html`<div
      class="card dead"
      role="group"
      aria-labelledby="name dead"
      aria-describedby="said description"
      tabindex="-1"
    >${noticeIcon}<b id="dead">${caption}</b></div>`;
    return { ...parts, card, settled: true, ended: true };
  }
  return {
    ...parts,
    caption,
    links: state.hosted
      ? html`<span class="links">${link(pressHosted, strings.new_window, disabled)}</span>`
      : undefined,
  };
}

function card(connection: Connection, view: View): TemplateResult {
  const { strings, names, state, disabled } = view;
  const { institution, account, status, id } = connection;
  const name = institution.name ?? strings.your_bank;
  const isActive = status === 'active';
  const text = bankOf(connection, strings);
  return html`<div class="card" part="account" role="group" aria-label=${`${names?.label ?? ''} ${text}`.trim()} tabindex="-1">
    <span class="avatar">
      <span aria-hidden="true">${institution.name ? [...name][0] : bankIcon}${view.logo(connection)}</span>
      <span
        class="state ${status}"
        role=${isActive ? 'img' : nothing}
        aria-label=${isActive ? fill(strings.connected, { bank: text }) : nothing}
      >${isActive ? checkIcon : status === 'needs_repair' ? alertIcon : clockIcon}</span>
    </span>
    <div class="account">
      ${accountLine(name, account.mask)}
      <div class="small">
        ${isActive ? html`<span>${kindOf(account.subtype, strings)}</span>` : html`<span part="status">${stateOf(connection, strings)}</span>`}
        ${state.connections.length > 1 ? link(() => view.remove(id), strings.remove, disabled) : nothing}
      </div>
    </div>
  </div>`;
}

/** Where the flow came to, in one sentence, or nothing. */
function sentence({ state, strings, merchant, purpose, returned }: View): string {
  switch (state.phase) {
    case 'rest':
    case 'checking':
      if (state.wanted) return strings.opening;
      if (state.notice) return strings[state.notice];
      return returned && state.repair.length === 0 ? strings.returned_other : '';
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

/** The status of one of the accounts, in words; with its name where there are others. */
function stateOf(connection: Connection, strings: Strings, isNamed = false): string {
  const bank = bankOf(connection, strings);
  if (connection.status === 'active') return fill(strings.connected, { bank });
  const text = strings[connection.status === 'needs_repair' ? 'needs_repair' : 'pending'];
  return isNamed ? `${bank}: ${text}` : text;
}

/** "Chase ••1234" */
function bankOf({ institution, account }: Pick<Connection, 'institution' | 'account'>, strings: Strings): string {
  const name = institution.name ?? strings.your_bank;
  return account.mask ? `${name} ••${account.mask}` : name;
}
