import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import type { BrowserContext } from 'playwright-core';
import { launchChromium } from '../helpers/launch-chromium.ts';
import { dist } from './built-server.ts';

/** Milliseconds on the page's main thread: the least of `runs`, each the first click on a page of its own. */
export interface ClickFigures {
  runs: number;
  /** How many times slower than this machine the processor was made. */
  slowdown: number;
  /** From the click to Link's `open()`: what the customer waits for. */
  to_open_ms: number;
  /** Scripts, styles and layout until the page has settled: for so long it can do nothing else. */
  work_ms: number;
}

// What else the machine does can only add to a time so short, so the least is the best measure; of nine, one was
// undisturbed.
const RUNS = 9;
// About what lies between a developer's machine and a mid-range phone; browsers' own tools take the same.
const SLOWDOWN = 4;

/** Replaces Link's script, which is part of no measurement: opening it only marks the time. */
const LINK = `
  window.Plaid = {
    create(config) {
      setTimeout(() => config.onLoad && config.onLoad());
      return { open() { window.openedAt = performance.now(); }, exit() {}, destroy() {}, submit() {} };
    },
  };`;

const OURS = `<!doctype html><title>Ours</title>
<script type="module" src="/finix-bank-connect.js"></script>
<finix-bank-connect></finix-bank-connect>
<script type="module">
  const element = document.querySelector('finix-bank-connect');
  await customElements.whenDefined('finix-bank-connect');
  element.backend = {
    createPublicSession: async () => ({ clientSecret: 'ses_1_secret_a', session: {} }),
    createLinkToken: async () => ({ link_token: 'link-sandbox-1', expires_at: new Date(Date.now() + 3.6e6).toISOString() }),
    complete: () => new Promise(() => {}),
    getSession: () => new Promise(() => {}),
  };
  while (element.status !== 'ready') await new Promise((again) => setTimeout(again, 5));
  window.pressed = element.shadowRoot.querySelector('[part~=button]');
</script>`;

const THEIRS = `<!doctype html><title>Theirs</title><div id="place"></div>
<script type="module" src="/peer.js"></script>
<script type="module">
  const button = () => document.querySelector('#place button:not(:disabled)');
  while (!button()) await new Promise((again) => setTimeout(again, 5));
  window.pressed = button();
</script>`;

/** The built script, from the click to Link. */
export function measureOwnClick(): Promise<ClickFigures> {
  return measure(OURS, (name) => readFile(join(dist, 'cdn', name), 'utf8'));
}

/** A peer that has been bundled into one script. */
export function measurePeerClick(script: string): Promise<ClickFigures> {
  return measure(THEIRS, async () => script);
}

async function measure(html: string, read: (name: string) => Promise<string>): Promise<ClickFigures> {
  const server = createServer((request, response) => {
    const name = basename(request.url ?? '/');
    const isPage = !name.endsWith('.js');
    const answer = isPage ? Promise.resolve(html) : read(name);
    answer.then(
      (body) => {
        response.setHeader('Content-Type', isPage ? 'text/html; charset=utf-8' : 'text/javascript');
        response.end(body);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const browser = await launchChromium();
  try {
    const runs: { toOpen: number; work: number }[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      const context = await browser.newContext();
      runs.push(await click(context, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`));
      await context.close();
    }
    const least = (key: 'toOpen' | 'work') => Math.min(...runs.map((run) => run[key]));
    return { runs: RUNS, slowdown: SLOWDOWN, to_open_ms: least('toOpen'), work_ms: least('work') };
  } finally {
    await browser.close();
    server.closeAllConnections();
    server.close();
  }
}

interface ClickedWindow extends Window {
  pressed?: HTMLElement;
  openedAt?: number;
}

async function click(context: BrowserContext, url: string): Promise<{ toOpen: number; work: number }> {
  const page = await context.newPage();
  await page.route('https://cdn.plaid.com/**', (route) =>
    route.fulfill({ contentType: 'text/javascript', body: LINK }),
  );
  await page.goto(url);
  await page.waitForFunction(() => (globalThis as unknown as ClickedWindow).pressed);
  const devtools = await context.newCDPSession(page);
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: SLOWDOWN });
  const { toOpen, work } = await page.evaluate(async () => {
    const clicked = globalThis as unknown as ClickedWindow;
    const settled = () =>
      new Promise((done) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = done;
        port2.postMessage(null);
      });
    await settled();
    const begin = performance.now();
    clicked.pressed?.click();
    // What was put off until the click was over runs before the message arrives; asking for a size has styles and
    // layout done as well.
    await settled();
    document.body.getBoundingClientRect();
    return { toOpen: (clicked.openedAt ?? Number.NaN) - begin, work: performance.now() - begin };
  });
  if (Number.isNaN(toOpen)) throw new Error('The click did not open Link.');
  return { toOpen, work };
}
