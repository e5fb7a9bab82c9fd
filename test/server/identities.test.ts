import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UpstreamError } from '../../server/clients/outbound.ts';
import type { Session } from '../../widget/contract.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { Gate } from '../helpers/gate.ts';
import { patient } from '../helpers/patience.mjs';
import { eventually, TestServer } from '../helpers/server.ts';

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
  /**
   * How long Finix's list does not show what was made. The clock goes as far by hand, and the quiet period is longer.
   */
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
      // A create call is not sent when its note took longer than this: more than a busy machine's pause.
      timing: { lookAgainMs: patient(1_000) },
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
