import { showState } from '../widget/helpers/show-state.ts';
import { states } from '../widget/helpers/states.ts';

const WIDTHS = [240, 360, 640];
// Where words are longest, and where everything is the other way around.
const LANGUAGES = [
  { lang: 'en', dir: 'ltr' },
  { lang: 'de', dir: 'ltr' },
  { lang: 'ar', dir: 'rtl' },
];
// What the element waits for before it says that something is slow; on the sheet only those rows say so that are about it.
const LONG = 5_000;

// Dialogs lie above the page and only one can; on the sheet they stand below their element, as wide as there is room.
const dialogs = new CSSStyleSheet();
dialogs.replaceSync(
  'dialog[data-shown] { display: block; position: static; inline-size: min(420px, 100%); margin: 8px 0 0; box-shadow: none; }',
);

HTMLDialogElement.prototype.showModal = function showModal() {
  this.toggleAttribute('data-shown', true);
  (this.getRootNode() as ShadowRoot).adoptedStyleSheets.push(dialogs);
};

const { setTimeout: wait } = globalThis;
globalThis.setTimeout = ((act: () => void, delay = 0, ...rest: unknown[]) =>
  delay < LONG ? wait(act, delay, ...rest) : 0) as typeof setTimeout;

async function draw(): Promise<void> {
  for (const scheme of ['light', 'dark']) {
    for (const { lang, dir } of LANGUAGES) {
      const block = document.createElement('section');
      block.id = `${scheme}-${lang}`;
      block.style.colorScheme = scheme;
      block.innerHTML = `<h1>${scheme}, ${dir} (${lang}), ${WIDTHS.join(' / ')} px</h1>`;
      document.body.append(block);
      for (const [name, state] of Object.entries(states)) {
        block.insertAdjacentHTML('beforeend', `<h2>${name}</h2>`);
        for (const width of WIDTHS) {
          const cell = document.createElement('div');
          Object.assign(cell, { lang, dir });
          cell.style.inlineSize = `${width}px`;
          block.append(cell);
          // The words to wait for are English; where others stand, the status says enough.
          await showState(
            cell,
            `${block.id} ${width} ${name}`,
            lang === 'en' ? state : { ...state, says: undefined, shows: undefined },
          );
          // Link can be open once in a page, and here it never closes.
          const page = (globalThis as unknown as Record<symbol, { open?: object }>)[Symbol.for('finix-bank-connect')];
          if (page) page.open = undefined;
          sessionStorage.clear();
        }
      }
    }
  }
  (document.activeElement as HTMLElement | null)?.blur();
  // Two frames, so that what the last of them changed is drawn.
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  document.documentElement.dataset['drawn'] = 'all';
}

draw().catch((error: unknown) => {
  document.documentElement.dataset['drawn'] = String(error);
});
