import type { Plugin } from 'vite';
import { en } from '../widget/i18n/en.ts';
import { SEPARATOR } from '../widget/i18n/languages.ts';
import { from } from './project.ts';

/**
 * Leaves only the texts in a language's chunk of the script: the keys, which English has as well, would be a fifth of
 * it.
 */
export function packTexts(): Plugin {
  const folder = from('widget/i18n');
  return {
    name: 'finix-bank-connect:pack-texts',
    // After TypeScript: what is left can be run as it is.
    enforce: 'post',
    applyToEnvironment: (environment) => environment.name === 'cdn',
    async transform(code, id) {
      if (!id.startsWith(folder) || !/[\\/][a-z]{2}\.ts$/.test(id) || id.endsWith('en.ts')) return null;
      const { texts } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
      return { code: `export const texts = ${JSON.stringify(pack(texts))};`, map: null };
    },
  };
}

/** @throws Error for a text that could not be separated from its neighbor */
export function pack(texts: Record<string, string>): string {
  const list = Object.keys(en).map((key) => texts[key] ?? '');
  const spoiled = list.find((text) => text === '' || text.includes(SEPARATOR));
  if (spoiled !== undefined) throw new Error(`This text can't be packed: "${spoiled}"`);
  return list.join(SEPARATOR);
}
