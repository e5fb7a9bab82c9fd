import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launchChromium } from '../helpers/launch-chromium.ts';
import { patient } from '../helpers/patience.mjs';
import { project } from './imports.ts';

const folder = join(project, 'dist', 'cdn');

/** Records whenever the page is shown whether the browser had kept it. */
const watch = `<script>shown = []; addEventListener('pageshow', ({ persisted }) => shown.push(persisted));</script>`;

/**
 * A shop with a server and a Link that follow the page's `turn`; everything in the page, so that nothing outside of it
 * can hold an element.
 */
const shop = `<!doctype html><title>Shop</title><main></main>
<script>
  let open = 0;
  globalThis.Plaid = { create: (config) => ({ open() { open++; turn.link = config; }, exit() {}, destroy() { open--; } }) };
  const session = (status, connections = []) => ({ session: { status, connections, error: null, mode: 'connect' }, retryAfter: 0.05 });
  globalThis.turn = { status: 'completed', read: 'open', life: 3600000, tokens: 0, reads: 0 };
  globalThis.backend = {
    createPublicSession: async () => ({ clientSecret: 'ses_1_secret_a', session: {} }),
    createLinkToken: async () => ({ link_token: 'link-' + ++turn.tokens, expires_at: new Date(Date.now() + turn.life).toISOString() }),
    complete: async () => session(turn.status, turn.status === 'completed' ? [{ id: 'con_1', status: 'active', institution: {}, account: {} }] : []),
    getSession: async () => (turn.reads++, session(turn.read)),
  };
  globalThis.mount = () => {
    const element = document.createElement('finix-bank-connect');
    element.backend = backend;
    document.querySelector('main').append(element);
    return element;
  };
  globalThis.reach = async (element, status) => {
    while (element.status !== status) await new Promise((resolve) => setTimeout(resolve, 5));
  };
</script>
${watch}
<script type="module" src="/finix-bank-connect.js"></script>`;

type Element = import('../../widget/index.ts').FinixBankConnect;

declare global {
  var turn: {
    status: string;
    read: string;
    life: number;
    tokens: number;
    reads: number;
    link?: { onSuccess(token: string, metadata: object): void };
  };
  var shown: boolean[];
  function mount(): Element;
  function reach(element: Element, status: string): Promise<void>;
}

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://loopback');
  // Under /older/ is another copy of the same script, as an older release on the same page would.
  const file = pathname.replace(/^\/older\//, '/');
  if (file.endsWith('.js')) response.setHeader('Content-Type', 'text/javascript').end(readFileSync(join(folder, file)));
  else
    response
      .setHeader('Content-Type', 'text/html')
      .end(pathname === '/' ? shop : `<!doctype html><title>Elsewhere</title>${watch}`);
});
const address = (path = '/') => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;

let browser: Browser;
let page: Page;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Playwright turns off what the test of it is about.
  browser = await launchChromium(['--js-flags=--expose-gc'], { ignoreDefaultArgs: ['--disable-back-forward-cache'] });
});

afterEach(() => page?.close());

afterAll(async () => {
  await browser?.close();
  server.closeAllConnections();
  server.close();
});

async function visit(): Promise<void> {
  page = await browser.newPage();
  await page.goto(address());
  await page.waitForFunction(() => customElements.get('finix-bank-connect'));
}

async function leaveAndReturn(): Promise<void> {
  await page.goto(address('/elsewhere'));
  // A page that was kept does not load again.
  await page.goBack({ waitUntil: 'commit' });
  await page.waitForFunction(() => globalThis.shown?.length);
}

/** Whether the browser has kept the page in the meantime, which no browser promises. */
async function isKeptMeanwhile(): Promise<boolean> {
  await page.evaluate(() => {
    shown.length = 0;
  });
  await leaveAndReturn();
  return page.evaluate(() => shown[0] === true);
}

/** A browser without windows may keep no page at all, not even an empty one. */
async function keepsPages(): Promise<boolean> {
  page = await browser.newPage();
  await page.goto(address('/empty'));
  const isKept = await isKeptMeanwhile();
  await page.close();
  return isKept;
}

/**
 * Mounts an element, brings it to a state and removes it, this many times, and expects all of them to be collected.
 * @returns what the page holds then
 */
