import { readdirSync } from 'node:fs';
import type { Frame, Locator } from 'playwright-core';
import { expect, test } from 'vitest';
import { barriers, barriersInBothSchemes, NO_BARRIERS } from '../helpers/barriers.ts';
import { type Customer, journey } from './customer.ts';
import { visitsStory } from './story-page.ts';

const here = journey();

/** Into the page's own frames; that of Link is of another origin, and has tests of its own. */
const isOurs = (frame: Frame) => frame.url().startsWith(here.demo.url);
const barriersOf = ({ page }: Customer) => barriersInBothSchemes(page, isOurs);

test.each(['light', 'dark'] as const)(
  'A barrier in light colors is found there alone, in a page that was opened in %s ones',
  async (colorScheme) => {
    const { page } = await here.arrives({ colorScheme });
    await page.setContent(`<!doctype html><html lang="en"><title>Shop</title>
      <style>p { background: #fff; color: #ccc; transition: all .2s }
      @media (prefers-color-scheme: dark) { p { background: #000 } }</style><main><h1>Shop</h1><p>Pale</p></main>`);
    const found = await barriersInBothSchemes(page);
    expect(found).toEqual({ light: [expect.stringMatching(/^color-contrast: p /)], dark: [] });
  },
);

const SMALL = { width: 390, height: 844 };
const LARGE = { width: 1440, height: 900 };

test.each([LARGE, SMALL])(
  'The story has no barrier from the checkout to the revoked bank, in either color scheme: %o',
  async (viewport) => {
    const maya = await here.arrives({ colorScheme: 'dark', viewport });
    const story = await visitsStory(maya, here.demo.url);
    expect(await barriersOf(maya)).toEqual(NO_BARRIERS);
    await story.connects();
    await story.pays();
    if (viewport === SMALL) await maya.page.locator('#drawer').click();
    expect(await barriersOf(maya)).toEqual(NO_BARRIERS);
    await story.presses('Revoked at the bank');
    await story.shop.getByRole('heading', { name: 'You ended the permission at your bank' }).waitFor();
    await maya.page.locator('button.step', { hasText: 'disables' }).first().click();
    await maya.page.getByRole('dialog').getByRole('heading', { name: 'Response' }).waitFor();
    expect(await barriersOf(maya)).toEqual(NO_BARRIERS);
    await maya.page.keyboard.press('Escape');
    await maya.page.keyboard.press('?');
    await maya.page.getByRole('heading', { name: 'Keyboard shortcuts' }).waitFor();
    expect(await barriersOf(maya)).toEqual(NO_BARRIERS);
    expect(maya.complaints).toEqual([]);
  },
);

test.each(['coffee', 'rent', 'payout'])(
  'The page of the merchant %s has no barrier in either color scheme',
  async (key) => {
    const maya = await here.arrives({ colorScheme: 'dark', viewport: SMALL });
    await maya.visit(`/${key}`);
    expect(await barriersOf(maya)).toEqual(NO_BARRIERS);
  },
);

test('The playground has no barrier in either color scheme', async () => {
  const visitor = await here.arrives({ colorScheme: 'dark', viewport: SMALL });
  await visitor.page.goto(`${here.demo.url}/playground`);
  await visitor.page.frameLocator('#shop').locator('finix-bank-connect[status="ready"]').waitFor();
  expect(await barriersOf(visitor)).toEqual(NO_BARRIERS);
});

test.each([320, 390, 768, 1280])(
  'Each choice of the playground has room for its longest text on a screen of %i px',
  async (width) => {
    const visitor = await here.arrives({ viewport: { width, height: 800 } });
    await visitor.page.goto(`${here.demo.url}/playground`);
    const choices = visitor.page.locator('select');
    await expect.poll(() => choices.count()).toBeGreaterThan(5);
    const cut = await choices.evaluateAll((selects) =>
      (selects as HTMLSelectElement[]).flatMap((select) => {
        const { font, paddingLeft, paddingRight } = getComputedStyle(select);
        const text = Object.assign(document.createElement('canvas').getContext('2d') as CanvasRenderingContext2D, {
          font,
        });
        const room = select.clientWidth - Number.parseFloat(paddingLeft) - Number.parseFloat(paddingRight);
        return [...select.options]
          .map((option) => option.text)
          .filter((option) => text.measureText(option).width > room);
      }),
    );
    expect(cut).toEqual([]);
  },
);

test.each([
  ['merchant', '/', '.segments button'],
  ['snippet', '/playground', '.tabs button'],
])('In the colors of the system the chosen %s looks unlike the others', async (_name, path, buttons) => {
  const maya = await here.arrives({ forcedColors: 'active' });
  await maya.page.goto(here.demo.url + path);
  await maya.page.locator(buttons).nth(1).waitFor();
  const looks = () =>
    maya.page.locator(buttons).evaluateAll((all) => {
      const page = getComputedStyle(document.body).backgroundColor;
      return all.map((button) => {
        const { backgroundColor, color, borderBottomColor } = getComputedStyle(button);
        // What is see-through has the color of the page behind it.
        return [backgroundColor.replace(/^rgba\(.*, 0\)$/, page), color, borderBottomColor].join();
      });
    });
  await expect.poll(async () => new Set(await looks()).size).toBe(2);
  const [chosen, ...others] = await looks();
  expect(others).not.toContain(chosen);
});

