import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningSimulator, SIMULATOR_CREDENTIALS, startSimulator } from '../../demo/simulator/index.ts';
import { masked } from '../../server/commands/masked.ts';
import { runCommand } from '../helpers/command.ts';
import { freePort } from '../helpers/free-port.ts';

const SECRETS = /(?:access|public|link|processor)-sandbox-\w|simulator-(?:plaid-secret|finix-password)/;

let upstream: RunningSimulator;
let env: Record<string, string>;
beforeEach(async () => {
  upstream = await startSimulator();
  const { plaid, finix } = SIMULATOR_CREDENTIALS;
  env = {
    PLAID_ENV: 'sandbox',
    PLAID_CLIENT_NAME: 'Acme',
    PLAID_CLIENT_ID: plaid.clientId,
    PLAID_SECRET: plaid.secret,
    PLAID_BASE_URL: upstream.plaidUrl,
    FINIX_ENV: 'sandbox',
    FINIX_USERNAME: finix.username,
    FINIX_PASSWORD: finix.password,
    FINIX_BASE_URL: upstream.finixUrl,
  };
});
afterEach(() => upstream.close());

describe('sandbox', () => {
  it('connects a test bank, prints every call without secrets, and removes what it made', async () => {
    const { code, out } = await runCommand(['sandbox'], env);
    expect(code).toBe(0);
    expect(out.match(/^\d+\. .+$/gm)?.map((line) => line.replace(/^\d+\. /, ''))).toEqual([
      'Plaid: a link token, with the products that Finix reads',
      'Plaid: a public token, as Link’s onSuccess gives it',
      'Plaid: the access token',
      'Plaid: the accounts',
      'Plaid: a processor token for Finix',
      'Finix: an identity for the customer',
      'Finix: the payment instrument',
      'Finix: disable it again',
      'Plaid: remove the Item again',
    ]);
    expect(out).toContain('"processor_token":"processor-sandbox-…"');
    expect(out).not.toMatch(SECRETS);
    expect(upstream.simulator.ledger.instruments()).toMatchObject([{ enabled: false }]);
    expect(upstream.simulator.ledger.items()).toMatchObject([{ removed: true }]);
  });

  it('stops at a refusal with its remedy, and still removes the Item', async () => {
    const rule = { service: 'plaid', path: '/processor/token/create', kind: 'plaid_error' } as const;
    upstream.simulator.faults.add({ ...rule, error_code: 'INVALID_PRODUCT' });
    const { code, out } = await runCommand(['sandbox', '--json'], env);
    const steps = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect([code, steps.map(({ call }) => call).slice(-2)]).toEqual([
      1,
      ['POST /processor/token/create', 'POST /item/remove'],
    ]);
    expect(steps.at(-2)).toMatchObject({ status: 400, remedy: expect.stringContaining('Developers > Integrations') });
    expect(upstream.simulator.ledger.items()).toMatchObject([{ removed: true }]);
  });

  it('leaves what it made when it is asked to', async () => {
    expect((await runCommand(['sandbox', '--keep'], env)).code).toBe(0);
    expect(upstream.simulator.ledger.instruments()).toMatchObject([{ enabled: true }]);
    expect(upstream.simulator.ledger.items()).toMatchObject([{ removed: false }]);
  });

  it('needs the providers’ settings alone, and lists those that are missing', async () => {
    const { code, err } = await runCommand(['sandbox'], { ...env, FINIX_PASSWORD: '' });
    expect([code, err]).toEqual([1, expect.stringContaining('FINIX_PASSWORD is missing')]);
    expect(err).not.toContain('ENCRYPTION_KEY');
  });

  it('never runs against production', async () => {
    const live = { ...env, PLAID_ENV: 'production', FINIX_ENV: 'live', PLAID_BASE_URL: '', FINIX_BASE_URL: '' };
    expect(await runCommand(['sandbox'], live)).toMatchObject({ code: 1, err: expect.stringContaining('PLAID_ENV') });
    const elsewhere = { ...env, PLAID_BASE_URL: 'https://plaid.example' };
    expect(await runCommand(['sandbox'], elsewhere)).toMatchObject({
      code: 1,
      err: expect.stringContaining('loopback'),
    });
  });

  it('ends with 3 when a provider does not answer', async () => {
    const nowhere = `http://127.0.0.1:${await freePort()}`;
    const { code, err } = await runCommand(['sandbox'], { ...env, PLAID_BASE_URL: nowhere });
    expect([code, err]).toEqual([3, expect.stringContaining('ECONNREFUSED')]);
  });
});

describe('masking', () => {
  it.each([
    [{ access_token: 'access-sandbox-0a1b' }, { access_token: 'access-sandbox-…' }],
    [{ nested: [{ third_party_token: 'opaque' }] }, { nested: [{ third_party_token: '…' }] }],
    [{ note: 'processor-production-0a1b' }, { note: 'processor-production-…' }],
    [
      { secret: 's', password: 'p', account_number: 123, routing: '021' },
      { secret: '…', password: '…', account_number: '…', routing: '…' },
    ],
    [
      { account: '1111222233330000', mask: '0000', token: null },
      { account: '…', mask: '0000', token: null },
    ],
    [
      { request_id: 'abc', products: ['auth'] },
      { request_id: 'abc', products: ['auth'] },
    ],
  ])('hides what opens something, and leaves the rest: %j', (value, expected) => {
    expect(masked(value)).toEqual(expected);
  });
});
