import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, posix, relative } from 'node:path';
import { PAGES } from './read-pages.ts';

/** Tells a folder of this command from one of the user's. */
const MARK = 'static/shell.js';
/** Pages whose way of embedding does not work in a frame, or needs the server. */
const NEED_A_SERVER = ['embedded.html', 'hosted.html'];

/** Written into the worker by `npm run demo:static`. */
export interface StaticFiles {
  /** Names the files' contents: another version, another cache. */
  version: string;
  /** Paths of files from the folder's own, without a slash at the beginning. */
  files: string[];
}

/** What a person must change before the folder can be written. */
export class StaticFolderError extends Error {
  override readonly name = 'StaticFolderError';
}

/** Writes the built demo as a folder that answers its own requests. @returns the number of files */
export async function writeStatic(built: string, out: string): Promise<number> {
  const dist = dirname(built);
  if (!existsSync(join(built, MARK)))
    throw new StaticFolderError(`${join(built, MARK)} is not there. Run: npm run build`);
  if (existsSync(out)) {
    const isOurs = existsSync(join(out, MARK)) || (await readdir(out)).length === 0;
    if (!isOurs) throw new StaticFolderError(`${out} has other files. Choose a new folder with --out.`);
    await rm(out, { recursive: true });
  }
  await mkdir(join(out, 'static'), { recursive: true });
  await cp(join(built, 'assets'), join(out, 'assets'), { recursive: true });
  // The script-tag bundle with its chunks; not the pinned copy of it.
  await cp(join(dist, 'cdn'), join(out, 'connect'), {
    recursive: true,
    filter: (file) => !/@[\d.]+/.test(relative(dist, file)),
  });
  for (const name of await readdir(join(built, 'static'))) {
    if (name.endsWith('.js') && name !== 'worker.js') await cp(join(built, 'static', name), join(out, 'static', name));
  }
  const pages = await readPages(built);
  await writeFile(join(out, 'pages.json'), JSON.stringify(pages));
  const shell = await readFile(join(built, 'static', 'shell.html'), 'utf8');
  await writeFile(join(out, 'index.html'), shell);
  const files = (await filesIn(out)).sort();
  // So that an address deep in the demo can be opened first; the folders are not in the worker's cache, which has the
  // shell.
  for (const path of Object.keys(pages).filter((path) => path !== '/' && path !== '/shop'))
    await writeShell(out, path, shell);
  const worker = await readFile(join(built, 'static', 'worker.js'), 'utf8');
  const facts: StaticFiles = { version: await hashOf(out, files), files };
  await writeFile(join(out, 'sw.js'), `const STATIC_FILES = ${JSON.stringify(facts)};\n${worker}`);
  return files.length + 1;
}

async function readPages(built: string): Promise<Record<string, string>> {
  const pages: Record<string, string> = {};
  for (const [path, file] of Object.entries(PAGES)) pages[path] = await readFile(join(built, file), 'utf8');
  for (const name of await readdir(join(built, 'pages'))) {
    if (!name.endsWith('.html') || NEED_A_SERVER.includes(name)) continue;
    const page = await readFile(join(built, 'pages', name), 'utf8');
    pages[name === 'index.html' ? '/pages/' : `/pages/${name}`] = page.replace(
      /<li><a href="\/pages\/([\w-]+\.html)">(.*?)<\/a>/g,
      (entry, file: string, label: string) =>
        NEED_A_SERVER.includes(file) ? `<li>${label} (needs <code>npm run demo</code>)` : entry,
    );
  }
  return pages;
}

async function writeShell(out: string, path: string, shell: string): Promise<void> {
  const file = path.endsWith('.html') ? path : posix.join(path, 'index.html');
  const up = `${posix.relative(posix.dirname(file), '/') || '.'}/`;
  await mkdir(join(out, posix.dirname(file)), { recursive: true });
  await writeFile(join(out, file), shell.replaceAll('"./', `"${up}`));
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
}

async function hashOf(folder: string, files: string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(await readFile(join(folder, file)));
  return hash.digest('hex').slice(0, 12);
}
