import type { Texts } from './en.ts';
import { importTexts, type Packed } from './import-texts.ts';

/** Between packed texts. No text contains it. */
export const SEPARATOR = '|';

/** All that the element speaks. English comes with it. */
export const LANGUAGES: readonly string[] = 'en es fr pt de zh vi ar it nl pl ko tl'.split(' ');

/** The language itself, without script and region; many a page writes `pt_BR`. */
export function baseOf(tag: string): string {
  return tag.toLowerCase().split(/[-_]/, 1)[0] ?? '';
}

/** Which of our languages a BCP 47 tag asks for, by its first part; English for a language that we don't have. */
export function languageFor(tag: string): string {
  const base = baseOf(tag);
  // Browsers name the Tagalog of the Philippines by its standard.
  const language = base === 'fil' ? 'tl' : base;
  return LANGUAGES.includes(language) ? language : 'en';
}

/** @returns null where there are none, as in English, and where they can't be fetched: then English is spoken */
export async function loadTexts(language: string): Promise<Packed | null> {
  try {
    return (await importTexts(language)).texts;
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
