import { render } from 'lit';
import { linkSheet } from '../panel/link.ts';
import { Panel } from '../panel/panel.ts';
import type { Names } from '../panel/words.ts';
import { type Action, MERCHANTS, type MerchantKey, type Mode, type Step, type StoryState } from '../step.ts';
import { at } from './at.ts';
import { Director } from './director.ts';
import { listenToKeys } from './keys.ts';
import { keepTheme } from './theme.ts';

/** The page of the presenter: a merchant's page in a window of its own, and beside it what is behind that page. */
const FACTS: Record<MerchantKey, Names & { address: string }> = {
  coffee: { customer: 'Maya', merchant: 'Kestrel & Oak', address: 'kestrel-oak.example/checkout' },
  rent: { customer: 'Daniel', merchant: 'Linden Court', address: 'lindencourt.example/rent' },
  payout: { customer: 'Priya', merchant: 'Fieldnote', address: 'fieldnote.example/payouts' },
};

const frame = byId('shop') as HTMLIFrameElement;
const mode = document.body.dataset['mode'] as Mode;
let merchant: MerchantKey = MERCHANTS.find((key) => `#${key}` === location.hash) ?? 'coffee';

/** The presenter has pressed for the repair link, and its address is not there yet. */
let isLinkWanted = false;

const panel = new Panel((key) => FACTS[key], { choose, act, showLink }, mode);
const director = new Director({ frame, act, state: () => panel.state, names: () => FACTS[merchant] });

for (const button of document.querySelectorAll<HTMLElement>('[data-merchant]')) {
  button.addEventListener('click', () => visit(button.dataset['merchant'] as MerchantKey));
}
byId('play').addEventListener('click', () => director.toggle());
byId('drawer').addEventListener('click', () => {
  const isOpen = byId('drawer').getAttribute('aria-expanded') === 'true';
  byId('drawer').setAttribute('aria-expanded', String(!isOpen));
});
frame.addEventListener('load', () => {
  const path = frame.contentWindow?.location.pathname.slice(at('').length) ?? '';
  const { address } = FACTS[merchant];
  byId('address').textContent = path.startsWith('/orders/')
    ? address.replace(/\/.*/, path.replace(`/${merchant}`, ''))
    : address;
});
keepTheme(byId('theme'), frame);
if (mode === 'sandboxes') byId('play').hidden = true;
listenToKeys(frame, { visit, act, showLink, play: () => director.toggle(), restart: () => byId('restart').click() });
for (const dialog of document.querySelectorAll('dialog')) {
  // A press on the backdrop.
  dialog.addEventListener('click', ({ target }) => target === dialog && dialog.close());
}
const sizes = new ResizeObserver(() => panel.resized());
for (const id of ['picture', 'log']) sizes.observe(byId(id));
byId('log').addEventListener('scroll', () => panel.scrolled());
listen();
visit(merchant);

function visit(key: MerchantKey): void {
  merchant = key;
  isLinkWanted = false;
  director.stop();
  history.replaceState(null, '', key === 'coffee' ? location.pathname : `#${key}`);
  for (const button of document.querySelectorAll<HTMLElement>('[data-merchant]')) {
    button.setAttribute('aria-pressed', String(button.dataset['merchant'] === key));
  }
  const { address, merchant: name } = FACTS[key];
  byId('address').textContent = address;
  frame.title = `The page of ${name}`;
  // Replaced: the frame's pages are no stops of the browser's way back.
  frame.contentWindow?.location.replace(at(`/${key}`));
  panel.choose(key);
}

async function present(body: object): Promise<boolean> {
  const response = await fetch('/api/present', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ merchant, ...body }),
  });
  const { problem = '' } = (await response.json()) as { problem?: string };
  panel.say(problem);
  return response.ok;
}

function choose(scenario: string): void {
  director.stop();
  void present({ scenario }).then(() => frame.contentWindow?.location.replace(at(`/${merchant}`)));
}

function act(action: Action): Promise<boolean> {
  return present({ action });
}

async function showLink(): Promise<void> {
  if (!panel.state?.link && !(await act('repair_link'))) return;
  isLinkWanted = true;
  openLink();
}

/** The address comes with the stream, which may be later than the answer to the press. */
function openLink(): void {
  const dialog = byId('link') as HTMLDialogElement;
  const link = panel.state?.link;
  if (!isLinkWanted || !link || dialog.open) return;
  isLinkWanted = false;
  render(
    linkSheet(link, FACTS[merchant].customer, () => dialog.close()),
    dialog,
  );
  dialog.showModal();
}

function listen(): void {
  // What was there before this page is shown at once.
  let isReplay = true;
  const source = new EventSource('/api/story');
  source.addEventListener('step', ({ data }: MessageEvent<string>) => panel.add(JSON.parse(data) as Step, isReplay));
  source.addEventListener('state', ({ data }: MessageEvent<string>) => {
    panel.update(JSON.parse(data) as StoryState);
    openLink();
    setTimeout(() => {
      isReplay = false;
    });
  });
  addEventListener('pagehide', () => source.close());
  addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
}

function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no #${id}.`);
  return found;
}
