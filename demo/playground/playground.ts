import { html, render, type TemplateResult } from 'lit';
import { at } from '../story/at.ts';
import { keepTheme } from '../story/theme.ts';
import { forDemo, readDemoServer } from './for-demo.ts';
import type {} from './host.ts';
import { CHOICES, contrast, DEFAULTS, type Options, readOptions, SESSION_OPTIONS, writeOptions } from './options.ts';
import { SNIPPETS } from './snippets.ts';
import { writeSnippet } from './write-snippet.ts';

/** Change the element, see it at once, and leave with the code. The address always says what was changed. */
const frame = byId('shop') as HTMLIFrameElement;
/** How long "Copied" stays: long enough to be read twice. */
const COPIED_MS = 2_000;
/** WCAG 2.2 AA: text, and the edges of controls. */
const TEXT_CONTRAST = 4.5;
const CONTROL_CONTRAST = 3;

/** How to see a snippet work, with nothing but what most machines have. */
const HOW_TO_TRY: Record<string, string | undefined> = {
  'Script tag': 'Save it as index.html, run npx serve, and open localhost:3000.',
  curl: 'It prints a client secret.',
  Node: 'It prints a client secret.',
  Python: 'It prints a client secret.',
  PHP: 'It prints a client secret.',
};

const BRAND = '#17092c';

let options = readOptions(location.search);
let chosen = 0;
let said = '';
const demo = readDemoServer(document.body.dataset);
/** The snippets are for the running demo, so that a copy works at once; otherwise for the visitor's own server. */
let isForDemo = demo !== undefined;

keepTheme(byId('theme'), frame);
frame.addEventListener('load', draw);
load();
draw();

function load(): void {
  frame.contentWindow?.location.replace(at(`/playground/host?${writeOptions(options)}`));
}

function change(name: keyof Options, value: string): void {
  options = readOptions(`?${new URLSearchParams({ ...options, [name]: value })}`);
  const search = writeOptions(options);
  history.replaceState(null, '', search ? `?${search}` : location.pathname);
  if (SESSION_OPTIONS.includes(name)) load();
  else frame.contentWindow?.applyOptions?.(options);
  draw();
}

function reset(): void {
  options = { ...DEFAULTS };
  history.replaceState(null, '', location.pathname);
  load();
  draw();
}

function draw(): void {
  const background = pageColor();
  render(
    html`
      <fieldset><legend>Look</legend>
        ${color('accent', 'Accent')} ${color('onAccent', 'Text on it')}
        ${ratio('Text on the button', contrast(options.accent, options.onAccent), TEXT_CONTRAST)}
        ${ratio('Button on the page', contrast(options.accent, background), CONTROL_CONTRAST)}
        ${slider('radius', 'Corners', 0, 28)} ${slider('height', 'Height', 44, 72)} ${slider('width', 'Width', 240, 640)}
        ${choice('scheme', 'Colors')} ${choice('host', 'Page')}
      </fieldset>
      <fieldset><legend>Language</legend>${choice('language', 'Language')} ${choice('direction', 'Direction')}</fieldset>
      <fieldset><legend>Behavior</legend>
        ${choice('mode', 'Mode')} ${choice('accounts', 'Accounts')} ${choice('ownership', 'Owner')}
        ${options.mode === 'embedded' ? html`<p class="note">In a frame Plaid’s search does not run, so that the element shows its button. <a href=${at(`/playground/host?${writeOptions(options)}`)} target="_blank">Open the page by itself</a></p>` : ''}
        <label class="wide">Authorization text
          <textarea rows="3" maxlength="300" .value=${options.authorization} placeholder="I authorize …"
            @change=${({ target }: Event) => change('authorization', (target as HTMLTextAreaElement).value.trim())}></textarea></label>
      </fieldset>
      <p class="actions"><button type="button" @click=${share}>Copy the address</button><button type="button" @click=${reset}>Reset</button></p>`,
    byId('controls'),
  );
  const { source, kind, label } = SNIPPETS[chosen] as (typeof SNIPPETS)[number];
  const written = writeSnippet(source, kind, options);
  const text = demo && isForDemo ? forDemo(written, kind, demo) : written;
  render(
    html`<div class="tabs" role="tablist" aria-label="Languages" @keydown=${move}>${SNIPPETS.map(
      (snippet, index) => html`<button type="button" role="tab" id=${`tab-${index}`} aria-controls="snippet"
        aria-selected=${index === chosen} tabindex=${index === chosen ? 0 : -1}
        @click=${() => choose(index)}>${snippet.label}</button>`,
    )}</div>
    <div class="snippet" role="tabpanel" id="snippet" aria-labelledby=${`tab-${chosen}`}>
      <pre tabindex="0"><code>${text}</code></pre>
    </div>
    <div class="take">
      ${demo ? whichServer() : ''}
      <p class="said" role="status">${said || (isForDemo ? (HOW_TO_TRY[label] ?? '') : '')}</p>
      <button type="button" class="copy" @click=${() => copy(text, `${label} copied`)}>Copy</button>
    </div>`,
    byId('code'),
  );
}

