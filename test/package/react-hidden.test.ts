import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { leaveChromium, sharedChromium } from '../helpers/launch-chromium.ts';
import { bundlePage } from './bundle-page.ts';
import { expectOpenOnPress, expectScript, statusIn } from './element-tab.ts';
import { project } from './imports.ts';
import type { HiddenPage } from './react/hidden-page.ts';

declare global {
  var hiddenPage: HiddenPage;
}

const versions = [
  { major: 19, from: join(project, 'node_modules') },
  { major: 18, from: join(project, 'test', 'package', 'frameworks', 'compilers', 'node_modules') },
];

let browser: Browser;
beforeAll(async () => {
  browser = await sharedChromium();
});
afterAll(() => leaveChromium(browser));

describe.each(versions)('in React $major', ({ major, from }) => {
  let script = '';
  let tab: Page;
  beforeAll(async () => {
    script = await bundlePage('test/package/react/hidden-page.ts', {
      alias: [{ find: /^(react|react-dom)(?=\/|$)/, replacement: join(from, '$1') }],
    });
  });
  afterEach(() => tab?.close());

  async function open(): Promise<void> {
    tab = await expectScript(browser, script, 'hiddenPage');
  }
  const element = () => tab.locator('finix-bank-connect');
  const status = () => statusIn(tab);
  const isVisible = () => element().isVisible();
  const press = () => expectOpenOnPress(tab);
  const value = () => tab.evaluate(() => new FormData(document.forms[0]).get('bank'));
  const events = () => tab.evaluate(() => hiddenPage.events);

  const expectNoWarnings = async () => expect(await tab.evaluate(() => hiddenPage.warnings)).toEqual([]);

  test('an element that React has removed calls no handler any more', async () => {
    await open();
    await tab.evaluate(() => {
      let answer = (_: never) => {};
      hiddenPage.backend.completeAnswers.push(new Promise<never>((resolve) => (answer = resolve)));
      const element = document.querySelector('finix-bank-connect') as HTMLElement;
      Object.assign(globalThis, { answer: () => answer(hiddenPage.completed as never), element });
    });
    await press();
    await tab.evaluate(() => hiddenPage.link.succeed());
    await expect.poll(status).toBe('connecting');
    await tab.evaluate(() => hiddenPage.unmount());
    await expect.poll(() => element().count()).toBe(0);
    const late = await tab.evaluate(async () => {
      const { answer, element } = globalThis as unknown as { answer(): void; element: HTMLElement };
      const connected = new Promise((resolve) => element.addEventListener('fbc-connected', resolve));
      answer();
      await connected;
      return hiddenPage.events;
    });
    expect(late).toEqual(['fbc-open', 'fbc-step']);
  });

  test(`the page really runs React ${major}`, async () => {
    expect(script).toContain(`"${major}.`);
    await open();
    expect(await tab.evaluate(() => hiddenPage.hasActivity)).toBe(major > 18);
  });

  /** What React does with a part of the page, and how it is undone. */
  const ways: [name: string, hide: () => Promise<void>, show: () => Promise<void>][] = [
    ['suspends', () => tab.evaluate(() => hiddenPage.suspend()), () => tab.evaluate(() => hiddenPage.resume())],
  ];
  if (major > 18) {
    ways.push([
      'hides as an Activity',
      () => tab.evaluate(() => hiddenPage.hide(true)),
      () => tab.evaluate(() => hiddenPage.hide(false)),
    ]);
  }

  for (const [name, hide, show] of ways) {
    test(`Link that is open stays open, and the page learns of the bank, while React ${name} the form`, async () => {
      await open();
      await press();
      await hide();
      await expect.poll(isVisible).toBe(false);
      await expect.poll(status).toBe('open');
      await tab.evaluate(() => hiddenPage.link.succeed());
      await expect.poll(status).toBe('connected');
      await expect.poll(events).toEqual(['fbc-open', 'fbc-step', 'fbc-connected']);
      await show();
      await expect.poll(isVisible).toBe(true);
      await expect.poll(status).toBe('connected');
      await expect.poll(value).toBe('con_1');
      await expect
        .poll(() => tab.evaluate(() => [hiddenPage.link.handlers.length, hiddenPage.backend.tokens]))
        .toEqual([1, 1]);
      await expectNoWarnings();
    });

    test(`a connected bank stays, and each event comes once, after React ${name} the form three times`, async () => {
      await open();
      for (let i = 0; i < 3; i++) {
        await hide();
        await expect.poll(isVisible).toBe(false);
        await show();
        await expect.poll(isVisible).toBe(true);
      }
      await expect.poll(status).toBe('ready');
      await press();
      await tab.evaluate(() => hiddenPage.link.succeed());
      await expect.poll(events).toEqual(['fbc-open', 'fbc-step', 'fbc-connected']);
      await hide();
      await expect.poll(isVisible).toBe(false);
      await show();
      await expect.poll(isVisible).toBe(true);
      await expect.poll(status).toBe('connected');
      await expect.poll(value).toBe('con_1');
      await expectNoWarnings();
    });
  }
});
