import { createHash, createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import addFormatsModule from 'ajv-formats';
import { importJWK, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type RunningSimulator, SCENARIOS, startSimulator } from '../../demo/simulator/index.ts';
import { finix, linkItem, plaidClient, processorToken, products } from './client.ts';

interface Arrived {
  url: string;
  headers: Record<string, string>;
  body: string;
}

const HERE = 'http://127.0.0.1:1/hooks';

let running: RunningSimulator;
let arrived: Arrived[];

async function start(laterMs = 10): Promise<void> {
  arrived = [];
  running = await startSimulator({
    laterMs,
    finixWebhook: { url: HERE, secret: 'finix-secret' },
    deliver: async (url, { headers, body }) => {
      arrived.push({ url, headers, body });
      return new Response();
    },
  });
}

beforeEach(() => start());
afterEach(() => running.close());

const types = () => running.simulator.ledger.webhooks().map(({ type }) => type);
const payloads = () => arrived.map(({ body }) => (body ? JSON.parse(body) : undefined) as Record<string, unknown>);

async function link(username = 'user_one_account') {
  const client = plaidClient(running.plaidUrl);
  const { public_token } = (
    await client.sandboxPublicTokenCreate({
      institution_id: 'ins_109508',
      initial_products: products('auth', 'identity'),
      options: { override_username: username, webhook: HERE },
    })
  ).data;
  const { access_token, item_id } = (await client.itemPublicTokenExchange({ public_token })).data;
  return { client, access_token, item_id };
}

describe('Plaid’s webhooks', () => {
  it('Plaid’s webhooks are signed over the raw body with a key that the API gives out', async () => {
    const { client, item_id } = await link();
    running.simulator.bank.breakLogin(item_id);
    await running.simulator.webhooks.settled();
    const [webhook] = arrived;
    const token = webhook?.headers['Plaid-Verification'] ?? '';
    const { kid } = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string };
    const { key } = (await client.webhookVerificationKeyGet({ key_id: kid })).data;
    const { payload } = await jwtVerify(token, await importJWK({ ...key }, 'ES256'), { maxTokenAge: '5 min' });
    expect(payload['request_body_sha256']).toBe(
      createHash('sha256')
        .update(webhook?.body ?? '')
        .digest('hex'),
    );
    expect(key.expired_at).toBeNull();
    running.simulator.webhooks.rotateKey();
    expect((await client.webhookVerificationKeyGet({ key_id: kid })).data.key.expired_at).not.toBeNull();
    await expect(client.webhookVerificationKeyGet({ key_id: 'none' })).rejects.toMatchObject({
      response: { data: { error_code: 'INVALID_WEBHOOK_VERIFICATION_KEY_ID' } },
    });
  });

  it('Plaid’s webhooks come late, twice, and in reverse when asked to', async () => {
    const { item_id } = await link();
    const { bank, webhooks } = running.simulator;
    webhooks.hold();
    bank.breakLogin(item_id);
    bank.repairLogin(item_id);
    await webhooks.settled();
    expect(arrived).toEqual([]);
    await webhooks.release('reversed');
    expect(payloads().map(({ webhook_code }) => webhook_code)).toEqual(['LOGIN_REPAIRED', 'ERROR']);
    webhooks.settings.copies = 2;
    webhooks.settings.delayMs = 30;
    const before = performance.now();
    bank.openAccount(item_id);
    await webhooks.settled();
    expect(arrived).toHaveLength(4);
    expect(performance.now() - before).toBeGreaterThanOrEqual(25);
  });

  it.each([
    'DEFAULT_UPDATE',
    'NEW_ACCOUNTS_AVAILABLE',
    'SMS_MICRODEPOSITS_VERIFICATION',
    'USER_PERMISSION_REVOKED',
    'USER_ACCOUNT_REVOKED',
    'PENDING_DISCONNECT',
    'LOGIN_REPAIRED',
    'ERROR',
  ])('Plaid’s webhooks %s is fired by the sandbox’s own call', async (webhook_code) => {
    const { client, access_token, item_id } = await link();
    const answer = await client.sandboxItemFireWebhook({ access_token, webhook_code: webhook_code as never });
    expect(answer.data.webhook_fired).toBe(true);
    await running.simulator.webhooks.settled();
    expect(payloads()).toMatchObject([{ webhook_code, item_id, environment: 'sandbox' }]);
  });

  it('Plaid’s webhooks are not fired for an Item without an address', async () => {
    const { accessToken } = await linkItem(plaidClient(running.plaidUrl));
    const answer = await plaidClient(running.plaidUrl).sandboxItemFireWebhook({
      access_token: accessToken,
      webhook_code: 'ERROR' as never,
    });
    expect(answer.data.webhook_fired).toBe(false);
  });

  it('Plaid’s webhooks never leave this machine', async () => {
    const elsewhere = await startSimulator();
    elsewhere.simulator.webhooks.plaid('https://shop.example/hooks', { webhook_type: 'ITEM', webhook_code: 'ERROR' });
    await elsewhere.simulator.webhooks.settled();
    expect(elsewhere.simulator.ledger.webhooks()).toMatchObject([{ status: null }]);
    await elsewhere.close();
  });

  // Finix's webhooks come with an instrument, below.
  it.each(
    SCENARIOS.filter(({ later }) => later && later !== 'disabled').map(({ username, later }) => [username, later]),
  )('%s: what is in store (%s) comes after the exchange', async (username) => {
    await link(username);
    await expect.poll(types).not.toEqual([]);
  });
});

