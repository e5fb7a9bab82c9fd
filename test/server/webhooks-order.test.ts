import { afterEach, describe, expect, it } from 'vitest';
import type { Clients } from '../../server/create-server.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { eventually, TestServer } from '../helpers/server.ts';

const FINIX_SECRET = 'f'.repeat(64);

/** Holds one answer of an upstream, which is true when it is given, until it no longer is. */
function lateAnswers() {
  const held: (() => void)[] = [];
  let isNext = false;
  const late =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const answer = await call(...args);
      if (isNext) {
        isNext = false;
        await new Promise<void>((resolve) => held.push(resolve));
      }
      return answer;
    };
  return {
    wrapClients: ({ plaid, finix }: Clients): Clients => ({
      plaid: { ...plaid, getItemError: late(plaid.getItemError) },
      finix: { ...finix, getPaymentInstrument: late(finix.getPaymentInstrument) },
    }),
    get waiting() {
      return held.length;
    },
    holdNext: () => {
      isNext = true;
    },
    release: () => {
      for (const go of held.splice(0)) go();
    },
  };
}

let server: TestServer;
let other: TestServer | undefined;
afterEach(async () => {
  await other?.close();
  other = undefined;
  await server.close();
});
const { webhooks, bank, item, events, changeInstrument, connect, settled, expectStatus } = connectionLifecycle(
  () => server,
);

async function start(answers: ReturnType<typeof lateAnswers>): Promise<void> {
  const env = { FINIX_WEBHOOK_SECRET: FINIX_SECRET };
  // No heartbeat comes in between where a test sets the clock.
  const timing = { inboundLeaseMs: 5 * 60_000 };
  server = await TestServer.start({ env, timing, wrapClients: answers.wrapClients });
  webhooks().settings.finix = { url: `${server.config.publicUrl}/webhooks/finix`, secret: FINIX_SECRET };
}

/** A second instance on the same database, which takes what it can get. */
async function joined(): Promise<TestServer> {
  const env = { FINIX_WEBHOOK_SECRET: FINIX_SECRET };
  other = await TestServer.start({ env, storage: server.storage, upstream: server.upstream });
  return other;
}

/**
 * A connection whose instrument has been checked and then disabled at Finix; the answer about the check is still on its
 * way.
 */
async function changedTwice(answers: ReturnType<typeof lateAnswers>): Promise<string> {
  await start(answers);
  const { id } = await connect();
  await settled();
  answers.holdNext();
  await changeInstrument(id, { attempt_bank_account_validation_check: true });
  await eventually(async () => answers.waiting === 1);
  await changeInstrument(id, { enabled: false });
  await webhooks().settled();
  return id;
}

describe('of two webhooks about the same thing', () => {
  it('of two webhooks about an instrument the later answer of Finix counts, although the earlier one was slow', async () => {
    const answers = lateAnswers();
    const id = await changedTwice(answers);
    // No worker handles the second while the first is being handled.
    const second = await joined();
    await second.jobs.tick();
    expect((await events()).map(({ tries }) => tries)).toEqual([1, 1, 0]);
    answers.release();
    await expectStatus(id, 'revoked');
  });

  it('of two webhooks about a login the later answer of Plaid counts, although the earlier one was slow', async () => {
    const answers = lateAnswers();
    await start(answers);
    const { id } = await connect();
    bank().breakLogin(item().item_id);
    await expectStatus(id, 'needs_repair');
    bank().repairLogin(item().item_id);
    await expectStatus(id, 'active');
    webhooks().hold();
    bank().breakLogin(item().item_id);
    webhooks().drop();
    answers.holdNext();
    webhooks().plaid(`${server.config.publicUrl}/webhooks/plaid`, {
      webhook_type: 'ITEM',
      webhook_code: 'ERROR',
      item_id: item().item_id,
      error: { error_code: 'ITEM_LOGIN_REQUIRED', error_message: 'once more' },
    });
    await eventually(async () => answers.waiting === 1);
    // The same words within the same second would be the same webhook once more.
    server.clockOffset += 2_000;
    bank().repairLogin(item().item_id);
    await webhooks().settled();
    await (await joined()).jobs.tick();
    expect((await events()).at(-1)).toMatchObject({ type: 'ITEM/LOGIN_REPAIRED', tries: 0 });
    answers.release();
    await expectStatus(id, 'active');
  });

  it('a webhook that a frozen process was handling is not written by that process any more', async () => {
    const answers = lateAnswers();
    const id = await changedTwice(answers);
    const second = await joined();
    // Longer than any worker may handle a webhook.
    second.clockOffset = 10 * 60_000;
    await eventually(async () => {
      await second.jobs.tick();
      return (await events()).every(({ status }) => status !== 'received');
    });
    answers.release();
    await expectStatus(id, 'revoked');
    await server.jobs.tick();
    await expectStatus(id, 'revoked');
  });

  it('an answer that comes after the lease is asked for once more, also when no other worker has taken the webhook', async () => {
    const answers = lateAnswers();
    const id = await changedTwice(answers);
    const [, late] = await events();
    const second = await joined();
    // The second one's clock goes by the first one's.
    server.clockOffset = 10 * 60_000;
    // The second instance has come to the later webhook only.
    const next_at = (await server.storage.now()) + 60_000;
    await server.storage.db.updateTable('inbound_events').set({ next_at }).where('id', '=', String(late?.id)).execute();
    await second.jobs.tick();
    expect((await events()).slice(1).map(({ status }) => status)).toEqual(['received', 'handled']);
    answers.release();
    await expectStatus(id, 'revoked');
    expect(await events()).toMatchObject([{}, { tries: 2 }, { tries: 1 }]);
  });
});

it('a webhook about an instrument that is not known yet is looked at once more', async () => {
  await start(lateAnswers());
  const send = (id: string) => {
    const body = JSON.stringify({
      id,
      type: 'updated',
      entity: 'instrument',
      _embedded: { payment_instruments: [{ id: 'PInew' }] },
    });
    return server.send('POST', '/webhooks/finix', body, {
      'Finix-Signature': webhooks().signFinix(body, FINIX_SECRET),
    });
  };
  expect((await send('event_1')).status).toBe(200);
  await eventually(async () => (await events())[0]?.tries === 1 && (await events())[0]?.lease_until === 0);
  expect((await events())[0]?.status).toBe('received');
  server.clockOffset = 61_000;
  await server.jobs.tick();
  expect((await events())[0]?.status).toBe('ignored');
});
