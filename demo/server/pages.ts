import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';

/** The pages say where the connect server is as a merchant's page does; this name is exchanged for the demo's own address. */
const CONNECT_PLACEHOLDER = 'https://connect.example';
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** Pages by their address. The merchants' page is filled in by the shop's server. */
const PAGES: Record<string, string> = {
  '/': 'index.html',
  '/playground': 'playground/index.html',
  '/playground/host': 'playground/host.html',
  '/shop': 'shop/index.html',
};

export interface PageFacts {
  connectUrl: string;
  /** The simulator's Link, to be loaded before the element; undefined: the element loads Plaid's own. */
  linkScriptUrl: string | undefined;
}

export interface ShopPages {
  /** Everything that is the same for every visitor, by its path. */
  asset(path: string): { type: string; content: Uint8Array<ArrayBuffer> } | undefined;
  page(path: string): string | undefined;
}

/** Reads the built pages. Only pages and assets: the demo's own server code lies in the same folder. */
export async function readShopPages(folder: string): Promise<ShopPages> {
  const assets = new Map<string, { type: string; content: Uint8Array<ArrayBuffer> }>();
  const pages = new Map<string, string>();
  for (const name of await readdir(join(folder, 'assets'))) {
    const type = TYPES[extname(name)];
    if (type)
      assets.set(`/assets/${name}`, { type, content: new Uint8Array(await readFile(join(folder, 'assets', name))) });
  }
  const read = (path: string) => readFile(join(folder, path), 'utf8');
  for (const [path, file] of Object.entries(PAGES)) pages.set(path, await read(file));
  for (const name of await readdir(join(folder, 'pages'))) {
    if (extname(name) === '.html')
      pages.set(name === 'index.html' ? '/pages/' : `/pages/${name}`, await read(`pages/${name}`));
  }
  return { asset: (path) => assets.get(path), page: (path) => pages.get(path) };
}

/**
 * Puts in what only the running demo knows. `values` replace `{{name}}`; they are HTML already.
 * @returns the page, and the policy to send with it where the page asks for a strict one by using `{{nonce}}`
 */
export function fillPage(
  page: string,
  { connectUrl, linkScriptUrl }: PageFacts,
  values: Record<string, string>,
): { html: string; policy: string | undefined } {
  const nonce = page.includes('{{nonce}}') ? randomBytes(16).toString('base64') : undefined;
  const linkScript = linkScriptUrl ? `<script${nonce ? ` nonce="${nonce}"` : ''} src="${linkScriptUrl}"></script>` : '';
  let html = page.replaceAll(CONNECT_PLACEHOLDER, connectUrl).replace('<!-- link script -->', linkScript);
  for (const [name, value] of Object.entries({ ...values, nonce: nonce ?? '' })) {
    html = html.replaceAll(`{{${name}}}`, () => value);
  }
  // The build writes script tags of its own.
  if (nonce)
    html = html.replaceAll('<script type="module" crossorigin', `<script type="module" nonce="${nonce}" crossorigin`);
  return { html, policy: nonce && strictPolicy(nonce, connectUrl, linkScriptUrl) };
}

/** What a merchant with a strict policy sends: the three hosts in it are the connect server and Plaid's. */
function strictPolicy(nonce: string, connectUrl: string, linkScriptUrl: string | undefined): string {
  const link = linkScriptUrl ? new URL(linkScriptUrl).origin : 'https://cdn.plaid.com';
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' 'strict-dynamic'`,
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src ${connectUrl}${linkScriptUrl ? '' : ' https://sandbox.plaid.com https://production.plaid.com'}`,
    `frame-src ${link}`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types finix-bank-connect lit-html',
  ].join('; ');
}
