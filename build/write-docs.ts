import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build } from 'vite';
import { buildSite } from './docs/site.ts';
import { from } from './project.ts';

/**
 * `npm run docs`, also a part of `npm run build`: the documents as static files in dist/docs, or in the folder that is
 * given.
 */
const out = process.argv[2] ?? from('dist/docs');
rmSync(out, { recursive: true, force: true });

const files = buildSite('https://connect.example');
for (const [file, content] of files) {
  const path = join(out, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
await build({
  configFile: false,
  logLevel: 'warn',
  publicDir: from('build/docs/public'),
  build: {
    outDir: out,
    emptyOutDir: false,
    // A classic script also runs when a page is opened from a folder.
    lib: { entry: from('build/docs/theme/docs.ts'), formats: ['iife'], name: 'docs', fileName: () => 'docs.js' },
  },
});
console.log(`${relative(process.cwd(), out)}: ${files.size} files`);
