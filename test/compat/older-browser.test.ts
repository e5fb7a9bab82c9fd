import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findOldChromium } from '../helpers/chromium.mjs';
import { launchOldChromium } from '../helpers/launch-chromium.ts';
import { patient } from '../helpers/patience.mjs';
import { bundlePage } from '../package/bundle-page.ts';
import type {} from './browser-tests-page.ts';

const old = await findOldChromium();

/** What a page does around the element, and how many of the tests this browser can run at the least. */
const FILES = {
  hosts: 25,
  dialogs: 16,
  documents: 8,
  embedded: 8,
  focus: 15,
  form: 8,
  lifecycle: 15,
  natives: 8,
  'page-styles': 5,
  questions: 12,
};
// Which this browser does not have.
const NEWER = 'inside of a popover|moves the element whole';

describe.skipIf(!old)('in a browser near the support floor', () => {
  let browser: Browser;
  let script = '';
  beforeAll(async () => {
    script = await bundlePage('test/compat/browser-tests-page.ts', {
      // The test runner's own server, which is not asked for anything here.
      alias: [{ find: '/__web-dev-server__web-socket.js', replacement: 'data:text/javascript,export {}' }],
    });
    browser = await launchOldChromium(old);
  });
  afterAll(() => browser?.close());

  async function run(file: string) {
    const page = await browser.newPage({ viewport: { width: 800, height: 600 } });
    const html = '<!doctype html><html lang="en"><title>Tests</title><script type="module" src="/page.js"></script>';
    await page.route('http://localhost/**', (route) =>
      route.request().url().endsWith('.js')
        ? route.fulfill({ contentType: 'text/javascript', body: script })
        : route.fulfill({ contentType: 'text/html', body: html }),
    );
    await page.goto('http://localhost/');
    await page.waitForFunction(() => globalThis.runTestsOf);
    const outcomes = await page.evaluate((words) => runTestsOf(...words), [file, patient(10_000), NEWER] as const);
    await page.close();
    return outcomes;
  }

  for (const [file, count] of Object.entries(FILES)) {
    test(`the element passes the tests of ${file} as in browsers of today`, { timeout: patient(90_000) }, async () => {
      const outcomes = await run(file);
      expect(outcomes.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
      expect(outcomes.filter(({ outcome }) => outcome === 'passed').length).toBeGreaterThanOrEqual(count);
    });
  }

  test('a test that fails in this browser is noticed', async () => {
    const outcomes = await run('states');
    const failed = outcomes.filter(({ outcome }) => outcome === 'failed');
    expect(failed.length).toBeGreaterThan(30);
    expect(failed[0]?.cause).toContain(':state(');
  });
});
