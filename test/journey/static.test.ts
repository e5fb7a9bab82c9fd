import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import type { Browser, FrameLocator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { StaticFolderError, writeStatic } from '../../demo/server/static-folder.ts';
import { leaveChromium, sharedChromium } from '../helpers/launch-chromium.ts';
import { patient } from '../helpers/patience.mjs';

/**
 * The static demo in a folder of a plain host, as on a project's page: no redirects, no rules, no headers but the type.
 */
const FOLDER = '/project/demo/';
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
};
/** Longer than the slowest scenario takes on a busy machine. */
const PATIENCE_MS = patient(30_000);

let out = '';
let host: Server;
let url = '';
let browser: Browser;

beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'finix-bank-connect-static-'));
  await writeStatic('dist/demo', out);
  host = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const path = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
    readFile(join(out, path.slice(FOLDER.length))).then(
      (content) => response.writeHead(200, { 'Content-Type': TYPES[extname(path)] ?? 'text/plain' }).end(content),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(host.address() as AddressInfo).port}${FOLDER}`;
  browser = await sharedChromium();
});

afterAll(async () => {
  await leaveChromium(browser);
  await new Promise((resolve) => host.close(resolve));
  await rm(out, { recursive: true, force: true });
});

interface Visit {
  page: Page;
  demo: FrameLocator;
  shop: FrameLocator;
  link: FrameLocator;
  complaints: string[];
}

async function visit(path = ''): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${message.text()} (${message.location().url})`);
  });
  await page.goto(url + path);
  const demo = page.frameLocator('#demo');
  const shop = demo.frameLocator('#shop');
  return { page, demo, shop, link: shop.frameLocator('iframe[title^="Plaid Link"]:visible'), complaints };
}

async function connects({ shop, link }: Visit): Promise<void> {
  await shop.locator('finix-bank-connect[status="ready"]').waitFor();
  await shop.locator('finix-bank-connect button.main').click();
  await link.getByRole('button', { name: 'Continue' }).click();
  await link.getByRole('button', { name: 'First Platypus Bank' }).click();
  await link.getByRole('button', { name: 'Sign in' }).click();
  await link.getByRole('radio', { name: 'Checking' }).check();
  await link.getByRole('button', { name: 'Continue' }).click();
  await link.getByRole('button', { name: 'Finish' }).click();
  await shop.locator('finix-bank-connect[status="connected"]').waitFor();
}

test(
  'From a plain host, then without a network: a bank is connected, charged, returned and revoked in the page',
  async () => {
    const maya = await visit();
    const { page, demo, shop, complaints } = maya;
    const hosts = new Set<string>();
    page.on('request', (request) => hosts.add(new URL(request.url()).host));
    const seesLine = (text: string | RegExp) => demo.locator('.step', { hasText: text }).first().waitFor();
    await connects(maya);
    await demo.getByText('Static, runs in this page').waitFor();
    expect(complaints).toEqual([]);
    expect([...hosts]).toEqual([new URL(url).host]);

    // Nothing answers any more, and what the page held is gone with it: all of it comes from the browser now.
    host.closeAllConnections();
    await new Promise((resolve) => host.close(resolve));
    await page.context().setOffline(true);
    await page.reload();
    await connects(maya);
    await shop.locator('.place').click();
    await shop.getByRole('heading', { name: 'Thank you, Maya.' }).waitFor();
    await seesLine(/debits \$86\.60: transfer TR/);
    await demo.getByRole('button', { name: 'R01, ' }).click();
    await shop.getByText('There was not enough money').waitFor();
    await demo.getByRole('button', { name: 'Login breaks' }).click();
    await shop.getByRole('heading', { name: 'Please sign in to your bank again' }).waitFor();
    await demo.getByRole('button', { name: 'Revoked at the bank' }).waitFor();
    expect(await demo.getByRole('button', { name: 'Repair by link' }).isEnabled()).toBe(false);
    await shop.locator('finix-bank-connect button.main').click();
    await maya.link.getByRole('button', { name: 'Continue' }).click();
    await maya.link.getByRole('button', { name: 'Sign in' }).click();
    await maya.link.getByRole('button', { name: 'Finish' }).click();
    await demo.getByRole('button', { name: 'Login breaks' }).and(demo.locator(':enabled')).waitFor();
    await demo.getByRole('button', { name: 'Revoked at the bank' }).click();
    await shop.getByRole('heading', { name: 'You ended the permission at your bank' }).waitFor();
    await demo.getByRole('button', { name: 'Next payment' }).click();
    await seesLine(/may \$86\.60 be moved\? No/);
    const lines = await demo.locator('.step .words').allInnerTexts();
    expect(lines.filter((line) => /(GET|POST|PUT) \//.test(line))).toEqual([]);

    // From page to page, with an address that can be shared.
    await demo.getByRole('link', { name: 'Playground' }).click();
    await demo.frameLocator('#shop').locator('finix-bank-connect[status="ready"]').waitFor();
    await expect.poll(() => page.url()).toBe(`${url}playground`);
    await page.reload();
    await demo.frameLocator('#shop').locator('finix-bank-connect[status="ready"]').waitFor();
    await demo.getByRole('link', { name: 'Example pages' }).click();
    await demo.getByRole('link', { name: 'Script tag' }).click();
    await demo.locator('finix-bank-connect[status="ready"]').waitFor();
  },
  patient(300_000),
);

test('A folder with files of another kind is left as it is', async () => {
  await expect(writeStatic('dist/demo', 'docs')).rejects.toThrow(StaticFolderError);
  await expect(writeStatic('dist/nowhere', out)).rejects.toThrow('npm run build');
});

test('The command explains itself, and refuses what it does not know', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['dist/demo/write-static.js', ...args], { encoding: 'utf8' });
  expect(run('--help')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('npm run demo:static -- --out folder'),
  });
  expect(run('--oot', 'x')).toMatchObject({ status: 2, stderr: expect.stringContaining('--oot') });
  expect(run('--out', 'docs')).toMatchObject({ status: 1, stderr: expect.stringContaining('Choose a new folder') });
});
