import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UpstreamError } from '../../server/clients/outbound.ts';
import type { Session } from '../../widget/contract.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { Gate } from '../helpers/gate.ts';
import { eventually, QUICK, TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());
const { bank, item } = connectionLifecycle(() => server);

const enabled = () => server.ledger.instruments().filter((instrument) => instrument['enabled'] === true);

describe('identities', () => {
  beforeEach(async () => {
    server = await TestServer.start();
  });

  it('an identity is created from the session, in the role of its purpose', async () => {
    const identity = { first_name: 'Jane', last_name: 'Doe', email: 'jane@example.com' };
    await server.complete(await server.createSession({ identity, customer_id: 'a' }), await server.publicToken());
    await server.complete(
      await server.createSession({ identity, customer_id: 'b', purpose: 'payout' }),
      await server.publicToken(),
    );
    expect(server.ledger.identities()).toMatchObject([
      { identity_roles: ['BUYER'], type: 'PERSONAL', entity: identity },
      { identity_roles: ['RECIPIENT'] },
    ]);
    const sessions = await server.storage.db.selectFrom('sessions').select('identity_enc').execute();
    expect(sessions.map(({ identity_enc }) => identity_enc)).toEqual([null, null]);
  });

  it.each(['4087564497', '+1 (408) 756-4497', '1-408-756-4497', '(408) 756.4497'])(
    'an identity has the business phone %s in ten digits',
    async (business_phone) => {
      const session = await server.createSession({ identity: { business_name: 'Acme', business_phone } });
      expect((await server.complete(session, await server.publicToken())).body.status).toBe('completed');
      expect(server.ledger.identities()).toMatchObject([{ entity: { business_phone: '4087564497' } }]);
    },
  );

  it.each(['756-4497', '+44 20 7946 0958', '+1 (408) 756-44970', 'call us', '4087564497 x1'])(
    'a session is refused whose identity has the business phone %s',
    async (business_phone) => {
      const identity = { business_name: 'Acme', business_phone };
      const { status, body } = await server.merchant('POST', '/v1/sessions', { customer_id: 'cus_1', identity });
      expect(status).toBe(422);
      expect(body.errors).toMatchObject([{ path: 'identity.business_phone' }]);
    },
  );

  it('a customer’s identity is used again', async () => {
    for (let i = 0; i < 2; i++) await server.complete(await server.createSession(), await server.publicToken());
    expect(server.ledger.identities()).toHaveLength(1);
    expect(enabled()).toHaveLength(2);
  });

  it('one identity is created when two sessions of a customer finish at once', async () => {
    const sessions = [await server.createSession(), await server.createSession(), await server.createSession()];
    const tokens = [await server.publicToken(), await server.publicToken(), await server.publicToken()];
    const answers = await Promise.all(sessions.map((session, i) => server.complete(session, tokens[i] ?? '')));
    expect(answers.map(({ body }) => body.status)).toEqual(['completed', 'completed', 'completed']);
    expect(server.ledger.identities()).toHaveLength(1);
  });

  it('customers of two merchants with the same id have an identity each, which neither uses for the other', async () => {
    const merchants = [undefined, { id: 'm_1', name: 'One' }, { id: 'm_2', name: 'Two' }];
    const expectAllConnected = async (institution: string) =>
      Promise.all(
        merchants.map(async (merchant) => {
          const session = await server.createSession({ ...(merchant && { merchant }), customer_id: '1001' });
          const { body } = await server.complete(session, await server.publicToken(undefined, institution));
          expect(body.status).toBe('completed');
          return (await server.merchant('GET', `/v1/connections/${body.connections[0].id}`)).body.finix_identity;
        }),
      );
    const first = await expectAllConnected('ins_109508');
    expect(new Set(first).size).toBe(3);
    expect(await expectAllConnected('ins_109511')).toEqual(first);
    expect(server.ledger.identities()).toHaveLength(3);
  });

  it('an identity that a session of one merchant names is not used for another merchant’s customer', async () => {
    await server.complete(await server.createSession({ customer_id: 'seller' }), await server.publicToken());
    const finix_identity = String(server.ledger.identities()[0]?.['id']);
    const of = (id: string, more: object = {}) =>
      server.createSession({ customer_id: '1001', merchant: { id, name: id }, ...more });
    await server.complete(await of('m_1', { finix_identity }), await server.publicToken());
    await server.complete(await of('m_2'), await server.publicToken());
    await server.complete(await of('m_1'), await server.publicToken());
    const used = server.ledger.instruments().map((instrument) => instrument['identity']);
    expect([used[1], used[2] === finix_identity, used[3]]).toEqual([finix_identity, false, finix_identity]);
  });

  it('an identity that is in doubt is adopted for its own merchant’s customer only', async () => {
    await server.close();
    server = await TestServer.start(QUICK);
    const of = (id: string) => server.createSession({ customer_id: '1001', merchant: { id, name: id } });
    server.upstream.simulator.faults.add({
      service: 'finix',
      method: 'POST',
      path: '/identities',
      kind: 'reset',
      when: 'after',
      times: 1,
    });
    const [lost, other] = [await of('m_1'), await of('m_2')];
    await server.complete(lost, await server.publicToken());
    await server.complete(other, await server.publicToken());
    await eventually(async () => {
      await server.jobs.tick();
      return (await server.page(lost, 'GET', '')).body.status === 'completed';
    });
    const rows = await server.storage.db.selectFrom('customers').select(['merchant_id', 'finix_identity']).execute();
    expect(rows.map(({ merchant_id }) => merchant_id).sort()).toEqual(['m_1', 'm_2']);
    expect(new Set(rows.map(({ finix_identity }) => finix_identity)).size).toBe(2);
    expect(server.ledger.identities()).toHaveLength(2);
  });

  it('an identity that the merchant names is used, and used again for the customer', async () => {
    await server.complete(await server.createSession({ customer_id: 'other' }), await server.publicToken());
    const finix_identity = String(server.ledger.identities()[0]?.['id']);
    await server.complete(await server.createSession({ customer_id: 'x', finix_identity }), await server.publicToken());
    await server.complete(await server.createSession({ customer_id: 'x' }), await server.publicToken());
    expect(server.ledger.identities()).toHaveLength(1);
    expect(enabled().map((instrument) => instrument['identity'])).toEqual([
      finix_identity,
      finix_identity,
      finix_identity,
    ]);
  });
});

