import { afterEach, describe, expect, it } from 'vitest';
import { UpstreamError } from '../../server/clients/outbound.ts';
import type { CreateSessionRequest, MerchantConnection } from '../../widget/contract.ts';
import { eventually, TestServer, type TestServerOptions } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

const IDENTITY = {
  first_name: 'Quillon',
  last_name: 'Vantresca',
  email: 'quillon@vantresca.example',
  phone: '+14155550123',
  personal_address: { line1: '1 Zephyr St', city: 'Malakoff', region: 'NY', postal_code: '14236', country: 'USA' },
};

async function start(options: TestServerOptions = {}): Promise<void> {
  server = await TestServer.start(options);
}

async function complete(username: string, request: Partial<CreateSessionRequest> = {}) {
  const session = await server.createSession({ identity: IDENTITY, ...request });
  return { session, answer: await server.complete(session, await server.publicToken(username)) };
}

async function read(id: string): Promise<MerchantConnection> {
  return (await server.merchant('GET', `/v1/connections/${id}`)).body as MerchantConnection;
}

const asked = () => server.ledger.calls().filter(({ path }) => path === '/identity/match');

/** The connection once the answer about its owner is stored. */
function known(id: string): Promise<MerchantConnection> {
  return eventually(async () => {
    const connection = await read(id);
    return connection.verification.owner.checked_at !== null && connection;
  });
}

