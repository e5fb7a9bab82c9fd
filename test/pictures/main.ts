import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { startDemo } from '../../demo/start-demo.ts';
import { chromiumArgs, findChromium } from '../helpers/chromium.mjs';
import { Customer } from '../journey/customer.ts';
import { type StoryPage, visitsStory } from '../journey/story-page.ts';
import { animate, type Frame } from './animate.ts';

/**
 * The pictures of the README and the documents, taken from the real demo: `npm run pictures` writes them to
 * docs/pictures. A picture of a page that has changed is taken again, never edited.
 */
const folder = join(import.meta.dirname, '..', '..', 'docs', 'pictures');
const WIDE = { width: 1280, height: 720 };
/** Of the animation, which has several frames. */
const MOVING = { width: 1100, height: 640 };
const PHONE = { width: 390, height: 844 };
/** Reading time of a frame of the animation. */
const FRAME_MS = 1_800;

const found = await findChromium();
const browser = await chromium.launch({
  executablePath: found.path,
  args: [...chromiumArgs],
  env: { ...process.env, ...found.env } as Record<string, string>,
  chromiumSandbox: false,
});
const demo = await startDemo();

async function open(viewport: typeof WIDE, colorScheme: 'light' | 'dark'): Promise<Page> {
  const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce' });
  return context.newPage();
}

async function save(name: string, picture: Uint8Array): Promise<void> {
  await writeFile(join(folder, `${name}.png`), picture);
  console.log(`docs/pictures/${name}.png  ${Math.round(picture.length / 1024)} kB`);
}

/** Nothing is lit any more, so that the same picture comes out each time. */
async function settles(page: Page): Promise<void> {
  await page.locator('#picture:not(:has(.live, .failed))').waitFor({ state: 'attached' });
}

/** The story, with a picture after each step. */
async function journey(page: Page, story: StoryPage): Promise<Frame[]> {
  const frames: Frame[] = [];
  const take = async () => {
    frames.push({ png: await page.screenshot(), ms: FRAME_MS });
  };
  await settles(page);
  await take();
  await story.shop.locator('finix-bank-connect button.main').click();
  await story.link.getByRole('heading', { name: 'Connect your bank' }).waitFor();
  await take();
  await story.link.getByRole('button', { name: 'Continue' }).click();
  await story.link.getByRole('button', { name: 'First Platypus Bank' }).click();
  await story.link.getByRole('heading', { name: 'Sign in to' }).waitFor();
  await take();
  await story.link.getByRole('button', { name: 'Sign in' }).click();
  await story.link.getByRole('radio', { name: 'Checking' }).check();
  await take();
  await story.link.getByRole('button', { name: 'Continue' }).click();
  await story.link.getByRole('button', { name: 'Finish' }).click();
  await story.shop.locator('finix-bank-connect[status="connected"]').waitFor();
  await take();
  await story.pays();
  await story.seesLine('debits');
  await take();
  await story.presses('Revoked at the bank');
  await story.shop.getByRole('heading', { name: 'You ended the permission' }).waitFor();
  await story.seesLine('debits are stopped');
  await take();
  return frames;
}

try {
  await mkdir(folder, { recursive: true });
  const light = await open(MOVING, 'light');
  const frames = await journey(light, await visitsStory(new Customer(light, demo.url), demo.url));
  await save('journey', animate(frames));

  const dark = await open(WIDE, 'dark');
  const story = await visitsStory(new Customer(dark, demo.url), demo.url);
  await story.connects();
  await story.pays();
  await story.seesLine('debits');
  await settles(dark);
  await save('story-dark', await dark.screenshot());
  await dark.locator('button.step', { hasText: 'payment instrument PI' }).first().click();
  await save('call', await dark.locator('#exchange').screenshot());

  const bench = await open(WIDE, 'light');
  await bench.goto(`${demo.url}/playground?accent=%235b2a86&radius=6&host=utility`);
  await bench.frameLocator('#shop').locator('finix-bank-connect[status="ready"]').waitFor();
  await save('playground', await bench.screenshot());

  const phone = await open(PHONE, 'light');
  await visitsStory(new Customer(phone, demo.url), demo.url, '/#rent');
  await settles(phone);
  await save('phone', await phone.screenshot());
} finally {
  await browser.close();
  await demo.close();
}
