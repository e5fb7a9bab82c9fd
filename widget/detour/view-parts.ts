import { html, nothing, type TemplateResult } from 'lit';
import type { Connection } from '../contract.ts';
import { noticeIcon } from '../element/icons.ts';
import { firstParts, type Parts } from '../element/view.ts';
import { oneOf } from '../errors.ts';
import { statusOf } from '../flow/state.ts';
import { fill } from '../i18n/fill.ts';
import type { Strings } from '../i18n/index.ts';
import { captionKey, messageOf } from '../i18n/messages.ts';
import { card, stateOf } from '../lazy/view-parts.ts';
import { accountLine, bankOf, link } from '../lazy/view-pieces.ts';
import { dialogFor } from './dialogs.ts';
import type { DetourView } from './view.ts';

/** What each state off the straight way shows. */
export function detourParts(view: DetourView): Parts {
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
    case 'polling': {
      const slow = state.slow === 1 ? strings.slow : strings.very_slow;
      return { caption: strings.connecting, working: true, idle: true, said: slow, spoken: slow };
    }
    case 'choosing':
    case 'authorizing':
      return { caption: strings.one_more, working: true, idle: true, dialog: dialogFor(view) };
    case 'done':
      return repairParts(view);
    case 'failed':
      return failedParts(view, text);
    case 'returning':
      return { caption: strings.returning, working: true, idle: true, spoken: strings.returning };
    default:
      return restParts(view, text);
  }
}

function restParts(view: DetourView, text: string): Parts {
  const { state, strings } = view;
  const first = { ...firstParts(view), spoken: text };
  if (state.error) return { ...first, said: text };
  const said = state.notice || (text && view.returned && !state.wanted) ? text : undefined;
  // Before Link is there the place is shown as well, so that Plaid's script finds it as large as it will be.
  if (showsSearch(view)) return { card: searchBox(view), said, spoken: text };
  const rest: Parts = { ...first, said, tall: first.tall && state.link !== 'ready' };
  // The page's own label does not fit.
  if (state.notice === 'undo' && !state.wanted) return { ...rest, tall: false, caption: strings.use_account };
  const [connection] = state.repair;
  if (!connection || state.wanted) return rest;
  const why = view.returned ? strings.returned_repair : strings.needs_repair;
  return { ...rest, ...reconnect(connection, strings), caption: undefined, said: said ?? why };
}

function showsSearch({ state, embedded }: DetourView): boolean {
  return embedded && (state.link === 'preparing' || (state.link === 'ready' && state.embedded));
}

function searchBox({ state, strings, disabled }: DetourView): TemplateResult {
  return html`<div
    class="search"
    role="group"
    aria-labelledby="name search"
    aria-describedby="said description"
    tabindex="-1"
    ?inert=${disabled}
  >
    <span id="search" hidden>${strings.connect}</span>
    <slot name="embedded"></slot>${state.link === 'ready' ? nothing : html`<span part="spinner" class="spinner"></span>`}
  </div>`;
}

/** Every connected account needs the customer. */
function repairParts(view: DetourView): Parts {
  const { state, strings, disabled } = view;
  const [first] = state.connections;
  const several = state.connections.length > 1;
  const spoken = state.connections.map((one) => stateOf(one, strings, several)).join(' ');
  // A sign-in needs another session, which only the page can give: there is nothing to press.
  if (!state.renewable) {
    const cards = html`${state.connections.map((one) => card(one, view))}`;
    const said = strings.reload;
    return { card: cards, said, spoken: `${spoken} ${said}`, needsFallback: true, settled: true };
  }
  const links = html`<span class="links">${link(() => view.remove(), strings.remove, disabled)}</span>`;
  const button = first && reconnect(first, strings);
  return { ...button, settled: true, said: strings.needs_repair, spoken, links };
}

/** On a button, which shows the label of a page where it is at rest, and ours in every case where it is not. */
function reconnect({ institution, account }: Connection, strings: Strings): Parts {
  const bank = institution.name ?? strings.your_bank;
  const [before, after] = strings.reconnect.split('{bank}');
  const text = fill(strings.reconnect, { bank: bankOf({ institution, account }, strings) });
  const styled = after === undefined ? undefined : html`${before}${accountLine(bank, account.mask)}${after}`;
  return { caption: text, label: text, styled };
}

function failedParts({ state, strings, disabled, send, mayOpen }: DetourView, text: string): Parts {
  const { action = 'retry' } = state.error ?? {};
  const parts: Parts = {
    failed: true,
    said: text,
    spoken: text,
    needsFallback:
      statusOf(state) === 'blocked' || oneOf(action, 'use_other_bank', 'use_other_method', 'contact_merchant'),
  };
  const key = state.error ? captionKey(state.error) : 'retry';
  // A repair is of one bank.
  const caption = strings[key === 'other_bank' && state.repair.length > 0 ? 'restart' : key];
  // There is nothing to press, so there is no button.
  if (action === 'contact_merchant') return { ...parts, ...deadEnd(caption) };
  const pressHosted = () => mayOpen() && send({ type: 'press_hosted' });
  return {
    ...parts,
    caption,
    links: state.hosted
      ? html`<span class="links">${link(pressHosted, strings.new_window, disabled)}</span>`
      : undefined,
  };
}

function deadEnd(title: string): Parts {
  const card = html`<div
    class="card dead"
    role="group"
    aria-labelledby="name dead"
    aria-describedby="said description"
    tabindex="-1"
  >${noticeIcon}<b id="dead">${title}</b></div>`;
  return { card, failed: true, needsFallback: true, settled: true, ended: true };
}

/** Where the flow came to, in one sentence, or nothing. */
function sentence({ state, strings, merchant, purpose, returned }: DetourView): string {
  switch (state.phase) {
    case 'rest':
    case 'checking':
      if (state.wanted) return strings.opening;
      if (state.notice) return strings[state.notice === 'undo' ? 'removed' : state.notice];
      return returned && state.repair.length === 0 ? strings.returned_other : '';
    case 'failed':
      return state.error ? messageOf(state.error, strings, { merchant, purpose }) : '';
    default:
      return '';
  }
}
