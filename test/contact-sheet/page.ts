import { showState } from '../widget/helpers/show-state.ts';
import { type State, states } from '../widget/helpers/states.ts';
import { scenes, stateNamed } from './scenes.ts';

const WIDTHS = [240, 360, 640];
// Where words are longest, and where everything is the other way around.
const LANGUAGES = [
  { lang: 'en', dir: 'ltr' },
  { lang: 'de', dir: 'ltr' },
  { lang: 'ar', dir: 'rtl' },
];
// What the element waits for before it shows that something is slow; on the sheet only those rows show it that are
// about it.
const LONG = 5_000;

// Dialogs lie above the page and only one can; on the sheet they stand below their element, as wide as there is space.
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

async function show(cell: Element, name: string, state: State, lang: string): Promise<HTMLElement> {
  // The words to wait for are English; in another language the status is enough.
  const { element } = await showState(
    cell,
    name,
    lang === 'en' ? state : { ...state, announces: undefined, shows: undefined },
  );
  // Link can be open once in a page, and here it never closes.
  const page = (globalThis as unknown as Record<symbol, { open?: object }>)[Symbol.for('finix-bank-connect')];
  if (page) page.open = undefined;
  sessionStorage.clear();
  return element;
}

/** Pages of merchants, one state next to the other. */
async function drawScenes(): Promise<void> {
  for (const { name, lang, dir, width, css, html, attributes = {}, states: names } of scenes) {
    const block = document.createElement('section');
    block.id = name;
    block.style.gridTemplateColumns = `repeat(${names.length}, ${width}px)`;
    document.body.append(block);
    for (const state of names) {
      const host = document.createElement('div');
      Object.assign(host, { lang, dir });
      block.append(host);
      // A shadow root keeps each page's styles to itself.
      const root = host.attachShadow({ mode: 'open' });
      root.innerHTML = `<style>${css}</style><div class="scene">${html.replace('@', '<div id="place" style="flex:1"></div>')}</div>`;
      const element = await show(root.querySelector('#place') as Element, `${name} ${state}`, stateNamed(state), lang);
      for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
    }
  }
}

async function draw(): Promise<void> {
  await drawScenes();
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
          await show(cell, `${block.id} ${width} ${name}`, state, lang);
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
