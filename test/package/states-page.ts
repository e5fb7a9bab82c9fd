import type { Browser, Page } from 'playwright-core';
import { bundlePage } from './bundle-page.ts';
import type {} from './hosts/states-page.ts';

export interface StatesPageOptions {
  viewport?: { width: number; height: number };
  css?: string;
  lit?: 'production' | 'development';
  /** Gets the lines of the console, and the exceptions that nothing caught. */
  log?: string[];
}

/** Bundled once for all tests of a file. */
const scripts = new Map<string, Promise<string>>();

function scriptWith(lit: 'production' | 'development'): Promise<string> {
  const script = scripts.get(lit) ?? bundlePage('test/package/hosts/states-page.ts', { lit });
  scripts.set(lit, script);
  return script;
}

/** The page on which an element can be brought to every state (hosts/states-page.ts), in a browser of the test. */
export async function openStatesPage(
  browser: Browser,
  options: StatesPageOptions = {},
): Promise<{ page: Page; script: string; errors: string[]; names: string[]; placements: string[] }> {
  const { viewport = { width: 800, height: 700 }, css = '', lit = 'production', log = [] } = options;
  const script = await scriptWith(lit);
  const page = await browser.newPage({ viewport });
  const errors: string[] = [];
  page.on('pageerror', (error) => {
    errors.push(String(error));
    log.push(String(error));
  });
  page.on('console', (message) => log.push(message.text()));
  const html = `<!doctype html><html lang="en"><title>Shop</title><style>${css}</style>`;
  await page.route('http://localhost/**', (route) => route.fulfill({ contentType: 'text/html', body: html }));
  await page.goto('http://localhost/');
  await page.addScriptTag({ content: script, type: 'module' });
  await page.waitForFunction(() => globalThis.place);
  const [names, placements] = (await page.evaluate('[names, placements]')) as [string[], string[]];
  return { page, script, errors, names, placements };
}

/**
 * Brings the element to each of these states, one after another.
 * @param look more to do in each state, which returns what is wrong
 * @returns the faults that the page or `look` found, each with the name of its state
 */
export async function faultsInStates(
  page: Page,
  names: readonly string[],
  look: () => Promise<string[]> | string[] = () => [],
): Promise<string[]> {
  const faults: string[] = [];
  for (const name of names) {
    const drawn = await page.evaluate((state) => globalThis.show(state), name);
    const found = [...drawn, ...(await look())];
    await page.evaluate(() => globalThis.hide());
    faults.push(...found.map((fault) => `${name}: ${fault}`));
  }
  return faults;
}
