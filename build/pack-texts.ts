import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Plugin } from 'vite';
import { en } from '../widget/i18n/en.ts';
import { LANGUAGES, SEPARATOR } from '../widget/i18n/languages.ts';
import { isScript } from './environments.ts';
import { from, version } from './project.ts';

const folder = from('widget/i18n');
const languages = LANGUAGES.filter((language) => language !== 'en');

/**
 * Leaves only the texts in a language's chunk of the script: the keys, which English has as well, would be a fifth of
 * it. All of these chunks have one hash in their names, so that the script finds each by its language, without a list
 * of names.
 */
export function packTexts(): Plugin {
  return {
    name: 'finix-bank-connect:pack-texts',
    // After TypeScript: what is left can be run as it is.
    enforce: 'post',
    applyToEnvironment: isScript,
    buildStart() {
      if (!hasChunks(this.environment)) return;
      for (const language of languages) {
        this.emitFile({ type: 'chunk', id: fileOf(language), fileName: `${language}-${hash()}.js` });
      }
    },
    async transform(code, id) {
      if (id === `${folder}/import-texts.ts` && hasChunks(this.environment)) {
        const address = `./\${language}-${hash()}.js`;
        return {
          code: `export const importTexts = (language) => import(/* @vite-ignore */ \`${address}\`);`,
          map: null,
        };
      }
      if (!languages.some((language) => id === fileOf(language))) return null;
      const { texts } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
      return { code: `export const texts = ${JSON.stringify(pack(texts))};`, map: null };
    },
  };
}

/** The pinned script is one file, and names its languages itself. */
function hasChunks({ name }: { name: string }): boolean {
  return name === 'cdn';
}

function fileOf(language: string): string {
  return `${folder}/${language}.ts`;
}

/** Another one where a text, the order of the texts, or the way that they are packed is another. */
function hash(): string {
  const sources = [import.meta.filename, `${folder}/first.ts`, `${folder}/late.ts`, ...LANGUAGES.map(fileOf)];
  const all = createHash('sha256').update(version);
  for (const file of sources) all.update(readFileSync(file));
  return all.digest('base64url').slice(0, 8);
}

/** @throws Error for a text that could not be separated from its neighbor */
export function pack(texts: Record<string, string>): string {
  const list = Object.keys(en).map((key) => texts[key] ?? '');
  const spoiled = list.find((text) => text === '' || text.includes(SEPARATOR));
  if (spoiled !== undefined) throw new Error(`This text can't be packed: "${spoiled}"`);
  return list.join(SEPARATOR);
}
