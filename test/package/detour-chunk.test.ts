import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { leaveChromium, sharedChromium } from '../helpers/launch-chromium.ts';
import { shortenWaits } from '../helpers/shorten-waits.ts';
import { project } from './imports.ts';

const folder = join(project, 'dist', 'cdn');

/** A page with a server and a Link of its own: `finish` and `exit` are the customer. */
const pageHtml = `<!doctype html><title>Shop</title>
<script>
  const session = (status, connections = []) => ({
    session: {
      id: 'ses_1', object: 'session', status, mode: 'connect', customer_id: 'cus_1', connections, error: null,
      merchant: { name: 'Acme' }, purpose: 'debit', created_at: '', updated_at: '', expires_at: '',
    },
    retryAfter: 1,
  });
  const bank = {
    id: 'con_1', object: 'connection', status: 'active', institution: { id: null, name: 'Chase' },
    account: { name: 'Checking', mask: '1234', type: 'depository', subtype: 'checking' },
  };
  const backend = {
    createPublicSession: async () => ({ clientSecret: 'ses_1_secret_a', ...session('open') }),
    createLinkToken: async () => ({ link_token: 'link-1', expires_at: new Date(Date.now() + 4e6).toISOString() }),
    complete: async () => session('completed', [bank]),
    getSession: async () => session('open'),
  };
  let config;
  window.Plaid = { create: (given) => ((config = given), { open: () => given.onEvent('OPEN', {}), exit() {}, destroy() {} }) };
  const finish = () => config.onSuccess('public-1', { accounts: [{ id: 'acc_1' }] });
  const exit = (code) => config.onExit(code ? { error_code: code } : null, { status: 'requires_credentials' });
  const errors = [];
  addEventListener('fbc-error', (event) => errors.push(event.detail.error));
</script>
<finix-bank-connect></finix-bank-connect>
<script>document.querySelector('finix-bank-connect').backend = backend;</script>
<script type="module" src="/finix-bank-connect.js"></script>`;

let asked: string[] = [];
let isThere = true;
/** The detour, or a language, is asked for, and the connection dies. */
let hangs = /^$/;
let isSecondThere = true;
/** Keeps a page whose second chunk is missing from becoming idle, which is when the element tries again by itself. */
let letPageLoad = () => {};
const server = createServer((request, response) => {
  const { pathname, search } = new URL(request.url ?? '/', 'http://loopback');
  asked.push(pathname + search);
  if (hangs.test(pathname) && !search) return;
  if ((pathname.startsWith('/detour-') && !isThere) || (pathname.startsWith('/lazy-') && !isSecondThere && !search)) {
    response.statusCode = 503;
    response.end();
  } else if (pathname === '/') {
    response.setHeader('Content-Type', 'text/html').end(pageHtml);
  } else if (pathname === '/without-second') {
    response.setHeader('Content-Type', 'text/html').end(`${pageHtml}<img src="/late" alt="">`);
  } else if (pathname === '/late') {
    letPageLoad = () => response.end();
  } else if (pathname === '/es') {
    response.setHeader('Content-Type', 'text/html').end(pageHtml.replace('<title>', '<html lang="es"><title>'));
  } else if (pathname.endsWith('.js')) {
    response.setHeader('Content-Type', 'text/javascript').end(readFileSync(join(folder, pathname)));
  } else {
    response.statusCode = 404;
    response.end();
  }
});
const scripts = () => asked.filter((path) => path.includes('.js'));
const detours = () => asked.filter((path) => path.startsWith('/detour-'));

let browser: Browser;
let page: Page;

const status = () => page.locator('finix-bank-connect').getAttribute('status');
const button = (name: string) => page.locator('finix-bank-connect').getByRole('button', { name });

async function visit(path: string, isShort = false): Promise<void> {
  asked = [];
  page = await browser.newPage();
  if (isShort) await page.addInitScript(shortenWaits);
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, {
    waitUntil: 'domcontentloaded',
  });
}

/** A page whose customer has opened Link. */
async function expectLinkOpen(): Promise<void> {
  await visit('/');
  await expect.poll(status).toBe('ready');
  await button('Connect your bank').click();
  await expect.poll(status).toBe('open');
}

async function expectVisitWithoutSecond(): Promise<void> {
  isSecondThere = false;
  await visit('/without-second');
  await expect.poll(() => asked).toContain('/late');
  await button('Try again').waitFor();
  expect(await status()).toBe('error');
}

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  browser = await sharedChromium();
});

afterEach(async () => {
  isThere = true;
  hangs = /^$/;
  isSecondThere = true;
  letPageLoad();
  await page?.close();
});

afterAll(async () => {
  await leaveChromium(browser);
  server.closeAllConnections();
  server.close();
});

test('until a bank is connected in English, a page loads at most 20,480 bytes of script, and nothing of the detour', async () => {
  await expectLinkOpen();
  await page.evaluate('finish()');
  await expect.poll(status).toBe('connected');
  await page.locator('finix-bank-connect').getByText('Chase').first().waitFor();
  expect(detours()).toEqual([]);
  const bytes = scripts().map((path) => brotliCompressSync(readFileSync(join(folder, path))).length);
  expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(20_480);
});

test('a page in Spanish is spoken to in Spanish', async () => {
  await visit('/es');
  await button('Conectar su banco').waitFor();
});

