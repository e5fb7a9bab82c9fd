import { describe, expect, it } from 'vitest';
import { LISTS } from '../../server/links/page-text-lists.ts';
import { PAGE_LANGUAGES, pageTexts } from '../../server/links/page-texts.ts';
import { loadStrings } from '../../widget/i18n/index.ts';
import { LANGUAGES } from '../../widget/i18n/languages.ts';

/**
 * Words of the form of address that docs/languages.md does not promise, and words that another word of the same page
 * stands for. The page behind a link shows the texts of both lists at once.
 */
const OTHER_FORMS: Record<string, RegExp> = {
  // "tú" in pronouns and imperatives, and the words of Spain. "{merchant} le pide" is about another.
  es: /(?<!\p{L})(?:tú|tus?|te|ti|contigo|puedes|quieres|conecta|vuelve|(?<!le )pide|espera|elige|inténtalo|contacta|ha funcionado)(?!\p{L})/iu,
  fr: /(?<!\p{L})(?:tu|te|toi|tes|ton|ta)(?!\p{L})/iu,
  de: /(?<!\p{L})(?:du|dich|dir|dein\p{L}*)(?!\p{L})/iu,
  zh: /你/,
  vi: /(?<!\p{L})(?:bạn|anh|chị)(?!\p{L})/iu,
  tl: /(?<!\p{L})(?:ikaw|ka|kang|mo|mong|iyo|iyong)(?!\p{L})/iu,
  it: /(?<!\p{L})(?:lei|su[oa] (?:banca|conto)|riprovi|colleghi|acceda)(?!\p{L})/iu,
  nl: /(?<!\p{L})(?:u|uw)(?!\p{L})/iu,
  pl: /(?<!\p{L})(?:pan\p{L}{0,3})(?!\p{L})/iu,
  pt: /(?<!\p{L})(?:tu|teu|tua|o senhor|pelo Plaid|[dn]o Plaid)(?!\p{L})/iu,
  ar: /بنك/,
};

describe.each(LANGUAGES.filter((language) => language !== 'en'))('the page behind a link in %s', (language) => {
  const page = Object.values(pageTexts(language));

  it('addresses the customer as the element on it does', async () => {
    const wrong = OTHER_FORMS[language];
    const element = Object.values(await loadStrings(language));
    expect([...page, ...element].filter((text) => wrong?.test(text))).toEqual([]);
  });

  it('has the element’s own sentence for an account that the bank has yet to confirm', async () => {
    expect(pageTexts(language).pending).toBe((await loadStrings(language)).pending);
  });
});

it('the page behind a link has every language of the element', () => {
  expect([...PAGE_LANGUAGES].sort()).toEqual([...LANGUAGES].sort());
  expect(Object.keys(LISTS)[0]).toBe('en');
});