describe('the owner of an account', () => {
  it.each([
    ['user_owner_match', { status: 'match', name: 'match', email: 'match', phone: 'match', address: 'match' }],
    [
      'user_owner_partial',
      { status: 'partial', name: 'partial', email: 'mismatch', phone: 'partial', address: 'partial' },
    ],
    ['user_owner_mismatch', { status: 'mismatch', name: 'mismatch' }],
    ['user_owner_unknown', { status: 'unknown', name: 'unknown', email: 'unknown' }],
  ])('an owner status of %s is reported', async (username, owner) => {
    await start();
    const { answer } = await complete(username);
    expect(answer.body.status).toBe('completed');
    expect((await known(answer.body.connections[0].id)).verification.owner).toMatchObject(owner);
    expect(asked()).toHaveLength(1);
  });

  it('the owner of an account is compared with the session’s identity, in Plaid’s words', async () => {
    await start();
    await complete('user_owner_match');
    await eventually(async () => asked().length === 1);
    expect(asked()[0]?.body).toMatchObject({
      user: {
        legal_name: 'Quillon Vantresca',
        email_address: 'quillon@vantresca.example',
        phone_number: '+14155550123',
        address: { street: '1 Zephyr St', city: 'Malakoff', region: 'NY', postal_code: '14236', country: 'US' },
      },
    });
  });

  it.each(['user_owner_not_enabled', 'user_owner_not_supported', 'user_owner_down'])(
    'an owner status of %s is unknown, costs no connection, is logged once and not asked for again by the next customer',
    async (username) => {
      await start();
      const logged = () => server.lines.filter((line) => line.includes('owners are reported as unknown for an hour'));
      for (const customer_id of ['cus_1', 'cus_2']) {
        const { answer } = await complete(username, { customer_id });
        expect(answer.body.status).toBe('completed');
        expect((await read(answer.body.connections[0].id)).verification.owner.status).toBe('unknown');
        await eventually(async () => logged().length > 0);
      }
      expect(asked()).toHaveLength(1);
      const required = await complete(username, { customer_id: 'cus_3', ownership: 'require' });
      expect([required.answer.status, required.answer.body.code]).toEqual([422, 'owner_unknown']);
      expect(asked().length).toBeGreaterThan(1);
      expect(logged()).toHaveLength(1);
    },
  );

  it.each([
    ['an account that small deposits confirm', 'user_pending_verification', 'PRODUCTS_NOT_SUPPORTED'],
    ['a login whose data has yet to come', 'user_one_account', 'PRODUCT_NOT_READY'],
    ['a customer who gave no consent to it', 'user_one_account', 'ADDITIONAL_CONSENT_REQUIRED'],
  ])('%s has no owner to compare, and the next customer of the bank has', async (_name, username, error_code) => {
    await start();
    const { faults } = server.upstream.simulator;
    const rule = { service: 'plaid', path: '/identity/match', kind: 'plaid_error' } as const;
    faults.add({ ...rule, error_code, times: 1 });
    await complete(username);
    await eventually(async () => server.lines.some((line) => line.includes('owner check got no answer')));
    const { answer } = await complete('user_owner_match', { customer_id: 'cus_2' });
    expect((await known(answer.body.connections[0].id)).verification.owner.status).toBe('match');
  });

  it.each(['INVALID_FIELD', 'INVALID_USER_IDENTITY_DATA'])(
    'data of one customer that Plaid refuses with %s costs the next customer nothing, and are left out',
    async (error_code) => {
      await start();
      const rule = { service: 'plaid', path: '/identity/match', kind: 'plaid_error', error_code } as const;
      server.upstream.simulator.faults.add({ ...rule, about: 'refused@vantresca.example' });
      const refused = await complete('user_owner_match', {
        identity: { ...IDENTITY, email: 'refused@vantresca.example' },
      });
      const { owner } = (await known(refused.answer.body.connections[0].id)).verification;
      expect(owner).toMatchObject({ status: 'match', email: 'unknown' });
      expect(asked().map(({ body }) => Object.keys((body as { user: object }).user).sort())).toEqual([
        ['address', 'email_address', 'legal_name', 'phone_number'],
        ['address', 'email_address', 'legal_name'],
        ['legal_name'],
      ]);
      const { answer } = await complete('user_owner_match', { customer_id: 'cus_2' });
      expect((await known(answer.body.connections[0].id)).verification.owner).toMatchObject({ email: 'match' });
    },
  );

  it('data of one customer that Plaid refuses with nothing else to send leave the owner unknown, and the next is asked', async () => {
    await start();
    const rule = { service: 'plaid', path: '/identity/match', kind: 'plaid_error' } as const;
    server.upstream.simulator.faults.add({ ...rule, error_code: 'INVALID_FIELD', times: 1 });
    const refused = await complete('user_owner_match', { identity: { email: 'refused@vantresca.example' } });
    await eventually(async () => server.lines.some((line) => line.includes('owner check got no answer')));
    expect((await read(refused.answer.body.connections[0].id)).verification.owner.status).toBe('unknown');
    const { answer } = await complete('user_owner_match', { customer_id: 'cus_2' });
    expect((await known(answer.body.connections[0].id)).verification.owner.status).toBe('match');
  });

  it('a bank that is slow to name its owners costs the customers of other banks nothing', async () => {
    const banks: string[] = [];
    await start({
      wrapClients: (clients) => ({
        ...clients,
        plaid: {
          ...clients.plaid,
          matchOwner: (...call) => {
            banks.push(banks.length === 0 ? 'slow' : 'asked');
            if (banks.length > 1) return clients.plaid.matchOwner(...call);
            return Promise.reject(new UpstreamError('plaid', 'identity/match', 'lost', 'TIMEOUT'));
          },
        },
      }),
    });
    await complete('user_owner_match');
    const logged = () => server.lines.filter((line) => line.includes('owners are reported as unknown for an hour'));
    await eventually(async () => logged().length > 0);
    expect(logged()[0]).toContain('ins_109508');
    const session = await server.createSession({ customer_id: 'cus_2', identity: IDENTITY });
    const other = await server.complete(session, await server.publicToken('user_owner_match', 'ins_109509'));
    expect((await known(other.body.connections[0].id)).verification.owner.status).toBe('match');
    // The same bank rests.
    await complete('user_owner_match', { customer_id: 'cus_3' });
    expect(banks).toEqual(['slow', 'asked']);
  });

  it('a limit of Plaid’s on calls is waited for a minute, not an hour', async () => {
    await start();
    const rule = { service: 'plaid', path: '/identity/match', kind: 'plaid_error', times: 1 } as const;
    server.upstream.simulator.faults.add({ ...rule, error_code: 'IDENTITY_LIMIT' });
    await complete('user_owner_match');
    await eventually(async () => server.lines.some((line) => line.includes('unknown for a minute')));
    await complete('user_owner_match', { customer_id: 'cus_2' });
    expect(asked()).toHaveLength(1);
  });

  it('the owner is not compared without an identity, nor where the session turns it off', async () => {
    await start();
    for (const request of [{ identity: undefined }, { ownership: 'off' as const, customer_id: 'cus_2' }]) {
      const { answer } = await complete('user_owner_match', request);
      expect((await read(answer.body.connections[0].id)).verification.owner.status).toBe('unknown');
    }
    expect(asked()).toEqual([]);
  });

  it('the owner of an account does not keep the customer waiting, and is reported when the answer comes', async () => {
    await start();
    const { answer } = await complete('user_owner_slow');
    expect(answer.body.status).toBe('completed');
    const [{ id }] = answer.body.connections;
    expect((await read(id)).verification.owner.checked_at).toBeNull();
    expect((await known(id)).verification.owner.status).toBe('match');
  });

  it('an owner’s name and the session’s identity are in no log line and no table', async () => {
    await start({ env: { LOG_LEVEL: 'trace' } });
    const { answer } = await complete('user_owner_mismatch');
    await known(answer.body.connections[0].id);
    const tables = ['sessions', 'connections', 'audit', 'deliveries', 'items'] as const;
    const rows = await Promise.all(tables.map((table) => server.storage.db.selectFrom(table).selectAll().execute()));
    const text = server.lines.join('') + JSON.stringify(rows) + JSON.stringify(answer.body);
    for (const name of ['Quillon', 'Vantresca', 'Marcus Vale', 'Zephyr']) expect(text).not.toContain(name);
  });
});

