import MiniSearch, { type SearchResult } from 'minisearch';
import { INDEX_OPTIONS } from '../search-options.ts';

/** What needs a script: search, the menu of small screens, the theme, copying. The pages are whole without it. */

declare global {
  interface Window {
    /** Set by search-index.js: a string, which parses faster than an object in source. */
    docsIndex?: string;
  }
}

/** More than this, and the list is no help. */
const MAX_RESULTS = 12;

const scriptUrl = (document.currentScript as HTMLScriptElement).src;
const root = document.documentElement;
const find = <E extends HTMLElement>(selector: string) => document.querySelector<E>(selector);

root.classList.add('scripted');
startTheme();
startMenu();
startSearch();
for (const pre of document.querySelectorAll<HTMLElement>('main pre')) addCopyButton(pre);

function startTheme(): void {
  const button = find<HTMLButtonElement>('.theme');
  if (!button) return;
  button.hidden = false;
  const system = matchMedia('(prefers-color-scheme: dark)');
  let chosen = read('docs-theme');
  const show = () => {
    const isDark = (chosen ?? (system.matches ? 'dark' : 'light')) === 'dark';
    if (chosen) root.dataset['theme'] = chosen;
    button.setAttribute('aria-pressed', String(isDark));
    return isDark;
  };
  show();
  system.addEventListener('change', show);
  button.addEventListener('click', () => {
    chosen = show() ? 'light' : 'dark';
    write('docs-theme', chosen);
    show();
  });
}

function startMenu(): void {
  const button = find<HTMLButtonElement>('.menu');
  const navigation = find('#navigation');
  if (!button || !navigation) return;
  button.hidden = false;
  button.addEventListener('click', () => {
    const isOpen = navigation.classList.toggle('open');
    button.setAttribute('aria-expanded', String(isOpen));
    if (isOpen) scrollTo({ top: 0 });
  });
}

function startSearch(): void {
  const box = find('.search');
  const input = find<HTMLInputElement>('.search input');
  const results = find('#results');
  if (!box || !input || !results) return;
  box.hidden = false;
  let index: Promise<MiniSearch> | undefined;
  const close = () => {
    results.hidden = true;
  };

  input.addEventListener('focus', () => {
    index ??= loadIndex();
  });
  input.addEventListener('input', async () => {
    index ??= loadIndex();
    const words = input.value.trim();
    if (words === '') return close();
    try {
      const found = (await index).search(words).slice(0, MAX_RESULTS);
      // Of what was typed last: loading the index may have taken a while.
      if (words === input.value.trim()) showResults(results, found, words);
    } catch {
      index = undefined;
      showText(results, 'The search index could not be loaded.');
    }
  });
  box.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      close();
      input.value = '';
      input.focus();
      return;
    }
    const links = [...results.querySelectorAll('a')];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && !results.hidden) {
      event.preventDefault();
      (links[at + step] ?? (step < 0 ? input : links.at(-1)))?.focus();
    } else if (event.key === 'Enter' && event.target === input) links[0]?.click();
  });
  addEventListener('click', (event) => {
    if (!box.contains(event.target as Node)) close();
  });
  addEventListener('keydown', (event) => {
    const isTyping = (event.target as HTMLElement).closest?.('input, textarea, [contenteditable]');
    if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    input.focus();
  });
}

/** A script, not a request: so it also works from a folder on disk. */
function loadIndex(): Promise<MiniSearch> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = new URL('search-index.js', scriptUrl).href;
    script.onload = () => resolve(MiniSearch.loadJSON(window.docsIndex ?? '', INDEX_OPTIONS));
    script.onerror = () => reject(new Error('search-index.js could not be loaded'));
    document.head.append(script);
  });
}

function showResults(results: HTMLElement, found: SearchResult[], words: string): void {
  if (found.length === 0) {
    showText(results, `No page mentions “${words}”.`);
    return;
  }
  results.replaceChildren(
    ...found.map((result) => {
      const link = document.createElement('a');
      link.href = new URL(String(result.id), scriptUrl).href;
      const title = document.createElement('b');
      title.textContent = String(result['title']);
      const page = document.createElement('span');
      page.textContent = String(result['page']);
      link.append(title, page);
      return link;
    }),
  );
  results.hidden = false;
}

function showText(results: HTMLElement, text: string): void {
  const line = document.createElement('p');
  line.textContent = text;
  results.replaceChildren(line);
  results.hidden = false;
}

function addCopyButton(pre: HTMLElement): void {
  // The clipboard is for secure pages only.
  if (!navigator.clipboard) return;
  const frame = document.createElement('div');
  frame.className = 'code';
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'copy';
  button.textContent = 'Copy';
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(pre.textContent ?? '');
      button.textContent = 'Copied';
    } catch {
      button.textContent = 'Not copied';
    }
    // As long as it takes to read one word.
    setTimeout(() => (button.textContent = 'Copy'), 1500);
  });
  pre.replaceWith(frame);
  frame.append(pre, button);
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Storage can be off: then the choice holds for this page.
  }
}
