import { brotliCompressSync } from 'node:zlib';
import { type CompressOptions, type MinifyOptions, minify } from 'terser';
import type { Plugin } from 'vite';
import { isScript } from './environments.ts';
import { importRenamed, shortenExports } from './short-exports.ts';

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
 * Names of properties that only our own modules give to their own objects, and that the second and third chunk export
 * to each other. No page, backend, storage or address ever has one of them, and none is read through a string. In the
 * script that is loaded in parts each is two letters, the same in every part.
 */
const OWN_NAMES = [
  ...['adoptElementStyles', 'agreed', 'asker', 'canEmbed', 'consumeReturn', 'createPublicAgain', 'detourParts'],
  ...['detours', 'detourStyles', 'dispatch', 'embeddedPlace', 'errorOfRequest', 'errorOfResponse'],
  ...['focusSearch', 'hidesLink', 'hostedLink', 'isAborted', 'isAnnounced', 'isAside', 'isCovered', 'isOdd', 'isOff'],
  ...['isTaken', 'keepsSession', 'mayOpen', 'needsFallback', 'obtainLink', 'offered', 'publicSession', 'refuseSecret'],
  ...['relinked', 'rendered', 'renewable', 'renewed', 'reopened', 'replacing', 'requiredText', 'settled'],
  ...['submission', 'unusable', 'upfront', 'wanted', 'working', 'isLost', 'examine', 'exited', 'succeeded'],
  ...['isRefusal', 'isPublic', 'prepareLink', 'expire', 'obtain'],
];

/** Longer than what the minifier gives to Lit's names, and of pairs of letters that the code has in any case. */
const SHORT_NAMES = OWN_NAMES.map((name, at) => [name, `${String.fromCharCode(97 + (at % 26))}${at < 26 ? 't' : 'e'}`]);

const EXPORTED = /(?<=export\s*\{[^}]*\bas )\w+/g;

// Each of Lit's three parts asks whether the page has polyfills for it, which browsers above the support floor need
// none of, and adds its version to a list of the page's, which only its development build reads.
const LIT_POLYFILL = /\b\w[\w$]*\.(litHtml|reactiveElement|litElement)PolyfillSupport\b/g;
const LIT_VERSION = /\([\w$]+\.(litHtml|reactiveElement|litElement)Versions \?\?= \[\]\)\.push\("[\d.]+"\)/g;
const LIT_PARTS = 3;

/**
 * Functions stay where they are: one that is moved into another shares the variables that it holds on to, and an
 * element that has left the page would be kept with them.
 */
const COMPRESS: CompressOptions = { passes: 3, inline: 0, reduce_funcs: false, pure_getters: true };

/** Statements that are joined with commas are no shorter, and look less like each other to what packs them. */
const LAST_COMPRESS: CompressOptions = { ...COMPRESS, sequences: false };

const LOADED = ['element-', 'lazy-', 'detour-'];
const order = (file: string) => LOADED.findIndex((start) => file.startsWith(start)) + 1 || LOADED.length + 1;

/**
 * A letter that no variable is called by. Packed, the same code under other names is up to 40 bytes shorter or longer,
 * as it is with another hash in the name of a file; of several, one is short wherever the packages lie.
 */
const SPARED = ['', ...'etnisraoldc'];

/** @returns the code under the names with which it is the shortest when packed */
async function shortest(code: string, isLoaded: boolean, isImported: boolean) {
  const names = isLoaded ? SPARED : [''];
  // Once for all names.
  const options: MinifyOptions = { module: true, ecma: 2020, compress: LAST_COMPRESS, mangle: !isLoaded };
  const { code: compressed = '' } = await minify(code, options);
  let best: (ReturnType<typeof shortenExports> & { size: number }) | null = null;
  for (const letter of names) {
    const named: MinifyOptions = { module: true, ecma: 2020, compress: false, mangle: { reserved: [letter] } };
    const { code: small = '' } = isLoaded ? await minify(compressed, named) : { code: compressed };
    const short = isImported ? shortenExports(small) : { code: small, renamed: new Map<string, string>() };
    const size = brotliCompressSync(short.code).length;
    if (small && (!best || size < best.size)) best = { ...short, size };
  }
  return best;
}

/**
 * Makes the script small, twice: each chunk before the bundler writes it, where Lit's names are still to be seen, and
 * the whole of it afterwards, because the bundler's own minifier writes more than it has to.
 */
export function minifyScript(): Plugin {
  return {
    name: 'finix-bank-connect:minify-script',
    applyToEnvironment: isScript,
    async renderChunk(code, { moduleIds }) {
      const used = LIT_NAMES.filter((name) => new RegExp(`\\b${name}\\b`).test(code));
      const hasLit = moduleIds.some((id) => id.includes('/lit-html/'));
      if (!hasLit && used.length) this.error(`Only Lit may use ${used.join(', ')}: it has another name in the script.`);
      const without = hasLit ? code.replace(LIT_POLYFILL, 'undefined').replace(LIT_VERSION, '0') : code;
      const found = [LIT_POLYFILL, LIT_VERSION].map((pattern) => code.match(pattern)?.length ?? 0);
      if (hasLit && found.some((count) => count !== LIT_PARTS))
        this.error('Lit is not written as it is expected to be.');
      const short = this.environment.name === 'cdn' ? new Map(SHORT_NAMES as [string, string][]) : new Map();
      const quoted = OWN_NAMES.filter((name) => new RegExp(`(["'\`])${name}\\1`).test(code));
      if (quoted.length) this.error(`A property that is read through a string keeps its name: ${quoted.join(', ')}.`);
      const { code: small } = await minify(without, {
        module: true,
        ecma: 2020,
        compress: COMPRESS,
        mangle: { properties: { regex: new RegExp(`^(_\\$.*|${[...LIT_NAMES, ...short.keys()].join('|')})$`) } },
        nameCache: { props: { props: Object.fromEntries([...short].map(([name, letters]) => [`$${name}`, letters])) } },
        // So that the last step can leave out what lazy-chunks.ts makes needless.
        format: { preserve_annotations: true },
      });
      if (!small) this.error('The minifier returned no code.');
      const renamed = small.replace(EXPORTED, (name) => short.get(name) ?? name);
      // It spares the names of the browser's own properties, which an export would not.
      const left = [...short.keys()].filter((name) => new RegExp(`[.{,]${name}\\b`).test(renamed));
      if (left.length) this.error(`These are names of the browser's as well: ${left.join(', ')}.`);
      return { code: renamed, map: null };
    },
    // The names of the files are made before the last step, on which they must depend as well.
    augmentChunkHash: () =>
      JSON.stringify([LAST_COMPRESS, SHORT_NAMES, SPARED, String(shortest), String(shortenExports)]),
    generateBundle: {
      // After the later chunks have their names (lazy-chunks.ts).
      order: 'post',
      async handler(_options, bundle) {
        const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
        const renamed: [file: string, names: Map<string, string>][] = [];
        // Each after those that it imports from.
        for (const file of chunks.sort((one, other) => order(one.fileName) - order(other.fileName))) {
          const code = renamed.reduce((text, [from, names]) => importRenamed(text, from, names), file.code);
          // What is only loaded when it is needed is asked for by the names that its source has.
          const isImported = chunks.some(({ imports }) => imports.includes(file.fileName));
          const short = await shortest(code, order(file.fileName) <= LOADED.length, isImported);
          if (!short) this.error('The minifier returned no code.');
          file.code = short.code;
          if (isImported) renamed.push([file.fileName, short.renamed]);
        }
      },
    },
  };
}
