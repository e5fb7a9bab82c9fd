import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { refuseSecret } from '../../../widget/detour/secret-report.ts';
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

  it.each([
    ['https://pay.example', 'https://pay.example/docs/errors.html#by-symptom'],
    ['https://shop.example/pay/', 'https://shop.example/pay/docs/errors.html#by-symptom'],
    ['/pay', 'docs/errors.md#by-symptom'],
    ['', 'docs/errors.md#by-symptom'],
  ])('leads from the endpoint "%s" to the page that the server has, by its full address', (endpoint, address) => {
    explain(flowError('origin_not_allowed', 'contact_merchant'), endpoint);
    expect(lines.join()).toContain(`. See ${address}`);
  });

  it('leads to no page of a server that has not answered, or is another one', () => {
    explain(flowError('network_failed', 'retry'), 'https://pay.example');
    explain({ ...flowError('not_found', 'contact_merchant'), reason: 'not_ours' }, 'https://pay.example');
    explain({ ...flowError('network_failed', 'retry'), reason: 'not_ours' }, '');
    expect(lines.map((line) => String(line))).toEqual([
      expect.stringMatching(/could not be reached.*See docs\/errors\.md#by-symptom$/),
      'finix-bank-connect: not_found: https://pay.example answered, but not as the connect server does: check "endpoint". See docs/errors.md#by-symptom',
      'finix-bank-connect: network_failed: the server answered, but not as the connect server does: check "endpoint". See docs/errors.md#by-symptom',
    ]);
  });

  it.each([
    [undefined, 'ses_1', 'the client secret has another form; set the string client_secret of a session'],
    ['ses_1_secret_a', null, 'fetchClientSecret is a string of another form; set a function that returns the string'],
    [{}, null, 'fetchClientSecret is an object; set a function that returns'],
    [async () => {}, undefined, 'fetchClientSecret returned undefined; return the string client_secret of a session'],
    [async () => {}, null, 'fetchClientSecret returned null; return'],
    [async () => {}, '', 'fetchClientSecret returned an empty string; return'],
    [async () => {}, 'sk_live_hidden', 'fetchClientSecret returned a string of another form; return'],
    [async () => {}, { client_secret: 'ses_1_secret_hidden' }, 'fetchClientSecret returned an object; return'],
    [async () => {}, ['ses_1_secret_hidden'], 'fetchClientSecret returned an array; return'],
    [async () => {}, 42, 'fetchClientSecret returned a number; return'],
  ])(
    'of no client secret shows what came and what is expected, and never the value: %s, %s',
    (fetching, secret, text) => {
      refuseSecret(fetching, secret);
      expect(lines).toHaveLength(1);
      expect(String(lines[0])).toContain(text);
      expect(String(lines[0])).toContain('(ses_…_secret_…)');
      expect(String(lines[0])).not.toMatch(/hidden|ses_1_secret_a/);
    },
  );

  it('of an exception begins with the name of the package and keeps the exception itself', () => {
    const cause = new Error('500');
    report('fetchClientSecret failed', cause);
    expect(lines).toEqual([['finix-bank-connect: fetchClientSecret failed', cause]]);
  });
});

it('the page about errors by symptom is where the console points to', () => {
  expect(bySymptom.length).toBeGreaterThan(500);
});
