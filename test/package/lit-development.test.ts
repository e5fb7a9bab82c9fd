import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchChromium } from '../helpers/launch-chromium.ts';
import { bundlePage } from './bundle-page.ts';
import './hosts/states-page.ts';

/** The message of Lit's build for development about itself on every page. */
const ITSELF = /Lit is in dev mode/;

let browser: Browser;
let page: Page;
const lines: string[] = [];

beforeAll(async () => {
  const script = await bundlePage('test/package/hosts/states-page.ts', { lit: 'development' });
  expect(script).toContain('change-in-update');
  browser = await launchChromium();
  page = await browser.newPage();
  page.on('console', (message) => lines.push(message.text()));
  page.on('pageerror', (error) => lines.push(String(error)));
  await page.route('http://localhost/**', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><html lang="en"><title>Shop</title>' }),
  );
  await page.goto('http://localhost/');
  await page.addScriptTag({ content: script, type: 'module' });
  await page.waitForFunction(() => globalThis.show);
});
afterAll(() => browser?.close());

test('Lit’s build for development warns about no state of the element', async () => {
  const names = (await page.evaluate('names')) as string[];
  expect(names.length).toBeGreaterThan(20);
  const complaints: string[] = [];
  for (const name of names) {
    lines.length = 0;
    await page.evaluate((state) => globalThis.show(state), name);
    // What the element itself reports begins with its name.
    const more = lines.filter((line) => !ITSELF.test(line) && !line.startsWith('finix-bank-connect:'));
    complaints.push(...more.map((line) => `${name}: ${line}`));
  }
  expect(complaints).toEqual([]);
});
