import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { eventually, QUICK, TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

const { webhooks, bank, enabled, item, events, connect, read, settled, expectStatus } = connectionLifecycle(
  () => server,
);

const setVerification = (verification_status: 'automatically_verified' | 'verification_expired') =>
  fetch(`${server.upstream.plaidUrl}/sandbox/item/set_verification_status`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'PLAID-CLIENT-ID': server.config.plaid.clientId,
      'PLAID-SECRET': server.config.plaid.secret,
    },
    body: JSON.stringify({
      access_token: item().access_token,
      account_id: item().account_ids[0],
      verification_status,
    }),
  });

describe('webhooks of Plaid’s', () => {
  beforeEach(async () => {
    server = await TestServer.start();
  });

  it('AUTH/AUTOMATICALLY_VERIFIED: the waiting connection gets one instrument, however often it is sent', async () => {
    const { id } = await connect('user_pending_verification');
    expect((await read(id)).payment_instrument).toBeNull();
    webhooks().settings.copies = 3;
    await setVerification('automatically_verified');
    const connection = await expectStatus(id, 'active');
    expect(server.ledger.instruments().map((instrument) => instrument.id)).toEqual([connection.payment_instrument]);
  });

  it('AUTH/AUTOMATICALLY_VERIFIED, and Finix goes silent: still one instrument', async () => {
    await server.close();
    server = await TestServer.start(QUICK);
    const { id } = await connect('user_pending_verification');
    server.upstream.simulator.faults.add({
      service: 'finix',
      method: 'POST',
      path: '/payment_instruments',
      kind: 'timeout',
      when: 'after',
      times: 1,
    });
    await setVerification('automatically_verified');
    const connection = await expectStatus(id, 'active');
    expect(server.ledger.instruments().map((instrument) => instrument.id)).toEqual([connection.payment_instrument]);
  });

  it('AUTH/VERIFICATION_EXPIRED: the connection has failed and the Item goes', async () => {
    const { id } = await connect('user_pending_verification');
    await setVerification('verification_expired');
    await expectStatus(id, 'failed');
    expect(server.ledger.items()[0]?.removed).toBe(true);
  });

  it('AUTH/VERIFICATION_EXPIRED of which a process that ended has recorded the failure: the Item still goes', async () => {
    const { id } = await connect('user_pending_verification');
    await server.storage.db
      .updateTable('connections')
      .set({ status: 'failed', error_code: 'verification_failed' })
      .where('id', '=', id)
      .execute();
    await setVerification('verification_expired');
    await settled();
    await expect.poll(() => server.ledger.items()[0]?.removed).toBe(true);
  });

  it.each([
    ['MANUALLY_VERIFIED', 'active'],
    ['VERIFICATION_FAILED', 'failed'],
  ] as const)('AUTH/SMS_MICRODEPOSITS_VERIFICATION with %s: the connection is %s', async (status, outcome) => {
    const { id } = await connect('user_pending_verification');
    if (status === 'MANUALLY_VERIFIED') {
      webhooks().hold();
      await setVerification('automatically_verified');
      webhooks().drop();
    }
    webhooks().plaid(`${server.config.publicUrl}/webhooks/plaid`, {
      webhook_type: 'AUTH',
      webhook_code: 'SMS_MICRODEPOSITS_VERIFICATION',
      status,
      item_id: item().item_id,
      account_id: item().account_ids[0],
    });
    await expectStatus(id, outcome);
  });

  it.each([
    ['automatically_verified', 'active'],
    ['pending_manual_verification', 'pending_verification'],
    ['verification_expired', 'failed'],
  ] as const)(
    'AUTH/SMS_MICRODEPOSITS_VERIFICATION with a status that is not published, of an account that is %s: the connection is %s',
    async (status, outcome) => {
      const { id } = await connect('user_pending_verification');
      webhooks().hold();
      // It is pending already.
      if (status !== 'pending_manual_verification') await setVerification(status);
      webhooks().drop();
      for (const published of [{ status: 'MANUALLY_CONFIRMED' }, {}]) {
        webhooks().plaid(`${server.config.publicUrl}/webhooks/plaid`, {
          webhook_type: 'AUTH',
          webhook_code: 'SMS_MICRODEPOSITS_VERIFICATION',
          ...published,
          item_id: item().item_id,
          account_id: item().account_ids[0],
        });
      }
      await expectStatus(id, outcome);
      await settled();
      await expectStatus(id, outcome);
    },
  );

  it('AUTH/DEFAULT_UPDATE: a new instrument takes the place of the old one, which is disabled', async () => {
    const { id } = await connect();
    const before = await read(id);
    webhooks().settings.copies = 2;
    bank().renumber(item().item_id);
    const after = await expectStatus(id, 'active');
    expect(after.previous_payment_instrument).not.toBeNull();
    expect(after.payment_instrument).not.toBe(before.payment_instrument);
    expect(after.fingerprint).not.toBe(before.fingerprint);
    expect(enabled()).toEqual([after.payment_instrument]);
  });

  it('AUTH/PRODUCT_PERMISSIONS_REQUIRED: the connection needs repair', async () => {
    const { id } = await connect();
    webhooks().plaid(`${server.config.publicUrl}/webhooks/plaid`, {
      webhook_type: 'AUTH',
      webhook_code: 'PRODUCT_PERMISSIONS_REQUIRED',
      item_id: item().item_id,
    });
    await expectStatus(id, 'needs_repair');
  });

  it('BANK_TRANSFERS/BANK_TRANSFERS_EVENTS_UPDATE: kept and ignored', async () => {
    const { id } = await connect();
    webhooks().plaid(`${server.config.publicUrl}/webhooks/plaid`, {
      webhook_type: 'BANK_TRANSFERS',
      webhook_code: 'BANK_TRANSFERS_EVENTS_UPDATE',
    });
    await expectStatus(id, 'active');
    expect((await events()).at(-1)).toMatchObject({ status: 'ignored' });
  });

  it('ITEM/ERROR: the connection needs repair; its instrument stays', async () => {
    const { id } = await connect();
    bank().breakLogin(item().item_id);
    const { payment_instrument } = await expectStatus(id, 'needs_repair');
    expect(enabled()).toEqual([payment_instrument]);
  });

  it('ITEM/ERROR of a bank that is down: nothing for the customer to do', async () => {
    const { id } = await connect();
    webhooks().plaid(`${server.config.publicUrl}/webhooks/plaid`, {
      webhook_type: 'ITEM',
      webhook_code: 'ERROR',
      item_id: item().item_id,
      error: {
        error_type: 'INSTITUTION_ERROR',
        error_code: 'INSTITUTION_DOWN',
        error_message: '',
        display_message: null,
      },
    });
    await expectStatus(id, 'active');
  });

  it('ITEM/LOGIN_REPAIRED: the connection is active again, with the same instrument', async () => {
    const { id } = await connect();
    bank().breakLogin(item().item_id);
    const before = await expectStatus(id, 'needs_repair');
    bank().repairLogin(item().item_id);
    const after = await expectStatus(id, 'active');
    expect(after.payment_instrument).toBe(before.payment_instrument);
  });

  it('ITEM/LOGIN_REPAIRED before the ITEM/ERROR that it ends: the connection stays active', async () => {
    const { id } = await connect();
    webhooks().hold();
    bank().breakLogin(item().item_id);
    bank().repairLogin(item().item_id);
    await webhooks().release('reversed');
    await expectStatus(id, 'active');
  });

  it('ITEM/LOGIN_REPAIRED late, when the login has broken once more: the connection still needs repair', async () => {
    const { id } = await connect();
    bank().breakLogin(item().item_id);
    await expectStatus(id, 'needs_repair');
    webhooks().hold();
    bank().repairLogin(item().item_id);
    bank().breakLogin(item().item_id);
    await webhooks().release();
    await expectStatus(id, 'needs_repair');
  });

  it.each([
    ['ITEM/PENDING_DISCONNECT', 'PENDING_DISCONNECT'],
    ['ITEM/PENDING_EXPIRATION', 'PENDING_EXPIRATION'],
  ] as const)('%s: the connection needs repair', async (_name, code) => {
    const { id } = await connect();
    bank().announceDisconnect(item().item_id, code);
    await expectStatus(id, 'needs_repair');
    bank().repairLogin(item().item_id);
    await expectStatus(id, 'active');
  });

  it('ITEM/USER_PERMISSION_REVOKED: the connection is revoked and nothing can be debited', async () => {
    const { id } = await connect();
    bank().revokePermission(item().item_id);
    await expectStatus(id, 'revoked');
    expect(enabled()).toEqual([]);
  });

  it('ITEM/USER_PERMISSION_REVOKED while Finix is down: disabled once it is back', async () => {
    const { id } = await connect();
    server.upstream.simulator.faults.add({ service: 'finix', path: '/payment_instruments*', kind: 'status', times: 2 });
    bank().revokePermission(item().item_id);
    await webhooks().settled();
    await eventually(async () => (await read(id)).status === 'revoked');
    await settled();
    expect(enabled()).toEqual([]);
  });

  it('ITEM/USER_PERMISSION_REVOKED, and the process freezes in the middle: another one disables', async () => {
    const { id } = await connect();
    const other = await TestServer.start({ upstream: server.upstream, storage: server.storage });
    server.upstream.simulator.faults.add({
      service: 'finix',
      path: '/payment_instruments*',
      kind: 'timeout',
      times: 1,
    });
    bank().revokePermission(item().item_id);
    await eventually(async () => (await read(id)).status === 'revoked');
    expect(enabled()).toHaveLength(1);
    // The first one's lease of 30 s is over for the other's clock.
    other.clockOffset = 31_000;
    await eventually(async () => {
      await other.jobs.tick();
      return enabled().length === 0;
    });
    await other.close();
  });

  it('ITEM/USER_ACCOUNT_REVOKED: only that account is revoked', async () => {
    const session = await server.createSession({ account_selection: 'multiple' });
    const { body } = await server.complete(session, await server.publicToken('user_several'));
    expect(body.connections).toHaveLength(4);
    const [gone] = item().account_ids;
    bank().revokeAccount(item().item_id, gone ?? '');
    await settled();
    const rows = await server.storage.db.selectFrom('connections').selectAll().execute();
    expect(rows.filter(({ status }) => status === 'revoked').map((row) => row.plaid_account_id)).toEqual([gone]);
    expect(enabled()).toHaveLength(3);
  });

  it('ITEM/NEW_ACCOUNTS_AVAILABLE and ITEM/WEBHOOK_UPDATE_ACKNOWLEDGED: noted in the audit', async () => {
    const { id } = await connect();
    bank().openAccount(item().item_id);
    webhooks().plaid(`${server.config.publicUrl}/webhooks/plaid`, {
      webhook_type: 'ITEM',
      webhook_code: 'WEBHOOK_UPDATE_ACKNOWLEDGED',
      item_id: item().item_id,
      new_webhook_url: 'https://connect.example/webhooks/plaid',
    });
    await expectStatus(id, 'active');
    const { body } = await server.merchant('GET', `/v1/connections/${id}/audit?limit=100`);
    const actions = body.data.map(({ action }: { action: string }) => action);
    expect(actions).toEqual(
      expect.arrayContaining(['plaid.new_accounts_available', 'plaid.webhook_update_acknowledged']),
    );
  });

  it('a broken login while a session is processing the Item is handled once the session is done', async () => {
    server.upstream.simulator.faults.add({
      service: 'finix',
      method: 'POST',
      path: '/payment_instruments',
      kind: 'delay',
      delayMs: 600,
      times: 1,
    });
    const session = await server.createSession();
    const done = server.complete(session, await server.publicToken());
    await expect.poll(() => server.ledger.processorTokens().length).toBe(1);
    webhooks().plaid(`${server.config.publicUrl}/webhooks/plaid`, {
      webhook_type: 'ITEM',
      webhook_code: 'ERROR',
      item_id: item().item_id,
      error: { error_code: 'ITEM_LOGIN_REQUIRED' },
    });
    const { body } = await done;
    expect(body.connections[0].status).toBe('active');
    await expectStatus(body.connections[0].id, 'needs_repair');
    // A wait is no failure, and no operator has to read of it.
    expect(server.lines.filter((line) => line.includes('webhook handler failed'))).toEqual([]);
  });
});
