import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, Frame, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { leaveChromium, sharedChromium } from '../helpers/launch-chromium.ts';
import { session } from '../widget/helpers/simulated-backend.ts';
import { project } from './imports.ts';

const folder = join(project, 'dist', 'cdn');
const SCRIPT = '<script type="module" src="/finix-bank-connect.js"></script>';
const TAG =
  '<finix-bank-connect name="bank" client-secret="ses_1_secret_a"><a slot="fallback" href="#">Card</a></finix-bank-connect>';
// A Link that does nothing by itself.
const LINK =
  '<script>window.Plaid = { create(config) { window.link = config; return { open() {}, exit() {}, destroy() {} }; } };</script>';

/** What a merchant has written: `@` is where the tag goes. */
interface MerchantPage {
  doctype?: string;
  head?: string;
  body?: string;
  script?: string;
  headers?: Record<string, string>;
  /** What the customer or the page does before the customer presses. */
  before?(page: Page): Promise<unknown>;
}

const style = (css: string) => ({ head: `<style>${css}</style>` });

const pages: Record<string, MerchantPage> = {
  'with a variable called URL': { head: '<script>var URL = "https://shop.example/";</script>' },
  'that freezes what the language brings': {
    head: `<script>for (const one of [Object, Array, Function, Promise, Map, Set, WeakMap, Error, RegExp, Date, String, Symbol])
      { Object.freeze(one.prototype); Object.freeze(one); }</script>`,
  },
  'with enumerable names on arrays and objects': {
    head: '<script>Array.prototype.each = Object.prototype.extend = Function.prototype.delay = function () {};</script>',
  },
  'with a base elsewhere': {
    head: '<base href="https://elsewhere.example/x/">',
    script: `<script>import(location.origin + '/finix-bank-connect.js?v=1/2#a/b');</script>`,
  },
  'with two releases of the script': {
    script: `<script type="module" src="/older/finix-bank-connect.js"></script>${SCRIPT}`,
  },
  'that writes the script into itself': {
    script: `<script>document.write('<script type="module" async src="/finix-bank-connect.js"><\\/script>')</script>`,
  },
  'that requires trusted types': { headers: { 'Content-Security-Policy': "require-trusted-types-for 'script'" } },
  'in quirks mode, with unclosed tags': { doctype: '', body: '<form><table width="100%"><tr><td>@</table>' },
  'that hides what is empty': style('div:empty, p:empty, span:empty { display: none }'),
  'that unsets every style': style('* { all: unset !important }'),
  'that hides every button': style(
    'button, svg, p, div { display: none !important } form { display: block !important }',
  ),
  'with a tag that has no box': style('finix-bank-connect { display: contents }'),
  'in closed details, which the customer opens': {
    body: '<form><details><summary>Pay by bank</summary>@</details></form>',
    before: (page) => page.locator('summary').click(),
  },
  'hidden until it is found': {
    body: '<form><div hidden="until-found">@</div></form>',
    before: (page) => page.evaluate(() => document.querySelector('[hidden]')?.removeAttribute('hidden')),
  },
  'that does not draw it at first': {
    body: '<form style="content-visibility: hidden">@</form>',
    before: (page) => page.evaluate(() => document.forms[0]?.removeAttribute('style')),
  },
  'inert at first': {
    body: '<form inert>@</form>',
    before: (page) => page.evaluate(() => document.forms[0]?.removeAttribute('inert')),
  },
  'in lines from top to bottom': { body: '<form style="writing-mode: vertical-rl; height: 500px">@</form>' },
  'twice as large': { body: '<form style="zoom: 2">@</form>' },
  'for print': { before: (page) => page.emulateMedia({ media: 'print' }) },
  'from a template': {
    body: '<form></form><template>@</template>',
    before: (page) =>
      page.evaluate(() => {
        const { content } = document.querySelector('template') as HTMLTemplateElement;
        document.forms[0]?.append(content.cloneNode(true));
      }),
  },
};

/** For the page in a frame. */
const framed: Record<string, MerchantPage> = {
  button: {},
  hosted: { body: `<form>${TAG.replace('name=', 'mode="hosted" name=')}</form>` },
};

function htmlOf({ doctype = '<!doctype html>', head = '', body = '<form>@</form>', script = SCRIPT }: MerchantPage) {
  return `${doctype}<html lang="en"><head><title>Shop</title>${head}${LINK}${script}</head><body>${body.replace('@', TAG)}</body></html>`;
}

