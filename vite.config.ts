import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import type { EnvironmentOptions, Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { createManifest } from './test/package/create-manifest.ts';

const project = import.meta.dirname;
const from = (path: string) => resolve(project, path);
const { version } = JSON.parse(readFileSync(from('package.json'), 'utf8')) as { version: string };
const resultsFolder = process.env['TEST_RESULTS_DIR'];
const scriptFile = 'finix-bank-connect.js';

/**
 * Writes what a merchant needs to pin the script (`integrity.json`) and says it once, since a hash that nobody sees is never used. The script's own
 * facts stand at the top; `chunks` are the files it loads, `first` with it and `later` when the customer comes near.
 */
function integrity(): Plugin {
  return {
    name: 'finix-bank-connect:integrity',
    applyToEnvironment: (environment) => environment.name === 'cdn',
    writeBundle({ dir }, bundle) {
      if (!dir) return;
      const facts = (file: string) => {
        const code = readFileSync(join(dir, file));
        const hash = `sha384-${createHash('sha384').update(code).digest('base64')}`;
        return { file, integrity: hash, bytes: code.length, brotli_bytes: brotliCompressSync(code).length };
      };
      const first = new Set<string>();
      const follow = (file: string) => {
        const chunk = bundle[file];
        if (chunk?.type !== 'chunk' || first.has(file)) return;
        first.add(file);
        chunk.imports.forEach(follow);
      };
      follow(scriptFile);
      const { file, ...script } = facts(scriptFile);
      const chunks = Object.keys(bundle)
        .filter((name) => name.endsWith('.js') && name !== scriptFile)
        .map((name) => ({ ...facts(name), load: first.has(name) ? 'first' : 'later' }));
      const total = (load: string) => chunks.reduce((sum, c) => sum + (c.load === load ? c.brotli_bytes : 0), 0);
      writeFileSync(join(dir, 'integrity.json'), `${JSON.stringify({ file, version, ...script, chunks }, null, 2)}\n`);
      console.log(
        `dist/cdn/${file} ${version}: ${script.brotli_bytes + total('first')} bytes brotli at first, ${total('later')} later, integrity="${script.integrity}"`,
      );
    },
  };
}

const LAZY_CHUNK = '__LAZY_CHUNK__';

/** What the element loads after its button is there: named by its entry, as every folder has an index. */
const isLazyChunk = ({ facadeModuleId }: { facadeModuleId?: string | null }) =>
  facadeModuleId === from('widget/lazy/index.ts');

const entryFile = from('widget/embed.ts');

/** Whether the script brings a module along at once. */
function isFirst(id: string, graph: ModuleGraph, seen = new Set<string>()): boolean {
  if (seen.has(id)) return false;
  seen.add(id);
  const importers = graph.getModuleInfo(id)?.importers ?? [];
  return importers.some((importer) => importer === entryFile || isFirst(importer, graph, seen));
}

interface ModuleGraph {
  getModuleInfo(id: string): { importers: string[] } | null;
}

/**
 * Tells the script where the chunk lies that it loads later, so that it can ask for it under another address when the first time failed: the bundler
 * writes the name into the import itself and nowhere else.
 */
function nameLazyChunk(): Plugin {
  return {
    name: 'finix-bank-connect:name-lazy-chunk',
    applyToEnvironment: (environment) => environment.name === 'cdn',
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
      const lazy = chunks.find(isLazyChunk);
      const places = chunks.filter(({ code }) => code.includes(LAZY_CHUNK));
      if (!lazy || places.length !== 1) this.error('The lazy chunk, or the place for its name, is missing.');
      for (const chunk of places) chunk.code = chunk.code.replaceAll(LAZY_CHUNK, `./${lazy.fileName}`);
    },
  };
}

/** What editors and other tools read about the element; from the class as it was just built. */
function manifest(): Plugin {
  const built = 'dist/widget/element.js';
  return {
    name: 'finix-bank-connect:manifest',
    applyToEnvironment: (environment) => environment.name === 'widget',
    async writeBundle() {
      // Not the copy of an earlier build in the same process.
      const { FinixBankConnect } = await import(`${pathToFileURL(from(built))}?${Date.now()}`);
      const content = await createManifest(project, built, FinixBankConnect);
      writeFileSync(from('dist/custom-elements.json'), `${JSON.stringify(content, null, 2)}\n`);
    },
  };
}

/** Code for browsers: bundled with its dependencies unless `external` names them. */
function browserModule(
  outDir: string,
  entry: Record<string, string>,
  build: EnvironmentOptions['build'],
  define: Record<string, string> = { LAZY_CHUNK: 'undefined' },
) {
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
  } satisfies EnvironmentOptions;
}