describe('a create call for an identity whose answer is missing', () => {
  /** How long Finix's list does not show what was made. The clock goes as far by hand, and the quiet period is longer. */
  const LAG_MS = 10_000;

  it.each<[string, (session: Session) => Promise<unknown>]>([
    ['is revoked at the bank', async () => bank().revokePermission(item().item_id)],
    [
      'is removed',
      async () => {
        const { id } = await server.storage.db.selectFrom('connections').select('id').executeTakeFirstOrThrow();
        return server.merchant('DELETE', `/v1/connections/${id}`);
      },
    ],
    [
      'has used up the time for its work',
      ({ id }) =>
        // The worker is fenced out, and the next one reads the row.
        server.storage.db
          .updateTable('sessions')
          .set((eb) => ({
            waited_ms: 73 * 3600_000,
            version: eb('version', '+', 1),
            lease_owner: null,
            lease_until: 0,
          }))
          .where('id', '=', id)
          .execute(),
    ],
    ['goes on', async () => {}],
  ])('makes the one identity of a customer whose connection %s, and who connects again', async (_name, happen) => {
    const carriedOut = new Gate();
    let isLost = false;
    let making: Promise<unknown> | undefined;
    server = await TestServer.start({
      timing: { lookAgainMs: 50 },
      simulator: { listLagMs: LAG_MS },
      wrapClients: ({ plaid, finix }) => ({
        plaid,
        finix: {
          ...finix,
          createIdentity(request) {
            if (isLost) return finix.createIdentity(request);
            isLost = true;
            making = carriedOut.passed.then(() => finix.createIdentity(request));
            throw new UpstreamError('finix', 'create identity', 'lost', 'TIMEOUT');
          },
        },
      }),
    });
    const session = await server.createSession();
    const completing = server.complete(session, await server.publicToken());
    // The first test of the file also waits for all the code that a first session needs.
    await eventually(async () => isLost, 20_000);
    await happen(session);
    const again = await server.createSession();
    const completingAgain = server.complete(again, await server.publicToken());
    const { db } = server.storage;
    const second = db.selectFrom('connections').select('id').where('session_id', '=', again.id);
    await eventually(async () => second.executeTakeFirst());
    expect(server.ledger.identities()).toEqual([]);
    carriedOut.open();
    await making;
    server.clockOffset += LAG_MS;
    // From now on every look finds it, however long the next one is put off.
    await eventually(async () => {
      server.clockOffset += 1_000;
      await server.jobs.tick();
      return (await server.merchant('GET', `/v1/sessions/${again.id}`)).body.status === 'completed';
    });
    await Promise.all([completing, completingAgain]);
    const [identity, ...others] = server.ledger.identities();
    expect(others).toEqual([]);
    const owners = server.ledger.instruments().map((instrument) => instrument['identity']);
    expect(new Set(owners)).toEqual(new Set([identity?.['id']]));
  });
});
