import { afterEach, describe, expect, it } from 'vitest';
import { createForeignTransfers } from '../../server/webhooks/foreign-transfers.ts';
import { debits, startWithDebits } from '../helpers/debits.ts';
import { eventually, type TestServer } from '../helpers/server.ts';

let server: TestServer;
const { bring, connect, debit, events, read, settled } = debits(() => server);

let ids = 0;
/** A webhook about a transfer, as Finix sends it. */
function webhook(transfer: object): string {
  ids += 1;
  return JSON.stringify({ id: `ev_${ids}`, entity: 'transfer', type: 'created', _embedded: { transfers: [transfer] } });
}

/** What Finix makes to take back a debit of another customer of the merchant's. */
const reversal = (parent: string, more: object = {}) => ({
  id: `TRback_${parent}`,
  type: 'REVERSAL',
  subtype: 'SYSTEM',
  state: 'SUCCEEDED',
  parent_transfer: parent,
  source: 'PImerchant',
  tags: { ach_return_code: 'R10' },
  ...more,
});

const reads = () => server.ledger.calls().filter(({ path }) => path.startsWith('/transfers'));

describe('reversals of the merchant’s other payments', () => {
  afterEach(() => server.close());

  it('a flood of foreign reversals asks Finix a few times, and a return of ours behind it is handled', async () => {
    server = await startWithDebits();
    const { id } = await connect();
    const transfer = await debit(id);
    await settled();
    const before = reads().length;
    const started = performance.now();
    const flood = Array.from({ length: 40 }, (_, i) => bring(webhook(reversal(`TRforeign${i}`))));
    expect(new Set(await Promise.all(flood))).toEqual(new Set([200]));
    // Its reversal names no instrument of ours; the debit is known.
    await bring(webhook(reversal(transfer)));
    await eventually(async () => {
      await server.jobs.tick();
      return (await read(id)).status === 'revoked';
    });
    const seconds = (performance.now() - started) / 1000;
    // Twenty at once and five a second, and the one of ours.
    expect(reads().length - before).toBeLessThanOrEqual(20 + 5 * seconds + 1);
  });

  it('the reversal of a debit that was just seen as foreign is dropped without a question or a row', async () => {
    server = await startWithDebits();
    await bring(webhook({ id: 'TRother', type: 'DEBIT', state: 'FAILED', source: 'PIother', failure_code: null }));
    await bring(webhook(reversal('TRother')));
    // Another debit of the same customer.
    await bring(webhook(reversal('TRearlier', { source: null, destination: 'PIother' })));
    expect([reads(), await events()]).toEqual([[], []]);
  });

  it('a debit that was asked about once makes the customer’s other reversals known as foreign', async () => {
    server = await startWithDebits();
    server.upstream.simulator.faults.add({
      service: 'finix',
      path: '/transfers/TRone',
      kind: 'status',
      status: 200,
      body: { id: 'TRone', type: 'DEBIT', state: 'SUCCEEDED', source: 'PIother' },
    });
    await bring(webhook(reversal('TRone')));
    await expect.poll(() => reads().length).toBe(1);
    await settled();
    await bring(webhook(reversal('TRtwo', { destination: 'PIother' })));
    await settled();
    expect(reads()).toHaveLength(1);
  });
});

describe('what is known of foreign transfers', () => {
  const transfer = (more: object) => ({
    id: 'TR1',
    type: 'DEBIT',
    source: null,
    destination: null,
    parent: null,
    ...more,
  });
  type Transfer = Parameters<ReturnType<typeof createForeignTransfers>['note']>[0];

  it('the customer’s side of a foreign payment is remembered, and not the merchant’s own account', () => {
    const foreign = createForeignTransfers();
    foreign.note(transfer({ source: 'PIbuyer', destination: 'PImerchant' }) as Transfer);
    foreign.note(transfer({ id: 'TR2', type: 'CREDIT', source: 'PImerchant', destination: 'PIpayee' }) as Transfer);
    const has = (more: object) => foreign.has(transfer({ id: 'TR3', type: 'REVERSAL', ...more }) as Transfer);
    expect([has({ parent: 'TR1' }), has({ source: 'PIbuyer' }), has({ destination: 'PIpayee' })]).toEqual([
      true,
      true,
      true,
    ]);
    expect([has({ parent: 'TR9' }), has({ source: 'PImerchant' }), has({ destination: 'PImerchant' })]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('what is remembered is forgotten after ten minutes, and bounded', () => {
    let now = 0;
    const foreign = createForeignTransfers(() => now);
    const has = (parent: string) => foreign.has(transfer({ parent }) as Transfer);
    foreign.note(transfer({ id: 'TRfirst' }) as Transfer);
    now = 9 * 60_000;
    expect(has('TRfirst')).toBe(true);
    now = 11 * 60_000;
    expect(has('TRfirst')).toBe(false);
    for (let i = 0; i <= 100_000; i++) foreign.note(transfer({ id: `TR${i}` }) as Transfer);
    expect([has('TR0'), has('TR1'), has('TR100000')]).toEqual([false, true, true]);
  });

  it('questions are taken twenty at once and five a second', () => {
    let now = 0;
    const foreign = createForeignTransfers(() => now);
    const taken = () => {
      let count = 0;
      while (foreign.take() === 0) count += 1;
      return count;
    };
    expect(taken()).toBe(20);
    expect(foreign.take()).toBeGreaterThan(0);
    now += 1_000;
    expect(taken()).toBe(5);
    now += 3600_000;
    expect(taken()).toBe(20);
  });
});