/** Code for Node: only our own files are bundled. Shared chunks stay beside the entries, so that `import.meta.url` keeps its depth. */
function nodeModule(outDir: string, entry: Record<string, string>, emptyOutDir = true) {
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
  } satisfies EnvironmentOptions;
}

function absolute(entries: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, from(file)]));
}

/** The sales page and one small page per way of embedding; a new page needs no entry here. */
function demoPages(): Record<string, string> {
  const folder = from('demo/pages');
  const small = readdirSync(folder).filter((file) => file.endsWith('.html'));
  return Object.fromEntries([
    ['index', 'demo/index.html'],
    ...small.sort().map((file) => [`pages-${basename(file, '.html')}`, `demo/pages/${file}`]),
  ]);
}

const environments: Record<string, EnvironmentOptions> = {
  cdn: browserModule(
    'dist/cdn',
    { 'finix-bank-connect': 'widget/embed.ts' },
    {
      minify: true,
      // One script without preload helper: languages are fetched when wanted, relative to the script.
      modulePreload: false,
      rolldownOptions: {
        // A library in ES format keeps its white space unless the output itself is minified.
        output: {
          minify: true,
          entryFileNames: scriptFile,
          chunkFileNames: (chunk) => (isLazyChunk(chunk) ? 'lazy-[hash].js' : '[name]-[hash].js'),
          codeSplitting: {
            groups: [{ name: (id, graph) => (isFirst(id, graph) ? 'element' : null), debugName: 'element' }],
          },
        },
      },
    },
    { LAZY_CHUNK: JSON.stringify(LAZY_CHUNK) },
  ),
  widget: browserModule(
    'dist/widget',
    {
      index: 'widget/index.ts',
      element: 'widget/finix-bank-connect.ts',
      headless: 'widget/headless.ts',
      react: 'widget/react.ts',
    },
    {
      minify: false,
      rolldownOptions: {
        external: [/^lit($|\/)/, /^@lit\//, /^react($|\/)/],
        output: { entryFileNames: '[name].js', chunkFileNames: 'chunks/[name].js' },
      },
    },
  ),
  server: nodeModule('dist/server', { main: 'server/main.ts', index: 'server/index.ts' }),
  simulator: nodeModule('dist/simulator', { index: 'demo/simulator/index.ts' }),
  demo: {
    consumer: 'client',
    build: {
      outDir: from('dist/demo'),
      emptyOutDir: true,
      target: 'es2022',
      copyPublicDir: false,
      // Browsers that know modules by now know preloads too, and the script it would put into every page needs a nonce.
      modulePreload: { polyfill: false },
      rolldownOptions: { input: absolute(demoPages()) },
    },
  },
  // After `demo`, into the same folder: the pages and the process that serves them belong together.
  demoServer: nodeModule('dist/demo', { serve: 'demo/serve.ts' }, false),
  bench: nodeModule('dist/bench', { main: 'test/bench/main.ts' }),
};

export default defineConfig({
  // The demo is the only thing with pages: `vite` serves it, and its pages are built to dist/demo without a folder in between.
  root: from('demo'),
  publicDir: false,
  appType: 'mpa',
  server: { fs: { allow: [project] } },
  plugins: [nameLazyChunk(), integrity(), manifest()],
  environments,
  builder: {
    async buildApp(builder) {
      for (const name of Object.keys(environments)) {
        const environment = builder.environments[name];
        if (environment) await builder.build(environment);
      }
    },
  },
  test: {
    root: project,
    environment: 'node',
    // With a folder for results, also counts in a file, for whoever adds up several runners.
    reporters: resultsFolder ? ['default', ['json', { outputFile: join(resultsFolder, 'node.json') }]] : ['default'],
    setupFiles: [from('test/helpers/no-network.ts')],
    // Most tests wait for a process, a database or a browser: two files at a time keep two cores busy. By itself Vitest leaves one core unused.
    maxWorkers: 2,
    // On a shared machine a test with real processes can be starved once; twice in a row it is a defect. On a developer's own it shows at once.
    retry: process.env['CI'] ? 1 : 0,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/{server,simulator,package}/**/*.test.ts', 'test/widget/unit/**/*.test.ts'],
          // A test may start a process or a database; 20 s is what that takes on a busy 2-core machine, with room.
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'journey',
          include: ['test/journey/**/*.test.ts'],
          // One journey is a browser and a server: one at a time, after the rest, or timeouts say more about the machine than about the product.
          sequence: { groupOrder: 1 },
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          // Processes that are killed and born take the whole machine, and time-outs that are short would find it slow.
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
