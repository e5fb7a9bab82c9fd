import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { debits, startWithDebits } from '../helpers/debits.ts';
import type { TestServer } from '../helpers/server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await startWithDebits();
});
afterEach(() => server.close());

const {
  ach,

  expectStatus,
  bring,
  connect,
  connectNew,
  debit,

  events,
  read,

  settled,
} = debits(() => server);
const { delivered, webhooks } = debits(() => server);

function* permutations<T>(items: T[]): Generator<T[]> {
  if (items.length < 2) return yield items;
  for (const [i, first] of items.entries()) {
    for (const rest of permutations(items.toSpliced(i, 1))) yield [first, ...rest];
  }
}

describe('the webhooks of a return', () => {
  it.each([0, 1, 2, 3])(
    'the webhooks of a return come to the same end in every order that begins with number %i, each twice',
    async (first) => {
      const orders = [...permutations([0, 1, 2, 3])].filter((order) => order[0] === first);
      expect(orders).toHaveLength(6);
      const debited: { id: string; transfer: string }[] = [];
      for (const order of orders) {
        const { id } = await connectNew();
        const from = delivered().length;
        webhooks().hold();
        const transfer = await debit(id);
        ach().succeed(transfer);
        ach().returnDebit(transfer, 'R10');
        webhooks().drop();
        debited.push({ id, transfer });
        const bodies = delivered().slice(from);
        expect(bodies).toHaveLength(4);
        for (const i of order) {
          const body = bodies[i] ?? '';
          // Sent again as it is, and under another id.
          const again = JSON.stringify({ ...JSON.parse(body), id: `event_${id}_${i}` });
          expect([await bring(body), await bring(body), await bring(again)]).toEqual([200, 200, 200]);
        }
      }
      await settled();
      for (const { id, transfer } of debited) {
        expect(await read(id)).toMatchObject({
          status: 'revoked',
          last_return: { code: 'R10', failure_code: 'GENERIC_DECLINE', transfer, amount: 5_000, currency: 'USD' },
        });
      }
    },
  );

  it('the webhooks of several returns come to the same end in every order', async () => {
    const ends = new Set<string>();
    for (const order of permutations([0, 1, 2])) {
      const { id } = await connectNew();
      const transfers = [await debit(id), await debit(id), await debit(id)];
      await settled();
      const from = delivered().length;
      webhooks().hold();
      for (const [i, code] of ['R01', 'R01', 'R04'].entries()) {
        ach().returnDebit(transfers[i] ?? '', code, { form: 'failed' });
        server.clockOffset += 10;
      }
      webhooks().drop();
      const bodies = delivered().slice(from);
      for (const i of order) await bring(bodies[i] ?? '');
      await settled();
      const row = await server.storage.db.selectFrom('connections').selectAll().where('id', '=', id).executeTakeFirst();
      ends.add(`${row?.status} ${row?.reason} ${(await read(id)).last_return?.code}`);
    }
    expect([...ends]).toEqual(['needs_repair return_R01 R04']);
  });

  it('webhooks about the instruments of others are not kept', async () => {
    const transfer = { id: 'TRother', type: 'DEBIT', state: 'FAILED', source: 'PIother', failure_code: 'R10' };
    const other = (more: object) =>
      JSON.stringify({
        id: 'event_1',
        entity: 'transfer',
        type: 'updated',
        _embedded: { transfers: [{ ...transfer, ...more }] },
      });
    const refund = { type: 'REVERSAL', subtype: 'API', parent_transfer: 'TR1', source: null, destination: 'PIother' };
    for (const more of [{}, { source: null }, { type: 'CREDIT', destination: 'PIother', source: null }, refund]) {
      expect(await bring(other(more))).toBe(200);
    }
    expect(await events()).toEqual([]);
    expect(server.ledger.calls()).toEqual([]);
  });

  it.each([
    ['nothing embedded', {}],
    ['no list', { transfers: 'none' }],
    ['a transfer without an id', { transfers: [{ type: 'DEBIT' }] }],
    ['null', { transfers: [null] }],
  ])('a webhook with %s is answered 200 and not kept', async (_name, _embedded) => {
    const body = JSON.stringify({ id: 'event_1', entity: 'transfer', type: 'updated', _embedded });
    expect(await bring(body)).toBe(200);
    expect(await events()).toEqual([]);
  });

  it('a webhook with members of another kind than expected is read as far as it goes', async () => {
    const { id } = await connect();
    const { payment_instrument } = await read(id);
    const transfer = {
      id: 'TR1',
      type: 'DEBIT',
      state: 'FAILED',
      source: payment_instrument,
      amount: 'twelve',
      currency: 7,
      tags: ['R10'],
      messages: { text: 'ReasonCode: R10' },
      failure_code: null,
      created_at: 'yesterday',
    };
    await bring(JSON.stringify({ id: 'e', entity: 'transfer', type: 'updated', _embedded: { transfers: [transfer] } }));
    expect((await expectStatus(id, 'revoked')).last_return).toMatchObject({
      code: 'R10',
      amount: null,
      currency: null,
    });
  });

  it('a return whose reversal names neither side is understood: its debit is read', async () => {
    const { id } = await connect();
    const transfer = await debit(id);
    await settled();
    const reversal = {
      id: 'TRback',
      type: 'REVERSAL',
      subtype: 'SYSTEM',
      state: 'SUCCEEDED',
      parent_transfer: transfer,
    };
    for (const sides of [{ source: 'PImerchant', destination: 'PIother' }, {}]) {
      const resource = { ...reversal, ...sides, tags: { ach_return_code: 'R07' } };
      await bring(
        JSON.stringify({
          id: JSON.stringify(sides),
          entity: 'transfer',
          type: 'created',
          _embedded: { transfers: [resource] },
        }),
      );
    }
    expect((await expectStatus(id, 'revoked')).last_return).toMatchObject({ code: 'R07', transfer });
  });

  it('the code of a return comes from the reversal where the debit names none, whichever comes first', async () => {
    const { id } = await connect();
    const transfer = await debit(id);
    ach().succeed(transfer);
    await settled();
    webhooks().hold();
    ach().returnDebit(transfer, 'R10', { failureCode: 'GENERIC_DECLINE' });
    webhooks().drop();
    const [ofDebit] = delivered().slice(-2);
    const webhook = JSON.parse(ofDebit ?? '');
    // The debit alone, as Finix might send it.
    Object.assign(webhook._embedded.transfers[0], { failure_message: 'The bank returned it.' });
    await bring(JSON.stringify(webhook));
    expect((await expectStatus(id, 'revoked')).last_return).toMatchObject({ code: 'R10' });
  });

  it('a return is handled while Finix can’t be asked, where its webhooks are sufficient', async () => {
    const { id } = await connect();
    const transfer = await debit(id);
    await settled();
    server.upstream.simulator.faults.add({ service: 'finix', path: '/transfers*', kind: 'status', status: 500 });
    ach().returnDebit(transfer, 'R10', { form: 'reversal' });
    await expectStatus(id, 'revoked');
  });

  it('a return that needs Finix is handled when Finix can be asked again', async () => {
    const { id } = await connect();
    const transfer = await debit(id);
    await settled();
    server.upstream.simulator.faults.add({
      service: 'finix',
      path: '/transfers*',
      kind: 'status',
      status: 500,
      times: 2,
    });
    const reversal = {
      id: 'TRback',
      type: 'REVERSAL',
      subtype: 'SYSTEM',
      state: 'SUCCEEDED',
      parent_transfer: transfer,
    };
    const resource = { ...reversal, tags: { code: 'R07' } };
    await bring(JSON.stringify({ id: 'e', entity: 'transfer', type: 'created', _embedded: { transfers: [resource] } }));
    await expectStatus(id, 'revoked');
  });
});
