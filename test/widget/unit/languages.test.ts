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
