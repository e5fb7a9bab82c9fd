import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { launchChromium } from '../helpers/launch-chromium.ts';
import { bundlePage } from './bundle-page.ts';
import { expectOpenOnPress, statusIn } from './element-tab.ts';
import { project } from './imports.ts';
import type { ReactPage } from './react/page.ts';

declare global {
  var page: ReactPage;
}

const older = join(project, 'test', 'package', 'frameworks', 'compilers', 'node_modules');
const versions = [
  { major: 19, from: join(project, 'node_modules') },
  { major: 18, from: older },
];

const bundle = (file: string, from: string, target: 'page' | 'node') =>
  bundlePage(file, {
    target,
    alias: [
      { find: /^(react|react-dom)(?=\/|$)/, replacement: join(from, '$1') },
      // The built package, as a merchant gets it.
      { find: /^.*\/widget\/react\.ts$/, replacement: join(project, 'dist', 'widget', 'react.js') },
    ],
  });

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium(['--js-flags=--expose-gc']);
});
afterAll(() => browser?.close());

describe.each(versions)('in React $major, in strict mode', ({ major, from }) => {
  let script = '';
  let markup = '';
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
    const inner = request.url === '/rendered' ? markup : '';
    response.end(
      isScript
        ? script
        : `<!doctype html><title>Shop</title><div id="root">${inner}</div><script type="module" src="/page.js"></script>`,
    );
  });
  let tab: Page;

  beforeAll(async () => {
    script = await bundle('test/package/react/page.ts', from, 'page');
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  afterEach(() => tab?.close());

  async function open(path = '/'): Promise<void> {
    tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
    await tab.waitForFunction(() => globalThis.page);
  }
  const status = () => statusIn(tab);
  const warnings = () => tab.evaluate(() => page.warnings);

  test('the wrapper mounts twice and prepares one Link, connects, and calls the handlers of the last render', async () => {
    await open();
    const mounts = () => tab.evaluate(() => page.received.filter(({ type }) => type.startsWith('ref')).length);
    await expect.poll(mounts).toBe(2);
    await expect.poll(status).toBe('ready');
    await expect.poll(() => tab.evaluate(() => [page.link.handlers.length, page.secretsOf])).toEqual([1, [1]]);
    await tab.evaluate(() => page.render({ shown: true, turn: 2, required: true }));
    await expect.poll(() => tab.locator('finix-bank-connect[required]').count()).toBe(1);
    expect(await tab.evaluate(() => page.link.alive)).toBe(1);
    await expectOpenOnPress(tab);
    await tab.evaluate(() => page.link.succeed());
    await expect.poll(status).toBe('connected');
    const types = () => tab.evaluate(() => page.received.filter(({ turn }) => turn === 2).map(({ type }) => type));
    const ends = async () => (await types()).filter((type) => /open|connected/.test(type));
    await expect.poll(ends).toEqual(['fbc-open', 'fbc-connected']);
    await expect.poll(() => tab.evaluate(() => new FormData(document.forms[0]).get('bank'))).toBe('con_1');
    await expect.poll(() => tab.locator('finix-bank-connect.pay#bank[lang=en]').count()).toBe(1);
    await tab.evaluate(() => page.render({ shown: true, turn: 3, required: false }));
    await expect.poll(() => tab.locator('finix-bank-connect[required]').count()).toBe(0);
    expect(await warnings()).toEqual([]);
  });

  test('a new fetchClientSecret with every render starts nothing over, and the latest is called', async () => {
    await open();
    await expect.poll(status).toBe('ready');
    for (let turn = 2; turn < 6; turn++) {
      await tab.evaluate((turn) => page.render({ shown: true, turn }), turn);
      await expect.poll(() => tab.evaluate(() => page.received.at(-1)?.turn)).toBe(turn);
    }
    await expect.poll(status).toBe('ready');
    await expect.poll(() => tab.evaluate(() => [page.secretsOf, page.backend.tokens])).toEqual([[1], 1]);
    await tab.evaluate(() => document.querySelector('finix-bank-connect')?.reset());
    await expect.poll(() => tab.evaluate(() => page.secretsOf)).toEqual([1, 5]);
  });

  test('unmounting takes Link off the page and leaves no element behind', async () => {
    await open();
    await expect.poll(status).toBe('ready');
    await tab.evaluate(() => {
      const held = globalThis as unknown as { held: WeakRef<Element> };
      held.held = new WeakRef(document.querySelector('finix-bank-connect') as Element);
      page.render({ shown: false, turn: 2 });
    });
    await expect.poll(() => tab.evaluate(() => page.link.alive)).toBe(0);
    await tab.evaluate(() => page.unmount());
    const isGone = () =>
      tab.evaluate(async () => {
        const { gc, held } = globalThis as unknown as { gc(options: object): Promise<void>; held: WeakRef<Element> };
        page.link.handlers.length = 0;
        // With an empty stack: what a register or the stack still holds would be kept.
        await gc({ type: 'major', execution: 'async' });
        return held.deref() === undefined;
      });
    await expect.poll(isGone).toBe(true);
    expect(await warnings()).toEqual([]);
  });

  test('the wrapper renders on a server without a word, and hydrates without a difference', async () => {
    const code = await bundle('test/package/react/render.ts', from, 'node');
    const { PATH } = process.env;
    const node = spawnSync(process.execPath, ['--input-type=module'], { cwd: project, input: code, env: { PATH } });
    const [stdout, stderr] = [node.stdout.toString(), node.stderr.toString()];
    expect(stderr).toBe('');
    expect(stdout).toContain('<finix-bank-connect');
    // So that the page does not move when the tag is defined.
    expect(stdout).toMatch(/style="display:block;min-block-size:100px"/);
    markup = stdout;
    await open('/rendered');
    await expect.poll(status).toBe('ready');
    expect(await tab.evaluate(() => [page.link.handlers.length, page.backend.publicSessions, page.secretsOf])).toEqual([
      1,
      0,
      [1],
    ]);
    expect(await warnings()).toEqual([]);
    await expect.poll(() => tab.locator('finix-bank-connect').count()).toBe(1);
    await expect.poll(() => tab.locator('finix-bank-connect').evaluate(({ style }) => style.minBlockSize)).toBe('');
  });

  test(`the page really runs React ${major}`, () => {
    expect(script).toContain(`"${major}.`);
  });
});
