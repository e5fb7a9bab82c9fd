import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { debits, startWithDebits } from '../helpers/debits.ts';
import { eventually, type TestServer } from '../helpers/server.ts';

/** Finix's events about a transfer carry the merchant's own words for its customer. */

let server: TestServer;
beforeEach(async () => {
  server = await startWithDebits();
});
afterEach(() => server.close());
const { ach, connect, debit, events, settled } = debits(() => server);

const NAMED = { tags: { order: 'Ada’s order 77' }, idempotency_id: 'ada-77' };
const NAMES = /Ada’s order|ada-77/;

const facts = async () => JSON.stringify((await events()).map((event) => event.facts));
const erased = () =>
  eventually(async () => {
    await server.jobs.tick();
    return (await server.merchant('DELETE', '/v1/customers/cus_1')).body.status === 'erased';
  });
/** A debit whose event has been handled. */
async function debited(connection: string): Promise<string> {
  const transfer = await debit(connection, 5_000, NAMED);
  ach().succeed(transfer);
  await settled();
  return transfer;
}

describe('the merchant’s tags of a debit', () => {
  it('are gone once the event is handled', async () => {
    const { id } = await connect();
    await debited(id);
    expect((await events()).some(({ type }) => type.startsWith('transfer/'))).toBe(true);
    expect(await facts()).not.toMatch(NAMES);
  });

  it('are gone from events of before when the customer is erased', async () => {
    const { id } = await connect();
    await debited(id);
    const { db } = server.storage;
    // As servers of before have kept them.
    for (const event of await events()) {
      const kept = JSON.parse(event.facts);
      if (!kept.transfer) continue;
      const transfer = { ...kept.transfer, tagValues: [NAMED.tags.order], idempotencyId: NAMED.idempotency_id };
      const before = JSON.stringify({ ...kept, transfer });
      await db.updateTable('inbound_events').set({ facts: before }).where('id', '=', event.id).execute();
    }
    expect(await facts()).toMatch(NAMES);
    await erased();
    expect(await facts()).not.toMatch(NAMES);
  });

  it('do not come back with a return after the customer is erased', async () => {
    const { id } = await connect();
    const transfer = await debited(id);
    await erased();
    const before = (await events()).length;
    ach().returnDebit(transfer, 'R01');
    await settled();
    expect((await events()).length).toBeGreaterThan(before);
    expect(await facts()).not.toMatch(NAMES);
  });
});
