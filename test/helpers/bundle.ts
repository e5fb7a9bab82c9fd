import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** Packages with a native part, and those that the process finds only where its host has installed them. */
const OWN_FILES = ['@photostructure/sqlite', '@opentelemetry/api', 'pg-native'];

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Bundles the sources as they are now, for tests that start processes of their own: `dist` may be of yesterday, and
 * translating at each start takes as long as all the rest of it. With their dependencies, of which Plaid's SDK alone is
 * 19 MB of text with its comments and its source map: a process starts in half the processor time.
 * @param entry relative to the project
 * @param project another checkout of it, with its dependencies
 * @returns the file, in a folder that is removed with this process, and that it sees as the package's own `dist/server`
 */
export async function bundle(entry: string, project = PROJECT): Promise<string> {
  const name = basename(entry, '.ts');
  // Below node_modules, where Node finds the dependencies.
  const cache = join(project, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  // A linked folder may be gone when the process exits.
  const folder = mkdtempSync(join(realpathSync(cache), `fbc-${name}-`));
  const outDir = join(folder, 'dist', 'server');
  await build({
    root: project,
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true, external: [...OWN_FILES] },
    build: {
      ssr: join(project, entry),
      outDir,
      target: 'node20',
      minify: false,
      rolldownOptions: { output: { format: 'es', entryFileNames: `${name}.mjs` } },
    },
  });
  copyFileSync(join(project, 'package.json'), join(folder, 'package.json'));
  removeAtExit(folder);
  return join(outDir, `${name}.mjs`);
}

const folders: string[] = [];

/** With one listener: test files of one process may bundle more often than Node accepts listeners without a warning. */
function removeAtExit(folder: string): void {
  if (folders.push(folder) > 1) return;
  process.once('exit', () => {
    for (const each of folders) rmSync(each, { recursive: true, force: true });
  });
}
