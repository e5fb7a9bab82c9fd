import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sourceOf } from '../../build/show-source.ts';
import { project } from './imports.ts';

const sources = join(project, 'demo/pages');
const pages = readdirSync(sources).filter((name) => name.endsWith('.html') && name !== 'index.html');

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"' };
const decoded = (html: string) =>
  html.replace(/&(?:#(\d+)|(\w+));/g, (_all, code, name) =>
    code ? String.fromCharCode(code) : (ENTITIES[name] ?? '?'),
  );

// Needs what was built.
test.each(pages)(
  'The example page %s shows what a merchant would write, and not what the build has made of it',
  (name) => {
    const built = readFileSync(join(project, 'dist/demo/pages', name), 'utf8');
    const shown = decoded(/<code>([^<]*)<\/code><\/pre>/.exec(built)?.[1] ?? '');
    const read = (file: string) => readFileSync(join(sources, file), 'utf8');
    expect(shown).toBe(sourceOf(read(name), read));
    const tags = (text: string) => text.match(/<finix-bank-connect[^>]*>/g);
    expect(tags(shown)).toEqual(tags(read(name)));
    expect(shown).toMatch(/https:\/\/connect\.example\/finix-bank-connect\.js|import 'finix-bank-connect'/);
    expect(shown).not.toMatch(/\/assets\/|\.\.\//);
  },
);

test('The source of a page has its style, its own script and the attributes of its html tag', () => {
  const read = (file: string) => readFileSync(join(sources, file), 'utf8');
  expect(sourceOf(read('themed.html'), read)).toContain('--fbc-radius: 99px');
  expect(sourceOf(read('npm.html'), read)).toContain("addEventListener('fbc-connected'");
  expect(sourceOf(read('dark.html'), read)).toContain('<html style="color-scheme: dark">');
  expect(sourceOf(read('form.html'), read)).toContain('client-secret="{{client-secret}}" required');
});
