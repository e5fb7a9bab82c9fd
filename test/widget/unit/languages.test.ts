import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pack } from '../../../build/pack-texts.ts';
import { en, fill, KEYS, loadStrings } from '../../../widget/i18n/index.ts';
import { LANGUAGES, languageFor, loadTexts, unpack } from '../../../widget/i18n/languages.ts';

const others = LANGUAGES.filter((language) => language !== 'en');
const textsOf = async (language: string): Promise<Record<string, string>> => ({ ...(await loadStrings(language)) });
const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

/** Texts on buttons and in titles: one line of a narrow element, two at most. */
const SHORT = KEYS.filter(
  (key) => en[key as keyof typeof en].length <= 32 && !/[.?]$/.test(en[key as keyof typeof en]),
);
/** Two lines of the widest element, three of a phone's. */
const LONGEST = 120;
/** Two lines of a button in the narrowest element that is supported (240 px). */
const LONGEST_CAPTION = 36;

/** Nouns, or the word for the customer, begin with a capital. */
const CAPITALS = ['de', 'pl'];

/** Shown where there is nothing to press. */
const DEAD_ENDS = [
  'error_reload',
  'error_merchant',
  'error_merchant_payout',
  'error_completed',
  'error_session',
  'reload',
  'error_ended_merchant',
  'close_dialog',
];
/** How each language asks the customer to try again. */
const TRY_AGAIN: Record<string, RegExp> = {
  en: /try again/i,
  es: /inténtelo/i,
  fr: /réessayez/i,
  pt: /tente/i,
  de: /versuchen Sie/i,
  zh: /重试/,
  vi: /thử lại/i,
  ar: /المحاولة/,
  it: /riprova/i,
  nl: /probeer/i,
  pl: /spróbuj/i,
  ko: /다시 시도/,
  tl: /subukan/i,
};

/** Words that no English sentence of ours can do without. */
const ENGLISH = /\b(the|your|you|this|and|please|with|again|choose|couldn’t|can’t|bank’s|isn’t|another|right now)\b/i;

describe.each(others)('the texts in %s', (language) => {
  it('are as many as in English, under the same keys', async () => {
    const loaded = (await loadTexts(language)) as Record<string, string>;
    expect(Object.keys(loaded).sort()).toEqual([...KEYS].sort());
    expect(Object.values(loaded).filter((text) => text.trim() !== text || text === '')).toEqual([]);
  });

  it('keep the places for names', async () => {
    const texts = await textsOf(language);
    for (const key of KEYS) expect(places(texts[key] ?? ''), key).toEqual(places(en[key as keyof typeof en]));
  });

  it('have no English left', async () => {
    const texts = await textsOf(language);
    const left = KEYS.filter((key) => {
      const text = texts[key] ?? '';
      return text === en[key as keyof typeof en] || ENGLISH.test(text);
    });
    expect(left).toEqual([]);
  });

  it('are as long as their places allow', async () => {
    const texts = await textsOf(language);
    const lengths = KEYS.map((key) => [key, (texts[key] ?? '').length] as const);
    expect(lengths.filter(([key, length]) => length > (SHORT.includes(key) ? LONGEST_CAPTION : LONGEST))).toEqual([]);
  });

  it('end as their English does: sentences with a full stop, buttons without', async () => {
    const texts = await textsOf(language);
    const isSentence = (text: string) => /[.?。？؟]$/.test(text);
    const wrong = KEYS.filter((key) => isSentence(texts[key] ?? '') !== isSentence(en[key as keyof typeof en]));
    expect(wrong).toEqual([]);
  });

  it('survive being packed', async () => {
    const texts = await textsOf(language);
    expect(unpack(pack(texts), KEYS)).toEqual(texts);
  });
});

describe.each(LANGUAGES)('where there is nothing to press, the texts in %s', (language) => {
  it('do not ask the customer to try again', async () => {
    const texts = await textsOf(language);
    const again = TRY_AGAIN[language] as RegExp;
    expect(texts['error_general']).toMatch(again);
    expect(DEAD_ENDS.filter((key) => again.test(texts[key] ?? ''))).toEqual([]);
  });
});

