import { minify } from 'terser';
import type { Plugin } from 'vite';
import { isScript } from './environments.ts';

/**
 * Names of properties that only Lit's modules use. They are in one chunk, none is read through a string, and no page
 * has a reason to touch them: what pages and tools use of a Lit element (`updateComplete`, `requestUpdate`,
 * `renderRoot`) keeps its name. Lit's `_$…` are of this kind by themselves.
 */
const LIT_NAMES = [
  ...['createProperty', 'getPropertyDescriptor', 'getPropertyOptions', 'addInitializer', 'finalizeStyles'],
  ...['enableUpdating', 'scheduleUpdate', 'performUpdate', 'getUpdateComplete', 'isUpdatePending'],
  ...['addController', 'removeController', 'hostConnected', 'hostDisconnected', 'hostUpdate', 'hostUpdated'],
  ...['noAccessor', 'useDefault', 'hasChanged', 'wrapped', 'converter', 'fromAttribute', 'toAttribute'],
  ...['renderOptions', 'renderBefore', 'creationScope', 'setConnected', 'startNode', 'endNode'],
];

/**
 * Makes the script small. Functions stay where they are: one that is moved into another shares the variables that it
 * holds on to, and an element that has left the page would be kept with them.
 */
export function minifyScript(): Plugin {
  return {
    name: 'finix-bank-connect:minify-script',
    applyToEnvironment: isScript,
    async renderChunk(code, { moduleIds }) {
      const used = LIT_NAMES.filter((name) => new RegExp(`\\b${name}\\b`).test(code));
      const hasLit = moduleIds.some((id) => id.includes('/lit-html/'));
      if (!hasLit && used.length) this.error(`Only Lit may use ${used.join(', ')}: it has another name in the script.`);
      const { code: small } = await minify(code, {
        module: true,
        ecma: 2020,
        compress: { passes: 3, inline: 0, reduce_funcs: false, pure_getters: true },
        mangle: { properties: { regex: new RegExp(`^(_\\$.*|${LIT_NAMES.join('|')})$`) } },
      });
      if (!small) this.error('The minifier returned no code.');
      return { code: small, map: null };
    },
  };
}
