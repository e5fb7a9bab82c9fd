import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { explain } from '../../../widget/diagnose.ts';
import { flowError, report } from '../../../widget/errors.ts';

const page = readFileSync('docs/errors.md', 'utf8');
const [, bySymptom = ''] = /## By symptom\n([\s\S]*?)\n## /.exec(page) ?? [];

describe('the line on the console', () => {
  const lines: unknown[][] = [];
  beforeEach(() => {
    lines.length = 0;
    vi.spyOn(console, 'error').mockImplementation((...line) => void lines.push(line));
    vi.stubGlobal('location', { origin: 'https://shop.example' });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });

  it.each([
    ['origin_not_allowed', 'contact_merchant', 'add https://shop.example to ALLOWED_ORIGINS of the server'],
    ['endpoint_missing', 'contact_merchant', 'set the attribute "endpoint" to the address of the server'],
    ['public_sessions_off', 'contact_merchant', 'set "client-secret" or fetchClientSecret'],
    ['network_failed', 'retry', 'a Content-Security-Policy allows it in connect-src'],
    ['script_blocked', 'retry', 'script-src or frame-src'],
  ] as const)(
    'of %s shows what the merchant can do, and where the documents list it by symptom',
    (code, action, remedy) => {
      explain(flowError(code, action));
      expect(lines).toEqual([[expect.stringContaining(remedy)]]);
      const [line] = lines.flat() as [string];
      expect(line).toMatch(new RegExp(`^finix-bank-connect: ${code}: .*See docs/errors\\.md#by-symptom$`));
      expect(bySymptom).toContain(`\`${code}\``);
    },
  );

  it('of an error that only the merchant can end names its code and the request, for any code', () => {
    explain(flowError('provider_misconfigured', 'contact_merchant', 'req_1'));
    expect(lines).toEqual([
      ['finix-bank-connect: provider_misconfigured (request req_1). See docs/errors.md#by-symptom'],
    ]);
    expect(bySymptom).toContain('`provider_misconfigured`');
  });

  it.each([
    ['bank_login_failed', 'restart'],
    ['bank_unavailable', 'use_other_bank'],
    ['offline', 'retry'],
    ['plaid_unavailable', 'retry'],
  ] as const)('does not exist for %s, which the customer solves', (code, action) => {
    explain(flowError(code, action));
    expect(lines).toEqual([]);
  });

  it('of an exception begins with the name of the package and keeps the exception itself', () => {
    const cause = new Error('500');
    report('fetchClientSecret failed', cause);
    expect(lines).toEqual([['finix-bank-connect: fetchClientSecret failed', cause]]);
  });
});

it('the page about errors by symptom is where the console points to', () => {
  expect(bySymptom.length).toBeGreaterThan(500);
});
