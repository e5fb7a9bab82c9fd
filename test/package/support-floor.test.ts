import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { transformWithOxc } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findOldChromium } from '../helpers/chromium.mjs';
import { launchOldChromium } from '../helpers/launch-chromium.ts';
import { filesIn, project } from './imports.ts';

// What the floor of Chrome 94, Firefox 98 and Safari 16.4 does not have, and what a rule that needs it loses without a
// plain value before it.
const NEWER = /light-dark\(|color-mix\(|oklch\(|(?<!-)\brotate:/;

/** Style rules with the at-rules around them; good enough for styles without strings that hold braces. */
function unguarded(css: string): string[] {
  const found: string[] = [];
  const around: string[] = [];
  for (const piece of css.match(/[^{}]+[{}]|\}/g) ?? []) {
    const text = piece.slice(0, -1);
    if (NEWER.test(text) && !around.some((rule) => rule.includes('@supports')) && !text.includes('@supports')) {
      found.push(text.trim().slice(0, 120));
    }
    if (piece.endsWith('{')) around.push(text);
    else around.pop();
  }
  return found;
}

/** The text of every `css` template, in source or in a bundle. */
const stylesIn = (code: string) => [...code.matchAll(/css`((?:[^`\\]|\\.)*)`/g)].map(([, css]) => css ?? '');

test('a color that is newer than the support floor is found, unless it is in @supports', () => {
  expect(unguarded('a { color: light-dark(#000, #fff); }')).toHaveLength(1);
  expect(unguarded('@media print { a { color: color-mix(in srgb, red, blue); } }')).toHaveLength(1);
  expect(unguarded('@supports (color: light-dark(#000, #fff)) { a { color: light-dark(#000, #fff); } }')).toEqual([]);
});

test('no style in the source is newer than the support floor', () => {
  const files = filesIn('widget', '.ts').filter((file) => file.endsWith('styles.ts'));
  // One for each chunk.
  expect(files).toHaveLength(3);
  for (const file of files) {
    const styles = stylesIn(readFileSync(join(project, file), 'utf8'));
    expect(styles).not.toEqual([]);
    expect(styles.flatMap(unguarded)).toEqual([]);
  }
});

test('no script for the page has a style that is newer than the support floor', () => {
  const folder = join(project, 'dist/cdn');
  const scripts = readdirSync(folder).filter((file) => file.endsWith('.js'));
  const newer = scripts.filter((file) => NEWER.test(readFileSync(join(folder, file), 'utf8')));
  expect(newer).toEqual([]);
});

/** What Chrome 94, Firefox 98 or Safari 16.4 does not have, and a script of ours could call without noticing. */
const NEWER_CALLS: [name: string, first: string][] = [
  ['structuredClone', 'Chrome 98'],
  ['findLast', 'Chrome 97, Firefox 104'],
  ['toSorted', 'Chrome 110'],
  ['toReversed', 'Chrome 110'],
  ['toSpliced', 'Chrome 110'],
  ['groupBy', 'Chrome 117'],
  ['withResolvers', 'Chrome 119'],
  ['canParse', 'Chrome 120'],
  ['fromAsync', 'Chrome 121'],
  ['checkVisibility', 'Chrome 105'],
  ['showPopover', 'Chrome 114'],
  ['replaceSync', 'Firefox 101'],
  ['AbortSignal', 'Chrome 103 for timeout, 116 for any'],
  ['throwIfAborted', 'Chrome 100'],
  ['isWellFormed', 'Chrome 111'],
  ['setHTMLUnsafe', 'Chrome 124'],
];
/** What is called only where it is there. Lit asks whether style sheets can be made before it makes one. */
const ASKED_FOR: Record<string, RegExp> = {
  replaceSync: /["'`]adoptedStyleSheets["'`]\s*in Document\.prototype/,
  checkVisibility: /\.checkVisibility\?\.\(/,
};

test.each(NEWER_CALLS)('no script for the page calls %s, which came with %s', (name) => {
  const folder = join(project, 'dist/cdn');
  const scripts = readdirSync(folder).filter((file) => file.endsWith('.js'));
  const code = scripts.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n');
  const asked = ASKED_FOR[name];
  if (asked) expect(code).toMatch(asked);
  // Lit calls its one in another place than it asks.
  const unasked = name === 'replaceSync' ? '' : code.replace(new RegExp(asked ?? /(?!)/, 'g'), '');
  expect(unasked).not.toMatch(new RegExp(`\\b${name}\\b`));
});

// Chrome 94 has the syntax of ES2022. By its name, the compiler would also rewrite classes, for a fault of Chrome 97
// and older with static fields called `name` or `length`, of which there are none.
const FLOOR = ['es2022', 'firefox98', 'safari16.4'];

test('the syntax of every script for the page is that of the support floor', async () => {
  const folder = join(project, 'dist/cdn');
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.js'))) {
    const code = readFileSync(join(folder, file), 'utf8');
    // What is newer would be rewritten, and then the script would be another one.
    const floor = await transformWithOxc(code, file, { target: FLOOR });
    const newest = await transformWithOxc(code, file, { target: 'esnext' });
    expect(floor.code === newest.code, file).toBe(true);
  }
});