/** For the demo on this machine, or for the server that the visitor will have. */
function whichServer(): TemplateResult {
  const change = ({ target }: Event) => {
    isForDemo = (target as HTMLSelectElement).value === 'demo';
    draw();
  };
  return html`<label class="server">Server<select @change=${change}>
    <option value="demo" .selected=${isForDemo}>This demo</option>
    <option value="own" .selected=${!isForDemo}>Your own</option>
  </select></label>`;
}

/** What is behind the element right now; the brand's gradient by its darkest color. */
function pageColor(): string {
  const page = frame.contentDocument;
  if (options.host === 'brand' || !page) return BRAND;
  for (const one of [page.querySelector('.card'), page.body]) {
    const [r, g, b, alpha = 1] =
      (one ? getComputedStyle(one).backgroundColor.match(/[\d.]+/g) : null)?.map(Number) ?? [];
    if (r !== undefined && g !== undefined && b !== undefined && alpha === 1) {
      return `#${[r, g, b].map((value) => value.toString(16).padStart(2, '0')).join('')}`;
    }
  }
  return '#ffffff';
}

function choose(index: number): void {
  chosen = index;
  draw();
}

/** Arrow keys go from tab to tab. */
function move(event: KeyboardEvent): void {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  choose((chosen + step + SNIPPETS.length) % SNIPPETS.length);
  byId(`tab-${chosen}`).focus();
}

function share(): void {
  void copy(location.href, 'Address copied');
}

async function copy(text: string, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    said = done;
  } catch {
    // Closed to this page: selected instead, which is one key press from done.
    getSelection()?.selectAllChildren(byId('snippet').querySelector('code') as HTMLElement);
    said = 'Selected: press Ctrl+C to copy';
  }
  draw();
  setTimeout(() => {
    said = '';
    draw();
  }, COPIED_MS);
}

type Name = keyof Options;

function choice(name: Name, label: string): TemplateResult {
  const choices = CHOICES[name] ?? [];
  return html`<label class="choice"><span>${label}</span><select @change=${({ target }: Event) => change(name, (target as HTMLSelectElement).value)}>
    ${choices.map(([value, text]) => html`<option value=${value} .selected=${value === options[name]}>${text}</option>`)}
  </select></label>`;
}

function color(name: Name, label: string): TemplateResult {
  return html`<label>${label}<span class="color"><code>${options[name]}</code><input type="color" .value=${options[name]}
    @input=${({ target }: Event) => change(name, (target as HTMLInputElement).value)}></span></label>`;
}

function slider(name: Name, label: string, least: number, most: number): TemplateResult {
  return html`<label>${label}<span class="color"><code>${options[name]}px</code><input type="range" min=${least} max=${most}
    .value=${options[name]} @input=${({ target }: Event) => change(name, (target as HTMLInputElement).value)}></span></label>`;
}

function ratio(label: string, value: number, least: number): TemplateResult {
  const isEnough = value >= least;
  return html`<p class=${`ratio ${isEnough ? '' : 'low'}`}><span>${label}</span>
    <strong>${value.toFixed(1)}:1 ${isEnough ? 'AA' : `under ${least}`}</strong></p>`;
}

function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no #${id}.`);
  return found;
}
