import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { debits, startWithDebits } from '../helpers/debits.ts';
import type { TestServer } from '../helpers/server.ts';

/** Finix's Transfers that are neither a debit nor a payout of the merchant's own making. */

let server: TestServer;
beforeAll(async () => {
  server = await startWithDebits();
});
afterAll(() => server.close());
const { connectNew, read, settled, enabled, bring, expectEffect } = debits(() => server);

let made = 0;
/** A webhook about a Transfer that names the connection's instrument on one side. */
async function expectReported(connection: string, side: 'source' | 'destination', transfer: object): Promise<string> {
  const { payment_instrument } = await read(connection);
  made += 1;
  const id = `TRother${made}`;
  const resource = {
    id,
    amount: 2_500,
    currency: 'USD',
    state: 'SUCCEEDED',
    source: 'PImerchant',
    destination: 'PImerchant',
    tags: {},
    ...transfer,
    [side]: payment_instrument,
  };
  const event = {
    id: `event_other_${made}`,
    entity: 'transfer',
    type: 'updated',
    _embedded: { transfers: [resource] },
  };
  expect(await bring(JSON.stringify(event))).toBe(200);
  await settled();
  return id;
}

const transfers = () => server.storage.db.selectFrom('transfers').selectAll().execute();
const RETURNED = { state: 'FAILED', failure_code: 'BANK_ACCOUNT_CLOSED' };

describe('a Transfer of another type', () => {
  it.each([
    ['FEE', 'source'],
    ['SETTLEMENT', 'destination'],
    ['ADJUSTMENT', 'source'],
    ['A_TYPE_THAT_FINIX_ADDS', 'source'],
    [undefined, 'source'],
  ] as const)('that came back ends the debits of its account: %s', async (type, side) => {
    const { id } = await connectNew();
    const transfer = await expectReported(id, side, { type, ...RETURNED });
    await expectEffect(id, 'dead', 'return_R02');
    expect((await read(id)).last_return).toMatchObject({ transfer, code: 'R02', amount: 2_500 });
    const row = (await transfers()).find((one) => one.id === transfer);
    expect(row?.type).toBe(side === 'source' || type === undefined ? 'debit' : 'payout');
  });

  it('that did not come back changes nothing, and is not kept', async () => {
    const { id } = await connectNew();
    const transfer = await expectReported(id, 'source', { type: 'FEE' });
    const { status, last_return, payment_instrument } = await read(id);
    expect([status, last_return]).toEqual(['active', null]);
    expect(enabled()).toContain(payment_instrument);
    expect((await transfers()).some((one) => one.id === transfer)).toBe(false);
  });
});
