import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { ERRORS_FILE, printErrors } from '../../build/printed-errors.ts';
import { from } from '../../build/project.ts';
import { errorStatusOf, errorTypeOf, listErrorCodes } from '../../demo/simulator/plaid/error-types.ts';
import {
  classifyPlaidCode,
  isPublished,
  listPlaidCodes,
  type PlaidMeaning,
  problemOfPlaidRefusal,
} from '../../server/clients/plaid-codes.ts';
import { listRemedies } from '../../server/clients/plaid-remedies.ts';
import { fromLinkError } from '../../widget/detour/link-errors.ts';
import type { FlowError } from '../../widget/errors.ts';

/**
 * One fact, three views: what a code means for the server that meets it in a call, for the element that meets it in
 * Link's `onExit`, and for the simulator that sends it. The three may not share code, so this is what keeps them
 * together.
 */
const meanings = new Map(listPlaidCodes());
const published = listErrorCodes().map(([code]) => code);

/** What the element makes of a code that means this to the server. */
const ELEMENT: Record<PlaidMeaning, (error: FlowError) => boolean> = {
  // Link is run again, or the customer first does something at the bank.
  restart: ({ code, action }) =>
    (action === 'restart' || code === 'bank_login_locked') && code !== 'provider_misconfigured',
  account_not_supported: ({ code, action }) => code === 'account_not_supported' && action === 'use_other_bank',
  bank_not_supported: ({ code, action }) => code === 'bank_not_supported' && action === 'use_other_bank',
  verification_failed: ({ code, action }) => code === 'verification_failed' && action === 'restart',
  bank_down: ({ code, action }) => code === 'bank_unavailable' && action === 'use_other_bank',
  pending: ({ action, reason }) => action === 'wait' && reason === 'not_ready',
  busy: ({ code, action }) => code === 'plaid_unavailable' && action === 'retry',
  misconfigured: ({ code }) => code === 'provider_misconfigured',
  // Nothing is known of the bank or the merchant, so there is a way on.
  unexpected: ({ code, action }) => code === 'link_failed' && action === 'restart',
};

/** Met only in calls of the server: Link has no part in Signal. */
const NOT_IN_LINK =
  /^(TRANSACTIONS_|INVESTMENT_|ADDENDUM_|INVALID_CONFIGURATION_STATE|NOT_ENABLED_FOR_SIGNAL|RULESET_)/;

test('server and simulator list the same codes', () => {
  expect([...meanings.keys()].sort()).toEqual([...published].sort());
  expect(new Set(published).size).toBe(published.length);
});

describe.each(listPlaidCodes())('%s (%s)', (code, meaning) => {
  it('a code is classified by itself, with any type', () => {
    const failures = ['API_ERROR', 'ITEM_ERROR', 'NEVER_SEEN'].map((type) => classifyPlaidCode(type, code));
    expect(new Set(failures).size).toBe(1);
    const isRefusal = ['restart', 'account_not_supported', 'bank_not_supported', 'verification_failed'].includes(
      meaning,
    );
    expect(failures[0] === 'refused').toBe(isRefusal);
  });

  it('has a type of Plaid’s and a status', () => {
    expect(errorTypeOf(code)).toMatch(/^[A-Z_]+(ERROR|EXCEEDED|REQUEST|INPUT|RESULT)$/);
    expect([208, 400, 403, 404, 412, 429, 500, 503]).toContain(errorStatusOf(code));
  });

  it.skipIf(NOT_IN_LINK.test(code))('means the same to the element', () => {
    expect(fromLinkError({ error_code: code })).toSatisfy(ELEMENT[meaning]);
  });

  it.runIf(meaning === 'misconfigured')('has a remedy', () => {
    expect(listRemedies().some((one) => one.code === code)).toBe(true);
  });
});

describe('a code that Plaid has not published', () => {
  it.each(['INVALID_INPUT', 'ITEM_ERROR', 'INSTITUTION_ERROR', 'USER_ERROR', 'PROFILE_ERROR', 'NEVER_SEEN'])(
    'of the type %s is no statement about the bank: kept and tried again',
    (type) => {
      expect(isPublished('SOMETHING_NEW')).toBe(false);
      expect(classifyPlaidCode(type, 'SOMETHING_NEW')).toBe('unexpected');
    },
  );

  it.each(['API_ERROR', 'RATE_LIMIT_EXCEEDED'])('of the type %s is temporary', (type) => {
    expect(classifyPlaidCode(type, 'SOMETHING_NEW')).toBe('busy');
  });
});

test('the element sends to the merchant only for set-ups that hold for every bank', () => {
  const dead = published.filter((code) => fromLinkError({ error_code: code }).action === 'contact_merchant');
  expect(dead.length).toBeGreaterThan(10);
  expect(dead.filter((code) => meanings.get(code) !== 'misconfigured')).toEqual([]);
  expect(dead.filter((code) => code.includes('INSTITUTION'))).toEqual([]);
});

test('a refusal becomes the problem of its meaning', () => {
  for (const [code, meaning] of meanings) {
    const problem = problemOfPlaidRefusal(code);
    if (meaning === 'restart') expect(problem, code).toBe('restart_required');
    if (meaning === 'account_not_supported') expect(problem, code).toBe('account_not_supported');
    if (meaning === 'verification_failed') expect(problem, code).toBe('verification_failed');
    if (meaning === 'bank_not_supported') expect(problem, code).toBe('bank_not_supported');
  }
});

test('the page about errors has the tables of now, or `npm run errors` prints them', () => {
  const page = readFileSync(from(ERRORS_FILE), 'utf8');
  expect(page).toBe(printErrors(page));
  for (const { remedy } of listRemedies()) expect(page).toContain(remedy);
});
