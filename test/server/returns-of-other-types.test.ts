import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { debits, startWithDebits } from '../helpers/debits.ts';
import type { TestServer } from '../helpers/server.ts';

/** Finix's Transfers that are neither a debit nor a payout of the merchant's own making. */

let server: TestServer;
beforeAll(async () => {
  server = await startWithDebits();
});
afterAll(() => server.close());
const { connectNew, debit, read, settled, enabled, bring, expectEffect } = debits(() => server);

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

  it.each(['FEE', 'ADJUSTMENT', 'CREDIT', 'UNKNOWN'])(
    'that names a return code for the debit it belongs to reports the return of that debit: %s',
    async (type) => {
      const { id } = await connectNew();
      const parent_transfer = await debit(id, 7_500);
      await settled();
      const transfer = { type, subtype: 'SYSTEM', parent_transfer, amount: 25, tags: { ach_return_code: 'R10' } };
      await expectReported(id, 'destination', transfer);
      await expectEffect(id, 'blocked', 'return_R10');
      expect((await read(id)).last_return).toMatchObject({ transfer: parent_transfer, code: 'R10', amount: 7_500 });
    },
  );

  it('that has the tags of the debit it belongs to reports no return', async () => {
    const { id } = await connectNew();
    const tags = { code: 'R10' };
    const parent_transfer = await debit(id, 7_500, { tags });
    await settled();
    await expectReported(id, 'source', { type: 'FEE', parent_transfer, tags });
    const { status, last_return } = await read(id);
    expect([status, last_return]).toEqual(['active', null]);
  });
});

describe('a returned debit in other words than Finix’s documents have', () => {
  it.each([
    ['a failure code in small letters', { failure_code: 'bank_account_closed' }, 'dead', 'return_R02'],
    ['a return code in small letters', { failure_code: 'r10' }, 'blocked', 'return_R10'],
    ['a message in small letters', { messages: ['reasoncode: r03'] }, 'blocked', 'return_R03'],
    [
      'details in small letters',
      { state: 'returned', bank_return_details: { return_code: 'r29' } },
      'blocked',
      'return_R29',
    ],
  ] as const)('%s is read', async (_name, transfer, effect, reason) => {
    const { id } = await connectNew();
    await expectReported(id, 'source', { type: 'debit', state: 'failed', ...transfer });
    await expectEffect(id, effect, reason);
  });

  it('has its amount, also where it comes as a text', async () => {
    const { id } = await connectNew();
    await expectReported(id, 'source', { type: 'DEBIT', state: 'FAILED', failure_code: 'R10', amount: '2500' });
    expect((await read(id)).last_return).toMatchObject({ amount: 2_500 });
  });

  it.each([
    ['the entity in capital letters', { entity: 'TRANSFER' }, true],
    ['the entity in the plural', { entity: 'transfers' }, true],
    ['the resource without a list', { entity: 'transfer' }, false],
  ])('is read from an event with %s', async (name, more, isList) => {
    const { id } = await connectNew();
    const { payment_instrument: source } = await read(id);
    const transfer = { id: `TR${name.length}`, type: 'DEBIT', state: 'FAILED', failure_code: 'R10', source };
    const _embedded = isList ? { transfers: [transfer] } : { transfer };
    expect(await bring(JSON.stringify({ id: `event ${name}`, type: 'updated', ...more, _embedded }))).toBe(200);
    await settled();
    await expectEffect(id, 'blocked', 'return_R10');
  });

  it('is found by its links where the ids themselves are left out', async () => {
    const { id } = await connectNew();
    const { payment_instrument } = await read(id);
    const _links = { source: { href: `https://finix.example/payment_instruments/${payment_instrument}` } };
    const transfer = { id: 'TRlinked', type: 'DEBIT', state: 'FAILED', amount: 1, failure_code: 'R10', _links };
    await bring(
      JSON.stringify({ id: 'event_linked', entity: 'transfer', type: 'updated', _embedded: { transfers: [transfer] } }),
    );
    await settled();
    await expectEffect(id, 'blocked', 'return_R10');
  });

  it('is found by the link of its reversal where the reversal names no debit', async () => {
    const { id } = await connectNew();
    const parent = await debit(id, 3_000);
    await settled();
    const _links = { parent: { href: `https://finix.example/transfers/${parent}?x=1` } };
    const reversal = {
      id: 'TRreversal',
      type: 'REVERSAL',
      subtype: 'SYSTEM',
      state: 'SUCCEEDED',
      amount: 3_000,
      _links,
    };
    const transfers = [{ ...reversal, tags: { return_code: 'R10' } }];
    await bring(JSON.stringify({ id: 'event_parent', entity: 'transfer', type: 'created', _embedded: { transfers } }));
    await settled();
    await expectEffect(id, 'blocked', 'return_R10');
    expect((await read(id)).last_return).toMatchObject({ transfer: parent });
  });
});
