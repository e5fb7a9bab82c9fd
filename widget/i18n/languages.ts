import type { Texts } from './en.ts';

/** As written in the source, or, in the script that merchants embed, packed: the texts alone, in English's order. */
export type Packed = Texts | string;

/** Between packed texts. No text contains it. */
export const SEPARATOR = '|';

/** Fetched only by pages that speak them. English comes with the element. */
const LOADERS: Record<string, () => Promise<{ texts: Packed }>> = {
  es: () => import('./es.ts'),
  fr: () => import('./fr.ts'),
  pt: () => import('./pt.ts'),
  de: () => import('./de.ts'),
  zh: () => import('./zh.ts'),
  vi: () => import('./vi.ts'),
  ar: () => import('./ar.ts'),
  it: () => import('./it.ts'),
  nl: () => import('./nl.ts'),
  pl: () => import('./pl.ts'),
  ko: () => import('./ko.ts'),
  tl: () => import('./tl.ts'),
};

/** All that the element speaks. */
export const LANGUAGES: readonly string[] = ['en', .../* @__PURE__ */ Object.keys(LOADERS)];

/** The language itself, without script and region. */
export function baseOf(tag: string): string {
  return tag.toLowerCase().split('-', 1)[0] ?? '';
}

/** Which of our languages a BCP 47 tag asks for, by its first part; English for a language that we don't have. */
export function languageFor(tag: string): string {
  const base = baseOf(tag);
  // Browsers name the Tagalog of the Philippines by its standard.
  const language = base === 'fil' ? 'tl' : base;
  return Object.hasOwn(LOADERS, language) ? language : 'en';
}

/** @returns null for English, and where the texts can't be fetched: then English is spoken */
export async function loadTexts(language: string): Promise<Packed | null> {
  try {
    return (await LOADERS[language]?.())?.texts ?? null;
  } catch {
    return null;
  }
}

/** @param keys in English's order; of the texts that follow, nothing is known yet */
export function unpack(texts: Packed, keys: readonly string[]): Partial<Texts> {
  if (typeof texts !== 'string') return texts;
  const parts = texts.split(SEPARATOR);
  return Object.fromEntries(keys.map((key, i) => [key, parts[i]]));
}
