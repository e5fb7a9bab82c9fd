import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { leaveChromium, sharedChromium } from '../helpers/launch-chromium.ts';
import { patient } from '../helpers/patience.mjs';
import { shortenWaits } from '../helpers/shorten-waits.ts';
import { project } from './imports.ts';

const folder = join(project, 'dist', 'cdn');
// Far below the window: only a quiet moment, and not the customer's approach, can be why something is fetched.
const far = `<div style="block-size: 5000px"></div>`;
const script = `<script type="module" src="/finix-bank-connect.js"></script>`;

let asked: string[] = [];
let coreIsThere = true;
/** The chunk is asked for, and the connection dies. */
let coreHangs = false;
/** What the chunk does instead of its work. */
let fault = '';
const server = createServer((request, response) => {
  const { pathname, search } = new URL(request.url ?? '/', 'http://loopback');
  asked.push(pathname + search);
  const isCore = pathname.startsWith('/lazy-');
  if (isCore && coreHangs && !search) return;
  if (isCore && !coreIsThere) {
    response.statusCode = 503;
    response.end();
  } else if (pathname === '/near' || pathname === '/far') {
    const space = pathname === '/far' ? far : '';
    response.setHeader('Content-Type', 'text/html');
    response.end(`<!doctype html><title>Shop</title>${space}<finix-bank-connect></finix-bank-connect>${script}`);
  } else if (isCore && fault) {
    response.setHeader('Content-Type', 'text/javascript').end(fault);
  } else if (pathname.endsWith('.js')) {
    response.setHeader('Content-Type', 'text/javascript').end(readFileSync(join(folder, pathname)));
  } else if (!pathname.startsWith('/v1/')) {
    response.statusCode = 404;
    response.end();
  }
  // A request to the server is left without an answer: here it only counts that it was made.
});
const cores = () => asked.filter((path) => path.startsWith('/lazy-'));
const requests = () => asked.filter((path) => path.startsWith('/v1/'));

let browser: Browser;
let page: Page | undefined;

async function open(path: string, prepare: (page: Page) => unknown = () => {}): Promise<Page> {
  asked = [];
  page = await browser.newPage();
  await prepare(page);
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
  return page;
}

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  browser = await sharedChromium();
});

afterEach(async () => {
  coreIsThere = true;
  coreHangs = false;
  fault = '';
  await page?.close();
});

afterAll(async () => {
  await leaveChromium(browser);
  server.closeAllConnections();
  server.close();
});

test('the rest of the script is fetched in a quiet moment, and nothing else is, however far the customer is', async () => {
  await open('/far');
  await expect.poll(cores).toHaveLength(1);
  expect(requests()).toEqual([]);
  const tags = await page?.evaluate(() =>
    [...document.scripts].map((one) => one.src).filter((src) => /plaid/.test(src)),
  );
  expect(tags).toEqual([]);
});

test('where the rest can not be fetched in a quiet moment no error is shown, and the approach tries again', async () => {
  coreIsThere = false;
  const tab = await open('/far');
  await expect.poll(cores).toHaveLength(1);
  const element = tab.locator('finix-bank-connect');
  await tab.evaluate(() => new Promise(requestAnimationFrame));
  expect(await element.getAttribute('status')).toBe('loading');
  coreIsThere = true;
  await element.scrollIntoViewIfNeeded();
  await expect.poll(requests).toContain('/v1/sessions');
  expect(cores()).toHaveLength(2);
});

test('where the rest can not be fetched when it is needed, the customer sees an error and can really try again', async () => {
  coreIsThere = false;
  const tab = await open('/near');
  const element = tab.locator('finix-bank-connect');
  await element.getByText('Something went wrong').first().waitFor();
  await expect.poll(() => element.getAttribute('status')).toBe('error');
  coreIsThere = true;
  const again = element.getByRole('button', { name: 'Try again' });
  // A try that the page makes by itself in a quiet moment may be about to fail, and this press with it.
  const press = async () => {
    if ((await element.getAttribute('status')) === 'error') await again.click({ timeout: patient(1_000) });
    return requests();
  };
  await expect.poll(press).toContain('/v1/sessions');
  // Under another address, because a browser may remember the failure of the first.
  const [first, ...later] = cores();
  expect(first).toMatch(/\.js$/);
  expect(later.at(-1)).toMatch(/\.js\?retry=\d$/);
});

test('where the rest never comes, the customer sees an error after a while, and can really try again', async () => {
  coreHangs = true;
  const tab = await open('/near', (one) => one.addInitScript(shortenWaits));
  const element = tab.locator('finix-bank-connect');
  await element.getByText('Something went wrong').first().waitFor();
  await expect.poll(() => element.getAttribute('status')).toBe('error');
  const error = await element.evaluate((one) => (one as HTMLElement & { error: object }).error);
  expect(error).toMatchObject({ code: 'network_failed', action: 'retry' });
  await element.getByRole('button', { name: 'Try again' }).click();
  await expect.poll(requests).toContain('/v1/sessions');
  expect(cores().at(-1)).toMatch(/\.js\?retry=\d$/);
});

test.each([
  ['throws', "throw new TypeError('Cannot import the fetched module')"],
  ['has a fault', "undefined.fetch('module')"],
  ['is cut off', 'export class ElementCore {'],
])(
  'where the rest arrives and %s, the fault is not taken for the network’s, and there is nothing to press',
  async (_, code) => {
    fault = code;
    const lines: string[] = [];
    const tab = await open('/near', (one) => one.on('console', (message) => lines.push(message.text())));
    const element = tab.locator('finix-bank-connect');
    await expect.poll(() => element.getAttribute('status')).toBe('error');
    const error = await element.evaluate((one) => (one as HTMLElement & { error: object }).error);
    expect(error).toMatchObject({
      code: 'internal_error',
      action: 'contact_merchant',
      retryable: false,
      message: 'Something went wrong. Please reload this page.',
    });
    await element.getByText('Something went wrong. Please reload this page.').first().waitFor();
    await expect.poll(() => element.getByRole('button').count()).toBe(0);
    await expect.poll(() => lines.join('\n')).toMatch(/finix-bank-connect: could not start \w*Error/);
  },
);
