import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leaveChromium, sharedChromium } from '../helpers/launch-chromium.ts';
import { patient } from '../helpers/patience.mjs';
import { faultsInStates, openStatesPage } from './states-page.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await sharedChromium();
});
afterAll(() => leaveChromium(browser));

/** Pages that are dark and declare no scheme, in ways that merchants write them. */
const PAGES: Record<string, string> = {
  'a dark body': 'body { background: #0b0b12; color: #fff }',
  'a dark panel': 'main { padding: 8px; background: #14121f; color: rgb(255 255 255 / 0.87) }',
  'a dark panel, and the text’s color for the element alone':
    'main { padding: 8px; background: #111; --fbc-text: #eee }',
  'a dark panel on a page that declares the light scheme':
    ':root { color-scheme: light } main { padding: 8px; background: #111; color: #eee }',
  'a light panel on a page that declares the dark scheme':
    ':root { color-scheme: dark } main { padding: 8px; background: #fff; --fbc-text: #111 }',
};

test.each(Object.entries(PAGES))(
  'every text of every state, dead end and dialog can be read on %s',
  {
    timeout: patient(60_000),
  },
  async (_, css) => {
    const { page, errors, names } = await openStatesPage(browser, { css });
    const faults = await faultsInStates(page, names);
    await page.close();
    expect(faults).toEqual([]);
    expect(errors).toEqual([]);
  },
);

test('dialogs belong to the text of the page, in every way in which browsers write its color', async () => {
  const colors: [color: string, scheme: 'dark' | 'light'][] = [
    ['oklch(0.985 0 0)', 'dark'],
    ['lab(90 -10 3)', 'dark'],
    ['color(srgb 0.9 0.9 0.95)', 'dark'],
    ['rgb(255 255 255 / 0.87)', 'dark'],
    ['oklch(0.21 0.03 265)', 'light'],
    ['lch(20 10 3)', 'light'],
    ['color(display-p3 0.1 0.1 0.1)', 'light'],
    ['#333', 'light'],
  ];
  const { page } = await openStatesPage(browser);
  const found: [string, string][] = [];
  for (const [color] of colors) {
    await page.evaluate((text) => {
      document.body.style.color = text;
      return globalThis.show('agreeing');
    }, color);
    const scheme = await page.evaluate(() => {
      const dialog = document.querySelector('finix-bank-connect')?.shadowRoot?.querySelector('dialog') as HTMLElement;
      return getComputedStyle(dialog).colorScheme;
    });
    found.push([color, scheme]);
    await page.evaluate(() => globalThis.hide());
  }
  await page.close();
  expect(found).toEqual(colors);
});
