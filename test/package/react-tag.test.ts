import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { leaveChromium, sharedChromium } from '../helpers/launch-chromium.ts';
import { session } from '../widget/helpers/simulated-backend.ts';
import { bundlePage } from './bundle-page.ts';
import { expectOpenOnPress, statusIn } from './element-tab.ts';
import type { TagPage } from './hosts/tag-page.ts';
import { project } from './imports.ts';

declare global {
  var tag: TagPage;
}

const scripts: Record<string, string> = {};
let markup = '';
/** The merchant's server, for a tag whose object properties React leaves out when it hydrates. */
const answers: [end: string, body: () => unknown][] = [
  [
    '/link-token',
    () => ({
      link_token: 'link-sandbox-1',
      expires_at: new Date(Date.now() + 4 * 3_600_000).toISOString(),
      merchant: { name: 'Acme' },
      purpose: 'debit',
    }),
  ],
  ['/complete', () => session('completed', ['active'])],
  ['/v1/sessions/ses_1', () => session('open')],
];

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://loopback');
  const answer = pathname.startsWith('/pay/') && answers.find(([end]) => pathname.endsWith(end));
  if (answer) {
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(answer[1]()));
    return;
  }
  const script = scripts[pathname];
  response.setHeader('Content-Type', script === undefined ? 'text/html' : 'text/javascript');
  const inner = pathname === '/' ? '' : markup;
  const early = pathname === '/rendered-early' ? '<script type="module" src="/define.js"></script>' : '';
  response.end(
    script ??
      `<!doctype html><title>Shop</title>${early}<div id="root">${inner}</div><script type="module" src="/page.js"></script>`,
  );
});

let browser: Browser;
let tab: Page;

beforeAll(async () => {
  scripts['/page.js'] = await bundlePage('test/package/hosts/tag-page.ts');
  scripts['/define.js'] = await bundlePage('test/package/hosts/define-page.ts');
  const code = await bundlePage('test/package/hosts/tag-render.ts', { target: 'node' });
  const { PATH } = process.env;
  const node = spawnSync(process.execPath, ['--input-type=module'], { cwd: project, input: code, env: { PATH } });
  expect(node.stderr.toString()).toBe('');
  markup = node.stdout.toString();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  browser = await sharedChromium();
});
afterAll(async () => {
  await leaveChromium(browser);
  server.closeAllConnections();
  server.close();
});
afterEach(() => tab?.close());

async function open(path: string): Promise<void> {
  tab = await browser.newPage();
  await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
  await tab.waitForFunction(() => globalThis.tag);
}
const status = () => statusIn(tab);
const renders = () => tab.evaluate(() => tag.renders);

test('React’s tag with a parent that renders again at every event keeps Link open, and the bank', async () => {
  await open('/');
  await expect.poll(status).toBe('ready');
  await expectOpenOnPress(tab);
  // One event after the other: React renders once for two that come together. Strict mode renders everything twice.
  await expect.poll(renders).toBe(4);
  await tab.evaluate(() => tag.link.last.config.onEvent('OPEN', null));
  await expect.poll(renders).toBe(6);
  await expect.poll(status).toBe('open');
  await expect
    .poll(() => tab.evaluate(() => [tag.link.handlers.length, tag.link.alive, tag.backend.tokens]))
    .toEqual([1, 1, 1]);
  await tab.evaluate(() => tag.link.succeed());
  await expect.poll(status).toBe('connected');
  await expect.poll(() => tab.evaluate(() => tag.events.at(-1))).toBe('fbc-connected');
  await expect.poll(() => tab.evaluate(() => new FormData(document.forms[0]).get('bank'))).toBe('con_1');
  expect(await tab.evaluate(() => tag.events.filter((type) => type === 'fbc-canceled'))).toEqual([]);
  expect(await tab.evaluate(() => tag.warnings)).toEqual([]);
});

for (const [path, when] of [
  ['/rendered', 'with the page’s own script'],
  ['/rendered-early', 'before React comes'],
] as const) {
  test(`a tag that a server has rendered, and that is defined ${when}, hydrates without a difference`, async () => {
    await open(path);
    await expect.poll(status).toBe('ready');
    expect(await tab.evaluate(() => tag.warnings)).toEqual([]);
    await expect.poll(() => tab.locator('finix-bank-connect').count()).toBe(1);
    await expectOpenOnPress(tab);
    await tab.evaluate(() => tag.link.succeed());
    await expect.poll(status).toBe('connected');
    expect(await tab.evaluate(() => tag.warnings)).toEqual([]);
  });
}
