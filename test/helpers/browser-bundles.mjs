import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/** The bundler may put what files share into one of them: each of the others would run that one's tests as well. */
const ONE_FILE_EACH = {
  name: 'one-file-each',
  generateBundle(_options, bundle) {
    const chunks = Object.values(bundle).filter(({ type }) => type === 'chunk');
    for (const { fileName } of chunks.filter(({ isEntry }) => isEntry)) {
      const other = chunks.find(({ imports }) => imports.includes(fileName));
      if (other) this.error(`${other.fileName} runs the tests of ${fileName}, whose modules it shares.`);
    }
  },
};

/**
 * Bundles test files for web-test-runner. A test page has about 150 modules otherwise, and their requests take two
 * browsers and the runner longer than the tests in them. Modules that several files import, and those that the element
 * loads later, stay files of their own.
 * @param {string[]} files relative to the project
 * @param {import('vite').PluginOption[]} plugins of the build
 * @returns {Promise<{ name: string, has(path: string): boolean, serve(context: { path: string }): { body: string, type:
 * string } | undefined }>} a plugin of the runner that answers with them; `has`: whether the path is one of theirs,
 * which is translated already
 */
export async function browserBundles(files, plugins) {
  // Below the root of the runner, which serves only that.
  const cache = join(PROJECT, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'fbc-browser-tests-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const nameOf = (file) => file.replace(/\.ts$/, '');
  await build({
    root: PROJECT,
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    plugins: [...plugins, ONE_FILE_EACH],
    build: {
      outDir: folder,
      target: 'es2022',
      minify: false,
      modulePreload: false,
      sourcemap: true,
      rolldownOptions: {
        input: Object.fromEntries(files.map((file) => [nameOf(file), join(PROJECT, file)])),
        // `sideEffects` in package.json knows no tests: what a helper does when it is imported would be left out.
        treeshake: false,
        // The runner's own address, from which its commands come.
        external: /^\/__web-dev-server/,
        output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
      },
    },
  });
  const address = `/${relative(PROJECT, folder).replaceAll('\\', '/')}`;
  const bundled = new Map(files.map((file) => [`/${file}`, `${address}/${nameOf(file)}.js`]));
  return {
    name: 'browser-bundles',
    has: (path) => path.startsWith(`${address}/`),
    serve({ path }) {
      const file = bundled.get(path);
      return file && { body: `import '${file}';`, type: 'js' };
    },
  };
}
