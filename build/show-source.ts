import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Plugin } from 'vite';

/** Where a page shows what a merchant would write. */
const MARK = '<!-- show source -->';

/**
 * Shows on each example page its own source, as it is before the build: the element's script, the page's style for it,
 * and what is around the tag. Taken from the page itself, so that the two cannot differ.
 */
export function showSource(): Plugin {
  return {
    name: 'finix-bank-connect:show-source',
    transformIndexHtml: {
      order: 'pre',
      handler: (html, { filename }) => (html.includes(MARK) ? withSource(html, readFrom(dirname(filename))) : html),
    },
  };
}

const readFrom = (folder: string) => (file: string) => readFileSync(join(folder, file), 'utf8');

/** @param read a file next to the page */
export function withSource(html: string, read: (file: string) => string): string {
  const code = encode(sourceOf(html, read));
  return html.replace(
    MARK,
    () =>
      `<details class="source" lang="en" dir="ltr"><summary>What the merchant writes</summary><pre tabindex="0"><code>${code}</code></pre></details>`,
  );
}

export function sourceOf(html: string, read: (file: string) => string): string {
  const [, attributes = ''] = /<html lang="\w+"([^>]*)>/.exec(html) ?? [];
  const scripts = [...html.matchAll(/^ *(<script .*)$/gm)].map(([, line = '']) =>
    line.replace(/<script type="module" src="\.\/(.*)"><\/script>/, (_all, file: string) => moduleOf(read(file))),
  );
  const styles = [...html.matchAll(/<link rel="stylesheet" href="\.\/(?!pages\.css)(.*)">/g)].map(
    ([, file = '']) => `<style>\n${read(file).trim()}\n</style>`,
  );
  const [, body = ''] = /<\/p>\n\n([\s\S]*?)\n *<!-- show source -->/.exec(html) ?? [];
  const page = attributes ? [`<html${attributes}>`] : [];
  return [...page, ...scripts, ...styles, '', dedent(body)].join('\n');
}

/** The page's own script, as it is where the package is installed. */
function moduleOf(source: string): string {
  const code = source.replace(/^\/\/.*\n/, '').replace("'../../widget/index.ts'", "'finix-bank-connect'");
  return `<script type="module">\n${code.trim().replace(/^(?=.)/gm, '  ')}\n</script>`;
}

function dedent(text: string): string {
  const lines = text.split('\n');
  const indent = Math.min(...lines.filter((line) => line.trim()).map((line) => line.length - line.trimStart().length));
  return lines.map((line) => line.slice(indent)).join('\n');
}

/** Also what the demo's server would fill in: a merchant's address and secret are their own. */
function encode(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    '{': '&#123;',
    ':': '&#58;',
  };
  return text.replace(/[&<>"{:]/g, (character) => entities[character] ?? '');
}
