import { en, type Strings } from './en.ts';

export { en, type StringKey, type Strings } from './en.ts';

/** English is always there; the others are fetched when a page speaks them. */
const LANGUAGES: Record<string, () => Promise<{ strings: Strings }>> = {};

/** The texts for a BCP 47 tag, by its first part; English for a language that we don't have, or that can't be fetched. */
export async function loadStrings(tag: string): Promise<Strings> {
  const load = LANGUAGES[baseLanguage(tag)];
  return load
    ? load().then(
        ({ strings }) => strings,
        () => en,
      )
    : en;
}

export function baseLanguage(tag: string): string {
  return tag.toLowerCase().split('-')[0] ?? '';
}

export function fill(text: string, bank: string): string {
  return text.replace('{bank}', bank);
}
