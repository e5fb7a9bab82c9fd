import { afterEach, describe, expect, it, vi } from 'vitest';
import { listProblems } from '../../../server/errors.ts';
import type { ProblemAction, ProblemCode } from '../../../widget/contract.ts';
import { fromLinkError } from '../../../widget/detour/link-errors.ts';
import { type ElementErrorCode, type FlowError, flowError, toFlowError } from '../../../widget/errors.ts';
import { en } from '../../../widget/i18n/index.ts';
import { captionKey, messageKey, messageOf } from '../../../widget/i18n/messages.ts';

const shown = (error: FlowError) => `${en[messageKey(error)]} [${en[captionKey(error)]}]`;

describe('an error that Link reported', () => {
  const cases: [plaid: string, code: ElementErrorCode, action: ProblemAction, text: RegExp][] = [
    ['INVALID_LINK_TOKEN', 'link_expired', 'restart', /Connect again/],
    ['INSTITUTION_DOWN', 'bank_unavailable', 'use_other_bank', /isn’t responding.*another bank/],
    ['INSTITUTION_NO_LONGER_SUPPORTED', 'bank_not_supported', 'use_other_bank', /isn’t supported/],
    ['COUNTRY_NOT_SUPPORTED', 'bank_not_supported', 'use_other_bank', /isn’t supported/],
    ['UNAUTHORIZED_INSTITUTION', 'provider_misconfigured', 'use_other_bank', /Choose another bank/],
    ['INSTITUTION_NOT_ENABLED_IN_ENVIRONMENT', 'provider_misconfigured', 'use_other_bank', /Choose another bank/],
    ['NO_AUTH_ACCOUNTS', 'account_not_supported', 'use_other_bank', /couldn’t find a checking or savings account/],
    ['no-depository-accounts', 'account_not_supported', 'use_other_bank', /Choose another bank/],
    ['INSTANT_MATCH_FAILED', 'account_not_supported', 'use_other_bank', /Choose another bank/],
    ['MANUAL_VERIFICATION_REQUIRED', 'account_not_supported', 'use_other_bank', /Choose another bank/],
    ['INVALID_CREDENTIALS', 'bank_login_failed', 'restart', /verify your sign-in/],
    ['ITEM_LOCKED', 'bank_login_locked', 'use_other_bank', /locked.*choose another bank/],
    ['PASSWORD_RESET_REQUIRED', 'bank_login_locked', 'restart', /on your bank’s website, then connect again/],
    ['USER_SETUP_REQUIRED', 'bank_login_locked', 'restart', /needs an update/],
    ['ACCESS_NOT_GRANTED', 'bank_access_refused', 'restart', /didn’t share this account/],
    ['INCORRECT_DEPOSIT_VERIFICATION', 'verification_failed', 'restart', /Connect again/],
    ['ITEM_NOT_FOUND', 'restart_required', 'restart', /has ended/],
    ['ITEM_CONCURRENTLY_DELETED', 'restart_required', 'restart', /has ended/],
    ['USER_PERMISSION_REVOKED', 'restart_required', 'restart', /has ended/],
    ['USER_INPUT_TIMEOUT', 'link_failed', 'restart', /timed out/],
    ['PRODUCT_NOT_READY', 'plaid_unavailable', 'wait', /hasn’t confirmed this account yet/],
    ['PRODUCT_NOT_ENABLED', 'provider_misconfigured', 'contact_merchant', /contact \{merchant\}/],
    ['INVALID_API_KEYS', 'provider_misconfigured', 'contact_merchant', /contact \{merchant\}/],
    ['RATE_LIMIT', 'plaid_unavailable', 'retry', /Try again/],
  ];
  it.each(cases)('%s becomes %s: %s', (plaid, code, action, text) => {
    const error = fromLinkError({ error_code: plaid });
    expect(error).toMatchObject({ code, action });
    expect(shown(error)).toMatch(text);
  });

  it.each([
    'PROFILE_AUTHENTICATION_FAILED',
    'INVALID_OTP',
    'INVALID_PHONE_NUMBER',
    'RECAPTCHA_BAD',
    'RECAPTCHA_REQUIRED',
    'INVALID_ACCOUNT_NUMBER',
    'INVALID_ACCOUNT_ID',
    'INVALID_ACCESS_TOKEN',
    'INVALID_INSTITUTION',
    'INVALID_PUBLIC_TOKEN',
    'INVALID_WEBHOOK_VERIFICATION_KEY_ID',
    'NEVER_SEEN',
    'VERIFICATION',
    'no_accounts',
    'constructor',
    '',
  ])('%s blames neither the bank nor the merchant, and the customer connects again', (plaid) => {
    const error = fromLinkError({ error_code: plaid });
    expect(error).toMatchObject({ code: 'link_failed', action: 'restart' });
    expect(shown(error)).toBe('We couldn’t finish connecting your bank. Please try again. [Connect again]');
  });

  it('is never understood by its type', () => {
    for (const error_type of ['INVALID_INPUT', 'INVALID_REQUEST', 'ITEM_ERROR', 'INSTITUTION_ERROR', 'API_ERROR']) {
      const reported = { error_type, error_code: 'NEVER_SEEN' };
      expect(fromLinkError(reported)).toEqual(fromLinkError({ error_code: null }));
    }
  });
});

