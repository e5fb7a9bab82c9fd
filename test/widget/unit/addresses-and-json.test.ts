import { describe, expect, it } from 'vitest';
import { isSafeAddress } from '../../../widget/link/safe-address.ts';
import { toJson } from '../../../widget/session/json.ts';

describe('an address from a response', () => {
  it.each([
    'https://secure.plaid.com/hl/1',
    'http://localhost:4010/link/hosted/1',
    'http://connect.localhost/1',
    'http://127.0.0.1:4010/1',
    'http://127.1.2.3/1',
    'http://[::1]:4010/1',
  ])('is opened over https or on loopback: %s', (address) => {
    expect(isSafeAddress(address)).toBe(true);
  });

  it.each([
    'javascript:alert(1)',
    'JAVASCRIPT:alert(1)',
    ' \tjavascript:alert(1)',
    'data:text/html,1',
    'blob:https://secure.plaid.com/1',
    'file:///etc/passwd',
    'http://secure.plaid.com/hl/1',
    'http://localhost.evil.example/1',
    'http://127.0.0.1.evil.example/1',
    'http://evillocalhost/1',
    '//secure.plaid.com/1',
    '/relative',
    '#hash',
    '',
  ])('is not opened otherwise: %j', (address) => {
    expect(isSafeAddress(address)).toBe(false);
  });
});

describe('JSON of plain data', () => {
  it.each([
    { a: [1, 'two', null, true, { b: [] }], c: {}, d: 'quote " and \\ and \u2028', e: -0.5 },
    [undefined, 1],
    'text',
    null,
    { gone: undefined, 'key "with" quotes': 1 },
  ])('is what the browser’s own makes of it: %j', (value) => {
    expect(toJson(value)).toBe(JSON.stringify(value));
  });

  it('does not ask for the toJSON methods that libraries add', () => {
    const polluted = [Array.prototype, String.prototype, Object.prototype, Number.prototype] as object[];
    const value = { accounts: [{ id: 'a', mask: null }], n: 1 };
    const expected = JSON.stringify(value);
    try {
      for (const prototype of polluted) Reflect.set(prototype, 'toJSON', () => 'changed');
      expect(toJson(value) === expected).toBe(true);
    } finally {
      for (const prototype of polluted) Reflect.deleteProperty(prototype, 'toJSON');
    }
  });
});
