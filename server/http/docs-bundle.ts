import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DocsBundle } from './context.ts';

/** As seen from the built server in `dist/server/`. */
const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs');

/** The documentation site that `npm run build` made next to the server; undefined when it is not there. */
export async function readDocs(): Promise<DocsBundle | undefined> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    );
  if (!paths.includes('index.html')) return undefined;
  return {
    files: new Map(await Promise.all(paths.map(async (path) => [path, await readFile(join(folder, path))] as const))),
  };
}
