import { en, type Texts } from './en.ts';
import { languageFor, loadTexts, unpack } from './languages.ts';

export type { Texts as Strings } from './en.ts';
export type StringKey = keyof Texts;
export { fill } from './fill.ts';
export { en };

export const KEYS: readonly string[] = Object.keys(en);

/** Every text for a BCP 47 tag. */
export async function loadStrings(tag: string): Promise<Texts> {
  const texts = await loadTexts(languageFor(tag));
  return texts === null ? en : { ...en, ...unpack(texts, KEYS) };
}