test('Link goes on with the address that a bank’s page comes back to', async () => {
  await expectLinkOpen();
  const address = `${page.url()}?oauth_state_id=1`;
  await page.goto(address);
  await expect.poll(status).toBe('open');
  expect(await page.evaluate('[config.token, config.receivedRedirectUri]')).toEqual(['link-1', address]);
  await page.evaluate('finish()');
  await expect.poll(status).toBe('connected');
});

test('a modal dialog that keeps every click from Link is an error', async () => {
  await expectLinkOpen();
  await page.evaluate('exit()');
  await expect.poll(status).toBe('ready');
  await page.evaluate(() => {
    const dialog = document.createElement('dialog');
    document.body.append(dialog);
    dialog.append(document.querySelector('finix-bank-connect') as Element);
    dialog.showModal();
  });
  await expect.poll(status).toBe('ready');
  await button('Connect your bank').click();
  await expect.poll(status).toBe('error');
  expect(await page.evaluate('errors.map(({ code }) => code)')).toEqual(['link_covered']);
});

test('a customer who closes Link and opens it again needs nothing of the detour', async () => {
  await expectLinkOpen();
  await page.evaluate('exit()');
  await page.locator('finix-bank-connect').getByText('No bank account was connected').first().waitFor();
  await button('Connect your bank').click();
  await expect.poll(status).toBe('open');
  expect(detours()).toEqual([]);
});

test('an error of Link brings the detour, and is shown and reported with its own sentence', async () => {
  await expectLinkOpen();
  await page.evaluate(`exit('ITEM_LOCKED')`);
  await page.locator('finix-bank-connect').getByText('Your online banking access is locked').first().waitFor();
  expect(detours()).toHaveLength(1);
  await expect.poll(() => page.evaluate('errors.length')).toBe(1);
  expect(await page.evaluate('errors')).toMatchObject([
    { code: 'bank_login_locked', action: 'use_other_bank', message: expect.stringContaining('is locked') },
  ]);
  await expect.poll(status).toBe('error');
});

test('where the detour can not be fetched the customer sees an error, and connects at the next try', async () => {
  await expectLinkOpen();
  isThere = false;
  await page.evaluate(`exit('ITEM_LOCKED')`);
  await page.locator('finix-bank-connect').getByText('Something went wrong').first().waitFor();
  await expect.poll(() => page.evaluate('errors.length')).toBe(1);
  await expect.poll(() => page.evaluate('errors')).toMatchObject([{ code: 'network_failed', action: 'retry' }]);
  await button('Try again').click();
  await expect.poll(status).toBe('open');
  await page.evaluate('finish()');
  await expect.poll(status).toBe('connected');
});

test('a detour that could not be fetched is fetched under another address when it is needed again', async () => {
  await expectLinkOpen();
  isThere = false;
  await page.evaluate(`exit('ITEM_LOCKED')`);
  await page.locator('finix-bank-connect').getByText('Something went wrong').first().waitFor();
  isThere = true;
  await button('Try again').click();
  await expect.poll(status).toBe('open');
  await page.evaluate(`exit('ITEM_LOCKED')`);
  await page.locator('finix-bank-connect').getByText('Your online banking access is locked').first().waitFor();
  expect(detours().at(-1)).toMatch(/\.js\?again=\d$/);
});

test('where the detour never comes the customer sees an error after a while, and the detour at the next need', async () => {
  await expectLinkOpen();
  hangs = /^\/detour-/;
  await page.evaluate(shortenWaits);
  await page.evaluate(`exit('ITEM_LOCKED')`);
  await button('Try again').waitFor();
  await expect.poll(() => page.evaluate('errors')).toMatchObject([{ code: 'network_failed', action: 'retry' }]);
  await button('Try again').click();
  await expect.poll(status).toBe('open');
  await page.evaluate(`exit('ITEM_LOCKED')`);
  await page.locator('finix-bank-connect').getByText('Your online banking access is locked').first().waitFor();
});

test('where the texts of a language never come a bank is connected in English', async () => {
  hangs = /^\/es-/;
  await visit('/es', true);
  await expect.poll(status).toBe('ready');
  await button('Connect your bank').click();
  await expect.poll(status).toBe('open');
  await page.evaluate('finish()');
  await expect.poll(status).toBe('connected');
});

test('where the second chunk came only under another address, the detour uses that one, and no second copy of it', async () => {
  await expectVisitWithoutSecond();
  // Without a pointer on its way, which would be another reason to try again.
  await button('Try again').dispatchEvent('click');
  await expect.poll(status).toBe('open');
  await page.evaluate(`exit('ITEM_LOCKED')`);
  await page.locator('finix-bank-connect').getByText('Your online banking access is locked').first().waitFor();
  expect(detours().at(-1)).toMatch(/\.js\?retry=\d&again=\d$/);
  const [first, ...later] = asked.filter((path) => path.startsWith('/lazy-'));
  expect(first).toMatch(/\.js$/);
  expect(later.filter((path) => path === first)).toEqual([]);
});

test('a second chunk that could not be fetched is fetched again once the page is idle, and Link is prepared', async () => {
  await expectVisitWithoutSecond();
  letPageLoad();
  await expect.poll(status).toBe('ready');
  await button('Connect your bank').click();
  await expect.poll(status).toBe('open');
});
