import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { AppEnv } from '../../server/http/context.ts';
import { contractRoutes } from '../../server/http/routes/docs.ts';
import { barriersInBothSchemes, NO_BARRIERS } from '../helpers/barriers.ts';
import { leaveChromium, sharedChromium } from '../helpers/launch-chromium.ts';

const folder = join(import.meta.dirname, '../../dist/docs');
let browser: Browser;
let page: Page;
let url: string;
let server: ReturnType<typeof serve>;
const complaints: string[] = [];

beforeAll(async () => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const files = await Promise.all(
    paths.map(async (path) => [relative(folder, path).replaceAll('\\', '/'), await readFile(path)] as const),
  );
  const app = new Hono<AppEnv>();
  contractRoutes(app, { config: { publicUrl: 'http://localhost' }, version: '0', docs: { files: new Map(files) } });
  url = await new Promise((resolve) => {
    server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
      resolve(`http://127.0.0.1:${port}`),
    );
  });
  browser = await sharedChromium();
});
afterAll(async () => {
  await leaveChromium(browser);
  server?.close();
});
afterEach(async () => {
  await page?.close();
  expect(complaints.splice(0)).toEqual([]);
});

async function opens(path: string, options: { width: number; colorScheme?: 'light' | 'dark' }): Promise<void> {
  page = await browser.newPage({
    viewport: { width: options.width, height: 900 },
    colorScheme: options.colorScheme ?? 'light',
    reducedMotion: 'reduce',
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(path.startsWith('file:') ? path : url + path);
}

test('The pages of the documentation are accessible in both themes, at any width', async () => {
  for (const [path, width] of [
    ['/docs', 1280],
    ['/docs/element.html', 1280],
    ['/docs/api.html', 1280],
    ['/docs/errors.html', 390],
    ['/docs/settings.html', 390],
  ] as const) {
    await opens(path, { width, colorScheme: 'dark' });
    expect([path, await barriersInBothSchemes(page)]).toEqual([path, NO_BARRIERS]);
    await expect
      .poll(async () => [path, await page.evaluate(() => document.documentElement.scrollWidth)])
      .toEqual([path, width]);
    await page.close();
  }
});

test('A reader finds a section by a word, with the keyboard alone', async () => {
  await opens('/docs', { width: 1280 });
  await page.keyboard.press('/');
  await page.keyboard.type('idempotency-key');
  await page.locator('#results a').first().waitFor();
  await page.keyboard.press('ArrowDown');
  const address = await page.evaluate(() => (document.activeElement as HTMLAnchorElement).href);
  await page.keyboard.press('Enter');
  await page.waitForURL(address);
  expect(address).toMatch(/\/docs\/[\w-]+\.html/);
});

test('The search reports that no page has the word', async () => {
  await opens('/docs', { width: 1280 });
  await page.getByRole('searchbox').fill('xyzzyplugh');
  await page.getByText('No page mentions “xyzzyplugh”.').waitFor();
  await page.keyboard.press('Escape');
  await expect.poll(() => page.locator('#results').isVisible()).toBe(false);
});

test('The menu of a small screen opens the navigation, which leads to another page', async () => {
  await opens('/docs', { width: 390 });
  const navigation = page.getByRole('navigation', { name: 'Documentation' });
  expect(await navigation.isVisible()).toBe(false);
  await page.getByRole('button', { name: 'Menu' }).click();
  await navigation.getByRole('link', { name: 'Quickstart' }).click();
  await page.getByRole('heading', { level: 1, name: 'Quickstart' }).waitFor();
});

test('A chosen theme stays on the next page', async () => {
  await opens('/docs', { width: 1280, colorScheme: 'light' });
  await page.getByRole('button', { name: 'Dark' }).click();
  await page.goto(`${url}/docs/element.html`);
  await expect.poll(() => page.evaluate(() => document.documentElement.dataset['theme'])).toBe('dark');
});

test('The site works from a folder, without a server', async () => {
  await opens(`file://${join(folder, 'index.html')}`, { width: 1280 });
  await page.getByRole('searchbox').fill('micro-deposits');
  await page.locator('#results a').first().click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  expect(page.url()).toMatch(/^file:.*\.html/);
});
