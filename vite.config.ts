import { defineConfig, type EnvironmentOptions } from 'vite';
import { browserModule, demoPages, nodeModule } from './build/environments.ts';
import { firstChunk } from './build/first-chunk.ts';
import { integrity } from './build/integrity.ts';
import { CHUNK_NAMES, laterChunkName, nameLazyChunks } from './build/lazy-chunks.ts';
import { manifest } from './build/manifest.ts';
import { minifyScript } from './build/minify-script.ts';
import { minifyTemplates } from './build/minify-templates.ts';
import { packTexts } from './build/pack-texts.ts';
import { pageShims } from './build/page-shims.ts';
import { from, project, version } from './build/project.ts';
import { showSource } from './build/show-source.ts';
import { thirdPartyLicenses } from './build/third-party-licenses.ts';
import { trimLit } from './build/trim-lit.ts';

const scriptFile = 'finix-bank-connect.js';
const pinnedFile = `finix-bank-connect@${version}.js`;

/** Everything that is built, in this order. */
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
          chunkFileNames: (chunk) => `${laterChunkName(chunk) ?? '[name]'}-[hash].js`,
          codeSplitting: { groups: [firstChunk] },
        },
      },
    },
    CHUNK_NAMES,
  ),
  // The script that pages pin by its hash: one file, because browsers check the hash of nothing that a module imports.
  pinned: browserModule(
    'dist/cdn',
    { pinned: 'widget/embed.ts' },
    {
      emptyOutDir: false,
      minify: true,
      modulePreload: false,
      rolldownOptions: { output: { minify: true, entryFileNames: pinnedFile, codeSplitting: false } },
    },
  ),
  widget: browserModule(
    'dist/widget',
    {
      index: 'widget/index.ts',
      element: 'widget/finix-bank-connect.ts',
      headless: 'widget/headless.ts',
      react: 'widget/react.ts',
      client: 'widget/client.ts',
    },
    {
      minify: false,
      rolldownOptions: {
        external: [/^lit($|\/)/, /^@lit\//, /^react($|\/)/],
        output: {
          entryFileNames: '[name].js',
          chunkFileNames: 'chunks/[name].js',
          // For React's server components: a directive of the source may not survive bundling.
          banner: ({ name }) => (name === 'react' ? "'use client';" : ''),
        },
      },
    },
  ),
  // The same for servers without a DOM and without Node, with the Lit that renders nothing.
  edge: {
    ...browserModule(
      'dist/widget/edge',
      { index: 'widget/index.ts', element: 'widget/finix-bank-connect.ts', react: 'widget/react.ts' },
      {
        minify: false,
        rolldownOptions: {
          external: [/^react($|\/)/],
          output: {
            entryFileNames: '[name].js',
            chunkFileNames: 'chunks/[name].js',
            banner: ({ name }) => (name === 'react' ? "'use client';" : ''),
          },
        },
      },
      {
        LAZY_CHUNK: 'undefined',
        DETOUR_CHUNK: 'undefined',
        'process.env.NODE_ENV': '"production"',
        // Not every one has it, and no event is sent there.
        CustomEvent: '(globalThis.CustomEvent??Object)',
      },
    ),
    resolve: { conditions: ['node', 'production'] },
  },
  server: nodeModule('dist/server', { main: 'server/main.ts', index: 'server/index.ts' }),
  simulator: nodeModule('dist/simulator', { index: 'demo/simulator/index.ts', serve: 'demo/simulator/serve.ts' }),
  demo: {
    consumer: 'client',
    build: {
      outDir: from('dist/demo'),
      emptyOutDir: true,
      target: 'es2022',
      // Browsers that know light-dark(): lowering it would turn it into variables that a color-scheme in a style
      // attribute does not switch.
      cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
      copyPublicDir: false,
      // Browsers that support modules support preloads too, and the polyfill's inline script would need a nonce in
      // every page.
      modulePreload: { polyfill: false },
      rolldownOptions: { input: demoPages() },
    },
  },
  // After `demo`, into the same folder: the pages and the process that serves them belong together.
  demoServer: nodeModule(
    'dist/demo',
    {
      serve: 'demo/serve.ts',
      'connect-process': 'demo/server/connect-process.ts',
      'write-static': 'demo/write-static.ts',
    },
    false,
  ),
  // The same servers once more, for a page: what `npm run demo:static` puts around the pages.
  demoStatic: browserModule(
    'dist/demo/static',
    { shell: 'demo/static/shell.ts', worker: 'demo/static/worker.ts' },
    {
      minify: true,
      modulePreload: false,
      rolldownOptions: { output: { minify: true, entryFileNames: '[name].js', chunkFileNames: '[name].js' } },
    },
  ),
  bench: nodeModule('dist/bench', { main: 'test/bench/main.ts' }),
};

const config = defineConfig({
  // The demo is the only thing with pages: `vite` serves it, and its pages are built to dist/demo without a folder in
  // between.
  root: from('demo'),
  publicDir: false,
  appType: 'mpa',
  // How long plugins take is of no interest to a person who starts the demo.
  build: { rolldownOptions: { checks: { pluginTimings: false } } },
  server: { fs: { allow: [project] } },
  plugins: [
    pageShims(),
    showSource(),
    packTexts(),
    trimLit(),
    minifyTemplates(),
    minifyScript(),
    nameLazyChunks(),
    integrity(scriptFile, pinnedFile),
    manifest(),
    thirdPartyLicenses(),
  ],
  environments,
  builder: {
    async buildApp(builder) {
      for (const name of Object.keys(environments)) {
        const environment = builder.environments[name];
        if (environment) await builder.build(environment);
      }
    },
  },
});

export default defineConfig(({ command }) => {
  // Packages are for production, also where the build is asked for by a program that runs as a test: Lit's development
  // build would be bundled else.
  if (command === 'build') process.env['NODE_ENV'] = 'production';
  return config;
});