const server = createServer((request, response) => {
  const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://loopback');
  // Another release is in a folder of its own, and its API with it.
  const pathname = path.replace(/^\/older\//, '/');
  const name = searchParams.get('page') ?? '';
  const file = join(folder, pathname);
  response.setHeader('Access-Control-Allow-Origin', '*');
  response.setHeader('Access-Control-Allow-Headers', '*');
  if (pathname.startsWith('/v1/')) {
    const link = {
      link_token: 'link-sandbox-1',
      hosted_link_url: hosted,
      expires_at: new Date(Date.now() + 4 * 3_600_000).toISOString(),
      merchant: { name: 'Acme' },
      purpose: 'debit',
    };
    const isDone = pathname.endsWith('/complete');
    const answer = pathname.endsWith('/link-token')
      ? link
      : session(isDone ? 'completed' : 'open', isDone ? ['active'] : []);
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(answer));
  } else if (pathname.endsWith('.js') && existsSync(file)) {
    response.setHeader('Content-Type', 'text/javascript').end(readFileSync(file));
  } else if (pathname === '/frame') {
    const inner = `<iframe width="700" height="400" sandbox="${searchParams.get('sandbox')}" src="/?page=${name}"></iframe>`;
    response.setHeader('Content-Type', 'text/html').end(inner);
  } else {
    const page = pages[name] ?? framed[name] ?? {};
    for (const [header, value] of Object.entries(page.headers ?? {})) response.setHeader(header, value);
    response.setHeader('Content-Type', 'text/html').end(htmlOf(page));
  }
});
/** With the link tokens of a test that needs it. */
let hosted: string | undefined;

let browser: Browser;
let page: Page;
let lines: string[] = [];

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  browser = await sharedChromium();
});
afterEach(async () => {
  hosted = undefined;
  await page?.close();
});
afterAll(async () => {
  await leaveChromium(browser);
  server.closeAllConnections();
  server.close();
});

async function open(path: string): Promise<void> {
  lines = [];
  page = await browser.newPage();
  page.on('console', (message) => lines.push(message.text()));
  page.on('pageerror', (error) => lines.push(String(error)));
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
}

const statusIn = (frame: Frame) => () =>
  frame.evaluate(() => document.querySelector<HTMLElement & { status?: string }>('finix-bank-connect')?.status);

async function expectConnects(frame: Frame): Promise<void> {
  const button = frame.locator('finix-bank-connect').getByRole('button', { name: 'Connect your bank' });
  // Where the tag has no box, only the customer's approach is noticed.
  await button.hover();
  await expect.poll(statusIn(frame)).toBe('ready');
  await button.click();
  await expect.poll(statusIn(frame)).toBe('open');
  await frame.evaluate(() => {
    const { link } = globalThis as unknown as { link: { onSuccess(token: string, metadata: object): void } };
    link.onSuccess('public-sandbox-1', { accounts: [] });
  });
  await expect.poll(statusIn(frame)).toBe('connected');
  await expect.poll(() => frame.evaluate(() => new FormData(document.forms[0]).get('bank'))).toBe('con_1');
}

test.each(Object.entries(pages))('a bank is connected on a page %s', async (name, { before }) => {
  await open(`/?page=${encodeURIComponent(name)}`);
  await before?.(page);
  await expectConnects(page.mainFrame());
  expect(lines.filter((line) => /Error:|finix-bank-connect:(?! defined twice)/.test(line))).toEqual([]);
});

test('a bank is connected in a frame without an origin of its own', async () => {
  await open('/frame?page=button&sandbox=allow-scripts');
  await expectConnects(page.frames()[1] as Frame);
});

test('in a frame that lets no window open, Hosted Link ends with a sentence, and the console shows what the frame needs', async () => {
  hosted = 'https://hosted.example/link';
  await open('/frame?page=hosted&sandbox=allow-scripts');
  const frame = page.frames()[1] as Frame;
  await frame.locator('finix-bank-connect').getByRole('button').click();
  await expect.poll(statusIn(frame)).toBe('error');
  await expect.poll(() => frame.locator('[role=status]').innerText()).toContain('Try another way to pay');
  await expect.poll(() => frame.locator('[slot=fallback]').isVisible()).toBe(true);
  await expect.poll(() => lines.join('\n')).toContain('allow-popups-to-escape-sandbox');
});
