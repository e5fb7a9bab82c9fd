import { within } from '../within.ts';
import { type FirstStrings, first } from './first.ts';
import type { Packed } from './import-texts.ts';
import { baseOf, languageFor, loadTexts, unpack } from './languages.ts';

// A language takes one small file. Where that takes longer than this, a button in English is better than one that is
// silent.
const PATIENCE = 4_000;
/** Traditional characters, by their name or by where they are written. Ours are simplified. */
const TRADITIONAL = /^zh.+(hant|tw|hk|mo)/i;

/** The texts of one element, in the language of the page around it. */
export class Speech {
  /** Of the texts; null while they are on their way. */
  language: string | null = null;
  /** Settled when the texts that were asked for last are there, or English stands in for them. */
  ready: Promise<void> = Promise.resolve();
  #tag = '';
  /** Null: English. */
  #texts: Packed | null = null;
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** The page speaks another language now. */
  follow(tag: string): void {
    this.#tag = tag;
    this.ready = this.#load();
  }

  /** Where English stands in for a language that could not be fetched, asks for it again. */
  retry(): void {
    if (this.language !== languageFor(this.#tag)) this.ready = this.#load();
  }

  /** The language, where the page is in another one, or in the same one in characters that ours are not in. */
  get foreign(): string | null {
    if (this.language !== baseOf(this.#tag)) return this.language;
    return TRADITIONAL.test(this.#tag) ? 'zh-Hans' : null;
  }

  /** @param english as much of it as has come, and its keys; a text that has not come is not asked for */
  strings(): FirstStrings;
  strings<T extends FirstStrings>(english: T, keys: readonly string[]): T;
  strings(english: FirstStrings = first, keys: readonly string[] = Object.keys(first)): FirstStrings {
    return { ...english, ...(this.#texts && unpack(this.#texts, keys)) };
  }

  async #load(): Promise<void> {
    const language = languageFor(this.#tag);
    const say = (texts: Packed | null) => {
      if (language !== languageFor(this.#tag)) return;
      this.#texts = texts;
      this.language = texts ? language : 'en';
      this.#changed();
    };
    if (language === 'en') say(null);
    else await within(loadTexts(language).then(say), PATIENCE).catch(() => say(null));
  }
}
