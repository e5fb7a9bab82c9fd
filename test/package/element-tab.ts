import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';

/** Status of the page's one element, as styles see it. */
export function statusIn(tab: Page): Promise<string | null> {
  return tab.locator('finix-bank-connect').getAttribute('status');
}

/**
 * Opens a page of a merchant's with one element, drawn by a script, and waits for that element to be ready.
 * @param controls the global in which the script gives the test what it reads and does
 */
export async function expectScript(browser: Browser, script: string, controls: string): Promise<Page> {
  // Motion only costs time here: nothing is looked at before it stands still.
  const tab = await browser.newPage({ reducedMotion: 'reduce' });
  const body = '<!doctype html><title>Shop</title><div id="root"></div>';
  await tab.route('http://localhost/**', (route) => route.fulfill({ contentType: 'text/html', body }));
  await tab.goto('http://localhost/');
  await tab.addScriptTag({ content: script, type: 'module' });
  await tab.waitForFunction((name) => name in globalThis, controls);
  await expect.poll(() => statusIn(tab)).toBe('ready');
  return tab;
}

/** The customer presses the element's button, and Link is open: before that no test may play what happens in it. */
export async function expectOpenOnPress(tab: Page): Promise<void> {
  await tab.locator('finix-bank-connect').getByRole('button').click();
  await expect.poll(() => statusIn(tab)).toBe('open');
}
