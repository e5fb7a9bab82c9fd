import { escapeHtml } from './escape.ts';
import type { Heading, RenderedPage } from './markdown.ts';
import type { Section } from './outline.ts';

export interface PageContext {
  file: string;
  version: string;
  /** With the label of each page. */
  outline: readonly (Omit<Section, 'pages'> & { pages: readonly { file: string; label: string }[] })[];
  /** Comes before every address within the site: the first page is also served one level above the others. */
  base: string;
}

/** A whole page. Everything it needs is next to it. */
export function renderPage(
  { title, html, headings }: RenderedPage,
  { file, version, outline, base }: PageContext,
): string {
  const pages = outline.flatMap((section) => section.pages);
  const at = pages.findIndex((page) => page.file === file);
  const neighbors = [
    { page: pages[at - 1], name: 'Previous', rel: 'prev' },
    { page: pages[at + 1], name: 'Next', rel: 'next' },
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)} · finix-bank-connect</title>
<link rel="icon" href="${base}icon.svg">
<link rel="stylesheet" href="${base}docs.css">
<link rel="stylesheet" href="${base}text.css">
<script src="${base}docs.js" defer></script>
</head>
<body>
<a class="skip" href="#content">Skip to content</a>
<header class="bar">
<button class="menu" type="button" aria-expanded="false" aria-controls="navigation" hidden>Menu</button>
<a class="name" href="${base}index.html">finix-bank-connect <span>${version}</span></a>
<div class="search" role="search" hidden>
<input type="search" placeholder="Search" aria-label="Search the documentation" aria-controls="results" autocomplete="off" spellcheck="false">
<kbd aria-hidden="true">/</kbd>
<div id="results" class="results" aria-live="polite" hidden></div>
</div>
<button class="theme" type="button" aria-pressed="false" hidden>Dark</button>
</header>
<div class="columns">
<nav id="navigation" class="navigation" aria-label="Documentation">
${outline
  .map(
    (section) => `<h2>${escapeHtml(section.title)}</h2>
<ul>
${section.pages
  .map(
    (page) =>
      `<li><a href="${base}${page.file}"${page.file === file ? ' aria-current="page"' : ''}>${escapeHtml(page.label)}</a></li>`,
  )
  .join('\n')}
</ul>`,
  )
  .join('\n')}
</nav>
<main id="content" tabindex="-1">
${rebase(html, base)}
<footer class="neighbors">
${neighbors
  .flatMap(({ page, name, rel }) =>
    page ? `<a rel="${rel}" href="${base}${page.file}"><small>${name}</small> ${escapeHtml(page.label)}</a>` : [],
  )
  .join('\n')}
</footer>
</main>
${contents(headings)}
</div>
</body>
</html>
`;
}

/** Addresses within the site, as seen from where this page is served. */
function rebase(html: string, base: string): string {
  return base === '' ? html : html.replace(/(href|src)="(?![a-z]+:|#|\/)/g, `$1="${base}`);
}

/** What is on this page, when that is more than can be seen at once. */
function contents(headings: Heading[]): string {
  const listed = headings.filter(({ level }) => level === 2);
  if (listed.length < 3) return '';
  return `<aside class="contents" aria-labelledby="contents-title">
<h2 id="contents-title">On this page</h2>
<ul>
${listed.map(({ id, text }) => `<li><a href="#${id}">${escapeHtml(text)}</a></li>`).join('\n')}
</ul>
</aside>`;
}
