import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { FINIX_SECRET } from '../helpers/debits.ts';
import { TestServer } from '../helpers/server.ts';

/** Webhooks whose members are not all as documented. */

let server: TestServer;
beforeEach(async () => {
  server = await TestServer.start({ env: { FINIX_WEBHOOK_SECRET: FINIX_SECRET } });
});
afterEach(() => server.close());
const { webhooks, enabled, item, events, connect, expectStatus } = connectionLifecycle(() => server);

async function expectPlaidAccepted(payload: object): Promise<void> {
  const body = JSON.stringify(payload);
  const headers = { 'Plaid-Verification': webhooks().signPlaid(body) };
  expect((await server.send('POST', '/webhooks/plaid', body, headers)).status).toBe(200);
}

async function expectFinixAccepted(payload: object): Promise<void> {
  const body = JSON.stringify(payload);
  const headers = { 'Finix-Signature': webhooks().signFinix(body, FINIX_SECRET) };
  expect((await server.send('POST', '/webhooks/finix', body, headers)).status).toBe(200);
}

describe('a revocation', () => {
  it.each([
    ['an error as text', { error: 'USER_PERMISSION_REVOKED' }],
    ['a reason that is an object', { reason: { code: 1 } }],
    ['a status that is a number', { status: 5 }],
    ['an environment that is null', { environment: null }],
    ['a long reason', { reason: 'x'.repeat(2_000) }],
    ['accounts that are no list', { account_ids_with_new_auth: 'a', account_ids_with_updated_auth: [] }],
    ['tokens of other types', { public_token: 1, public_tokens: [null, 2], link_token: {} }],
    ['members that are not known', { user_id: 1, nested: [{ a: null }] }],
  ])('with %s ends the debits', async (_name, more) => {
    const { id } = await connect();
    const about = { webhook_type: 'ITEM', webhook_code: 'USER_PERMISSION_REVOKED', item_id: item().item_id };
    await expectPlaidAccepted({ ...about, environment: 'sandbox', ...more });
    await expectStatus(id, 'revoked');
    expect(enabled()).toEqual([]);
  });

  it('of one account among others of other types ends the debits of that account', async () => {
    const { id } = await connect();
    const [account_id] = item().account_ids;
    await expectPlaidAccepted({
      webhook_type: 'AUTH',
      webhook_code: 'DEFAULT_UPDATE',
      item_id: item().item_id,
      account_ids_with_new_auth: [7, account_id, null],
      account_ids_with_updated_auth: null,
      error: null,
      environment: 'sandbox',
    });
    const { previous_payment_instrument, payment_instrument } = await expectStatus(id, 'active');
    expect(previous_payment_instrument).not.toBeNull();
    expect(enabled()).toEqual([payment_instrument]);
  });
});

describe('an event of Finix’s', () => {
  it.each([
    ['an id that is a number', { id: 7 }],
    ['no id', {}],
    ['a time that is a number', { id: 'event_1', occurred_at: 7 }],
  ])('about an instrument is read with %s', async (_name, more) => {
    const { id } = await connect();
    const [instrument] = enabled();
    await expectFinixAccepted({
      entity: 'instrument',
      type: 'updated',
      ...more,
      _embedded: { payment_instruments: [{ id: 4 }, null, { id: instrument, enabled: false }] },
    });
    const [event] = await events();
    expect([event?.type, event?.subject]).toEqual(['instrument/updated', instrument]);
    await expectStatus(id, 'active');
  });
});
