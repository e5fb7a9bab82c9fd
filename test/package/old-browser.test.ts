import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findOldChromium } from '../helpers/chromium.mjs';
import { launchOldChromium } from '../helpers/launch-chromium.ts';
import { patient } from '../helpers/patience.mjs';
import { USABLE } from '../widget/helpers/placements.ts';
import { faultsInStates, openStatesPage } from './states-page.ts';

const old = await findOldChromium();
// As in the tests in current browsers.
const TWO_LINES = 64;

// The packaged browser runs on 64-bit Intel Linux only; OLD_CHROME_PATH can name another.
describe.skipIf(!old)('in a browser near the support floor', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchOldChromium(old);
  });
  afterAll(() => browser?.close());

  test('the browser is older than the colors and the states of today', async () => {
    expect(Number(browser.version().split('.')[0])).toBeLessThan(111);
  });

  for (const width of [240, 360]) {
    test(`every state is reached and drawn without a fault, ${width} px wide`, {
      timeout: patient(60_000),
    }, async () => {
      const { page, errors, names } = await openStatesPage(browser, { css: `main { inline-size: ${width}px }` });
      expect(names.length).toBeGreaterThan(30);
      const faults = await faultsInStates(page, names);
      await page.close();
      expect(faults).toEqual([]);
      expect(errors).toEqual([]);
    });
  }

  test('a hidden element is hidden, though the browser does not know popovers', async () => {
    const { page } = await openStatesPage(browser, { css: '' });
    await page.evaluate(() => globalThis.show('ready'));
    const displays = await page.evaluate(() => {
      const element = document.createElement('finix-bank-connect');
      document.body.append(element);
      const display = () => getComputedStyle(element).display;
      const found = [display()];
      element.hidden = true;
      found.push(display());
      element.hidden = false;
      element.setAttribute('popover', '');
      found.push(display());
      element.remove();
      return found;
    });
    await page.close();
    expect(displays).toEqual(['block', 'none', 'block']);
  });

  test('a text that can not be read and a control without a shape are noticed', async () => {
    const css = 'main { --fbc-accent: #fff; --fbc-on-accent: #ddd }';
    const { page } = await openStatesPage(browser, { css });
    const faults = await page.evaluate(() => globalThis.show('ready'));
    await page.close();
    expect(faults).toEqual([expect.stringMatching(/Connect your bank.*:1/), expect.stringContaining('no shape')]);
  });

  for (const width of [600, 240]) {
    test(`the element is usable in each of its parents, which are ${width} px wide`, {
      timeout: patient(60_000),
    }, async () => {
      const { page, errors, placements } = await openStatesPage(browser, { css: 'body { margin: 0 }' });
      expect(placements.length).toBeGreaterThanOrEqual(17);
      const faults: string[] = [];
      for (const name of placements) {
        const place = await page.evaluate(([parent, size]) => globalThis.place(parent, size), [name, width] as const);
        await page.evaluate(() => globalThis.hide());
        const { outside, overflow, buttonHeight, connected } = place;
        if (place.width < USABLE) faults.push(`${name}: ${place.width} px wide`);
        if (outside > 0.5 || overflow > 0.5) faults.push(`${name}: ${outside} px outside, ${overflow} px too wide`);
        if (buttonHeight < 44 || buttonHeight > TWO_LINES) faults.push(`${name}: a button of ${buttonHeight} px`);
        if (connected !== place.width) faults.push(`${name}: ${connected} px once connected`);
      }
      await page.close();
      expect(faults).toEqual([]);
      expect(errors).toEqual([]);
    });
  }
});
