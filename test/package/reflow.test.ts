import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leaveChromium, sharedChromium } from '../helpers/launch-chromium.ts';
import { patient } from '../helpers/patience.mjs';
import { faultsInStates, openStatesPage } from './states-page.ts';

/** WCAG 1.4.10: a window of 1,280 by 1,024 pixels at 400 %. */
const SMALLEST = { width: 320, height: 256 };

let browser: Browser;
beforeAll(async () => {
  browser = await sharedChromium();
});
afterAll(() => leaveChromium(browser));

/** In the page: what a reader with large letters can't get to without scrolling in two directions. */
function unreachable(): string[] {
  const faults: string[] = [];
  const root = document.querySelector('finix-bank-connect')?.shadowRoot as ShadowRoot;
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) faults.push(`the page is ${scrollWidth} px wide`);
  const dialog = root.querySelector('dialog');
  const scope = dialog?.open ? dialog : root;
  const scrollers = [...scope.querySelectorAll('*')].filter(
    (one) => /auto|scroll/.test(getComputedStyle(one).overflowY) && one.scrollHeight > one.clientHeight,
  );
  if (scrollers.length) faults.push(`${scrollers.length} scrolling boxes in the one that scrolls`);
  for (const control of scope.querySelectorAll('button, input, a, h2, p:not(.spoken), .text')) {
    if (!control.getClientRects().length) continue;
    control.scrollIntoView({ block: 'nearest' });
    const { left, right, top, bottom, height } = control.getBoundingClientRect();
    const name = control.textContent?.trim().slice(0, 40) || control.localName;
    if (left < 0 || right > innerWidth) faults.push(`"${name}" is outside of the window`);
    if (height <= innerHeight && (top < -1 || bottom > innerHeight + 1))
      faults.push(`"${name}" can not be scrolled to`);
    const hit = root.elementFromPoint(
      (left + right) / 2,
      Math.max(0, (Math.max(top, 0) + Math.min(bottom, innerHeight)) / 2),
    );
    if (control.matches('button, input, a') && hit && !control.contains(hit) && !hit.contains(control)) {
      faults.push(`"${name}" is covered by ${hit.className || hit.localName}`);
    }
  }
  return faults;
}

test('every state can be read and used in a window of 320 by 256 pixels', { timeout: patient(60_000) }, async () => {
  const { page, errors, names } = await openStatesPage(browser, { viewport: SMALLEST });
  const faults = await faultsInStates(page, names, () => page.evaluate(unreachable));
  await page.close();
  expect(faults).toEqual([]);
  expect(errors).toEqual([]);
});

test('a page that is wider than the window, and what does not fit into it, are noticed', async () => {
  const css = 'main { inline-size: 400px }';
  const { page } = await openStatesPage(browser, { viewport: SMALLEST, css });
  await page.evaluate(() => globalThis.show('ready'));
  const faults = await page.evaluate(unreachable);
  expect(faults).toContainEqual(expect.stringContaining('px wide'));
  expect(faults).toContainEqual(expect.stringContaining('outside of the window'));
  await page.close();
});
