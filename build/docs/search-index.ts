import MiniSearch from 'minisearch';
import type { RenderedPage } from './markdown.ts';
import { INDEX_OPTIONS } from './search-options.ts';

/** A section of a page is what a search finds. @returns the script that the pages load at the first search */
export function searchIndex(pages: readonly { file: string; label: string; rendered: RenderedPage }[]): string {
  const index = new MiniSearch(INDEX_OPTIONS);
  const seen = new Set<string>();
  for (const { file, label, rendered } of pages) {
    // The text between one heading and the next belongs to the first.
    for (const part of rendered.html.split(/(?=<h[1-3] )/)) {
      const id = /^<h[1-3] id="([^"]+)"/.exec(part)?.[1];
      const heading = rendered.headings.find((one) => one.id === id);
      const address = heading && heading.level > 1 ? `${file}#${heading.id}` : file;
      if (seen.has(address)) continue;
      seen.add(address);
      index.add({ id: address, title: heading?.text ?? label, page: label, text: plainText(part) });
    }
  }
  return `window.docsIndex = ${JSON.stringify(JSON.stringify(index))};\n`;
}

function plainText(html: string): string {
  return html
    .replace(/<[^>]+>/g, ' ')
    .replace(/&(lt|gt|amp|quot);/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
