import { readFileSync } from 'node:fs';
import type { Plugin } from 'vite';
import { from } from './project.ts';

/** Of Node's modules those that the simulator uses; in a page these take their places. */
const SHIMS: Record<string, string> = {
  'node:crypto': 'demo/static/node/crypto.ts',
  'node:events': 'demo/static/node/events.ts',
  'node:timers/promises': 'demo/static/node/timers.ts',
  'node:zlib': 'demo/static/node/zlib.ts',
};

/** Lets the demo's servers run in a page: `npm run demo:static`. */
export function pageShims(): Plugin {
  return {
    name: 'finix-bank-connect:page-shims',
    enforce: 'pre',
    applyToEnvironment: (environment) => environment.name === 'demoStatic',
    generateBundle() {
      const source = readFileSync(from('demo/static/shell.html'), 'utf8');
      this.emitFile({ type: 'asset', fileName: 'shell.html', source });
    },
    resolveId: (id) => (SHIMS[id] ? from(SHIMS[id]) : undefined),
  };
}
