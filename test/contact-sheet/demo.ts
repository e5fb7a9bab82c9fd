import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type RunningDemo, startDemo } from '../../demo/start-demo.ts';
import { chromiumArgs, findChromium } from '../helpers/chromium.mjs';
import { Customer } from '../journey/customer.ts';
import { type StoryPage, visitsStory } from '../journey/story-page.ts';

/**
 * A picture of every view of the demo and of the server's own pages, in light and dark, at three sizes: what no test
 * sees, a person should look at. `npm run contact-sheet:demo` writes them to `test-results/demo`, and prints what is
 * wider than its screen and what axe finds. With names of views (`story`, `pages-form`) those alone.
 */
const project = join(import.meta.dirname, '..', '..');
const folder = join(project, 'test-results', 'demo');
const SIZES = { wide: [1440, 900], middle: [1024, 768], phone: [390, 844] } as const;
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

interface Scene {
  page: Page;
  demo: RunningDemo;
  /** Of the connect server's API, as the merchant. */
  call(path: string, body: object): Promise<Record<string, string>>;
  /** Opens the drawer of the panel where the screen is too narrow for both. */
  showsPanel(): Promise<void>;
}

type View = (scene: Scene) => Promise<void>;

const begin = ({ page, demo }: Scene, path = '/'): Promise<StoryPage> =>
  visitsStory(new Customer(page, demo.url), demo.url, path);

async function paid(scene: Scene): Promise<StoryPage> {
  const story = await begin(scene);
  await story.connects();
  await story.pays();
  return story;
}

const views: Record<string, View> = {
  'story-coffee': async (scene) => void (await begin(scene)),
  'story-rent': async (scene) => void (await begin(scene, '/#rent')),
  'story-payout': async (scene) => void (await begin(scene, '/#payout')),
  'story-link': async (scene) => {
    const story = await begin(scene);
    await story.shop.locator('finix-bank-connect button.main').click();
    await story.link.getByRole('button', { name: 'Continue' }).click();
    await story.link.getByRole('button', { name: 'First Platypus Bank' }).click();
    await story.link.getByRole('heading', { name: 'Sign in to' }).waitFor();
  },
  'story-paid': async (scene) => {
    await paid(scene);
    await scene.showsPanel();
  },
  'story-revoked': async (scene) => {
    const story = await paid(scene);
    await scene.showsPanel();
    await story.presses('Revoked at the bank');
    await story.shop.getByRole('heading', { name: 'You ended the permission' }).waitFor({ state: 'attached' });
    await story.presses('Next payment');
    await story.seesLine('be moved? No');
  },
  'story-repair': async (scene) => {
    const story = await paid(scene);
    await scene.showsPanel();
    await story.presses('Login breaks');
    await story.shop.getByRole('heading', { name: 'Please sign in' }).waitFor({ state: 'attached' });
  },
  'story-qr': async (scene) => {
    await views['story-repair']?.(scene);
    await scene.page.getByRole('button', { name: 'Repair by link' }).click();
    await scene.page.getByRole('img', { name: 'QR code' }).waitFor();
  },
  'story-call': async (scene) => {
    await paid(scene);
    await scene.showsPanel();
    await scene.page.locator('button.step', { hasText: 'payment instrument PI' }).first().click();
  },
  'story-keys': async (scene) => {
    await begin(scene);
    await scene.page.keyboard.press('?');
  },
  playground: async ({ page, demo }) => {
    await page.goto(`${demo.url}/playground`);
    await page.frameLocator('#shop').locator('finix-bank-connect[status="ready"]').waitFor();
  },
  'server-first': async ({ page, demo }) => void (await page.goto(`${demo.connectUrl}/`)),
  'server-docs': async ({ page, demo }) => void (await page.goto(`${demo.connectUrl}/docs`)),
  'link-connect': async ({ page, call }) => {
    const { url = '' } = await call('/v1/links', {
      customer_id: 'cus_sheet',
      merchant: { id: 'm', name: 'Corner Bakery' },
    });
    await page.goto(url);
  },
  office: async ({ page, demo, call }) => {
    await page.goto(`${demo.connectUrl}/links/new`);
    await page.getByLabel('Merchant key').fill(key);
    await call('/v1/links', { customer_id: 'cus_1042', merchant: { id: 'm', name: 'Corner Bakery' } });
    await page.keyboard.press('Enter');
    await page.getByRole('cell').first().waitFor();
  },
  'not-found': async ({ page, demo }) => void (await page.goto(`${demo.url}/nowhere`)),
};
for (const file of readdirSync(join(project, 'demo', 'pages')).filter((name) => name.endsWith('.html'))) {
  const name = file.replace('.html', '');
  views[`pages-${name}`] = async ({ page, demo }) => {
    await page.goto(`${demo.url}/pages/${name === 'index' ? '' : file}`);
    if (name !== 'index') await page.locator('finix-bank-connect[status="ready"]').first().waitFor();
  };
}

let key = '';
const demo = await startDemo({
  adjust: (config) => {
    key = config.merchantApiKeys[0] ?? '';
    Object.assign(config, { linksPage: true });
  },
});
const found = await findChromium();
const browser: Browser = await chromium.launch({
  executablePath: found.path,
  args: [...chromiumArgs],
  env: { ...process.env, ...found.env } as Record<string, string>,
  chromiumSandbox: false,
});

async function barriers(page: Page): Promise<string[]> {
  for (const frame of page.frames()) {
    if (frame.url().startsWith(demo.url) || frame === page.mainFrame()) await frame.evaluate(axe.source);
  }
  const { violations } = await page.evaluate(
    (rules) => (globalThis as unknown as { axe: typeof axe }).axe.run(document, { runOnly: rules }),
    RULES,
  );
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
}

async function take(name: string, view: View): Promise<string[]> {
  const faults: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [size, [width, height]] of Object.entries(SIZES)) {
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme,
        reducedMotion: 'reduce',
        bypassCSP: true,
      });
      const page = await context.newPage();
      const call: Scene['call'] = async (path, body) => {
        const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
        const response = await fetch(demo.connectUrl + path, { method: 'POST', headers, body: JSON.stringify(body) });
        return (await response.json()) as Record<string, string>;
      };
      const showsPanel = async () => {
        const drawer = page.locator('#drawer');
        if (await drawer.isVisible()) await drawer.click();
      };
      const which = `${name}-${colorScheme}-${size}`;
      try {
        await view({ page, demo, call, showsPanel });
        await page.screenshot({ path: join(folder, `${which}.png`) });
        const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (excess > 0) faults.push(`${which}: ${excess} px wider than its screen`);
        for (const one of await barriers(page)) faults.push(`${which}: ${one}`);
      } catch (error) {
        faults.push(`${which}: ${(error as Error).message.split('\n')[0]}`);
        await page.screenshot({ path: join(folder, `${which}.png`) });
      }
      await context.close();
    }
  }
  return faults;
}

try {
  mkdirSync(folder, { recursive: true });
  const wanted = process.argv.slice(2);
  for (const [name, view] of Object.entries(views)) {
    if (wanted.length > 0 && !wanted.some((word) => name.startsWith(word))) continue;
    const faults = await take(name, view);
    console.log(`${name}: ${faults.length === 0 ? 'nothing found' : `\n  ${faults.join('\n  ')}`}`);
  }
} finally {
  await browser.close();
  await demo.close();
}
