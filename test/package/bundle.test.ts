import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LANGUAGES } from '../../widget/i18n/languages.ts';
import { leaveChromium, sharedChromium } from '../helpers/launch-chromium.ts';
import { importsOf, packageFile, project } from './imports.ts';

const folder = join(project, 'dist', 'cdn');
const entry = 'finix-bank-connect.js';

function read(file: string): string {
  try {
    return readFileSync(join(folder, file), 'utf8');
  } catch (error) {
    throw new Error('This test is about what was built. Run: npm run build', { cause: error });
  }
}

/** The script and everything it loads, at once or later. */
const scripts = () => readdirSync(folder).filter((file) => file.endsWith('.js'));

/**
 * Words that must never reach a customer's browser. A word names what leaked; a size would only show that something
 * did.
 */
const forbidden: readonly (readonly [word: string, reason: string])[] = [
  ['PLAID_SECRET', 'a setting of the server'],
  ['PLAID_CLIENT_ID', 'a setting of the server'],
  ['FINIX_', 'settings of the server'],
  ['MERCHANT_API_KEY', 'the key to every connection'],
  ['ENCRYPTION_KEY', 'the key to the storage'],
  ['access_token', 'only the server ever has one'],
  ['processor', 'processor tokens live in the memory of the server'],
  ['public_token/exchange', 'the exchange is the task of the server'],
  ['payments-api.com', 'the page does not talk to Finix'],
  ['finix.sandbox', 'the page does not talk to Finix'],
  ['finixpayments', 'the page does not talk to Finix'],
  ['sandbox.plaid.com', 'the page talks to Plaid through its script only'],
  ['production.plaid.com', 'the page talks to Plaid through its script only'],
  ['Simulator', 'the simulator is for development'],
  ['zod', 'a dependency of the server'],
  ['hono', 'a dependency of the server'],
  ['kysely', 'a dependency of the server'],
  ['process.env', 'there is no process in a page'],
  ['node:', 'a module of Node'],
  ['data:video', 'a .ts file taken for a film: write the URL so that the bundler leaves it alone'],
];

test.each(forbidden)('no script for the page contains "%s" (%s)', (word) => {
  expect(scripts().filter((file) => read(file).includes(word))).toEqual([]);
});

test('the scripts import nothing from elsewhere', () => {
  const specifiers = scripts().flatMap((file) => importsOf(file, read(file)).map(({ specifier }) => specifier));
  const own = scripts().map((file) => `./${file}`);
  // Two addresses are computed: that of a language, and that of the second chunk where the third one asks for it.
  expect(specifiers.filter((specifier) => !own.includes(specifier ?? ''))).toEqual([undefined, undefined]);
  const [detour = ''] = scripts().filter((file) => file.startsWith('detour-'));
  const [, lazy] = /await\W+import\(`\.\/([\w-]+\.js)\$\{/.exec(read(detour)) ?? [];
  expect(scripts()).toContain(lazy);
  const [first = ''] = [...firstLoad()].filter((file) => file.startsWith('element'));
  const [, hash] = /import\(`\.\/\$\{\w+\}-([\w-]+)\.js`\)/.exec(read(first)) ?? [];
  const files = LANGUAGES.filter((tag) => tag !== 'en').map((tag) => `./${tag}-${hash}.js`);
  expect(own).toEqual(expect.arrayContaining(files));
});

/** The script with what it imports at once: all that must arrive before a button shows. */
function firstLoad(file = entry, seen = new Set<string>()): Set<string> {
  seen.add(file);
  for (const { specifier, dynamic } of importsOf(file, read(file))) {
    const imported = specifier?.replace('./', '');
    if (imported && !dynamic && !seen.has(imported)) firstLoad(imported, seen);
  }
  return seen;
}

const brotli = (file: string) => brotliCompressSync(read(file)).length;
const sum = (files: Iterable<string>) => [...files].reduce((bytes, file) => bytes + brotli(file), 0);

test('what a page loads before the button shows, Lit included, is at most 10 kB brotli', () => {
  expect(sum(firstLoad())).toBeLessThanOrEqual(10_240);
});

test('what a page loads until a bank is connected in English is at most 20,480 bytes brotli', () => {
  const later = scripts().filter((file) => file.startsWith('lazy-'));
  expect(later).toHaveLength(1);
  expect(sum([...firstLoad(), ...later])).toBeLessThanOrEqual(20_480);
});

test('a language costs a page that speaks it at most 1,200 bytes brotli', () => {
  const languages = scripts().filter((file) => /^[a-z]{2}-/.test(file));
  expect(languages.map((file) => file.slice(0, 2)).sort()).toEqual(LANGUAGES.filter((tag) => tag !== 'en').sort());
  const sizes = languages.map((file) => [file, brotli(file)] as const);
  expect(sizes.filter(([, bytes]) => bytes > 1_200)).toEqual([]);
});

test('integrity.json describes the script as it is', () => {
  const facts = JSON.parse(read('integrity.json')) as Record<string, unknown>;
  const code = read(entry);
  expect(facts).toMatchObject({
    file: entry,
    version: packageFile.version,
    bytes: Buffer.byteLength(code),
    brotli_bytes: brotliCompressSync(code).length,
  });
});

describe('in a browser', () => {
  // The folder represents a host that serves more than this.
  const prefix = '/pay/';
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://loopback');
    asked.push(`${request.method} ${url.pathname}`);
    const file = url.pathname.slice(prefix.length);
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Allow-Headers', '*');
    if (url.pathname.startsWith(prefix) && scripts().includes(file)) {
      response.setHeader('Content-Type', 'text/javascript').end(read(file));
    } else if (url.pathname === '/') {
      response.setHeader('Content-Type', 'text/html').end(page);
    } else {
      response.statusCode = 404;
      response.end();
    }
  });
  let browser: Browser;
  let page = '';
  let shop = '';

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    // Two names of this machine are two origins, as the merchant's page and the server are.
    shop = `http://localhost:${port}/`;
    page = `<!doctype html><title>Shop</title><finix-bank-connect></finix-bank-connect>
      <script type="module" crossorigin src="http://127.0.0.1:${port}${prefix}${entry}"></script>`;
    browser = await sharedChromium();
  });

  afterAll(async () => {
    await leaveChromium(browser);
    server.closeAllConnections();
    server.close();
  });

  test('the built script registers the element, shows its button and takes its own folder for the server', async () => {
    const tab = await browser.newPage();
    const errors: Error[] = [];
    tab.on('pageerror', (error) => errors.push(error));
    const session = tab.waitForRequest(
      (request) => request.url().endsWith('/v1/sessions') && request.method() === 'POST',
    );
    await tab.goto(shop);
    await tab.waitForFunction(() => customElements.get('finix-bank-connect') !== undefined);
    await tab.locator('finix-bank-connect').getByRole('button').first().waitFor();
    expect(new URL((await session).url()).pathname).toBe(`${prefix}v1/sessions`);
    expect(errors).toEqual([]);
    expect(asked).toContain(`GET ${prefix}${entry}`);
  });
});
