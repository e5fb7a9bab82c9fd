import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { ScriptBundle } from './app.ts';

/** `dist/`, as seen from the built server in `dist/server/`. */
const dist = dirname(dirname(fileURLToPath(import.meta.url)));

/** This package's version. */
export async function readVersion(): Promise<string> {
  const text = await readFile(join(dist, '..', 'package.json'), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}

/** The script-tag bundle that `npm run build` made next to the server; undefined when it is not there. */
export async function readScript(): Promise<ScriptBundle | undefined> {
  const folder = join(dist, 'cdn');
  const names = await readdir(folder).catch(() => []);
  const scripts = names.filter((name) => name.endsWith('.js'));
  if (!scripts.includes('finix-bank-connect.js')) return undefined;
  const files = await Promise.all(scripts.map(async (name) => [name, await readFile(join(folder, name))] as const));
  return { files: new Map(files) };
}