test('syntax that is newer than the support floor is rewritten, and so noticed', async () => {
  const newer = 'using file = open(); file.read();';
  const { code } = await transformWithOxc(newer, 'newer.js', { target: FLOOR });
  expect(code).not.toContain('using file');
});

const old = await findOldChromium();

// The packaged browser runs on 64-bit Intel Linux only; OLD_CHROME_PATH can name another.
describe.skipIf(!old)('in a browser near the floor', () => {
  let browser: Browser;
  const folder = join(project, 'dist/cdn');
  const page = `<!doctype html><title>Shop</title><main style="width:360px">
    <finix-bank-connect endpoint="https://shop.test/"><span slot="label">Pay by bank</span><a slot="fallback" href="#card">Pay by card</a></finix-bank-connect>
    </main><script type="module" src="/finix-bank-connect.js"></script>`;

  beforeAll(async () => {
    browser = await launchOldChromium(old);
  });
  afterAll(() => browser?.close());

  async function open(before?: () => unknown, policy = '') {
    const tab = await browser.newPage();
    const warnings: string[] = [];
    tab.on('console', (message) => message.type() === 'warning' && warnings.push(message.text()));
    await tab.route('https://shop.test/**', (route) => {
      const name = new URL(route.request().url()).pathname.slice(1);
      const headers = { 'content-security-policy': policy };
      if (!name) return route.fulfill({ contentType: 'text/html', body: page, headers });
      if (!name.endsWith('.js')) return route.fulfill({ status: 404 });
      return route.fulfill({ contentType: 'text/javascript', body: readFileSync(join(folder, name), 'utf8') });
    });
    if (before) await tab.addInitScript(before);
    await tab.goto('https://shop.test/');
    await tab.waitForFunction(() => customElements.get('finix-bank-connect') !== undefined);
    return { tab, warnings };
  }

  test('near the floor the button has a background, a readable text and the width of its place', async () => {
    const { tab } = await open();
    await tab.waitForFunction(() => document.querySelector('finix-bank-connect')?.shadowRoot?.querySelector('.main'));
    const button = await tab.evaluate(() => {
      const main = document.querySelector('finix-bank-connect')?.shadowRoot?.querySelector('.main') as HTMLElement;
      const { backgroundColor, color, fontSize } = getComputedStyle(main);
      return { backgroundColor, color, fontSize, width: main.getBoundingClientRect().width };
    });
    expect(button).toEqual({
      backgroundColor: 'rgb(28, 111, 91)',
      color: 'rgb(255, 255, 255)',
      fontSize: '16px',
      width: 360,
    });
  });

  test.each([
    ['form values', () => Reflect.deleteProperty(ElementInternals.prototype, 'setFormValue')],
    ['form-associated elements', () => Reflect.deleteProperty(globalThis, 'ElementInternals')],
    ['modal dialogs', () => Reflect.deleteProperty(HTMLDialogElement.prototype, 'showModal')],
    ['at() of arrays, as Chromium before 92', () => Reflect.deleteProperty(Array.prototype, 'at')],
    ['Object.hasOwn(), as Chromium before 93', () => Reflect.deleteProperty(Object, 'hasOwn')],
    ['observed approaches', () => Reflect.deleteProperty(globalThis, 'IntersectionObserver')],
  ])('in a browser without %s only the fallback is shown, with one warning', async (_, remove) => {
    const { tab, warnings } = await open(remove, "require-trusted-types-for 'script'");
    await expect.poll(() => tab.locator('[slot=fallback]').isVisible()).toBe(true);
    await expect.poll(() => tab.locator('[slot=label]').isVisible()).toBe(false);
    await expect.poll(() => warnings.filter((text) => text.includes('newer browser'))).toHaveLength(1);
  });
});
