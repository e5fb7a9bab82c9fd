import { readdirSync } from 'node:fs';
import axe from 'axe-core';
import { expect, test } from 'vitest';
import { type Customer, journey } from './customer.ts';

const here = journey();

/** What automatic rules find; they look into the element, too. */
async function barriers({ page }: Customer): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }),
  );
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
}

const SMALL = { width: 360, height: 740 };
const LARGE = { width: 1440, height: 900 };

test.each([
  ['light', LARGE],
  ['dark', LARGE],
  ['light', SMALL],
  ['dark', SMALL],
] as const)('The checkout and its receipt have no barrier: %s, %o', async (colorScheme, viewport) => {
  const maya = await here.arrives({ colorScheme, viewport, reducedMotion: 'reduce' });
  await maya.visit();
  expect(await barriers(maya)).toEqual([]);
  await maya.connects();
  await maya.sees('connected');
  expect(await barriers(maya)).toEqual([]);
  await maya.placesOrder();
  await maya.page.getByRole('heading', { name: 'Thank you' }).waitFor();
  expect(await barriers(maya)).toEqual([]);
});

test('Nothing is wider than the smallest screen', async () => {
  const maya = await here.arrives({ viewport: { width: 320, height: 640 } });
  await maya.visit();
  await maya.page.getByText('Behind the page').click();
  const width = () => maya.page.evaluate(() => document.documentElement.scrollWidth);
  expect(await width()).toBe(320);
  await maya.opensLink();
  await maya.agrees();
  const excess = maya.link.locator('.pane').evaluate((pane) => pane.scrollWidth - pane.clientWidth);
  expect(await excess).toBe(0);
  await maya.leavesLink();
  await maya.sees('ready');
  await maya.connects();
  await maya.sees('connected');
  expect(await width()).toBe(320);
});

test('The list of what happens scrolls under its heading', async () => {
  const maya = await here.arrives({ viewport: LARGE });
  await maya.visit();
  await maya.connects();
  await maya.sees('connected');
  const panel = maya.page.locator('.panel');
  await expect.poll(() => panel.evaluate(({ scrollTop }) => scrollTop)).toBeGreaterThan(100);
  const heading = await maya.page.getByRole('heading', { name: 'What happens' }).boundingBox();
  const top = (await panel.boundingBox())?.y ?? Number.NaN;
  expect(heading?.y).toBeGreaterThan(top);
  expect(await maya.page.getByRole('heading', { name: 'What happens' }).isVisible()).toBe(true);
});

test('The chosen colors stay over pages', async () => {
  const maya = await here.arrives({ colorScheme: 'light' });
  await maya.visit();
  await maya.page.getByRole('button', { name: 'Dark' }).click();
  const scheme = () => maya.page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
  expect(await scheme()).toBe('dark');
  await maya.page.reload();
  expect(await scheme()).toBe('dark');
});

test('A scenario shows what to type, and restarting begins with nothing', async () => {
  const maya = await here.arrives();
  await maya.visit();
  await maya.page.getByRole('combobox', { name: 'Try a scenario' }).selectOption({ label: 'Bank is down' });
  expect(await maya.page.locator('#username').textContent()).toBe('user_bank_down');
  await maya.connects();
  await maya.sees('connected');
  await maya.page.getByRole('button', { name: 'Restart' }).click();
  await maya.sees('ready');
});

test('The language picker has every language of the element, and the element speaks each', async () => {
  const maya = await here.arrives();
  await maya.visit();
  const picker = maya.page.getByLabel('Language of the element');
  const offered = await picker
    .locator('option')
    .evaluateAll((all) => all.map((one) => (one as HTMLOptionElement).value));
  const files = readdirSync('widget/i18n').flatMap((file) => /^([a-z]{2})\.ts$/.exec(file)?.[1] ?? []);
  expect([...offered].sort()).toEqual(files.sort());
  const button = maya.element.locator('button.main');
  const english = await button.textContent();
  for (const language of offered.filter((one) => one !== 'en')) {
    await picker.selectOption(language);
    await expect.poll(() => button.textContent()).not.toBe(english);
    await picker.selectOption('en');
    await expect.poll(() => button.textContent()).toBe(english);
  }
});
