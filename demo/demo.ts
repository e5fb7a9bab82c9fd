import type { FinixBankConnect } from '../widget/finix-bank-connect.ts';
import { showScenarios } from './scenario-picker.ts';
import type { ServerStep } from './steps.ts';
import { Timeline } from './timeline.ts';
import { fromElement, fromServer } from './words.ts';

// The shop's server writes both: whether Plaid and Finix are the simulator, and its last step before this page.
const { simulated, after } = document.body.dataset;
const element = document.querySelector<FinixBankConnect>('finix-bank-connect');
const timeline = new Timeline(byId('log'), byId('log-empty'));

byId('providers').textContent = simulated === 'true' ? 'Simulator, nothing is real' : 'Real sandboxes';
if (simulated === 'true') showScenarios();
else byId('simulated').remove();
listenToServer();
if (element) {
  listenToElement(element);
  letElementConnect(element);
  chooseLanguage(element);
}
themeSwitch();
foldPanel();

/** The element gets its client secret from the shop's server, which alone has the merchant's key. */
function letElementConnect(connect: FinixBankConnect): void {
  let first = true;
  connect.fetchClientSecret = async () => {
    // A reload goes on with the session of before; whoever asks twice on one page wants another.
    const fresh = !first;
    first = false;
    const response = await fetch('/api/session', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ fresh }),
    });
    if (!response.ok) throw new Error(`The shop gave no session (${response.status}).`);
    return ((await response.json()) as { client_secret: string }).client_secret;
  };
}

function listenToElement(connect: FinixBankConnect): void {
  const names = [
    'fbc-open',
    'fbc-step',
    'fbc-connected',
    'fbc-pending',
    'fbc-needs-repair',
    'fbc-canceled',
    'fbc-error',
  ] as const;
  for (const name of names) {
    connect.addEventListener(name, (event) => timeline.add(fromElement(name, event.detail)));
  }
  let shown = connect.getAttribute('status');
  new MutationObserver(() => {
    const status = connect.getAttribute('status');
    if (status !== shown && status === 'ready') timeline.add(fromElement('ready', null));
    shown = status;
  }).observe(connect, { attributeFilter: ['status'] });
}

function listenToServer(): void {
  const source = new EventSource(`/api/steps?after=${after}`);
  source.addEventListener('message', ({ data }: MessageEvent<string>) => {
    timeline.add(fromServer(JSON.parse(data) as ServerStep));
  });
  // An open stream keeps the page out of the browser's memory of pages, and "back" from the receipt should be instant.
  addEventListener('pagehide', () => source.close());
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) location.reload();
  });
}

/** Only the element speaks it, and its writing direction comes along: the shop has one language. */
function chooseLanguage(connect: FinixBankConnect): void {
  const select = byId('language') as HTMLSelectElement;
  const speak = () => {
    connect.lang = select.value;
    connect.dir = select.value === 'ar' ? 'rtl' : 'ltr';
  };
  select.addEventListener('change', speak);
  // The browser keeps what was chosen over a reload.
  speak();
}

/** Kept in a cookie, so that the shop's server can send the next page in the right colors at once. */
function themeSwitch(): void {
  const root = document.documentElement;
  const button = byId('theme');
  const isDark = () =>
    root.dataset['theme'] === 'dark' ||
    (root.dataset['theme'] !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  const show = () => button.setAttribute('aria-pressed', String(isDark()));
  button.addEventListener('click', () => {
    root.dataset['theme'] = isDark() ? 'light' : 'dark';
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser that the element supports.
    document.cookie = `kestrel_theme=${root.dataset['theme']}; path=/; max-age=31536000; samesite=lax`;
    show();
  });
  show();
}

/** On a small screen the shop comes first; the panel is one tap away. */
function foldPanel(): void {
  const panel = byId('panel') as HTMLDetailsElement;
  const wide = matchMedia('(min-width: 960px)');
  const fold = () => {
    panel.open = wide.matches;
  };
  wide.addEventListener('change', fold);
  fold();
}

function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no #${id}.`);
  return found;
}
