import { posix } from 'node:path';
import hljs from 'highlight.js/lib/common';
import MarkdownIt from 'markdown-it';

export interface Heading {
  level: number;
  id: string;
  text: string;
}

export interface RenderedPage {
  title: string;
  html: string;
  headings: Heading[];
}

/** Names of languages in fences that highlight.js knows under another one. */
const ALIASES: Record<string, string> = { vue: 'xml', svelte: 'xml', tsx: 'typescript', caddyfile: 'plaintext' };

/**
 * One document as HTML.
 * @param source its path relative to the project
 * @param resolve the address of a linked file, relative to the page, from the file's path relative to the project;
 * undefined when there is none
 * @throws Error that names the document and the link, for a link that leads nowhere
 */
export function renderMarkdown(
  source: string,
  text: string,
  resolve: (file: string) => string | undefined,
): RenderedPage {
  const headings: Heading[] = [];
  const slugs = new Map<string, number>();
  const markdown = new MarkdownIt({ html: true, highlight });

  const tokens = markdown.parse(text, {});
  tokens.forEach((token, i) => {
    if (token.type !== 'heading_open') return;
    const inline = tokens[i + 1]?.children ?? [];
    const words = inline.map(({ content }) => content).join('');
    const id = uniqueSlug(words, slugs);
    token.attrSet('id', id);
    headings.push({ level: Number(token.tag.slice(1)), id, text: words });
  });
  for (const token of tokens.flatMap(({ children }) => children ?? [])) {
    const attribute = { link_open: 'href', image: 'src' }[token.type];
    if (attribute === undefined) continue;
    const href = String(token.attrGet(attribute) ?? '');
    if (/^(https?:|mailto:|#)/.test(href)) continue;
    const [path = '', fragment] = href.split('#');
    const file = posix.join(posix.dirname(source), path);
    const address = resolve(file);
    if (address === undefined) throw new Error(`${source} links to ${href}, which is not part of the site`);
    token.attrSet(attribute, fragment === undefined ? address : `${address}#${fragment}`);
  }
  const html = markdown.renderer
    .render(tokens, markdown.options, {})
    // A wide table scrolls in itself, not the page; focusable, so that the keyboard can scroll it.
    // Markdown's tables always have a head, also when its cells are empty.
    .replaceAll(/<thead>\s*<tr>\s*(<th><\/th>\s*)+<\/tr>\s*<\/thead>/g, '')
    .replaceAll(/<th( [^>]*)?><\/th>/g, '<td></td>')
    .replaceAll('<table>', '<div class="table" tabindex="0"><table>')
    .replaceAll('</table>', '</table></div>')
    .replaceAll('<pre>', '<pre tabindex="0">');
  return { title: headings.find(({ level }) => level === 1)?.text ?? source, html, headings };
}

function highlight(code: string, language: string): string {
  const name = ALIASES[language] ?? language;
  return hljs.getLanguage(name) ? hljs.highlight(code, { language: name }).value : '';
}

/** As GitHub makes them, so that links within the documents work in both places. */
function uniqueSlug(text: string, slugs: Map<string, number>): string {
  const slug = text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
  const count = slugs.get(slug) ?? 0;
  slugs.set(slug, count + 1);
  return count === 0 ? slug : `${slug}-${count}`;
}
