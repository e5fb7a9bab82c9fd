import type { Plugin } from 'vite';
import { isScript } from './environments.ts';
import { CUTS } from './lit-cuts.ts';
import { from } from './project.ts';

/** What would need something that was cut. */
const NEEDING = [
  /lit\/(directive|async-directive)/,
  /\b(svg|mathml)`/,
  /<(script|style|textarea|title)\b/,
  // values of tags, of properties, in single quotes, and without quotes before a slash; comments
  /<\/?\$\{/,
  /\s\.\w+=\$\{/,
  /='\$\{/,
  /=\$\{[^}]*\}\/>/,
  /<!--/,
  // the markers that Lit puts where a value is
  /lit\$/,
];

/** @returns the first thing in a module of ours that needs of Lit what the script does not have; null: nothing */
export function lackingPart(code: string): string | null {
  if (!/from ["']lit\b/.test(code)) return null;
  return NEEDING.map((pattern) => pattern.exec(code)?.[0]).find((found) => found !== undefined) ?? null;
}

/**
 * @param id the module's path or address
 * @returns a module of Lit's without what the element does not use; undefined: not such a module
 * @throws Error when it is written in another way than these cuts expect
 */
export function trimmedLit(id: string, code: string): string | undefined {
  const name = Object.keys(CUTS).find((module) => id.endsWith(`/${module}`));
  if (!name) return undefined;
  let left = code;
  for (const [what, cuts] of Object.entries(CUTS[name] ?? {})) {
    for (const { from: text, to, instead = '' } of cuts) {
      const start = left.indexOf(text);
      const end = to === undefined ? start + text.length : left.indexOf(to, start);
      if (start < 0 || end < 0 || left.includes(text, start + 1))
        throw new Error(`${name}: ${what}: not once there: ${text}`);
      left = left.slice(0, start) + instead + left.slice(end);
    }
  }
  return left;
}

/**
 * Leaves out of the script what the element does not use of Lit, and no bundler can know that it does not. Packages
 * that are installed use Lit as it is. A module of Lit's that is written in another way stops the build.
 */
export function trimLit(): Plugin {
  return {
    name: 'finix-bank-connect:trim-lit',
    applyToEnvironment: isScript,
    transform(code, id) {
      const needed = id.startsWith(from('widget')) ? lackingPart(code) : null;
      if (needed) this.error(`What ${needed} needs of Lit is not in the script (build/trim-lit.ts).`);
      try {
        const trimmed = trimmedLit(id, code);
        return trimmed === undefined ? null : { code: trimmed, map: null };
      } catch (error) {
        this.error(String(error));
      }
    },
  };
}
