import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { ShopPages } from './pages.ts';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** Pages by their address. The merchants' page is filled in by the shop's server. */
export const PAGES: Record<string, string> = {
  '/': 'index.html',
  '/playground': 'playground/index.html',
  '/playground/host': 'playground/host.html',
  '/shop': 'shop/index.html',
};

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
