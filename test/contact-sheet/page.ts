import '../../widget/index.ts';
import type { FinixBankConnect } from '../../widget/index.ts';
import { SimulatedBackend } from '../widget/helpers/simulated-backend.ts';
import { SimulatedLink } from '../widget/helpers/simulated-link.ts';
import { type Row, rows } from './states.ts';

const WIDTHS = [240, 360, 600];
// Where words are longest, and where everything is the other way around.
const LANGUAGES = [
  { lang: 'en', dir: 'ltr' },
  { lang: 'ar', dir: 'rtl' },
];

// Dialogs lie above the page and only one can; on the sheet they stand below their element, as wide as there is room.
const dialogs = new CSSStyleSheet();
dialogs.replaceSync(
  'dialog[data-shown] { display: block; position: static; inline-size: min(420px, 100%); margin: 8px 0 0; box-shadow: none; }',
);

HTMLDialogElement.prototype.showModal = function showModal() {
  this.toggleAttribute('data-shown', true);
  (this.getRootNode() as ShadowRoot).adoptedStyleSheets.push(dialogs);
};

const waitUntil = async (done: () => boolean, what: string) => {
  for (const end = Date.now() + 10_000; !done(); await new Promise((resolve) => setTimeout(resolve, 5))) {
    if (Date.now() > end) throw new Error(`${what} did not come`);
  }
};

/** An element brought to the state of its row. */
async function show(cell: Element, name: string, row: Row): Promise<void> {
  const link = SimulatedLink.install();
  const backend = new SimulatedBackend();
  row.server?.(backend);
  const element: FinixBankConnect = document.createElement('finix-bank-connect');
  Object.assign(element, { backend, name, ...row.properties });
  element.innerHTML = row.inside ?? '';
  cell.append(element);
  await element.updateComplete;
  element.dispatchEvent(new Event('pointerenter'));
  if (row.act && backend.hold === null) await waitUntil(() => element.status === 'ready', `${name}: ready`);
  hurried = row.slow ?? 0;
  row.act?.({ element, backend, link });
  await waitUntil(() => element.status === row.status, `${name}: ${row.status} instead of ${element.status}`);
  await new Promise((resolve) => setTimeout(resolve, row.slow ? 50 : 0));
  await element.updateComplete;
  // Link can be open once in a page, and here it never closes.
  const page = (globalThis as unknown as Record<symbol, { open?: object }>)[Symbol.for('finix-bank-connect')];
  if (page) page.open = undefined;
  sessionStorage.clear();
}

let hurried = 0;
const { setTimeout: wait } = globalThis;
/** Timers of more than a few seconds say that something is slow: they run out at once where the row wants that, and elsewhere never. */
globalThis.setTimeout = ((act: () => void, delay: number, ...rest: unknown[]) => {
  if (delay < 5_000 || !delay) return wait(act, delay, ...rest);
  return hurried-- > 0 ? wait(act, 0) : 0;
}) as typeof setTimeout;

async function draw(): Promise<void> {
  for (const scheme of ['light', 'dark']) {
    for (const { lang, dir } of LANGUAGES) {
      const block = document.createElement('section');
      block.style.colorScheme = scheme;
      block.innerHTML = `<h1>${scheme}, ${dir} (${lang}), ${WIDTHS.join(' / ')} px</h1>`;
      document.body.append(block);
      for (const [name, row] of Object.entries(rows)) {
        block.insertAdjacentHTML('beforeend', `<h2>${name}</h2>`);
        for (const width of WIDTHS) {
          const cell = document.createElement('div');
          Object.assign(cell, { lang, dir });
          cell.style.inlineSize = `${width}px`;
          block.append(cell);
          await show(cell, name, row);
        }
      }
    }
  }
  (document.activeElement as HTMLElement | null)?.blur();
  document.documentElement.dataset['drawn'] = 'all';
}

draw().catch((error: unknown) => {
  document.documentElement.dataset['drawn'] = String(error);
});
