import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { printedSettings } from '../../build/printed-settings.ts';
import { ConfigError, loadConfig } from '../../server/config.ts';
import { environmentExample } from '../../server/settings/print.ts';
import { readSettings, type Setting } from '../../server/settings/setting.ts';
import { SETTINGS } from '../../server/settings/table.ts';
import { ENCRYPTION_KEY, testEnvironment } from '../helpers/server.ts';

function problemsOf(env: Record<string, string | undefined>): string {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

function webhookWith(secret: string) {
  return { MERCHANT_WEBHOOK_URL: 'https://shop.example/hooks', MERCHANT_WEBHOOK_SECRET: secret };
}

function parseEnvironment(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => /^\w/.test(line));
  return Object.fromEntries(lines.map((line) => [line.split('=')[0], line.replace(/^\w+="?|"$/g, '')]));
}

describe('the settings', () => {
  it('one pair of quotes around a value is taken away, as a shell does and Docker does not', () => {
    const nameOf = (text: string) => loadConfig(testEnvironment({ PLAID_CLIENT_NAME: text })).plaid.clientName;
    expect(['"Your Shop"', "'Your Shop'", 'Your Shop', `"Joe's"`, 'Joe "J" Doe'].map(nameOf)).toEqual([
      ...['Your Shop', 'Your Shop', 'Your Shop', "Joe's", 'Joe "J" Doe'],
    ]);
    expect(problemsOf(testEnvironment({ PLAID_SECRET: '""' }))).toContain('PLAID_SECRET is missing');
  });

  it('settings are read from a whole environment', () => {
    const config = loadConfig(testEnvironment());
    expect(config).toMatchObject({
      port: 3000,
      dataDir: './data',
      plaid: { baseUrl: 'https://sandbox.plaid.com', countryCodes: ['US'] },
      finix: { baseUrl: 'https://finix.sandbox-payments-api.com', quietMs: 120_000 },
      publicSessions: { enabled: false, purpose: 'debit' },
    });
  });

  it('the settings’ error names every missing one at once', () => {
    const message = problemsOf({});
    for (const name of [
      'PLAID_CLIENT_ID',
      'PLAID_SECRET',
      'PLAID_ENV',
      'PLAID_CLIENT_NAME',
      'FINIX_USERNAME',
      'FINIX_PASSWORD',
      'FINIX_ENV',
      'MERCHANT_API_KEY',
      'ALLOWED_ORIGINS',
      'PUBLIC_URL',
      'ENCRYPTION_KEY',
    ]) {
      expect(message).toContain(name);
    }
  });

  it.each([
    ['PLAID_ENV', { PLAID_ENV: 'sandbox', FINIX_ENV: 'live' }],
    ['FINIX_ENV', { PLAID_ENV: 'production', FINIX_ENV: 'sandbox' }],
    ['PLAID_ENV', { PLAID_ENV: 'development' }],
    ['PLAID_CLIENT_NAME', { PLAID_CLIENT_NAME: 'A name of more than thirty characters' }],
    ['PLAID_COUNTRY_CODES', { PLAID_COUNTRY_CODES: 'usa' }],
    ['PLAID_BASE_URL', { PLAID_BASE_URL: 'https://plaid.evil.example' }],
    ['PLAID_BASE_URL', { PLAID_BASE_URL: 'https://production.plaid.com' }],
    ['PLAID_BASE_URL', { PLAID_ENV: 'production', FINIX_ENV: 'live', PLAID_BASE_URL: 'http://127.0.0.1:9' }],
    ['FINIX_BASE_URL', { PLAID_ENV: 'production', FINIX_ENV: 'live', FINIX_BASE_URL: 'http://localhost:9' }],
    ['FINIX_BASE_URL', { FINIX_BASE_URL: 'http://127.0.0.1.evil.example' }],
    ['FINIX_QUIET_SECONDS', { FINIX_QUIET_SECONDS: '1.5' }],
    ['FINIX_QUIET_SECONDS', { PLAID_ENV: 'production', FINIX_ENV: 'live', FINIX_QUIET_SECONDS: '0' }],
    ['FINIX_QUIET_SECONDS', { PLAID_ENV: 'production', FINIX_ENV: 'live', FINIX_QUIET_SECONDS: '59' }],
    ['ALLOWED_ORIGINS', { ALLOWED_ORIGINS: '*' }],
    ['ALLOWED_ORIGINS', { ALLOWED_ORIGINS: 'https://shop.example/' }],
    ['ALLOWED_ORIGINS', { ALLOWED_ORIGINS: 'http://shop.example' }],
    ['PUBLIC_URL', { PUBLIC_URL: 'http://connect.example' }],
    ['METRICS_PORT', { METRICS_PORT: '9464', PORT: '9464' }],
    ['PUBLIC_SESSIONS', { PUBLIC_SESSIONS: 'yes' }],
    ['ENCRYPTION_KEY', { ENCRYPTION_KEY: 'c2hvcnQ=' }],
    ['MERCHANT_API_KEY', { PLAID_ENV: 'production', FINIX_ENV: 'live', MERCHANT_API_KEY: 'short' }],
    ['MERCHANT_WEBHOOK_SECRET', { MERCHANT_WEBHOOK_URL: 'https://shop.example/hooks' }],
    ['MERCHANT_WEBHOOK_URL', { MERCHANT_WEBHOOK_SECRET: `whsec_${ENCRYPTION_KEY}` }],
    ['MERCHANT_WEBHOOK_URL', { MERCHANT_WEBHOOK_URL: 'http://shop.example/hooks' }],
    ['PLAID_REDIRECT_URI', { PLAID_REDIRECT_URI: 'https://shop.example/oauth?x=1' }],
    ['DATABASE_URL', { DATABASE_URL: 'mysql://db' }],
    ['DATABASE_URL', { DATABASE_URL: 'jdbc:postgresql://db/fbc' }],
    ['written as %23', { DATABASE_URL: 'postgres://app:pa#ss@db/fbc' }],
    ['written as %23', { DATABASE_URL: 'postgres://app:12#3@db/fbc' }],
    ['written as %23', { DATABASE_URL: 'postgres://app:pa/ss@db/fbc' }],
    ['written as %23', { DATABASE_URL: 'postgres://app:12/3@db/fbc' }],
    ['written as %23', { DATABASE_URL: 'postgres://app:pa?ss@db/fbc' }],
    ['written as %23', { DATABASE_URL: 'postgres://app:12?3@db/fbc' }],
    ['written as %23', { DATABASE_URL: 'postgres://app:pa%ffss@db/fbc' }],
    ['PORT', { PORT: '70000' }],
    ['HTTPS_PROXY', { HTTPS_PROXY: 'proxy.internal:3128' }],
    ['HTTPS_PROXY', { HTTPS_PROXY: 'socks5://proxy.internal:1080' }],
    ['HTTPS_PROXY', { https_proxy: 'http://user:secret@proxy.internal:3128/path' }],
    ['LOG_LEVEL', { LOG_LEVEL: 'loud' }],
    ['TRUSTED_PROXIES', { TRUSTED_PROXIES: 'everyone' }],
    ['TRUSTED_PROXIES', { TRUSTED_PROXIES: '10.0.0.0/99' }],
    ['TRUSTED_PROXIES', { TRUSTED_PROXIES: '999.1.1.1' }],
    ['MERCHANT_API_KEY', { MERCHANT_API_KEY: ',' }],
    ['ENCRYPTION_KEY', { ENCRYPTION_KEY: ',' }],
    ['ENCRYPTION_KEY', { ENCRYPTION_KEY: `${ENCRYPTION_KEY},${ENCRYPTION_KEY}` }],
    ['ALLOWED_ORIGINS', { ALLOWED_ORIGINS: ',' }],
    ['PLAID_COUNTRY_CODES', { PLAID_COUNTRY_CODES: 'XX' }],
    ['PLAID_BASE_URL', { PLAID_BASE_URL: 'http://user:secret@127.0.0.1:9' }],
    ['PLAID_BASE_URL', { PLAID_BASE_URL: 'https://user@sandbox.plaid.com' }],
    ['PLAID_BASE_URL', { PLAID_BASE_URL: 'http://127.0.0.1:9?x=1' }],
    ['PLAID_BASE_URL', { PLAID_BASE_URL: 'http://127.0.0.1:9/#x' }],
    ['PLAID_BASE_URL', { PLAID_BASE_URL: 'https://sandbox.plaid.com/v2' }],
    ['FINIX_BASE_URL', { FINIX_BASE_URL: 'ftp://127.0.0.1' }],
    ['FINIX_BASE_URL', { FINIX_BASE_URL: 'file:///etc/passwd' }],
    ['FINIX_BASE_URL', { FINIX_BASE_URL: 'http://127.0.0.1:9/?' }],
    ['PUBLIC_URL', { PUBLIC_URL: 'https://user:secret@connect.example' }],
    ['PUBLIC_URL', { PUBLIC_URL: 'ws://localhost:3000' }],
    ['PUBLIC_URL', { PUBLIC_URL: 'https://connect.example/?a=b' }],
    ['PUBLIC_URL', { PUBLIC_URL: 'connect.example' }],
    ['PLAID_REDIRECT_URI', { PLAID_REDIRECT_URI: 'https://user:secret@shop.example/oauth' }],
    ['PLAID_REDIRECT_URI', { PLAID_REDIRECT_URI: 'http://127.0.0.1:5173/oauth' }],
    ['MERCHANT_WEBHOOK_URL', { MERCHANT_WEBHOOK_URL: 'https://user:secret@shop.example/hooks' }],
    ['TRUSTED_PROXIES', { TRUSTED_PROXIES: '0.0.0.0/0' }],
    ['TRUSTED_PROXIES', { TRUSTED_PROXIES: '::/0' }],
    ['TRUSTED_PROXIES', { TRUSTED_PROXIES: '128.0.0.0/1, 10.0.0.0/8' }],
    ['ALLOWED_ORIGINS', { ALLOWED_ORIGINS: 'https://*.example.com' }],
    ['ALLOWED_ORIGINS', { ALLOWED_ORIGINS: 'https://shop.example:443' }],
    ['ALLOWED_ORIGINS', { ALLOWED_ORIGINS: 'https://Shop.example' }],
    ['ALLOWED_ORIGINS', { ALLOWED_ORIGINS: 'null' }],
    ['ALLOWED_ORIGINS', { ALLOWED_ORIGINS: 'https://shop.example,https://shop.example' }],
    ['ENCRYPTION_KEY', { ENCRYPTION_KEY: Buffer.alloc(32).toString('base64') }],
    ['ENCRYPTION_KEY', { PLAID_ENV: 'production', FINIX_ENV: 'live' }],
    ['EVIDENCE_KEYS', { PLAID_ENV: 'production', FINIX_ENV: 'live', EVIDENCE_KEYS: ENCRYPTION_KEY }],
    ['PUBLIC_AUTHORIZATION_TEXT', { PUBLIC_AUTHORIZATION_TEXT: 'I agree. '.repeat(1_200) }],
    ['PUBLIC_AUTHORIZATION_VERSION', { PUBLIC_AUTHORIZATION_VERSION: '1'.repeat(65) }],
    ['MERCHANT_WEBHOOK_SECRET', webhookWith(`whsec_${Buffer.alloc(32).toString('base64')}`)],
    ['MERCHANT_WEBHOOK_SECRET', webhookWith(`whsec_${ENCRYPTION_KEY},nonsense`)],
    ['MERCHANT_API_KEY', { MERCHANT_API_KEY: 'a key with blanks in it' }],
    ['MERCHANT_API_KEY', { MERCHANT_API_KEY: 'schlüssel' }],
    ['PLAID_CLIENT_ID', { PLAID_CLIENT_ID: 'two words' }],
    ['PLAID_CLIENT_NAME', { PLAID_CLIENT_NAME: 'Acme\nInc' }],
    ['FINIX_USERNAME', { FINIX_USERNAME: 'US:er' }],
    ['PORT', { PORT: '3e3' }],
    ['PORT', { PORT: '0x10' }],
    ['FINIX_QUIET_SECONDS', { FINIX_QUIET_SECONDS: '-1' }],
  ])('settings refuse a wrong %s: %j', (name, change) => {
    expect(problemsOf(testEnvironment(change))).toContain(name);
  });

  it.each([
    { ALLOWED_ORIGINS: 'http://localhost:5173,http://shop.localhost:3000,http://127.0.0.1:8080,http://[::1]:8080' },
    { PLAID_BASE_URL: 'http://127.0.0.1:9/plaid/', FINIX_BASE_URL: 'http://[::1]:9' },
    { PLAID_BASE_URL: 'https://sandbox.plaid.com' },
    { PUBLIC_URL: 'https://connect.example/banks/' },
    { ENCRYPTION_KEY: `${Buffer.alloc(32, 1).toString('base64')}, ${Buffer.alloc(32, 2).toString('base64')}` },
    { HTTPS_PROXY: 'http://user:p%40ss@proxy.internal:3128', NO_PROXY: '.internal, 10.0.0.1, *' },
    { HTTPS_PROXY: 'http://proxy.internal:3128', NO_PROXY: 'localhost,127.0.0.1,localhost,' },
    { NO_PROXY: ',' },
    { DATABASE_URL: 'postgres://db.internal/fbc' },
    { DATABASE_URL: 'postgres://app:p%23%2F%3F%40%25@db.internal/fbc?sslmode=verify-full&sslrootcert=/etc/ca.pem' },
    { DATABASE_URL: 'postgresql:///fbc?host=/var/run/postgresql' },
    { DATABASE_URL: 'postgres://app:100%@db.internal/fbc' },
    { PLAID_REDIRECT_URI: 'http://localhost:5173/oauth/' },
    { TRUSTED_PROXIES: '10.0.0.0/8, fc00::/7, 127.0.0.1, ::1' },
    { FINIX_ENV: ' sandbox ', PLAID_REDIRECT_URI: '', PORT: ' ' },
    webhookWith(`whsec_${ENCRYPTION_KEY}, whsec_${Buffer.alloc(24, 3).toString('base64')}`),
  ])('settings accept %j', (change) => {
    expect(problemsOf(testEnvironment(change))).toBe('');
  });

  it('the settings’ errors never show a value', () => {
    const message = problemsOf(
      testEnvironment({
        ENCRYPTION_KEY: 'my-secret-key',
        MERCHANT_WEBHOOK_SECRET: 'my-secret-hook',
        MERCHANT_API_KEY: 'my-secret key',
        ALLOWED_ORIGINS: 'https://user:my-secret@shop.example',
        PUBLIC_URL: 'https://user:my-secret@connect.example',
      }),
    );
    for (const name of ['ENCRYPTION_KEY', 'MERCHANT_API_KEY', 'ALLOWED_ORIGINS', 'PUBLIC_URL']) {
      expect(message).toContain(name);
    }
    expect(message).not.toContain('my-secret');
  });

  it('the settings’ errors name the entry of a list that is wrong', () => {
    expect(problemsOf(testEnvironment({ ALLOWED_ORIGINS: 'https://a.example, http://b.example' }))).toContain(
      'ALLOWED_ORIGINS entry 2 "http://b.example" must use https',
    );
  });

  it('an address that is compared or called as it is keeps its closing slash', () => {
    const { plaid, merchantWebhook } = loadConfig(
      testEnvironment({
        PLAID_REDIRECT_URI: 'https://shop.example/oauth/',
        MERCHANT_WEBHOOK_URL: 'https://shop.example/hooks/',
        MERCHANT_WEBHOOK_SECRET: `whsec_${ENCRYPTION_KEY}`,
      }),
    );
    expect(plaid.redirectUri).toBe('https://shop.example/oauth/');
    expect(merchantWebhook?.url).toBe('https://shop.example/hooks/');
  });

  it('the log gets every secret, each entry of a list too, and Finix’s credentials as they are sent', () => {
    const next = Buffer.alloc(32, 1).toString('base64');
    const environment = testEnvironment({ ENCRYPTION_KEY: `${ENCRYPTION_KEY}, ${next}` });
    const { secretValues } = loadConfig(environment);
    const { PLAID_SECRET, FINIX_USERNAME, FINIX_PASSWORD } = environment;
    const basic = Buffer.from(`${FINIX_USERNAME}:${FINIX_PASSWORD}`).toString('base64');
    expect(secretValues).toEqual(expect.arrayContaining([PLAID_SECRET, FINIX_PASSWORD, ENCRYPTION_KEY, next, basic]));
    expect(secretValues).not.toContain('Acme');
  });
});

describe('the files that show the settings', () => {
  it.each(printedSettings)('$file is up to date, or `npm run settings` updates it', ({ file, print }) => {
    const current = readFileSync(join(import.meta.dirname, '../..', file), 'utf8');
    expect(current).toBe(print(current));
  });

  it('every documented default is one that the setting itself accepts', () => {
    for (const [name, setting] of Object.entries<Setting>(SETTINGS)) {
      if (setting.defaultText !== undefined)
        expect([name, setting.read(undefined)]).toEqual([name, { value: expect.anything() }]);
    }
  });

  it('every required setting that can be guessed has an example, and all of them together start nothing', () => {
    const example = parseEnvironment(environmentExample(SETTINGS));
    const { problems } = readSettings(SETTINGS, example);
    const unfilled = Object.entries<Setting>(SETTINGS).flatMap(([name, { isRequired, example }]) =>
      isRequired && example === undefined ? [name] : [],
    );
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual(unfilled);
  });
});
