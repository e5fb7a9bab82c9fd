import type { Texts } from './en.ts';

/** As written in the source, or, in the script that merchants embed, packed: the texts alone, in English's order. */
export type Packed = Texts | string;

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

/**
 * The module of one language, fetched only by pages that speak it. Each is named, because every bundler understands
 * that; the build for script tags, which gives the files their names, puts one line in the place of this module
 * (build/pack-texts.ts).
 */
export async function importTexts(language: string): Promise<{ texts: Packed }> {
  const load = LOADERS[language];
  if (!load) throw new Error(`There are no texts in ${language}`);
  return load();
}
