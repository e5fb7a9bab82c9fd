import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import type { EnvironmentOptions } from 'vite';
import { from } from './project.ts';

/** Of the two scripts for pages without a bundler of their own. */
export const isScript = ({ name }: { name: string }): boolean => name === 'cdn' || name === 'pinned';

/** Code for browsers: bundled with its dependencies unless `external` names them. */
export function browserModule(
  outDir: string,
  entry: Record<string, string>,
  build: EnvironmentOptions['build'],
  define: Record<string, string> = { LAZY_CHUNK: 'undefined', DETOUR_CHUNK: 'undefined' },
): EnvironmentOptions {
  return {
    consumer: 'client',
    define,
    build: {
      outDir: from(outDir),
      emptyOutDir: true,
      target: 'es2022',
      copyPublicDir: false,
      lib: { entry: absolute(entry), formats: ['es'] },
      ...build,
    },
  };
}

/**
 * Code for Node: only our own files are bundled. Shared chunks lie next to the entries, so that `import.meta.url` keeps
 * its depth.
 */
export function nodeModule(outDir: string, entry: Record<string, string>, emptyOutDir = true): EnvironmentOptions {
  return {
    consumer: 'server',
    build: {
      ssr: true,
      outDir: from(outDir),
      emptyOutDir,
      target: 'node20',
      minify: false,
      copyPublicDir: false,
      rolldownOptions: {
        input: absolute(entry),
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: '[name].js' },
      },
    },
  };
}

/**
 * The story, the merchants' page, the playground, and one small page per way of embedding; a new page needs no entry
 * here.
 */
export function demoPages(): Record<string, string> {
  const small = readdirSync(from('demo/pages')).filter((file) => file.endsWith('.html'));
  return absolute(
    Object.fromEntries([
      ['index', 'demo/index.html'],
      ['shop', 'demo/shop/index.html'],
      ['playground', 'demo/playground/index.html'],
      ['playground-host', 'demo/playground/host.html'],
      ...small.sort().map((file) => [`pages-${basename(file, '.html')}`, `demo/pages/${file}`]),
    ]),
  );
}

function absolute(entries: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, from(file)]));
}
