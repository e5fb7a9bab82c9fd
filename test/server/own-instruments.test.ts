import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Storage } from '../../server/storage/open.ts';
import { createOwnInstruments } from '../../server/webhooks/own-instruments.ts';
import { debits, startWithDebits } from '../helpers/debits.ts';
import type { TestServer } from '../helpers/server.ts';
import { forEachStorage } from '../helpers/storages.ts';

const from = (source: string | null, destination: string | null = null) => [{ source, destination }];

forEachStorage((_dialect, kind) => {
  describe('whether an instrument of Finix’s is ours', () => {
    let storage: Storage;
    beforeEach(async () => {
      storage = await kind.open();
    });

    async function add(id: string): Promise<void> {
      const row = { payment_instrument: id, connection_id: 'con_1', fingerprint: null, created_at: 0 };
      await storage.db.insertInto('connection_instruments').values(row).execute();
    }

    it('each of many transfers that come at once gets its own answer', async () => {
      for (const i of [0, 70, 129]) await add(`PI${i}`);
      const { find } = createOwnInstruments(storage);
      const found = (await Promise.all(Array.from({ length: 130 }, (_, i) => find(from(`PI${i}`))))).flat();
      expect(found.filter((id) => id !== undefined)).toEqual(['PI0', 'PI70', 'PI129']);
      expect([found[0], found[70], found[129]]).toEqual(['PI0', 'PI70', 'PI129']);
    });

    it('transfers that come at once share one query', async () => {
      const { find } = createOwnInstruments(storage);
      const execute = vi.spyOn(storage.db, 'executeQuery');
      await Promise.all(Array.from({ length: 60 }, (_, i) => find(from(`PI${i}`))));
      expect(execute).toHaveBeenCalledTimes(1);
    });

    it('an instrument is found by either side of a transfer, and by none where there is none', async () => {
      await add('PIours');
      const { find } = createOwnInstruments(storage);
      expect(await find(from('PIours', 'PIother'))).toEqual(['PIours']);
      expect(await find(from('PIother', 'PIours'))).toEqual(['PIours']);
      expect(await find(from('PIother'))).toEqual([undefined]);
      expect(await find(from(null))).toEqual([undefined]);
    });

    it('the transfers of one event are answered in their order', async () => {
      await add('PIours');
      const { find } = createOwnInstruments(storage);
      expect(await find([...from('PIother'), ...from('PIours'), ...from(null)])).toEqual([
        undefined,
        'PIours',
        undefined,
      ]);
    });

    it('an instrument that was foreign is found as soon as it is ours', async () => {
      const { find } = createOwnInstruments(storage);
      expect(await find(from('PIlater'))).toEqual([undefined]);
      await add('PIlater');
      expect(await find(from('PIlater'))).toEqual(['PIlater']);
    });

    it('a query that fails fails each of its questions, and the next ones are asked again', async () => {
      const { find } = createOwnInstruments(storage);
      vi.spyOn(storage.db, 'executeQuery').mockRejectedValueOnce(new Error('gone'));
      const ended = await Promise.allSettled([find(from('PI1')), find(from('PI2'))]);
      expect(ended.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      expect(await find(from('PI1'))).toEqual([undefined]);
    });
  });
});

describe('the log', () => {
  let server: TestServer;
  const { bring, connect, debit, settled } = debits(() => server);
  afterEach(() => server.close());

  it('an event about another customer of the merchant’s is in the log only where every request is asked for', async () => {
    server = await startWithDebits({ env: { LOG_LEVEL: 'info' } });
    const transfer = { id: 'TRforeign', type: 'DEBIT', state: 'SUCCEEDED', source: 'PIforeign' };
    const event = { id: 'ev_1', entity: 'transfer', type: 'updated', _embedded: { transfers: [transfer] } };
    const requests = () => server.lines.filter((line) => line.includes('/webhooks/finix')).length;
    const before = requests();
    expect(await bring(JSON.stringify(event))).toBe(200);
    expect(requests()).toBe(before);
    const { id } = await connect();
    await debit(id);
    await settled();
    expect(requests()).toBeGreaterThan(before);
  });
});
