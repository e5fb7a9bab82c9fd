import { html, render } from 'lit';
import { type Action, MERCHANTS, type MerchantKey } from '../step.ts';

export interface Shortcuts {
  visit(merchant: MerchantKey): void;
  act(action: Action): void;
  showLink(): void;
  play(): void;
  restart(): void;
}

/**
 * One key for each thing that a presenter does. Not while the presenter types, and not with a modifier: those keys
 * belong to the browser. A switch turns them off: a person who dictates would press them with every word.
 */
export function listenToKeys(frame: HTMLIFrameElement, { visit, act, showLink, play, restart }: Shortcuts): void {
  const help = document.getElementById('help') as HTMLDialogElement;
  const keys: Record<string, [label: string, does: () => void]> = {
    ' ': ['Play, or pause', play],
    1: ['Coffee checkout', () => visit(MERCHANTS[0])],
    2: ['Rent payment', () => visit(MERCHANTS[1])],
    3: ['Contractor payout', () => visit(MERCHANTS[2])],
    s: ['Choose a scenario', () => document.getElementById('story')?.focus()],
    m: ['Return: insufficient funds (R01)', () => act('return_R01')],
    a: ['Return: account not found (R03)', () => act('return_R03')],
    u: ['Return: not authorized (R10)', () => act('return_R10')],
    b: ['The login breaks', () => act('break_login')],
    l: ['Repair the login by a link', showLink],
    v: ['The customer ends the permission', () => act('revoke')],
    n: ['Try the next payment', () => act('debit_again')],
    d: ['Light or dark', () => document.getElementById('theme')?.click()],
    f: ['Full screen', toggleFullScreen],
    r: ['Restart for the next visitor', restart],
    '?': ['These shortcuts', () => (help.open ? help.close() : help.showModal())],
  };
  let isOn = readIsOn();
  const turn = ({ currentTarget }: Event) => {
    isOn = (currentTarget as HTMLInputElement).checked;
    keepIsOn(isOn);
  };
  render(
    html`<div class="sheet">
      <div class="top">
        <h2 id="help-title">Keyboard shortcuts</h2>
        <button type="button" class="close" aria-label="Close" @click=${() => help.close()}>×</button>
      </div>
      <label class="switch">
        <input type="checkbox" role="switch" .checked=${isOn} @change=${turn} />
        Single-key shortcuts
      </label>
      <dl class="keys">${Object.entries(keys).map(
        ([key, [label]]) => html`<div><dt><kbd>${key === ' ' ? 'Space' : key}</kbd></dt><dd>${label}</dd></div>`,
      )}</dl>
    </div>`,
    help,
  );
  document.getElementById('help-open')?.addEventListener('click', () => help.showModal());

  const listen = (event: KeyboardEvent) => {
    const found = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!isOn || !found || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    if (document.querySelector('dialog[open]') && event.key !== '?') return;
    event.preventDefault();
    found[1]();
  };
  addEventListener('keydown', listen);
  // A press in the merchant's page leaves the keyboard there.
  frame.addEventListener('load', () => frame.contentWindow?.addEventListener('keydown', listen));
}

const SETTING = 'single-key-shortcuts';

/** A browser that keeps nothing for this page has the switch for one visit. */
function readIsOn(): boolean {
  try {
    return localStorage.getItem(SETTING) !== 'off';
  } catch {
    return true;
  }
}

function keepIsOn(isOn: boolean): void {
  try {
    localStorage.setItem(SETTING, isOn ? 'on' : 'off');
  } catch {
    // The switch holds for this visit.
  }
}

function isTyping(event: KeyboardEvent): boolean {
  const target = event.composedPath()[0] as Partial<HTMLElement>;
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName ?? '')) return true;
  // Space presses the button that has the focus.
  return event.key === ' ' && /^(BUTTON|A|SUMMARY)$/.test(target.tagName ?? '');
}

function toggleFullScreen(): void {
  if (document.fullscreenElement) void document.exitFullscreen();
  else void document.documentElement.requestFullscreen().catch(() => {});
}