async function expectCollected(times: number): Promise<{ nodes: number; listeners: number }> {
  await page.evaluate(async (times) => {
    const refs: WeakRef<Element>[] = [];
    for (let i = 0; i < times; i++) {
      const element = mount();
      refs.push(new WeakRef(element));
      // In turn: not even loaded, ready, in Link, connected, and gone while the server was busy.
      if (i % 5 === 0) {
        element.remove();
        continue;
      }
      await reach(element, 'ready');
      if (i % 5 > 1) element.open();
      turn.status = i % 5 === 4 ? 'processing' : 'completed';
      if (i % 5 > 2) turn.link?.onSuccess('public-1', { accounts: [] });
      if (i % 5 === 3) await reach(element, 'connected');
      element.remove();
      turn.link = undefined;
    }
    Object.assign(globalThis, { refs });
  }, times);
  const devtools = await page.context().newCDPSession(page);
  const collect = () => devtools.send('HeapProfiler.collectGarbage');
  const countAlive = () =>
    page.evaluate(() => {
      const { refs } = globalThis as unknown as { refs: WeakRef<Element>[] };
      return refs.filter((ref) => ref.deref()).length;
    });
  // Link is destroyed, and the last answers come, in later tasks; an object that one of them still mentions goes with
  // the next collection.
  await expect.poll(() => collect().then(countAlive)).toBe(0);
  for (let i = 0; i < 3; i++) await collect();
  const counters = await devtools.send('Memory.getDOMCounters');
  await devtools.detach();
  return { nodes: counters.nodes, listeners: counters.jsEventListeners };
}

// About 5 s on an idle machine, for 210 elements and as many collections as the browser needs.
test('nothing is retained of 200 elements that were mounted and removed in every state', {
  timeout: patient(120_000),
}, async () => {
  await visit();
  // What the page keeps for all elements together: templates, styles, the rest of the script.
  const first = await expectCollected(10);
  const second = await expectCollected(200);
  // A node or listener for each of them would be 200 at least; the browser's own come and go by a few.
  expect(second.nodes - first.nodes).toBeLessThan(20);
  expect(second.listeners - first.listeners).toBeLessThan(20);
});

test('an element that was removed while the server worked asks no more, and goes on when it comes back', async () => {
  await visit();
  const reads = await page.evaluate(async () => {
    turn.status = 'processing';
    turn.read = 'processing';
    const element = mount();
    await reach(element, 'ready');
    element.open();
    turn.link?.onSuccess('public-1', { accounts: [] });
    element.remove();
    Object.assign(globalThis, { element });
    await new Promise((resolve) => setTimeout(resolve, 300));
    return turn.reads;
  });
  expect(reads).toBe(0);
  const status = await page.evaluate(async () => {
    const { element } = globalThis as unknown as { element: Element };
    document.querySelector('main')?.append(element);
    while (turn.reads < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    return element.status;
  });
  expect(status).toBe('connecting');
});

test('the browser keeps the page when the customer leaves, and the element has a fresh link token when they come back', async (context) => {
  context.skip(!(await keepsPages()), 'this browser keeps no pages');
  await visit();
  await page.evaluate(async () => {
    const element = mount();
    await reach(element, 'ready');
    Object.assign(globalThis, { element });
    // The token runs out while they are away.
    const { now } = Date;
    Date.now = () => now() + 3_600_000;
  });
  expect(await page.evaluate(() => turn.tokens)).toBe(1);
  await leaveAndReturn();
  await page.waitForFunction(() => globalThis.shown.includes(true));
  await page.waitForFunction(() => turn.tokens === 2);
  await page.waitForFunction(() => (globalThis as unknown as { element: Element }).element.status === 'ready');
});

test('a page that the browser has kept has its open Link and its connected bank still', async (context) => {
  context.skip(!(await keepsPages()), 'this browser keeps no pages');
  await visit();
  const status = () => page.evaluate(() => (globalThis as unknown as { element: Element }).element.status);
  await page.evaluate(async () => {
    const element = mount();
    await reach(element, 'ready');
    element.open();
    Object.assign(globalThis, { element });
  });
  context.skip(!(await isKeptMeanwhile()), 'this page was not kept');
  expect(await status()).toBe('open');
  await page.evaluate(() => turn.link?.onSuccess('public-1', { accounts: [] }));
  await expect.poll(status).toBe('connected');
  const reads = await page.evaluate(() => turn.reads);
  context.skip(!(await isKeptMeanwhile()), 'this page was not kept');
  expect(await status()).toBe('connected');
  expect(await page.evaluate(() => [turn.reads, turn.tokens])).toEqual([reads, 1]);
});

test('a second copy of the script on the page warns, and leaves the first alone', async () => {
  await visit();
  const warnings: string[] = [];
  page.on('console', (message) => warnings.push(`${message.type()} ${message.text()}`));
  await page.evaluate(() => Object.assign(globalThis, { first: customElements.get('finix-bank-connect') }));
  await page.addScriptTag({ type: 'module', url: '/older/finix-bank-connect.js' });
  await expect.poll(() => warnings).toHaveLength(1);
  const same = await page.evaluate(
    () => customElements.get('finix-bank-connect') === (globalThis as unknown as { first: unknown }).first,
  );
  expect(same).toBe(true);
  expect(warnings).toEqual([expect.stringMatching(/^warning .*defined twice/)]);
});
