import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../server/config.ts';
import { settingsHints } from '../../server/diagnosis/hints.ts';
import { runCommand } from '../helpers/command.ts';
import { testEnvironment } from '../helpers/server.ts';

const RANDOM_KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => index * 7)).toString('base64');

/** Settings without hints, on the internet and in production. */
const COMPLETE = {
  PLAID_ENV: 'production',
  FINIX_ENV: 'live',
  ENCRYPTION_KEY: RANDOM_KEY,
  PUBLIC_URL: 'https://connect.shop.example',
  TRUSTED_PROXIES: '10.0.0.0/8',
  FINIX_WEBHOOK_SECRET: 'secret-of-finix',
  MERCHANT_WEBHOOK_URL: 'https://shop.example/hooks',
  MERCHANT_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 9).toString('base64')}`,
};
const SANDBOX = { ...COMPLETE, PLAID_ENV: 'sandbox', FINIX_ENV: 'sandbox' };
const SIMULATOR = { PLAID_BASE_URL: 'http://127.0.0.1:4010/plaid', FINIX_BASE_URL: 'http://127.0.0.1:4010/finix' };

const hintsFor = (env: Record<string, string | undefined>) =>
  settingsHints(loadConfig(testEnvironment(env))).filter(({ status }) => status !== 'ok');

describe('the hints about settings', () => {
  it('are silent where nothing is to be done', () => {
    expect(hintsFor(COMPLETE)).toEqual([]);
  });

  it('name Plaid’s Finix integration in the Sandbox, and not on the simulator', () => {
    expect(hintsFor(SANDBOX).map(({ id }) => id)).toEqual(['plaid_integration']);
    const local = { PUBLIC_URL: 'http://localhost:3000', ALLOWED_ORIGINS: 'http://shop.localhost' };
    expect(hintsFor({ ...SANDBOX, ...SIMULATOR, ...local })).toEqual([]);
  });

  it.each([
    [
      'http_address',
      { ...COMPLETE, PUBLIC_URL: 'http://localhost:3000', ALLOWED_ORIGINS: 'http://shop.localhost' },
      'no customer’s browser reaches',
    ],
    ['http_address', { ...SANDBOX, PUBLIC_URL: 'http://localhost:3000' }, 'browsers block http calls'],
    ['origins', { ...COMPLETE, ALLOWED_ORIGINS: 'http://localhost:5173,http://127.0.0.1:5173' }, 'this machine only'],
    ['origins', { ...SANDBOX, ALLOWED_ORIGINS: 'http://localhost:5173' }, 'not http://127.0.0.1:5173'],
    ['origins', { ...SANDBOX, ALLOWED_ORIGINS: 'http://127.0.0.1:5173' }, 'not http://localhost:5173'],
    ['finix_webhook_secret', { ...COMPLETE, FINIX_WEBHOOK_SECRET: '' }, '401'],
    ['merchant_webhook', { ...COMPLETE, MERCHANT_WEBHOOK_URL: '', MERCHANT_WEBHOOK_SECRET: '' }, 'only by asking'],
    ['merchant_key', { ...SANDBOX, MERCHANT_API_KEY: 'short-key' }, 'merchant_key_in_browser'],
    ['trusted_proxies', { ...COMPLETE, TRUSTED_PROXIES: '' }, 'one rate limit'],
  ])('hints name %s in one line with a remedy: %#', (id, env, words) => {
    const [hint] = hintsFor(env).filter((found) => found.id === id);
    expect(hint?.detail).toContain(words);
    expect(hint?.remedy).toMatch(/\w{3}/);
    expect(hint?.detail).not.toContain('\n');
  });

  it('hints report that Plaid cannot reach an address of this machine', () => {
    const env = { ...SANDBOX, PUBLIC_URL: 'http://localhost:3000', ALLOWED_ORIGINS: 'http://shop.localhost' };
    expect(hintsFor(env).find(({ id }) => id === 'http_address')?.detail).toContain('Plaid and Finix cannot reach');
  });

  it('never repeat a key', () => {
    const text = JSON.stringify(
      settingsHints(loadConfig(testEnvironment({ ...SANDBOX, MERCHANT_API_KEY: 'short-key' }))),
    );
    expect(text).not.toContain('short-key');
  });
});

describe('settings that are wrong', () => {
  it.each([
    [{ FINIX_ENV: 'live' }, 'contradict each other', 'PLAID_ENV=sandbox with FINIX_ENV=sandbox'],
    [{ PUBLIC_URL: 'http://connect.shop.example' }, 'PUBLIC_URL must use https', 'proxy or tunnel'],
    [{ ALLOWED_ORIGINS: 'http://shop.example' }, 'must use https', 'http://localhost while you develop'],
    [{ ALLOWED_ORIGINS: 'https://shop.example/checkout' }, 'not an exact origin', '`location.origin`'],
    [{ ALLOWED_ORIGINS: '*' }, 'without wildcards', '`location.origin`'],
    [{ MERCHANT_WEBHOOK_SECRET: '' }, 'MERCHANT_WEBHOOK_SECRET is missing', 'openssl rand'],
    [{ ENCRYPTION_KEY: 'abc' }, 'ENCRYPTION_KEY entry 1', 'openssl rand -base64 32'],
    [{ PLAID_ENV: 'development' }, 'PLAID_ENV must be one of', 'PLAID_ENV in docs/settings.md'],
    [{ FINIX_USERNAME: '' }, 'FINIX_USERNAME is missing', 'Finix dashboard'],
  ])(
    'settings that are wrong are named with a remedy in one line, by doctor and at the start: %o',
    async (env, words, remedy) => {
      const given = testEnvironment({ ...SANDBOX, ...env });
      const { code, out } = await runCommand(['doctor', '--json'], given);
      const { checks } = JSON.parse(out) as { checks: { detail: string; remedy: string }[] };
      const found = checks.find(({ detail }) => detail.includes(words));
      expect([code, found?.remedy]).toEqual([1, expect.stringContaining(remedy)]);
      expect(found?.remedy).not.toContain('\n');
      // Once is enough.
      expect(found?.detail.toLowerCase()).not.toContain(remedy.toLowerCase());
      const start = await runCommand(['serve'], given);
      expect(start.code).toBe(1);
      expect(start.err).toContain(words);
      expect(start.err.toLowerCase()).toContain(remedy.toLowerCase());
    },
  );
});
