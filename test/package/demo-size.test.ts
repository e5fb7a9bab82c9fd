import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { project } from './imports.ts';

const demo = join(project, 'dist/demo');
const read = (file: string) => readFileSync(join(demo, file), 'utf8');

/**
 * Everything that a built page loads of the demo's own: what it names, and what those scripts import. Needs what was
 * built.
 */
function filesOf(page: string): Set<string> {
  const found = new Set<string>();
  const add = (file: string) => {
    if (found.has(file)) return;
    found.add(file);
    if (!file.endsWith('.js')) return;
    for (const [, name = ''] of read(`assets/${file}`).matchAll(/(?:from|import)\s*["']\.\/([\w.-]+\.js)["']/g))
      add(name);
  };
  for (const [, name = ''] of read(page).matchAll(/\/assets\/([\w.-]+\.(?:js|css))/g)) add(name);
  return found;
}

test.each(['index.html', 'shop/index.html', 'playground/index.html'])(
  'The page %s is under 120 kB as it is sent',
  (page) => {
    const files = [...filesOf(page)];
    expect(files.some((file) => file.endsWith('.js')) && files.some((file) => file.endsWith('.css'))).toBe(true);
    const texts = [read(page), ...files.map((file) => read(`assets/${file}`))];
    const size = texts.reduce((sum, text) => sum + brotliCompressSync(text).length, 0);
    expect(size).toBeLessThan(120_000);
  },
);

test('What the static demo adds, its servers included, is under 120 kB as it is sent', () => {
  const texts = ['shell.html', 'shell.js', 'servers.js', 'worker.js'].map((file) => read(`static/${file}`));
  expect(texts.reduce((sum, text) => sum + brotliCompressSync(text).length, 0)).toBeLessThan(120_000);
  // A module of Node's that no shim stands in for would end the page.
  expect(texts.join('\n')).not.toMatch(/["']node:/);
});

test.each(['index.html', 'shop/index.html', 'playground/index.html', 'playground/host.html'])(
  'The page %s fetches nothing from outside',
  (page) => {
    const texts = [read(page), ...[...filesOf(page)].map((file) => read(`assets/${file}`))].join('\n');
    const addresses = texts.match(/(?:src|href)="https?:\/\/[^"]+|url\(["']?https?:[^)]+|@import[^;]+/g) ?? [];
    // The script of the merchant's own connect server, whose address the demo puts in; snippets name a visitor's own.
    expect(addresses.filter((address) => !/https:\/\/connect\.example\//.test(address))).toEqual([]);
  },
);
