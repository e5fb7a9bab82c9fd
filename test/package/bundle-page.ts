import { join } from 'node:path';
import { build, type InlineConfig } from 'vite';
import { project } from './imports.ts';

export interface BundleOptions {
  /** For Node, as a server that renders; else for a page. */
  target?: 'page' | 'node';
  /** Lit's own build: merchants get the one for production, unless their bundler is in development. */
  lit?: 'production' | 'development';
  alias?: { find: RegExp | string; replacement: string }[];
}

/** Vue warns where a bundler does not set these. */
const vueFlags = {
  __VUE_OPTIONS_API__: 'true',
  __VUE_PROD_DEVTOOLS__: 'false',
  __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
};

/**
 * Bundles a file of the tests into one script, for development, because only there strict mode mounts twice and React
 * warns.
 */
export async function bundlePage(file: string, options: BundleOptions = {}): Promise<string> {
  const { target = 'page', lit = 'production', alias = [] } = options;
  const forNode: InlineConfig = { ssr: { noExternal: true, resolve: { conditions: ['module', 'node', lit] } } };
  const result = await build({
    configFile: false,
    root: project,
    mode: 'development',
    logLevel: 'silent',
    define: { 'process.env.NODE_ENV': '"development"', LAZY_CHUNK: 'undefined', ...vueFlags },
    resolve: { conditions: ['module', 'browser', lit], alias },
    ...(target === 'node' ? forNode : {}),
    build: {
      write: false,
      minify: false,
      ...(target === 'node' ? { ssr: file } : {}),
      rolldownOptions: { input: join(project, file), output: { codeSplitting: false } },
    },
  });
  if (!('output' in result)) throw new Error('The build gave no output.');
  return result.output[0].code;
}
