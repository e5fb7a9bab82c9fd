import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leaveChromium, sharedChromium } from '../helpers/launch-chromium.ts';
import { openStatesPage } from './states-page.ts';

/** The message of Lit's build for development about itself on every page. */
const ITSELF = /Lit is in dev mode/;

let browser: Browser;
let page: Page;
let names: string[];
const lines: string[] = [];

beforeAll(async () => {
  browser = await sharedChromium();
  const opened = await openStatesPage(browser, { lit: 'development', log: lines });
  ({ page, names } = opened);
  expect(opened.script).toContain('change-in-update');
});
afterAll(() => leaveChromium(browser));

test('Lit’s build for development warns about no state of the element', async () => {
  expect(names.length).toBeGreaterThan(20);
  const complaints: string[] = [];
  for (const name of names) {
    lines.length = 0;
    await page.evaluate((state) => globalThis.show(state), name);
    await page.evaluate(() => globalThis.hide());
    // What the element itself reports begins with its name.
    const more = lines.filter((line) => !ITSELF.test(line) && !line.startsWith('finix-bank-connect:'));
    complaints.push(...more.map((line) => `${name}: ${line}`));
  }
  expect(complaints).toEqual([]);
});
