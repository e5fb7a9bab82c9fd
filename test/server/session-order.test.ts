import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Session } from '../../widget/contract.ts';
import { type Receiver, startReceiver, WEBHOOK_SECRET } from '../helpers/receiver.ts';
import { TestServer } from '../helpers/server.ts';
import { throughLink } from '../helpers/through-link.ts';

/** `updated_at` orders the events of a session, also while the clock goes back. */

let server: TestServer;
let receiver: Receiver;
beforeEach(async () => {
  receiver = await startReceiver();
  const env = { MERCHANT_WEBHOOK_URL: receiver.url, MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET };
  server = await TestServer.start({ env, simulator: { linkEvents: true } });
});
afterEach(async () => {
  await server.close();
  await receiver.close();
});

const MINUTE = 60_000;
const UNKNOWN_TOKEN = 'public-sandbox-00000000-0000-0000-0000-000000000000';
const updatedAt = async ({ id }: Session) =>
  (await server.storage.db.selectFrom('sessions').select('updated_at').where('id', '=', id).executeTakeFirstOrThrow())
    .updated_at;

/** A session whose customer has to connect again; then the clock is set back. */
async function expectRestarted(): Promise<Session> {
  const session = await server.createSession();
  await server.page(session, 'POST', '/link-token', {});
  expect((await server.complete(session, UNKNOWN_TOKEN)).body.code).toBe('restart_required');
  server.clockError -= MINUTE;
  return session;
}

describe('after the clock was set back', () => {
  it('a session that completes is younger than its request to start again', async () => {
    const session = await expectRestarted();
    expect((await server.complete(session, await server.publicToken())).body.status).toBe('completed');
    server.clockError = 0;
    await server.jobs.tick();
    const ofSession = receiver.received.filter(({ body }) => body.data.id === session.id);
    const byTime = [...ofSession].sort((a, b) => a.body.data.updated_at.localeCompare(b.body.data.updated_at));
    expect(byTime.map(({ body }) => body.type)).toEqual(['session.restart_required', 'session.completed']);
    const times = new Set(ofSession.map(({ body }) => body.data.updated_at));
    expect(times.size).toBe(2);
  });

  it('a session that is canceled is younger than its request to start again', async () => {
    const canceled = await expectRestarted();
    const before = await updatedAt(canceled);
    expect((await server.merchant('POST', `/v1/sessions/${canceled.id}/cancel`)).status).toBe(200);
    expect(await updatedAt(canceled)).toBeGreaterThan(before);
  });

  it('a session whose account is recognized is younger than its request to start again', async () => {
    const first = await server.createSession();
    const { body: link } = await server.page(first, 'POST', '/link-token', {});
    const connected = await throughLink(server, link);
    expect((await server.complete(first, connected.public_token, connected)).body.status).toBe('completed');
    const session = await expectRestarted();
    const before = await updatedAt(session);
    const { body: again } = await server.page(session, 'POST', '/link-token', {});
    const known = await throughLink(server, again);
    expect((await server.complete(session, known.public_token, known)).body.status).toBe('completed');
    expect(server.ledger.items().filter(({ exchanged }) => exchanged)).toHaveLength(1);
    expect(await updatedAt(session)).toBeGreaterThan(before);
  });
});
