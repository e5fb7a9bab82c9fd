import { expect, it } from 'vitest';
import { anyTagCode, namedTagCode, tagCodesIn } from '../../server/clients/finix-return-codes.ts';
import { patient } from '../helpers/patience.mjs';

const tagged = (tags: Record<string, unknown> | null) => ({ tagCodes: tagCodesIn(tags) });

it.each([
  ...[
    'return_code',
    'achReturnCode',
    'Reason Code',
    'code',
    'ach',
    'ach_return',
    'returnReason',
    'R-Code',
    'RETURN_CODE',
  ],
  ...[
    'failure_code',
    'nacha_code',
    'nacha_return_code',
    'reject_reason',
    'bank_return_code',
    'failure_message',
    'return',
  ],
])('a tag with the key “%s” is named for a return code', (key) => {
  expect(namedTagCode(tagged({ [key]: 'R10' }))).toBe('R10');
});

it.each([
  ...['size', 'table', 'room', 'order', 'promo_code', 'coach', 'zip_code', 'sku', 'return_address', 'return_policy'],
  ...[
    'returns_desk',
    'reason_for_purchase',
    'discount code',
    'codename',
    'approach',
    'reach',
    'teacher',
    '',
    'x'.repeat(65),
  ],
])('a tag with the key “%s” is not named for a return code', (key) => {
  expect(namedTagCode(tagged({ [key]: 'R10' }))).toBeNull();
});

it.each([
  ['R10', 'R10'],
  ['Returned: R29 (not authorized)', 'R29'],
  ['ReasonCode:R03', 'R03'],
  ['OR10', null],
  ['R100', null],
  ['AR10B', null],
  ['r10', null],
  [10, null],
  [['R10'], 'R10'],
])('of the tag value %j the return code is %s', (value, code) => {
  expect(namedTagCode(tagged({ return_code: value }))).toBe(code);
});

it('a tag that the debit has as well is the merchant’s, and one that Finix has changed is Finix’s', () => {
  const debit = tagged({ size: 'R02', code: 'R03' });
  expect(anyTagCode(tagged({ size: 'R02' }), debit)).toBeNull();
  expect(namedTagCode(tagged({ code: 'R03' }), debit)).toBeNull();
  expect(namedTagCode(tagged({ code: 'R10' }), debit)).toBe('R10');
  expect(anyTagCode(tagged({ size: 'R02', note: 'R10' }), debit)).toBe('R10');
  expect(anyTagCode(tagged(null), debit)).toBeNull();
});

it('a key that is built to be slow to match is not', () => {
  const started = performance.now();
  namedTagCode(tagged({ [`${'return'.repeat(10)}x`]: 'R10', [`${'ach'.repeat(20)}x`]: 'R10' }));
  // Thousands of times what it takes, a thousandth of what backtracking would.
  expect(performance.now() - started).toBeLessThan(patient(1_000));
});