test('Nothing is wider than the smallest screen', async () => {
  const maya = await here.arrives({ viewport: { width: 320, height: 640 } });
  const story = await visitsStory(maya, here.demo.url);
  const width = () => maya.page.evaluate(() => document.documentElement.scrollWidth);
  const excess = () => maya.page.locator('#behind').evaluate((one) => one.scrollWidth - one.clientWidth);
  await maya.page.locator('#drawer').click();
  await expect.poll(width).toBe(320);
  await expect.poll(excess).toBe(0);
  // Two lines of the log, at least.
  await expect.poll(() => maya.page.locator('#log').evaluate((log) => log.clientHeight)).toBeGreaterThan(60);
  await maya.page.locator('#drawer').click();
  await story.connects();
  const shop = () => story.shop.locator('html').evaluate((html) => html.scrollWidth - html.clientWidth);
  await expect.poll(shop).toBe(0);
  await expect.poll(width).toBe(320);
});

test('At 400 % zoom the page of the merchant can fill the screen, and so can what happens behind it', async () => {
  const maya = await here.arrives({ viewport: { width: 320, height: 640 } });
  const story = await visitsStory(maya, here.demo.url);
  // A window of 1280 by 1024 pixels.
  await maya.page.setViewportSize({ width: 320, height: 256 });
  const shown = (selector: string) =>
    maya.page.locator(selector).evaluate((one) => {
      one.scrollIntoView();
      const { top, bottom } = one.getBoundingClientRect();
      return Math.min(bottom, innerHeight) - Math.max(top, 0);
    });
  await expect.poll(() => shown('#shop')).toBe(256);
  await story.connects();
  await maya.page.locator('#drawer').click();
  await expect.poll(() => shown('#log')).toBe(256);
});

test('On a tablet held upright each control of the bar is on the screen', async () => {
  const maya = await here.arrives({ viewport: { width: 768, height: 1024 } });
  await visitsStory(maya, here.demo.url);
  await expect.poll(() => maya.page.evaluate(() => document.documentElement.scrollWidth)).toBe(768);
  const edge = async () => {
    const box = await maya.page.locator('#restart').boundingBox();
    return (box?.x ?? 0) + (box?.width ?? 999);
  };
  await expect.poll(edge).toBeLessThanOrEqual(768);
});

test('At 1024 by 768 the checkout, the picture and the buttons are on the screen, and no text of the story is under 18 px', async () => {
  const maya = await here.arrives({ viewport: { width: 1024, height: 768 } });
  const story = await visitsStory(maya, here.demo.url);
  await story.connects();
  for (const seen of [
    story.shop.getByRole('button', { name: /^Place order/ }),
    maya.page.locator('#picture'),
    maya.page.locator('#later'),
  ]) {
    const bottom = async () => {
      const box = await seen.boundingBox();
      return (box?.y ?? 0) + (box?.height ?? 999);
    };
    await expect.poll(bottom).toBeLessThanOrEqual(768);
  }
  const sizesIn = (part: Locator) =>
    part.evaluate((whole) =>
      [...whole.querySelectorAll('*')]
        .filter(
          (one) =>
            one.checkVisibility() &&
            [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim()),
        )
        .map((one) => Number.parseFloat(getComputedStyle(one).fontSize)),
    );
  const sizes = [...(await sizesIn(maya.page.locator('body'))), ...(await sizesIn(story.shop.locator('body')))];
  expect(sizes.length).toBeGreaterThan(10);
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(18);
});

test('The chosen colors stay over pages, and the frame has them too', async () => {
  const maya = await here.arrives({ colorScheme: 'light' });
  const story = await visitsStory(maya, here.demo.url);
  const scheme = () => maya.page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
  const inside = () => story.shop.locator('html').evaluate((html) => getComputedStyle(html).colorScheme);
  const kept = maya.page.waitForResponse(/api\/theme/);
  await maya.page.getByRole('button', { name: 'Switch to dark colors' }).click();
  await kept;
  await expect.poll(async () => [await scheme(), await inside()]).toEqual(['dark', 'dark']);
  await maya.page.reload();
  await expect.poll(scheme).toBe('dark');
});

test('An example page that asks for dark colors is dark on a light system', async () => {
  const maya = await here.arrives({ colorScheme: 'light' });
  await maya.visit('/pages/dark.html');
  const red = () =>
    maya.page.evaluate(() => Number(getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g)?.[0] ?? 255));
  await expect.poll(red).toBeLessThan(80);
  expect(await barriers(maya.page, isOurs)).toEqual([]);
});

const pages = readdirSync('demo/pages').filter((name) => name.endsWith('.html'));
test.each(pages)('The example page %s has no barrier in either color scheme', async (name) => {
  const visitor = await here.arrives({ colorScheme: 'dark', viewport: SMALL });
  await visitor.page.goto(`${here.demo.url}/pages/${name}`);
  if (name !== 'index.html') await visitor.sees('ready');
  expect(await barriersOf(visitor)).toEqual(NO_BARRIERS);
});
