import { expect, it } from 'vitest';
import { PROOF_KEEP_MS, purgeAudit } from '../../server/records/audit.ts';
import { insertMany } from '../../server/storage/insert-many.ts';
import { forEachStorage } from '../helpers/storages.ts';
import { rows } from './storage/rows.ts';

const NOW = 1_900_000_000_000;
/** Many have the same time, as entries of one transaction do. */
const at = (i: number) => NOW - PROOF_KEEP_MS - 2_000 + Math.floor(i / 7);

forEachStorage((dialect, kind) => {
  it(`an old entry goes although thousands before it stay as proof (${dialect})`, async () => {
    const storage = await kind.open();
    const connection = { ...rows.connections, id: 'con_present', removed_at: null };
    await storage.db.insertInto('connections').values(connection).execute();
    const entries = Array.from({ length: 2_500 }, (_, i) => ({
      ...{ id: `aud_${String(i).padStart(4, '0')}`, at: at(i), actor: 'job' as const, action: 'a', details: '{}' },
      ...{ session_id: null, link_id: null, ip: null },
      // Proof, all but the last two.
      connection_id: i < 2_498 ? 'con_present' : null,
    }));
    const columns = ['id', 'at', 'actor', 'action', 'session_id', 'connection_id', 'link_id', 'ip', 'details'] as const;
    await insertMany(storage, 'audit', columns, entries);

    const deleted: boolean[] = [];
    let position: Awaited<ReturnType<typeof purgeAudit>>['position'];
    do {
      const purged = await purgeAudit(storage, NOW, position);
      position = purged.position;
      deleted.push(purged.hasDeleted);
    } while (position);
    expect(deleted).toEqual([false, false, true]);
    const left = await storage.db.selectFrom('audit').select('id').orderBy('id').execute();
    expect(left).toHaveLength(2_498);
    expect(left.at(-1)?.id).toBe('aud_2497');
  });
});
