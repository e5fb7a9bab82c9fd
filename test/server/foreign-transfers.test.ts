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
    expect([reads(), await events()]).toEqual([[], []]);
  });

  it('a debit that was asked about once makes its other reports known as foreign', async () => {
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
    await bring(webhook(reversal('TRone', { id: 'TRagain' })));
    await settled();
    expect(reads()).toHaveLength(1);
  });
});

describe('a return of ours that names only the merchant’s own account', () => {
  afterEach(() => server.close());

  it('is handled, also after that account was seen in a payout', async () => {
    server = await startWithDebits();
    const { id } = await connect();
    const transfer = await debit(id);
    await settled();
    // A settlement pays the merchant itself, to the account that each of its payments names.
    await bring(webhook({ id: 'TRsettled', type: 'CREDIT', state: 'SUCCEEDED', destination: 'PImerchant' }));
    await bring(webhook(reversal(transfer, { source: null, destination: 'PImerchant' })));
    await eventually(async () => {
      await server.jobs.tick();
      return (await read(id)).status === 'revoked';
    });
  });
});

describe('what is known of foreign transfers', () => {
  it('what is remembered is forgotten after ten minutes, and bounded', () => {
    let now = 0;
    const foreign = createForeignTransfers(() => now);
    const has = (parent: string) => foreign.has({ parent });
    foreign.note({ id: 'TRfirst' });
    now = 9 * 60_000;
    expect(has('TRfirst')).toBe(true);
    now = 11 * 60_000;
    expect(has('TRfirst')).toBe(false);
    for (let i = 0; i <= 100_000; i++) foreign.note({ id: `TR${i}` });
    expect([has('TR0'), has('TR1'), has('TR100000')]).toEqual([false, true, true]);
  });

  it('a transfer that is reported again is remembered from then on', () => {
    const foreign = createForeignTransfers(() => 0);
    foreign.note({ id: 'TRagain' });
    for (let i = 0; i < 50_000; i++) foreign.note({ id: `TR${i}` });
    foreign.note({ id: 'TRagain' });
    for (let i = 50_000; i < 149_999; i++) foreign.note({ id: `TR${i}` });
    expect(foreign.has({ parent: 'TRagain' })).toBe(true);
    foreign.note({ id: 'TRlast' });
    expect(foreign.has({ parent: 'TRagain' })).toBe(false);
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