describe('Finix’s webhooks', () => {
  it('webhooks report each instrument, signed with the subscription’s key', async () => {
    const client = plaidClient(running.plaidUrl);
    const { accessToken } = await linkItem(client);
    const token = await processorToken(client, accessToken);
    const identity = (await finix(running, 'POST', '/identities', { entity: {} })).body['id'];
    const made = await finix(running, 'POST', '/payment_instruments', {
      type: 'BANK_ACCOUNT',
      identity,
      third_party: 'PLAID',
      third_party_token: token,
    });
    await finix(running, 'PUT', `/payment_instruments/${String(made.body['id'])}`, { enabled: false });
    running.simulator.webhooks.finixTest();
    await running.simulator.webhooks.settled();
    expect(types()).toEqual(['instrument/created', 'instrument/updated', 'test']);
    const [first, , test] = arrived;
    const [, timestamp, signature] =
      /^timestamp=(\d+), sig=([0-9a-f]{64})$/.exec(first?.headers['Finix-Signature'] ?? '') ?? [];
    expect(createHmac('sha256', 'finix-secret').update(`${timestamp}:${first?.body}`).digest('hex')).toBe(signature);
    expect(payloads()[0]).toMatchObject({
      entity: 'instrument',
      _embedded: { instruments: [{ id: made.body['id'] }] },
    });
    expect(test?.body).toBe('');
  });
});

describe('an instrument that is disabled in Finix later (user_disabled_later)', () => {
  it('a disabled instrument is reported by Finix’s webhook, and the instruments of other logins stay', async () => {
    const instrumentOf = async (username: string) => {
      const { client, access_token } = await link(username);
      const token = await processorToken(client, access_token);
      const identity = (await finix(running, 'POST', '/identities', { entity: {} })).body['id'];
      const type = 'BANK_ACCOUNT';
      const more = { type, identity, third_party: 'PLAID', third_party_token: token };
      return (await finix(running, 'POST', '/payment_instruments', more)).body['id'];
    };
    await running.close();
    // Long enough for the instrument to be made before, also on a busy machine.
    await start(1_500);
    const [other, id] = [await instrumentOf('user_one_account'), await instrumentOf('user_disabled_later')];
    await expect.poll(types).toContain('instrument/updated');
    const enabled = running.simulator.ledger.instruments().map((one) => [one.id, one['enabled']]);
    expect(enabled).toEqual([
      [other, true],
      [id, false],
    ]);
  });
});

const dir = process.env['CONTRACTS_DIR'];
const why = dir ? '' : ' (skipped: CONTRACTS_DIR does not name a folder with plaid-webhooks.yml)';

describe.skipIf(!dir)(`the webhooks against Plaid’s published schemas${why}`, () => {
  it.each([
    ['AutomaticallyVerifiedWebhook', 'user_verified_later'],
    ['VerificationExpiredWebhook', 'user_verification_expires'],
    ['ItemErrorWebhook', 'user_broken_later'],
    ['PendingDisconnectWebhook', 'user_disconnecting_later'],
    ['UserPermissionRevokedWebhook', 'user_revoked_later'],
    ['UserAccountRevokedWebhook', 'user_account_revoked_later'],
    ['NewAccountsAvailableWebhook', 'user_account_opened_later'],
    ['AuthDefaultUpdateWebhook', 'user_renumbered_later'],
    ['ProductPermissionsRequiredAuthWebhook', 'user_numbers_withheld_later'],
  ])('%s is what %s brings', async (schema, username) => {
    const document = parse(await readFile(join(dir ?? '', 'plaid-webhooks.yml'), 'utf8'), { maxAliasCount: -1 });
    const ajv = new Ajv({ strict: false });
    addFormatsModule.default(ajv);
    ajv.addSchema(document, 'webhooks');
    await link(username);
    await expect.poll(() => arrived.length).toBeGreaterThan(0);
    const validate = ajv.getSchema(`webhooks#/components/schemas/${schema}`);
    expect([validate?.(payloads()[0]), validate?.errors ?? null]).toEqual([true, null]);
  });
});

describe('A webhook that is not delivered', () => {
  it.each([
    ['http://127.0.0.1:1/hooks', /ECONNREFUSED|bad port/],
    ['https://merchant.example/hooks', /not on this machine/],
  ])('is a step with the reason: %s', async (url, reason) => {
    const elsewhere = await startSimulator({ finixWebhook: { url, secret: 'finix-secret' } });
    try {
      const problems: (string | undefined)[] = [];
      elsewhere.simulator.on('step', ({ problem }) => problems.push(problem));
      elsewhere.simulator.webhooks.finixTest();
      await elsewhere.simulator.webhooks.settled();
      expect(problems).toEqual([expect.stringMatching(reason)]);
      expect(problems[0]).toContain(url);
    } finally {
      await elsewhere.close();
    }
  });
});
