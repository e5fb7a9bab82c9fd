import { html, nothing, type TemplateResult } from 'lit';
import type { Connection } from '../contract.ts';
import { bankIcon } from '../element/icons.ts';
import { firstParts, type Parts, type View } from '../element/view.ts';
import { oneOf } from '../errors.ts';
import { statusOf } from '../flow/state.ts';
import { fill } from '../i18n/fill.ts';
import type { LateStrings } from '../i18n/late.ts';
import { alertIcon, checkIcon, clockIcon } from './icons.ts';
import { accountLine, bankOf, kindOf, link } from './view-pieces.ts';

/** What each state of the straight way shows; null for those of the detour (detour/view-parts.ts). */
export function straightParts(view: View): Parts | null {
  const { state, strings } = view;
  switch (state.phase) {
    case 'rest':
    case 'checking':
      return restParts(view);
    case 'open':
      // Plaid's own page does not lead back here.
      return view.embedded || state.hosted ? null : { caption: strings.link_open, working: true };
    case 'submitting':
    case 'polling':
      return state.slow ? null : { caption: strings.connecting, working: true, idle: true, spoken: strings.connecting };
    case 'done':
      return statusOf(state) === 'needs_repair' ? null : doneParts(view);
    default:
      return null;
  }
}

function restParts(view: View): Parts | null {
  const { state, strings, embedded, returned } = view;
  const { notice, wanted } = state;
  const isKnown = !notice || oneOf(notice, 'canceled', 'removed');
  if (state.error || embedded || returned || state.repair.length || !isKnown) return null;
  const text = wanted ? strings.opening : notice ? strings[notice as 'canceled' | 'removed'] : '';
  return { ...firstParts(view), said: notice ? text : undefined, spoken: text };
}

function doneParts(view: View): Parts {
  const { state, strings, disabled } = view;
  const { connections } = state;
  return {
    card: html`<slot name="connected">${connections.map((one) => card(one, view))}</slot>`,
    settled: true,
    // Another bank needs another session.
    links: html`<span class="links">${state.renewable ? link(view.change, strings.change, disabled) : ''}${
      connections.length > 1 ? '' : link(() => view.remove(), strings.remove, disabled)
    }</span>`,
    spoken: connections.map((one) => stateOf(one, strings, connections.length > 1)).join(' '),
  };
}

/** One of the accounts. */
export function card(connection: Connection, view: View): TemplateResult {
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

/** The status of one of the accounts, in words; with its name where there are others. */
export function stateOf(connection: Connection, strings: LateStrings, isNamed = false): string {
  const bank = bankOf(connection, strings);
  if (connection.status === 'active') return fill(strings.connected, { bank });
  const text = strings[connection.status === 'needs_repair' ? 'needs_repair' : 'pending'];
  return isNamed ? `${bank}: ${text}` : text;
}
