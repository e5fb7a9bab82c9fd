import { afterEach, describe, expect, it } from 'vitest';
import type { Session } from '../../widget/contract.ts';
import { decideCreateCalls } from '../helpers/decide-create-calls.ts';
import { type Copy, copyOf, putBack } from '../helpers/put-back.ts';
import { eventually, TestServer } from '../helpers/server.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0).reverse()) await server.close();
});

async function start(first?: TestServer): Promise<TestServer> {
  const shared = first && { upstream: first.upstream, storage: first.storage };
  const server = await TestServer.start({ quietMs: 400, ...shared });
  servers.push(server);
  return server;
}

const enabled = (server: TestServer) =>
  server.ledger
    .instruments()
    .filter((one) => one['enabled'] === true)
    .map(({ id }) => id);

/** An older copy is restored, and another process serves it: the one that was there before has ended. */
async function restored(server: TestServer, copy: Copy): Promise<TestServer> {
  await server.jobs.stop();
  await server.connector.stop(0);
  await putBack(server.storage, copy);
  const next = await start(server);
  // The leases of the process that has ended are over.
  next.clockOffset = 76_000;
  return next;
}

/** An older copy is restored under the running process, as when a replica that was behind is promoted. */
async function failedOver(server: TestServer, copy: Copy): Promise<TestServer> {
  // As every server does each second.
  await server.jobs.tick();
  await putBack(server.storage, copy);
  server.clockOffset = 76_000;
  return server;
}

const WAYS = [
  ['an older copy is restored', restored],
  ['a replica that was behind is promoted', failedOver],
] as const;

/** Jobs run until the session has ended, as they do all the time in a server. */
async function ended(server: TestServer, session: Session): Promise<Session> {
  return eventually(async () => {
    await server.jobs.tick();
    const { body } = await server.merchant('GET', `/v1/sessions/${session.id}`);
    return body.status !== 'processing' && (body as Session);
  }, 15_000);
}

describe.each(WAYS)('%s', (_name, goBack) => {
  it.each(['item_linked', 'identity_ready'] as const)(
    'a customer whose bank had come as far as %s gets the instrument that exists already',
    async (point) => {
      const server = await start();
      const session = await server.createSession();
      const token = await server.publicToken();
      const copy = await copyAt(server, point, () => server.complete(session, token));
      const before = enabled(server);
      expect(before).toHaveLength(1);
      const next = await goBack(server, copy);
      const { status, connections } = await ended(next, session);
      expect([status, connections[0]?.payment_instrument]).toEqual(['completed', before[0]]);
      await decideCreateCalls(next);
      expect(enabled(next)).toEqual(before);
      expect(next.ledger.identities()).toHaveLength(1);
    },
  );

  it('a customer who was in Link when an older copy was restored connects again, and one instrument is left', async () => {
    const server = await start();
    const session = await server.createSession();
    await server.page(session, 'POST', '/link-token', {});
    const copy = await copyOf(server.storage);
    const token = await server.publicToken();
    expect((await server.complete(session, token)).body.status).toBe('completed');
    const next = await goBack(server, copy);
    // The page that came back has the old token, which Plaid does not take twice.
    expect((await next.complete(session, token)).body.code).toBe('restart_required');
    const { body } = await next.complete(session, await next.publicToken());
    expect(body.status).toBe('completed');
    await decideCreateCalls(next);
    expect(enabled(next)).toEqual([body.connections[0].payment_instrument]);
    expect(next.ledger.identities()).toHaveLength(1);
  });

  it('a customer whose rows are lost connects again, and one instrument of one identity is left', async () => {
    const server = await start();
    const copy = await copyOf(server.storage);
    const lost = await server.createSession();
    expect((await server.complete(lost, await server.publicToken())).body.status).toBe('completed');
    const next = await goBack(server, copy);
    await next.jobs.tick();
    expect(next.lines.join('')).toContain('an older copy of the database was restored');
    const session = await next.createSession();
    const { body } = await next.complete(session, await next.publicToken());
    expect(body.status).toBe('completed');
    await decideCreateCalls(next);
    expect(enabled(next)).toEqual([body.connections[0].payment_instrument]);
    expect(next.ledger.identities()).toHaveLength(1);
  });

  it('a renewal whose row is lost is found by its tag', async () => {
    const server = await start();
    const session = await server.createSession();
    const { body } = await server.complete(session, await server.publicToken());
    const id = body.connections[0].id as string;
    const copy = await copyOf(server.storage);
    const item = server.ledger.items()[0]?.item_id ?? '';
    const renumbered = async (at: TestServer) => {
      at.upstream.simulator.webhooks.plaid(`${at.config.publicUrl}/webhooks/plaid`, {
        webhook_type: 'AUTH',
        webhook_code: 'DEFAULT_UPDATE',
        item_id: item,
        account_ids_with_updated_auth: { [server.ledger.items()[0]?.account_ids[0] ?? '']: ['ACCOUNT_NUMBER'] },
      });
      await at.upstream.simulator.webhooks.settled();
    };
    await renumbered(server);
    await eventually(async () => {
      await server.jobs.tick();
      return server.ledger.instruments().length === 2 && enabled(server).length === 1;
    });
    const [renewed] = enabled(server);
    const next = await goBack(server, copy);
    await renumbered(server);
    await eventually(async () => {
      await next.jobs.tick();
      const { status, payment_instrument } = (await next.merchant('GET', `/v1/connections/${id}`)).body;
      return status === 'active' && payment_instrument === renewed;
    });
    await decideCreateCalls(next);
    expect(enabled(next)).toEqual([renewed]);
  });
});

/** @returns what the database held when the session had come as far as this */
async function copyAt(server: TestServer, point: string, run: () => Promise<unknown>): Promise<Copy> {
  let copy: Copy | undefined;
  const { transaction } = server.storage;
  server.storage.transaction = async (scope, fn) => {
    const result = await transaction(scope, fn);
    const session = await server.storage.db.selectFrom('sessions').selectAll().executeTakeFirst();
    if (!copy && session?.recovery_point === point) copy = await copyOf(server.storage);
    return result;
  };
  await run();
  server.storage.transaction = transaction;
  if (!copy) throw new Error(`the session never was at ${point}`);
  return copy;
}
