import { showState } from '../widget/helpers/show-state.ts';
import { type State, states } from '../widget/helpers/states.ts';
import { scenes, stateNamed } from './scenes.ts';

const WIDTHS = [240, 360, 640];
// Where words are longest, where marks stand above marks, and where everything is the other way around.
const LANGUAGES = [
  { lang: 'en', dir: 'ltr' },
  { lang: 'de', dir: 'ltr' },
  { lang: 'fr', dir: 'ltr' },
  { lang: 'vi', dir: 'ltr' },
  { lang: 'ar', dir: 'rtl' },
];
/** What a pointer or the keyboard is on: a state of the sheet, the control, and what it looks like then. */
const POINTED: [name: string, selector: string, looks: ':hover' | ':focus-visible'][] = [
  ['ready', '.main', ':hover'],
  ['ready', '.main', ':focus-visible'],
  ['open', '.main', ':focus-visible'],
  ['connected', '.card', ':focus-visible'],
  ['connected', '.link', ':hover'],
  ['connected', '.link', ':focus-visible'],
  ['choosing an account', 'input', ':focus-visible'],
  ['error, for the merchant', '.dead', ':focus-visible'],
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

/** The parts that the address asks for; without any, all. */
const only = new URLSearchParams(location.search).getAll('only');
const isAsked = (part: string) => only.length === 0 || only.includes(part);

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
  drawSearch(element);
  return element;
}

/** In place of the simulated Link's plain button: about what Plaid's embedded search looks like, and as large. */
function drawSearch(element: HTMLElement): void {
  const place = element.querySelector<HTMLElement>(':scope > [slot=embedded]');
  if (!place) return;
  const banks = ['Chase', 'Bank of America', 'Wells Fargo', 'Citi', 'Capital One', 'U.S. Bank'];
  const tile = 'padding:14px 8px;border:1px solid #d8dcde;border-radius:8px;text-align:center;font-weight:600';
  place.style.cssText = 'overflow:hidden;border:1px solid #d8dcde;border-radius:8px;background:#fff;color:#111';
  place.innerHTML = `<div style="padding:16px;font:14px/1.4 system-ui,sans-serif">
    <div style="padding:10px 12px;border:1px solid #8b9196;border-radius:8px;color:#596066">Search for your bank</div>
    <div style="display:grid;grid-template-columns:1fr 1fr;gap:8px;margin-top:12px">${banks.map((bank) => `<div style="${tile}">${bank}</div>`).join('')}</div>
  </div>`;
}

/** Only one control of a page has the pointer or the focus; here many look as if they had. */
function pointAt(element: HTMLElement, selector: string, looks: string): void {
  const root = element.shadowRoot as ShadowRoot;
  const rules = root.adoptedStyleSheets.flatMap(({ cssRules }) => [...cssRules].map(({ cssText }) => cssText));
  const pointed = new CSSStyleSheet();
  pointed.replaceSync(
    rules
      .filter((rule) => rule.includes(looks))
      .join('\n')
      .replaceAll(looks, '[data-pointed]'),
  );
  root.adoptedStyleSheets.push(pointed);
  const control = root.querySelector(selector);
  if (!control) throw new Error(`There is no ${selector} to point at`);
  control.toggleAttribute('data-pointed', true);
}

/** Pages of merchants, one state next to the other. */
async function drawScenes(): Promise<void> {
  for (const { name, lang, dir, width, css, html, attributes = {}, states: names } of scenes) {
    if (!isAsked(name)) continue;
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
      if (!isAsked(`${scheme}-${lang}`)) continue;
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
      if (lang !== 'en') continue;
      for (const [name, selector, looks] of POINTED) {
        block.insertAdjacentHTML('beforeend', `<h2>${name}, ${selector}${looks}</h2>`);
        for (const width of WIDTHS) {
          const cell = document.createElement('div');
          cell.style.inlineSize = `${width}px`;
          block.append(cell);
          const id = `${block.id} ${width} ${name} ${selector} ${looks}`;
          pointAt(await show(cell, id, stateNamed(name), lang), selector, looks);
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
