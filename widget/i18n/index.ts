import { strings as en, type LateStrings } from './en.ts';
import { baseLanguage } from './first.ts';

export type { LateStrings, StringKey, Strings } from './en.ts';
export { en };

/** Fetched only by pages that speak them. */
const LANGUAGES: Record<string, () => Promise<{ strings: LateStrings }>> = {
  es: () => import('./es.ts'),
  fr: () => import('./fr.ts'),
  pt: () => import('./pt.ts'),
  de: () => import('./de.ts'),
  zh: () => import('./zh.ts'),
  vi: () => import('./vi.ts'),
  ar: () => import('./ar.ts'),
};

/** The texts for a BCP 47 tag; English for a language that we don't have, or that can't be fetched. */
export async function loadStrings(tag: string): Promise<LateStrings> {
  const load = LANGUAGES[baseLanguage(tag)];
  return load
    ? load().then(
        ({ strings }) => strings,
        () => en,
      )
    : en;
}

/** The language of the texts, where the page speaks one that we don't have. */
export function otherLanguage(tag: string): string | undefined {
  const base = baseLanguage(tag);
  return base === 'en' || base in LANGUAGES ? undefined : 'en';
}

export function fill(text: string, bank: string): string {
  return text.replace('{bank}', bank);
}