describe.each(LANGUAGES)('the typography of the texts in %s', (language) => {
  const wrong = async (isWrong: RegExp) =>
    Object.entries(await textsOf(language)).filter(([, text]) => isWrong.test(text));

  it('has one character for an ellipsis, at the end, and none of three periods', async () => {
    expect(await wrong(/\.\.|。。|…./)).toEqual([]);
    const ended = Object.entries(await textsOf(language)).filter(([, text]) => text.includes('…'));
    // Only for work that goes on: in every language the same texts.
    const ongoing = ['opening', 'returning', 'connecting'];
    expect(ended.map(([key]) => key).filter((key) => !ongoing.includes(key))).toEqual([]);
    expect(ended.length).toBeGreaterThan(0);
    // German alone has a space before it where words are left out, which does not break.
    const before = language === 'de' ? /[^ ]…/ : /\s…/;
    expect(ended.filter(([, text]) => before.test(text))).toEqual([]);
  });

  it('has digits that every customer reads, in the same numbers as in English', async () => {
    const texts = await textsOf(language);
    const digits = (text: string) => [...text.matchAll(/\p{Nd}+/gu)].map(String);
    for (const key of KEYS) {
      // Arabic has a word for two days.
      const asIn = language === 'ar' && key === 'pending' ? '' : en[key as keyof typeof en];
      expect(digits(texts[key] ?? ''), key).toEqual(digits(asIn));
    }
    // An en dash between two numbers, or a word.
    expect(await wrong(/\d\s?-\s?\d/)).toEqual([]);
  });

  it('has typographic quotation marks and apostrophes, and no space that is doubled or before a mark', async () => {
    expect(await wrong(/['"`´]/)).toEqual([]);
    expect(await wrong(/\s{2}/)).toEqual([]);
    if (language !== 'fr') expect(await wrong(/\s[,;:.?!،؟。，]/)).toEqual([]);
  });

  it('has titles and captions in sentence case, without a mark at the end', async () => {
    const texts = await textsOf(language);
    const names = /Plaid|plaid\.com/;
    for (const key of KEYS.filter((key) => SHORT.includes(key))) {
      const text = texts[key] ?? '';
      expect(text, key).not.toMatch(/[.,:;!。：]$/);
      const [first = '', ...words] = text
        .replace(/\{\w+\}/g, '')
        .split(/[\s-]+/)
        .filter(Boolean);
      // Where a script has capitals, the first letter is one. German nouns have them, and a polite word in some
      // languages.
      if (!text.startsWith('{')) expect(first.charAt(0), key).toBe(first.charAt(0).toUpperCase());
      if (!CAPITALS.includes(language)) {
        expect(
          words.filter((word) => /^\p{Lu}/u.test(word) && !names.test(word)),
          key,
        ).toEqual([]);
      }
    }
  });
});

describe('the French texts', () => {
  it('keep a mark that has a space before it on the line of its word', async () => {
    const texts = Object.values(await textsOf('fr'));
    expect(texts.filter((text) => / [;:?!»]/.test(text))).toEqual([]);
    expect(texts.filter((text) => /\u202f[;?]/.test(text)).length).toBeGreaterThan(1);
  });
});

describe('the Vietnamese texts', () => {
  it('address the customer in one way', async () => {
    expect(Object.values(await textsOf('vi')).filter((text) => /\bbạn\b/i.test(text))).toEqual([]);
  });
});

describe('the English texts', () => {
  it('speak of the merchant by name, and never of a shop or of money that only some sessions take', () => {
    for (const [key, text] of Object.entries(en)) expect(text, key).not.toMatch(/\bshop\b|\bstore\b|\bcheckout\b/i);
    const paying = Object.entries(en).flatMap(([key, text]) => (/\bpay/i.test(text) ? [key] : []));
    // Each of the first two has another text for a payout; what was returned is a payment in either direction.
    expect(paying.sort()).toEqual(['authorize_title', 'error_merchant', 'returned_other', 'returned_repair']);
  });

  it('promise nothing that only a lawyer can: to revoke is to contact the merchant', () => {
    expect(en.revoke).toBe('You can revoke this at any time by contacting {merchant}.');
  });
});

describe('the language for a tag', () => {
  it.each([
    ['de-AT', 'de'],
    ['pt-BR', 'pt'],
    ['ES', 'es'],
    ['zh-Hant-TW', 'zh'],
    ['fil-PH', 'tl'],
    ['tl', 'tl'],
    ['en-GB', 'en'],
    ['', 'en'],
    ['xx', 'en'],
    ['constructor', 'en'],
    ['__proto__', 'en'],
  ])('%s is %s', (tag, language) => {
    expect(languageFor(tag)).toBe(language);
  });

  it('is English where there is no other, without a file of its own', async () => {
    expect(await loadTexts('en')).toBeNull();
    expect(await loadStrings('xx-XX')).toBe(en);
  });
});

describe('a place in a text', () => {
  it('a name is inserted as it is, with any characters', () => {
    const names = { bank: 'A $& B', merchant: '{bank}' };
    expect(fill('{bank}, {merchant}', names)).toBe('A $& B, {bank}');
  });

  it('stays where there is no name for it', () => {
    expect(fill('{bank} and {merchant}', { bank: 'Chase' })).toBe('Chase and {merchant}');
  });
});

it('a text that could not be separated from its neighbor is not packed', () => {
  expect(() => pack({ ...en, connect: 'a|b' })).toThrow('"a|b"');
  expect(() => pack({ ...en, connect: '' })).toThrow();
});

it('the page about languages lists each of them', () => {
  const page = readFileSync('docs/languages.md', 'utf8');
  const listed = [...(page.split('\n\n')[1] ?? '').matchAll(/`([a-z]{2})`/g)].map(([, tag]) => tag);
  expect(listed.sort()).toEqual([...LANGUAGES].sort());
});

it('every text is used: each costs bytes in every language', () => {
  const sources = readdirSync('widget', { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !/i18n.([a-z]{2}|first)\.ts$/.test(file),
  );
  const code = sources.map((file) => readFileSync(`widget/${file}`, 'utf8')).join('\n');
  expect(KEYS.filter((key) => !new RegExp(`\\b${key}\\b`).test(code))).toEqual([]);
});
