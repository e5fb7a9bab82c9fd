import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'vite';
import { findChromium, findOldChromium } from '../helpers/chromium.mjs';
import { launchChromium } from '../helpers/launch-chromium.ts';

/**
 * One image of the element in every state, light and dark, in both directions, at three widths: what no test sees,
 * a person should look at. Writes `test-results/contact-sheet.png`, the same with more contrast and in forced colors,
 * and each part of each on its own, which is easier to look at. With `--old` in a browser near the support floor; with
 * names of parts (`light-en`, `phone`) those alone.
 */
const project = join(import.meta.dirname, '..', '..');
const folder = join(project, 'test-results');
// What the customer's system may ask for.
const variants = {
  'contact-sheet': {},
  'contact-sheet-more-contrast': { contrast: 'more' },
  'contact-sheet-forced-colors': { forcedColors: 'active' },
} as const;

const styles = `
  body { margin: 0; padding: 24px; display: grid; grid-template-columns: auto auto; gap: 24px; justify-content: start; font: 14px/1.4 system-ui, sans-serif; background: #999; }
  body, section { align-items: start; align-content: start }
  section { display: grid; grid-template-columns: 120px 240px 360px 640px; gap: 28px 24px; align-items: start; padding: 24px; background: Canvas; color: CanvasText; }
  h1 { grid-column: 1 / -1; margin: 0; font-size: 18px; }
  h2 { margin: 0; font-size: 13px; font-weight: 400; opacity: 0.7; }
`;

const result = await build({
  configFile: false,
  root: project,
  logLevel: 'error',
  build: {
    write: false,
    rolldownOptions: { input: join(import.meta.dirname, 'page.ts'), output: { codeSplitting: false } },
  },
});
if (!('output' in result)) throw new Error('The build gave no output.');
const script = result.output[0].code;

const server = createServer((request, response) => {
  const isScript = request.url?.startsWith('/page.js');
  response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
  response.end(
    isScript
      ? script
      : `<!doctype html><title>Contact sheet</title><style>${styles}</style><script type="module" src="/page.js"></script>`,
  );
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const parts = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const only = parts.map((part, i) => `${i ? '&' : '?'}only=${part}`).join('');
const found = process.argv.includes('--old') ? await findOldChromium() : await findChromium();
if (!found)
  throw new Error('The old Chromium runs on 64-bit Intel Linux with glibc only; OLD_CHROME_PATH can name one.');
const browser = await launchChromium([], {}, found);
try {
  mkdirSync(folder, { recursive: true });
  for (const [name, media] of Object.entries(variants)) {
    const page = await browser.newPage({
      viewport: { width: 3_030, height: 1_000 },
      reducedMotion: 'reduce',
      ...media,
    });
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/${only}`);
    const drawn = page.locator('html[data-drawn]');
    await drawn.waitFor({ timeout: 120_000 });
    const outcome = await drawn.getAttribute('data-drawn');
    if (outcome !== 'all') throw new Error(outcome ?? 'Nothing was drawn');
    const file = join(folder, `${name}.png`);
    await page.screenshot({ path: file, fullPage: true });
    for (const part of await page.locator('section').all()) {
      await part.screenshot({ path: join(folder, `${name}-${await part.getAttribute('id')}.png`) });
    }
    await page.close();
    console.log(file);
  }
} finally {
  await browser.close();
  server.closeAllConnections();
  server.close();
}
