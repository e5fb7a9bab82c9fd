import { readFileSync } from 'node:fs';
import { openApiDocument } from '../../server/http/openapi.ts';
import { from, version } from '../project.ts';
import { type ApiDocument, renderApiPage } from './api-page.ts';
import { allDecisions, DECISIONS_FOLDER, DECISIONS_PAGE, isDecision } from './decisions.ts';
import { type RenderedPage, renderMarkdown } from './markdown.ts';
import { API_PAGE, OUTLINE } from './outline.ts';
import { renderPage } from './page.ts';
import { searchIndex } from './search-index.ts';

/** The first page once more, for the address `docs` without a slash: what it refers to is one level below. */
export const ROOT_PAGE = 'root.html';

/** Examples to copy, linked as they are. */
const RAW_FILES = /^docs\/(deploy|snippets|grafana)\/[\w./-]+$/;

/**
 * The documents as a site: static files, by their path in it. Needs neither a server nor a network.
 * @param publicUrl shown in openapi.json
 * @throws Error for a link that leads nowhere
 */
export function buildSite(publicUrl: string): Map<string, string | Uint8Array> {
  const files = new Map<string, string | Uint8Array>();
  const addresses = new Map(OUTLINE.flatMap(({ pages }) => pages.map(({ source, file }) => [source, file] as const)));
  const resolve = (path: string): string | undefined => {
    const page = addresses.get(path) ?? (isDecision(path) ? DECISIONS_PAGE : undefined);
    if (page !== undefined) return page;
    if (/^docs\/pictures\/[\w.-]+$/.test(path) || RAW_FILES.test(path)) {
      const file = path.replace(/^docs\//, '');
      files.set(file, readFileSync(from(path)));
      return file;
    }
    return undefined;
  };

  const document = openApiDocument(publicUrl, version);
  files.set('openapi.json', `${JSON.stringify(document, null, 2)}\n`);

  const render = (source: string): RenderedPage => {
    if (source === API_PAGE) return renderApiPage(document as unknown as ApiDocument);
    const text = source === DECISIONS_FOLDER ? allDecisions() : readFileSync(from(source), 'utf8');
    return renderMarkdown(source === DECISIONS_FOLDER ? `${DECISIONS_FOLDER}/all` : source, text, resolve);
  };
  const outline = OUTLINE.map((section) => ({
    ...section,
    pages: section.pages.map(({ source, file, label }) => {
      const rendered = render(source);
      return { file, label: label ?? rendered.title, rendered };
    }),
  }));
  const pages = outline.flatMap((section) => section.pages);
  for (const { file, rendered } of pages) {
    files.set(file, renderPage(rendered, { file, version, outline, base: '' }));
  }
  const [first] = pages;
  if (first) files.set(ROOT_PAGE, renderPage(first.rendered, { file: first.file, version, outline, base: 'docs/' }));
  checkFragments(files);
  files.set('search-index.js', searchIndex(pages));
  return files;
}

/** @throws Error that names the page and the link, for a fragment that no heading of its page has */
function checkFragments(files: ReadonlyMap<string, string | Uint8Array>): void {
  const idsIn = new Map<string, Set<string>>();
  for (const [file, html] of files) {
    if (typeof html !== 'string' || !file.endsWith('.html')) continue;
    idsIn.set(file, new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id ?? '')));
  }
  for (const [file, html] of files) {
    if (typeof html !== 'string' || !file.endsWith('.html') || file === ROOT_PAGE) continue;
    for (const [, page = '', id = ''] of html.matchAll(/ href="([\w.-]*)#([^"]+)"/g)) {
      const ids = idsIn.get(page === '' ? file : page);
      if (ids && !ids.has(decodeURIComponent(id)))
        throw new Error(`${file} links to ${page}#${id}, which is no heading`);
    }
  }
}