describe('the sentence and the button of an error', () => {
  const own: ElementErrorCode[] = [
    'endpoint_missing',
    'script_blocked',
    'offline',
    'timeout',
    'network_failed',
    'client_secret_unavailable',
    'link_failed',
    'link_covered',
    'link_expired',
    'bank_login_failed',
    'bank_login_locked',
    'bank_access_refused',
  ];
  const actions: ProblemAction[] = [
    'retry',
    'restart',
    'choose_account',
    'use_other_bank',
    'use_other_method',
    'wait',
    'contact_merchant',
  ];
  const codes = [...own, ...listProblems().map(({ code }) => code)];

  it.each(listProblems().map(({ code, action }) => [code, action] as const))('of %s agree', (code, action) => {
    expectAgreement(flowError(code, action));
  });

  const ASKER = { merchant: '{merchant}', purpose: 'debit' } as const;

  it('the texts of a dead end name who or what can help, for every code', () => {
    for (const code of codes) {
      const error = flowError(code, 'contact_merchant');
      expect(messageOf(error, en, ASKER), code).toMatch(/contact \{merchant\}|Reload this page|Close this dialog/i);
      expect(captionKey(error), code).toBe('unavailable');
    }
  });

  describe('before the server has named the merchant, in a document without an address', () => {
    afterEach(() => vi.unstubAllGlobals());
    const nameless = { merchant: '', purpose: 'debit' } as const;
    const error = flowError('unauthorized', 'contact_merchant');

    it('name the page’s host where the document has its page’s origin', () => {
      vi.stubGlobal('origin', 'https://www.shop.example:8443');
      expect(messageOf(error, en, nameless)).toContain('or contact shop.example.');
    });

    it.each(['null', 'file://', 'capacitor://localhost', undefined])('name no one for the origin %s', (origin) => {
      vi.stubGlobal('origin', origin);
      for (const code of codes) {
        const text = messageOf(flowError(code, 'contact_merchant'), en, nameless);
        expect(text, code).toMatch(/reload this page|Close this dialog/i);
      }
      expect(messageOf(error, en, nameless)).toBe('Something went wrong. Please reload this page.');
    });
  });

  it('exist for a code of a newer server, by what the customer can do', () => {
    for (const action of actions) expectAgreement(flowError('from_the_future' as ProblemCode, action));
    const error = flowError('from_the_future' as ProblemCode, 'use_other_bank');
    expect(shown(error)).toBe('This bank isn’t supported. Please choose another one. [Choose another bank]');
  });

  it('name no payment where the session pays out', () => {
    const error = flowError('provider_misconfigured', 'contact_merchant');
    expect(messageKey(error, 'debit')).toBe('error_merchant');
    expect(messageKey(error, 'payout')).toBe('error_merchant_payout');
    expect(messageKey(error, 'settlement')).toBe('error_merchant_payout');
  });

  it('the texts of an access that ended name who can help, where this session can not', () => {
    expect(shown(flowError('restart_required', 'contact_merchant'))).toBe(
      'Access to this account has ended. Contact {merchant} to connect it again. [Bank connection unavailable]',
    );
  });
});

it('an error of unknown origin keeps none of its text', () => {
  expect(JSON.stringify(toFlowError(new Error('access-sandbox-1')))).not.toContain('access');
  expect(toFlowError(null).action).toBe('retry');
});

/** The button does what the sentence asks of the customer. */
function expectAgreement(error: FlowError): void {
  const message = en[messageKey(error)];
  const caption = en[captionKey(error)];
  const asks: [sentence: RegExp, captions: RegExp][] = [
    [/(another|different) bank|choose another one/i, /Choose another bank/],
    [/(different|another) account|different one\.$|an account in your name/i, /Choose another account|Connect again/],
    [/connect (your bank )?again/i, /Connect again/],
    [/try again/i, /Try again|Connect again|Choose another bank/],
    [/contact \{merchant\}|reload/i, /unavailable|Choose another bank|Connect again/],
  ];
  for (const [sentence, captions] of asks) if (sentence.test(message)) expect(caption, message).toMatch(captions);
}

describe('a session that has ended', () => {
  it.each(['session_expired', 'session_canceled', 'session_failed'] as const)('%s asks for a reload', (code) => {
    const error = flowError(code, 'contact_merchant');
    expect(messageOf(error, en, { merchant: 'Acme', purpose: 'debit' })).toBe(
      'Your session expired. Reload this page to connect your bank.',
    );
  });
});
