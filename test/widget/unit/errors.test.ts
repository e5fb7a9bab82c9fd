import { describe, expect, it } from 'vitest';
import { fromLinkError, toFlowError } from '../../../widget/errors.ts';
import { firstStrings } from '../../../widget/i18n/first.ts';
import { en, loadStrings } from '../../../widget/i18n/index.ts';
import { messageKey } from '../../../widget/i18n/messages.ts';

describe('an error that Link reported', () => {
  const cases: [plaid: string, code: string, action: string][] = [
    ['INVALID_LINK_TOKEN', 'link_expired', 'restart'],
    ['INSTITUTION_DOWN', 'bank_unavailable', 'use_other_bank'],
    ['INSTITUTION_NOT_RESPONDING', 'bank_unavailable', 'use_other_bank'],
    ['INSTITUTION_NO_LONGER_SUPPORTED', 'bank_not_supported', 'use_other_bank'],
    ['UNAUTHORIZED_INSTITUTION', 'provider_misconfigured', 'use_other_bank'],
    ['ITEM_NOT_SUPPORTED', 'bank_not_supported', 'use_other_bank'],
    ['NO_AUTH_ACCOUNTS', 'account_not_supported', 'use_other_bank'],
    ['INVALID_CREDENTIALS', 'bank_login_failed', 'restart'],
    ['ITEM_LOCKED', 'bank_login_locked', 'use_other_bank'],
    ['ACCESS_NOT_GRANTED', 'bank_access_refused', 'restart'],
    ['TOO_MANY_VERIFICATION_ATTEMPTS', 'verification_failed', 'use_other_bank'],
  ];
  it.each(cases)('%s becomes %s: %s', (plaid, code, action) => {
    expect(fromLinkError({ error_type: 'ITEM_ERROR', error_code: plaid })).toMatchObject({ code, action });
  });

  it.each([
    ['API_ERROR', 'plaid_unavailable'],
    ['RATE_LIMIT_EXCEEDED', 'plaid_unavailable'],
    ['INSTITUTION_ERROR', 'bank_unavailable'],
    ['INVALID_REQUEST', 'provider_misconfigured'],
    ['SOMETHING_NEW', 'link_failed'],
  ])('with an unknown code is understood by its type: %s', (type, code) => {
    expect(fromLinkError({ error_type: type, error_code: 'NEVER_SEEN' }).code).toBe(code);
  });
});

it('an error of unknown origin keeps none of its text', () => {
  expect(JSON.stringify(toFlowError(new Error('access-sandbox-1')))).not.toContain('access');
  expect(toFlowError(null).action).toBe('retry');
});

it('a code of a newer server still has a sentence', () => {
  const error = {
    ...toFlowError(null),
    code: 'from_the_future' as 'internal_error',
    action: 'use_other_bank' as const,
  };
  expect(messageKey(error)).toBe('error_bank');
});

describe('languages', () => {
  const tags = ['en', 'es', 'fr', 'pt', 'de', 'zh', 'vi', 'ar'];

  it.each(tags)('%s has every text, and keeps the places for the bank’s name', async (tag) => {
    const texts: Record<string, string> = { ...firstStrings(tag), ...(await loadStrings(tag)) };
    for (const [key, english] of Object.entries({ ...firstStrings('en'), ...en })) {
      expect(texts[key], key).toBeTruthy();
      expect(texts[key]?.includes('{bank}'), key).toBe(english.includes('{bank}'));
    }
    if (tag !== 'en') expect(texts['connecting']).not.toBe(en.connecting);
  });

  it('falls back to English', async () => {
    expect(await loadStrings('xx')).toBe(en);
    expect(firstStrings('')).toBe(firstStrings('en-US'));
  });
});
