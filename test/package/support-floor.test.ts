import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumArgs, findOldChromium } from '../helpers/chromium.mjs';
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
  expect(files).toHaveLength(2);
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

const old = await findOldChromium();

// The packaged browser runs on 64-bit Intel Linux only; OLD_CHROME_PATH can name another.
describe.skipIf(!old)('in a browser near the floor', () => {
  let browser: Browser;
  const folder = join(project, 'dist/cdn');
  const page = `<!doctype html><title>Shop</title><main style="width:360px">
    <finix-bank-connect endpoint="https://shop.test/"><span slot="label">Pay by bank</span><a slot="fallback" href="#card">Pay by card</a></finix-bank-connect>
    </main><script type="module" src="/finix-bank-connect.js"></script>`;

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: old?.path ?? '',
      args: [...chromiumArgs],
      env: { ...process.env, ...old?.env },
      chromiumSandbox: false,
    });
  });
  afterAll(() => browser?.close());

  async function open(before?: () => void) {
    const tab = await browser.newPage();
    const warnings: string[] = [];
    tab.on('console', (message) => message.type() === 'warning' && warnings.push(message.text()));
    await tab.route('https://shop.test/**', (route) => {
      const name = new URL(route.request().url()).pathname.slice(1);
      if (!name) return route.fulfill({ contentType: 'text/html', body: page });
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

  test('below the floor only the fallback is shown, with one warning', async () => {
    const { tab, warnings } = await open(() => {
      Reflect.deleteProperty(ElementInternals.prototype, 'setFormValue');
    });
    expect(await tab.locator('[slot=fallback]').isVisible()).toBe(true);
    expect(await tab.locator('[slot=label]').isVisible()).toBe(false);
    expect(warnings.filter((text) => text.includes('newer browser'))).toHaveLength(1);
  });
});
