import { afterEach, describe, expect, it } from 'vitest';
import { LIST_TOO_LONG } from '../../server/clients/finix.ts';
import { UpstreamError } from '../../server/clients/outbound.ts';
import type { Clients } from '../../server/create-server.ts';
import { identityCall, identityTag, putCall } from '../../server/records/create-calls.ts';
import { eventually, QUICK, TestServer } from '../helpers/server.ts';

/** A create call for an identity is in doubt, and Finix has more identities than are looked through. */

let server: TestServer;
afterEach(() => server.close());

const HOUR = 3600_000;
/** Finix has too many identities from before this time on. */
let tooManyBefore = 0;
const wrapClients = ({ plaid, finix }: Clients): Clients => ({
  plaid,
  finix: {
    ...finix,
    async listIdentities(since) {
      if (since < tooManyBefore) throw new UpstreamError('finix', 'list', 'busy', LIST_TOO_LONG);
      return finix.listIdentities(since);
    },
  },
});

it('an identity whose answer is lost is looked for since its call, not since its session', async () => {
  server = await TestServer.start({ ...QUICK, wrapClients });
  const session = await server.createSession();
  server.clockOffset += HOUR;
  tooManyBefore = Date.now() + HOUR / 2;
  const identities = { service: 'finix', path: '/identities', method: 'POST' } as const;
  server.upstream.simulator.faults.add({ ...identities, kind: 'timeout', when: 'after', times: 1 });
  await server.complete(session, await server.publicToken());
  await eventually(async () => {
    await server.tickAtNextAttempt(session);
    return (await server.merchant('GET', `/v1/sessions/${session.id}`)).body.status === 'completed';
  });
  expect(server.ledger.identities()).toHaveLength(1);
});

describe('the sweep for what a call has made', () => {
  const customer = { customer_id: 'cus_1', role: 'BUYER', identity_tag: identityTag('cus_1', 'BUYER') } as const;
  const calls = async () =>
    (await server.storage.db.selectFrom('create_calls').select('id').execute()).map(({ id }) => id);

  it('ends with its last look although the list is too long, and goes on before', async () => {
    // The usual quiet period: an hour ago is long past the last look, and now is long before the first.
    server = await TestServer.start({ wrapClients });
    tooManyBefore = Number.POSITIVE_INFINITY;
    const now = await server.storage.now();
    const old = identityCall({ ...CUSTOMER, ...customer }, now - HOUR);
    await putCall(server.storage.db, { ...old, look_at: 0 });
    await eventually(async () => {
      await server.jobs.tick();
      return (await calls()).length === 0;
    });
    const recent = identityCall({ ...CUSTOMER, ...customer }, now);
    await putCall(server.storage.db, { ...recent, look_at: 0 });
    await eventually(async () => {
      await server.jobs.tick();
      const row = await server.storage.db.selectFrom('create_calls').select('tries').executeTakeFirstOrThrow();
      return row.tries > 0;
    });
    expect(await calls()).toEqual([recent.id]);
  });
});

const CUSTOMER = {
  finix_identity: null,
  identity_sent_at: null,
  identity_tries: 0,
  lease_owner: null,
  lease_until: 0,
  created_at: 0,
  updated_at: 0,
};
