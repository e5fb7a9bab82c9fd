import { afterEach, expect, it } from 'vitest';
import { UpstreamError } from '../../server/clients/outbound.ts';
import type { Clients } from '../../server/create-server.ts';
import { patient } from '../helpers/patience.mjs';
import { eventually, TestServer } from '../helpers/server.ts';

/** A page is answered 202 only when another worker has the session, or its time is over. */

let server: TestServer;
afterEach(() => server.close());

/** Finix asks for so many seconds of rest at the first create call. */
function restsOnce(retryAfter: number): (clients: Clients) => Clients {
  let isRested = false;
  return ({ plaid, finix }) => ({
    plaid,
    finix: {
      ...finix,
      async createPaymentInstrument(request) {
        if (isRested) return finix.createPaymentInstrument(request);
        isRested = true;
        throw new UpstreamError('finix', 'create', 'busy', 'RATE_LIMITED', { status: 429, retryAfter });
      },
    },
  });
}

it('a rest that Finix asks for and that fits into the page’s time is waited for', async () => {
  server = await TestServer.start({ wrapClients: restsOnce(6), answerWithinMs: patient(60_000) });
  const { answer } = await server.connect();
  expect([answer.status, answer.body.status]).toEqual([200, 'completed']);
});

it('a longer rest is answered 202 when the page’s time is over, and Finix is left alone until it has ended', async () => {
  const answerWithinMs = patient(1_500);
  server = await TestServer.start({ wrapClients: restsOnce(60), answerWithinMs });
  const session = await server.createSession();
  const token = await server.publicToken();
  const began = performance.now();
  const answer = await server.complete(session, token);
  expect([answer.status, answer.body.status]).toEqual([202, 'processing']);
  // Timers may be a millisecond early.
  expect(performance.now() - began).toBeGreaterThanOrEqual(answerWithinMs - 50);
  const row = await eventually(async () => {
    const { db } = server.storage;
    const present = await db.selectFrom('sessions').selectAll().where('id', '=', session.id).executeTakeFirstOrThrow();
    return present.lease_owner === null && present;
  });
  expect(row.next_at - (row.processing_since ?? 0)).toBeGreaterThanOrEqual(60_000);
  await eventually(async () => {
    await server.tickAtNextAttempt(session);
    return (await server.merchant('GET', `/v1/sessions/${session.id}`)).body.status === 'completed';
  });
});
