import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { leaveChromium, sharedChromium } from '../helpers/launch-chromium.ts';
import { bundlePage } from './bundle-page.ts';
import { expectOpenOnPress, expectScript, statusIn } from './element-tab.ts';
import type { VuePage } from './hosts/vue-page.ts';

declare global {
  var vuePage: VuePage;
}

let browser: Browser;
let script = '';
let tab: Page;

beforeAll(async () => {
  script = await bundlePage('test/package/hosts/vue-page.ts');
  browser = await sharedChromium();
});
afterAll(() => leaveChromium(browser));
afterEach(() => tab?.close());

async function open(): Promise<void> {
  tab = await expectScript(browser, script, 'vuePage');
}
const status = () => statusIn(tab);
const press = () => expectOpenOnPress(tab);
const show = (change: Parameters<VuePage['show']>[0]) => tab.evaluate((change) => vuePage.show(change), change);

const switchAway = () => show({ tab: 'card' });
const switchBack = () => show({ tab: 'bank' });
const alive = () => tab.evaluate(() => vuePage.link.alive);
const renders = () => tab.evaluate(() => vuePage.renders);
const value = () => tab.evaluate(() => new FormData(document.forms[0]).get('bank'));
const expectNoWarnings = async () => expect(await tab.evaluate(() => vuePage.warnings)).toEqual([]);

test('an element in a tab that Vue keeps alive is ready again when the customer comes back to it', async () => {
  await open();
  for (let i = 0; i < 3; i++) {
    await switchAway();
    await expect.poll(alive).toBe(0);
    await expect.poll(() => tab.locator('finix-bank-connect').count()).toBe(0);
    await switchBack();
    await expect.poll(status).toBe('ready');
  }
  await press();
  await tab.evaluate(() => vuePage.link.succeed());
  await expect.poll(value).toBe('con_1');
  await expectNoWarnings();
});

test('a tab that is left while Link is being prepared prepares it again, once', async () => {
  await open();
  await tab.evaluate(() => {
    let go = () => {};
    vuePage.backend.hold = new Promise((resolve) => (go = resolve));
    Object.assign(globalThis, { go });
    document.querySelector('finix-bank-connect')?.reset();
  });
  await switchAway();
  await switchBack();
  await tab.evaluate(() => (globalThis as unknown as { go(): void }).go());
  await expect.poll(status).toBe('ready');
  await press();
  await expect.poll(alive).toBe(1);
  await expectNoWarnings();
});

test('Link goes with the tab that it was opened from, and opens again after it', async () => {
  await open();
  await press();
  await switchAway();
  await expect.poll(alive).toBe(0);
  await switchBack();
  await expect.poll(status).toBe('ready');
  await press();
  await expect.poll(() => tab.evaluate(() => [vuePage.link.alive, vuePage.link.last.opened])).toEqual([1, 1]);
  await tab.evaluate(() => vuePage.link.succeed());
  await expect.poll(status).toBe('connected');
  await expectNoWarnings();
});

test('a bank that is connecting asks for nothing in a tab that is away, and is connected when it comes back', async () => {
  await open();
  await tab.evaluate(() => vuePage.work());
  await press();
  await tab.evaluate(() => vuePage.link.succeed());
  await expect.poll(status).toBe('connecting');
  await expect.poll(() => reads()).toBeGreaterThan(1);
  await switchAway();
  const before = await reads();
  // An element that went on would have asked ten times.
  await tab.evaluate(() => new Promise((resolve) => setTimeout(resolve, 200)));
  expect(await reads()).toBe(before);
  await switchBack();
  await expect.poll(() => reads()).toBeGreaterThan(before);
  await expect.poll(status).toBe('connecting');
  await tab.evaluate(() => vuePage.finish());
  await expect.poll(value).toBe('con_1');
  await expectNoWarnings();
});
const reads = () =>
  tab.evaluate(() => vuePage.backend.calls.filter((call) => call.startsWith('getSession ses_1')).length);

test('a connected bank is connected still in a tab that comes back, without a request', async () => {
  await open();
  await press();
  await tab.evaluate(() => vuePage.link.succeed());
  await expect.poll(status).toBe('connected');
  const calls = await tab.evaluate(() => vuePage.backend.calls.length);
  await switchAway();
  await switchBack();
  await show({ isHidden: true });
  await show({ isHidden: false });
  await expect.poll(status).toBe('connected');
  await expect.poll(value).toBe('con_1');
  expect(await tab.evaluate(() => vuePage.backend.calls.length)).toBe(calls);
  await expectNoWarnings();
});

test('Link stays open while Vue renders at every event, hides the form and teleports it', async () => {
  await open();
  await press();
  // One event after the other: Vue renders once for two that come together.
  await expect.poll(renders).toBe(2);
  await tab.evaluate(() => vuePage.link.last.config.onEvent('OPEN', null));
  await expect.poll(renders).toBe(3);
  await show({ isHidden: true });
  await show({ place: '#there' });
  await show({ isHidden: false });
  await expect.poll(() => tab.locator('#there finix-bank-connect').getAttribute('status')).toBe('open');
  await expect.poll(() => tab.evaluate(() => [vuePage.link.handlers.length, vuePage.link.alive])).toEqual([1, 1]);
  await tab.evaluate(() => vuePage.link.succeed());
  await expect.poll(status).toBe('connected');
  const events = ['fbc-open', 'fbc-step', 'fbc-step', 'fbc-connected'];
  await expect.poll(() => tab.evaluate(() => vuePage.events)).toEqual(events);
  await expectNoWarnings();
});

for (const [how, move] of [
  ['teleports the form', () => show({ place: '#there' })],
  ['hides the form for a while', () => show({ isHidden: true }).then(() => show({ isHidden: false }))],
  ['keeps the form alive in another tab', () => switchAway().then(switchBack)],
] as const) {
  test(`a question is in front of the page again after Vue ${how}`, async () => {
    await open();
    await tab.evaluate(() => vuePage.ask());
    await press();
    await tab.evaluate(() => vuePage.link.succeed());
    const dialog = tab.locator('finix-bank-connect dialog:modal');
    await dialog.getByRole('radio').first().check();
    await move();
    await dialog.waitFor();
    await dialog.getByRole('button', { name: 'Use this account' }).click();
    await expect.poll(value).toBe('con_1');
    await expectNoWarnings();
  });
}
