import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { leaveChromium, sharedChromium } from '../helpers/launch-chromium.ts';
import { importsOf, packageFile, project } from './imports.ts';

const folder = join(project, 'dist', 'cdn');
const name = `finix-bank-connect@${packageFile.version}.js`;

function read(file: string): Buffer {
  try {
    return readFileSync(join(folder, file));
  } catch (error) {
    throw new Error('This test is about what was built. Run: npm run build', { cause: error });
  }
}

const hashOf = (code: Buffer) => `sha384-${createHash('sha384').update(code).digest('base64')}`;

test('integrity.json describes the pinned script as it is', () => {
  const { pinned } = JSON.parse(String(read('integrity.json'))) as { pinned: Record<string, unknown> };
  const code = read(name);
  expect(pinned).toMatchObject({ file: name, integrity: hashOf(code), bytes: code.length });
});

test('the pinned script imports nothing, so that its hash covers all the code that it runs', () => {
  expect(importsOf(name, String(read(name)))).toEqual([]);
});

describe('the pinned script in a browser', () => {
  /** Of scripts, in the order in which the browser asked. */
  const asked: string[] = [];
  let served: Buffer;
  let page = '';
  let shop = '';
  let browser: Browser;
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://loopback');
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Allow-Headers', '*');
    if (pathname === '/') return response.setHeader('Content-Type', 'text/html').end(page);
    if (pathname.endsWith('.js')) asked.push(pathname);
    if (pathname === `/${name}`) return response.setHeader('Content-Type', 'text/javascript').end(served);
    return response.writeHead(404).end();
  });

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    // Two names of this machine are two origins, as the merchant's page and the server are.
    shop = `http://localhost:${port}/`;
    browser = await sharedChromium();
  });
  afterAll(async () => {
    await leaveChromium(browser);
    server.closeAllConnections();
    server.close();
  });

  async function openShop(code: Buffer, integrity: string | undefined): Promise<Page> {
    served = code;
    asked.length = 0;
    const { port } = server.address() as AddressInfo;
    const attribute = integrity === undefined ? '' : `integrity="${integrity}"`;
    page = `<!doctype html><html lang="es"><title>Shop</title><finix-bank-connect></finix-bank-connect>
      <script>window.isOver = new Promise((resolve) => addEventListener('load', () => resolve(true)))</script>
      <script type="module" crossorigin ${attribute} src="http://127.0.0.1:${port}/${name}"></script>`;
    const tab = await browser.newPage();
    await tab.goto(shop);
    return tab;
  }

  const isDefined = (tab: Page) => tab.evaluate(() => customElements.get('finix-bank-connect') !== undefined);

  test('the pinned script works in every part, in another language too, and asks for no other script', async () => {
    const tab = await openShop(read(name), hashOf(read(name)));
    const element = tab.locator('finix-bank-connect');
    // The server of this test has no sessions: the error, in Spanish, needs the code that comes after the button.
    await element
      .getByText(/Vuelve a intentarlo|Inténtalo|intentar/i)
      .first()
      .waitFor();
    expect(await isDefined(tab)).toBe(true);
    expect(asked).toEqual([`/${name}`]);
    await tab.close();
  });

  const PLACES = [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1] as const;
  test.each(PLACES)('the pinned script with one byte changed at %s of its length does not run', async (place) => {
    const code = Buffer.from(read(name));
    const at = Math.round(place * (code.length - 1));
    code[at] = (code[at] ?? 0) ^ 1;
    const tab = await openShop(code, hashOf(read(name)));
    await tab.evaluate(() => (window as unknown as { isOver: Promise<boolean> }).isOver);
    expect(asked).toEqual([`/${name}`]);
    expect(await isDefined(tab)).toBe(false);
    await tab.close();
  });

  test('the pinned script with a line put before it does not run that line; without a hash it would', async () => {
    const code = Buffer.concat([Buffer.from('window.hasRun = true;\n'), read(name)]);
    const hasRun = (tab: Page) => tab.evaluate(() => 'hasRun' in window);
    const pinned = await openShop(code, hashOf(read(name)));
    await pinned.evaluate(() => (window as unknown as { isOver: Promise<boolean> }).isOver);
    expect(await hasRun(pinned)).toBe(false);
    const unpinned = await openShop(code, undefined);
    await unpinned.waitForFunction(() => 'hasRun' in window);
    await Promise.all([pinned.close(), unpinned.close()]);
  });
});
