import { minify } from 'terser';
import type { Plugin } from 'vite';

/**
 * Makes the script small. Names of properties stay as they are, but for those that Lit keeps to itself: it marks them, and gives them to no other
 * module than its own, all of which are in one chunk.
 */
export function minifyScript(): Plugin {
  return {
    name: 'finix-bank-connect:minify-script',
    applyToEnvironment: (environment) => environment.name === 'cdn',
    async renderChunk(code) {
      const { code: small } = await minify(code, {
        module: true,
        ecma: 2020,
        compress: { passes: 3 },
        mangle: { properties: { regex: /^_\$/ } },
      });
      if (!small) this.error('The minifier gave no code.');
      return { code: small, map: null };
    },
  };
}