describe('ownership: require', () => {
  it.each(['user_owner_match', 'user_owner_partial'])(
    'ownership: require accepts %s, with the result on the connection',
    async (username) => {
      await start();
      const { answer } = await complete(username, { ownership: 'require' });
      expect(answer.body.status).toBe('completed');
      expect((await read(answer.body.connections[0].id)).verification.owner.checked_at).not.toBeNull();
    },
  );

  it.each([
    ['user_owner_mismatch', 'owner_mismatch'],
    ['user_owner_unknown', 'owner_unknown'],
    ['user_owner_not_enabled', 'owner_unknown'],
  ])('ownership: require refuses %s with %s: no instrument, and the Item is removed', async (username, code) => {
    await start({ env: { OWNERSHIP_CHECK: 'require' } });
    const { session, answer } = await complete(username);
    expect([answer.status, answer.body.code, answer.body.action]).toEqual([422, code, 'use_other_bank']);
    await server.jobs.tick();
    expect(server.ledger.instruments()).toEqual([]);
    expect(server.ledger.items().every(({ removed }) => removed)).toBe(true);
    const again = await server.complete(session, await server.publicToken('user_owner_match'));
    expect(again.body.status).toBe('completed');
  });

  it.each([
    ['user_owner_mismatch', 'owner_mismatch'],
    ['user_owner_unknown', 'owner_unknown'],
  ])(
    'ownership: require has the customer of %s restart when the refused public token is sent again',
    async (username, code) => {
      await start();
      const session = await server.createSession({ identity: IDENTITY, ownership: 'require' });
      const publicToken = await server.publicToken(username);
      const first = await server.complete(session, publicToken);
      expect([first.status, first.body.code]).toEqual([422, code]);
      const again = () => server.complete(session, publicToken);
      expect(await again()).toMatchObject({ status: 409, body: { code: 'restart_required' } });
      await server.jobs.tick();
      expect(await again()).toMatchObject({ status: 409, body: { code: 'restart_required' } });
      expect(asked()).toHaveLength(1);
    },
  );

  it('ownership: require does not ask a second time for an answer that it can’t read, which is billed', async () => {
    await start();
    const body = { request_id: 'r', item: {} };
    const rule = { service: 'plaid', path: '/identity/match', kind: 'status', status: 200, body } as const;
    server.upstream.simulator.faults.add(rule);
    const { answer } = await complete('user_owner_match', { ownership: 'require' });
    expect([answer.status, answer.body.code]).toEqual([422, 'owner_unknown']);
    expect(asked()).toHaveLength(1);
  });

  it('ownership: require asks again when an answer was cut off', async () => {
    await start();
    const rule = { service: 'plaid', path: '/identity/match', kind: 'malformed', times: 1 } as const;
    server.upstream.simulator.faults.add(rule);
    const { answer } = await complete('user_owner_match', { ownership: 'require' });
    expect(answer.body.status).toBe('completed');
    expect(asked()).toHaveLength(2);
  });

  it('ownership: require refuses a session without a name', async () => {
    await start();
    const { answer } = await complete('user_owner_match', { ownership: 'require', identity: undefined });
    expect([answer.status, answer.body.code]).toEqual([422, 'owner_unknown']);
    expect(asked()).toEqual([]);
  });
});

describe('how an account was verified', () => {
  it.each([
    ['user_one_account', 'instant', 'personal'],
    ['user_instant_match', 'instant_match', 'personal'],
    ['user_manually_verified', 'same_day_microdeposits', 'personal'],
    ['user_database_verified', 'database', 'personal'],
    ['user_business', 'instant', 'business'],
    ['user_holder_unknown', 'instant', null],
  ])('an account’s verification is read from Plaid: %s: %s, holder %s', async (username, method, holder_category) => {
    await start();
    const { answer } = await complete(username);
    const { verification } = await read(answer.body.connections[0].id);
    expect(verification).toMatchObject({ method, holder_category, verified_at: expect.any(String) });
  });

  it('an account has no verified_at while the small deposits are on their way', async () => {
    await start();
    const { answer } = await complete('user_pending_verification');
    const { verification } = await read(answer.body.connections[0].id);
    expect(verification).toMatchObject({ method: 'automated_microdeposits', verified_at: null });
  });

  it('an account’s verification is shown to the merchant only', async () => {
    await start();
    const { session, answer } = await complete('user_owner_match');
    expect(JSON.stringify(answer.body)).not.toContain('verification');
    expect((await server.page(session, 'GET', '')).body.connections[0]).not.toHaveProperty('verification');
  });
});

describe('a processor token', () => {
  it('a processor token is limited to auth and identity before Finix gets it', async () => {
    await start();
    await complete('user_one_account');
    expect(server.ledger.processorPermissions().map(({ products }) => products)).toEqual([['auth', 'identity']]);
    const paths = server.ledger.calls().map(({ path }) => path);
    const limited = paths.indexOf('/processor/token/permissions/set');
    expect(paths.lastIndexOf('/payment_instruments')).toBeGreaterThan(limited);
  });

  it('a processor token that can’t be limited is used all the same', async () => {
    await start();
    const rule = { service: 'plaid', path: '/processor/token/permissions/set', kind: 'plaid_error' } as const;
    server.upstream.simulator.faults.add({ ...rule, error_code: 'PRODUCT_NOT_ENABLED' });
    const { answer } = await complete('user_one_account');
    expect(answer.body.status).toBe('completed');
    expect(server.lines.join('')).toContain('could not be limited');
  });
});
