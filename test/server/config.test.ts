import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../server/config.ts';
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

describe('the settings', () => {
  it('are read from a whole environment', () => {
    const config = loadConfig(testEnvironment());
    expect(config).toMatchObject({
      port: 3000,
      dataDir: './data',
      plaid: { baseUrl: 'https://sandbox.plaid.com', countryCodes: ['US'] },
      finix: { baseUrl: 'https://finix.sandbox-payments-api.com', quietMs: 120_000 },
      publicSessions: { enabled: false, purpose: 'debit' },
    });
  });

  it('name every missing one at once', () => {
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
    ['ALLOWED_ORIGINS', { ALLOWED_ORIGINS: '*' }],
    ['ALLOWED_ORIGINS', { ALLOWED_ORIGINS: 'https://shop.example/' }],
    ['ALLOWED_ORIGINS', { ALLOWED_ORIGINS: 'http://shop.example' }],
    ['PUBLIC_URL', { PUBLIC_URL: 'http://connect.example' }],
    ['PUBLIC_SESSIONS', { PUBLIC_SESSIONS: 'yes' }],
    ['ENCRYPTION_KEY', { ENCRYPTION_KEY: 'c2hvcnQ=' }],
    ['MERCHANT_API_KEY', { PLAID_ENV: 'production', FINIX_ENV: 'live', MERCHANT_API_KEY: 'short' }],
    ['MERCHANT_WEBHOOK_SECRET', { MERCHANT_WEBHOOK_URL: 'https://shop.example/hooks' }],
    ['MERCHANT_WEBHOOK_URL', { MERCHANT_WEBHOOK_SECRET: `whsec_${ENCRYPTION_KEY}` }],
    ['MERCHANT_WEBHOOK_URL', { MERCHANT_WEBHOOK_URL: 'http://shop.example/hooks' }],
    ['PLAID_REDIRECT_URI', { PLAID_REDIRECT_URI: 'https://shop.example/oauth?x=1' }],
    ['DATABASE_URL', { DATABASE_URL: 'mysql://db' }],
    ['PORT', { PORT: '70000' }],
    ['LOG_LEVEL', { LOG_LEVEL: 'loud' }],
    ['TRUSTED_PROXIES', { TRUSTED_PROXIES: 'everyone' }],
    ['TRUSTED_PROXIES', { TRUSTED_PROXIES: '10.0.0.0/99' }],
    ['TRUSTED_PROXIES', { TRUSTED_PROXIES: '999.1.1.1' }],
    ['MERCHANT_API_KEY', { MERCHANT_API_KEY: ',' }],
    ['ENCRYPTION_KEY', { ENCRYPTION_KEY: ',' }],
    ['ENCRYPTION_KEY', { ENCRYPTION_KEY: `${ENCRYPTION_KEY},${ENCRYPTION_KEY}` }],
    ['ALLOWED_ORIGINS', { ALLOWED_ORIGINS: ',' }],
    ['PLAID_COUNTRY_CODES', { PLAID_COUNTRY_CODES: 'XX' }],
  ])('refuse a wrong %s: %j', (name, change) => {
    expect(problemsOf(testEnvironment(change))).toContain(name);
  });

  it.each([
    { ALLOWED_ORIGINS: 'http://localhost:5173,http://shop.localhost:3000,http://127.0.0.1:8080,http://[::1]:8080' },
    { PLAID_BASE_URL: 'http://127.0.0.1:9/plaid/', FINIX_BASE_URL: 'http://[::1]:9' },
    { PLAID_BASE_URL: 'https://sandbox.plaid.com' },
    { PUBLIC_URL: 'https://connect.example/banks/' },
    { ENCRYPTION_KEY: `${Buffer.alloc(32, 1).toString('base64')}, ${Buffer.alloc(32, 2).toString('base64')}` },
    { DATABASE_URL: 'postgres://db.internal/fbc' },
  ])('accept %j', (change) => {
    expect(problemsOf(testEnvironment(change))).toBe('');
  });

  it('never show a value in what is wrong with it', () => {
    const message = problemsOf(
      testEnvironment({ ENCRYPTION_KEY: 'my-secret-key', MERCHANT_WEBHOOK_SECRET: 'my-secret-hook' }),
    );
    expect(message).toContain('ENCRYPTION_KEY');
    expect(message).not.toContain('my-secret');
  });
});
