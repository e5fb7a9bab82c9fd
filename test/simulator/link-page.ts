import { serve } from '@hono/node-server';
import type { Browser, FrameLocator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { type RunningSimulator, startSimulator } from '../../demo/simulator/index.ts';
import { leaveChromium, sharedChromium } from '../helpers/launch-chromium.ts';
import { patient } from '../helpers/patience.mjs';
import { linkTokenRequest, plaidClient } from './client.ts';

/** A shop's page with the simulated Link on it, in a real browser, fresh for each test of a file that opens it. */

// One browser for all; a browser takes seconds to start, so the hooks get more than the default.
const BROWSER_MS = patient(60_000);
let browser: Browser;
export let running: RunningSimulator;
export let shop: { url: string; close: () => void };
export let page: Page;
export let link: FrameLocator;
/** The page's messages on its console. */
export let complaints: string[];
let now: number;

/** Registers the hooks that open and close it. */
export function withLinkPage(): void {
  beforeAll(async () => {
    browser = await sharedChromium();
  }, BROWSER_MS);
  afterAll(() => leaveChromium(browser));

  beforeEach(async () => {
    now = Date.now();
    running = await startSimulator({ now: () => now });
    shop = await startShop();
    // Motion only costs time here: a tool waits for things to stand still before it clicks.
    page = await browser.newPage({ reducedMotion: 'reduce' });
    page.setDefaultTimeout(patient(10_000));
    complaints = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(shop.url);
    link = page.frameLocator('iframe');
  }, BROWSER_MS);
  afterEach(async () => {
    await page.close();
    shop.close();
    await running.close();
  });
}

export type Callback = [name: string, first: unknown, second?: unknown];

/**
 * A page of another origin under a strict policy: only scripts with its nonce, no style attributes, one frame origin.
 */
async function startShop(): Promise<typeof shop> {
  const script = `
    window.callbacks = [];
    window.create = (token, more) => {
      window.handler = Plaid.create({ token,
        onSuccess: (token, metadata) => callbacks.push(['success', token, metadata]),
        onExit: (error, metadata) => callbacks.push(['exit', error, metadata]),
        onEvent: (name, metadata) => callbacks.push(['event', name, metadata]),
        onLoad: () => callbacks.push(['load']), ...more });
    };`;
  const html = `<!doctype html><title>Shop</title><link rel="icon" href="data:,"><button>Pay</button>
    <script nonce="n" src="${running.linkScriptUrl}"></script><script nonce="n">${script}</script>`;
  const policy = `default-src 'none'; script-src 'nonce-n'; frame-src ${running.url}; img-src data:`;
  return new Promise((resolve) => {
    const headers = { 'content-type': 'text/html', 'content-security-policy': policy };
    const server = serve(
      { fetch: () => new Response(html, { headers }), hostname: '127.0.0.1', port: 0, overrideGlobalObjects: false },
      ({ port }) => resolve({ url: `http://localhost:${port}/`, close: () => server.close() }),
    );
  });
}

/** Lets the simulator's clock go on. */
export function pass(ms: number): void {
  now += ms;
}

/** Makes a handler on the page, of a new link token. */
export async function create(more: Parameters<typeof linkTokenRequest>[0] = {}): Promise<void> {
  const { link_token } = (await plaidClient(running.plaidUrl).linkTokenCreate(linkTokenRequest(more))).data;
  await page.evaluate(`create(${JSON.stringify(link_token)})`);
}

export async function openLink(more: Parameters<typeof linkTokenRequest>[0] = {}): Promise<void> {
  await create(more);
  await page.evaluate('handler.open()');
  await link.getByRole('heading', { name: /bank to Acme/ }).waitFor();
}

export const press = (name: string | RegExp) => link.getByRole('button', { name }).click();

export async function signIn(username: string, password = 'pass_good', bank = 'Tartan Bank'): Promise<void> {
  await press('Continue');
  await press(new RegExp(bank));
  await link.getByLabel('User name').fill(username);
  await link.getByLabel('Password').fill(password);
  await press('Sign in');
}

export const callbacks = async (): Promise<Callback[]> => (await page.evaluate('callbacks')) as Callback[];

/** Asks again and again from outside: the page's policy does not let a browser tool wait inside. */
export async function expectCallback(what: (callback: Callback) => boolean): Promise<void> {
  await expect.poll(async () => (await callbacks()).some(what)).toBe(true);
}

/** Waits for a callback and gives back its arguments. */
export async function callback(name: 'success' | 'exit'): Promise<[unknown, Record<string, unknown>]> {
  await expectCallback((each) => each[0] === name);
  const all = await callbacks();
  const [, first, second] = all.find(([each]) => each === name) ?? [name, undefined];
  return [first, second as Record<string, unknown>];
}

export const isShown = () => page.locator('iframe').isVisible();
