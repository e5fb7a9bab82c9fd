import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { assertKeys } from '../../../server/storage/check-keys.ts';
import { StorageSetupError } from '../../../server/storage/errors.ts';
import type { Storage } from '../../../server/storage/open.ts';
import { rotateKeys, SEALED_COLUMNS } from '../../../server/storage/rotate-keys.ts';
import { createSecrets, type Secrets } from '../../../server/storage/secrets.ts';
import { forEachStorage } from '../../helpers/storages.ts';
import { rows } from './rows.ts';

const [old, fresh, foreign] = Array.from({ length: 3 }, () => randomBytes(32).toString('base64')) as [
  string,
  string,
  string,
];
const secretsOf = (...keys: string[]) => createSecrets(keys);
const token = (i: number) => ({ table: 'items', row: `itm_${i}`, column: 'access_token_enc' });

forEachStorage((_name, kind) => {
  describe('the check at the start', () => {
    test('the check of keys at the start passes with the key that the database knows, and refuses another, naming both ids', async () => {
      const storage = await kind.open();
      await assertKeys(storage, secretsOf(old));
      await assertKeys(storage, secretsOf(old));
      const wrong = assertKeys(storage, secretsOf(foreign));
      await expect(wrong).rejects.toThrow(StorageSetupError);
      await expect(wrong).rejects.toThrow(secretsOf(old).currentKeyId);
      await expect(wrong).rejects.toThrow(secretsOf(foreign).currentKeyId);
    });

    test('the check of keys at the start lets one of two first starts with different keys win', async () => {
      const database = await kind.database();
      const storages = await Promise.all([database.open(), database.open()]);
      const starts = [old, foreign].map((key, i) => assertKeys(storages[i] as Storage, secretsOf(key)));
      const outcomes = await Promise.allSettled(starts);
      expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected']);
    });

    test('the check of keys at the start wants the old key next to a new one until the keys have been rotated', async () => {
      const storage = await kind.open();
      await assertKeys(storage, secretsOf(old));
      await assertKeys(storage, secretsOf(fresh, old));
      await expect(assertKeys(storage, secretsOf(fresh))).rejects.toThrow(StorageSetupError);
      await rotateKeys(storage, secretsOf(fresh, old), { batch: 10 });
      await assertKeys(storage, secretsOf(fresh));
      await expect(assertKeys(storage, secretsOf(old))).rejects.toThrow(StorageSetupError);
    });
  });

  describe('rotation', () => {
    test('rotation seals every value again with the first key, in batches', async () => {
      const storage = await kind.open();
      await addItems(storage, secretsOf(old), 25);
      const secrets = secretsOf(fresh, old);
      const progress: number[] = [];
      const onProgress = (values: number) => void progress.push(values);
      expect(await rotateKeys(storage, secrets, { batch: 10, onProgress })).toEqual({
        resealed: 25,
        unreadable: 0,
        keysStillNeeded: [],
      });
      expect(progress).toEqual([10, 20, 25]);
      for (const [id, value] of await tokens(storage)) {
        expect(secretsOf(fresh).open(value, { table: 'items', row: id, column: 'access_token_enc' })).toBe(
          `token of ${id}`,
        );
      }
      expect((await rotateKeys(storage, secrets, { batch: 10 })).resealed).toBe(0);
    });

    test('rotation keeps a change that is made in between', async () => {
      const storage = await kind.open();
      await addItems(storage, secretsOf(old), 3);
      const secrets = secretsOf(fresh, old);
      const newer = secrets.seal('newer', token(1));
      // Between reading and writing: when the first row of the batch is opened, the second one changes.
      let changed: Promise<unknown> | undefined;
      const interrupted: Secrets = {
        ...secrets,
        open: (sealed, where) => {
          changed ??= storage.db
            .updateTable('items')
            .set({ access_token_enc: newer })
            .where('id', '=', 'itm_1')
            .execute();
          return secrets.open(sealed, where);
        },
      };
      expect(await rotateKeys(storage, interrupted, { batch: 10 })).toMatchObject({ resealed: 2 });
      await changed;
      expect((await tokens(storage)).get('itm_1')).toBe(newer);
    });

    test('rotation leaves what it cannot open, and reports it', async () => {
      const storage = await kind.open();
      await addItems(storage, secretsOf(old), 2);
      const lost = secretsOf(foreign).seal('lost', token(0));
      await storage.db.updateTable('items').set({ access_token_enc: lost }).where('id', '=', 'itm_0').execute();
      expect(await rotateKeys(storage, secretsOf(fresh, old), { batch: 10 })).toEqual({
        resealed: 1,
        unreadable: 1,
        keysStillNeeded: [secretsOf(foreign).currentKeyId],
      });
      expect((await tokens(storage)).get('itm_0')).toBe(lost);
    });

    test('rotation keeps an old key needed while a session could still use its client secret', async () => {
      const storage = await kind.open();
      await assertKeys(storage, secretsOf(old));
      const secrets = secretsOf(fresh, old);
      await assertKeys(storage, secrets);
      const session = { ...rows.sessions, secret_key_id: secretsOf(old).currentKeyId, link_tokens_until: 0 };
      await storage.db
        .insertInto('sessions')
        .values({ ...session, expires_at: (await storage.now()) + 60_000 })
        .execute();
      expect((await rotateKeys(storage, secrets, { batch: 10 })).keysStillNeeded).toEqual([
        secretsOf(old).currentKeyId,
      ]);
      await expect(assertKeys(storage, secretsOf(fresh))).rejects.toThrow(StorageSetupError);
      await storage.db.updateTable('sessions').set({ expires_at: 0 }).execute();
      expect((await rotateKeys(storage, secrets, { batch: 10 })).keysStillNeeded).toEqual([]);
      await assertKeys(storage, secretsOf(fresh));
    });

    test('rotation covers every column that holds sealed values', async () => {
      const { db } = await kind.open();
      const tables = await db.introspection.getTables();
      const sealed = tables.flatMap(({ name, columns }) =>
        columns.filter((column) => column.name.endsWith('_enc')).map((column) => `${name}.${column.name}`),
      );
      expect(sealed.sort()).toEqual(SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`).sort());
    });
  });
});

async function addItems(storage: Storage, secrets: Secrets, count: number): Promise<void> {
  const items = Array.from({ length: count }, (_, i) => ({
    ...rows.items,
    id: `itm_${i}`,
    public_token_hash: String(i),
    access_token_enc: secrets.seal(`token of itm_${i}`, token(i)),
  }));
  await storage.db.insertInto('items').values(items).execute();
}

async function tokens(storage: Storage): Promise<Map<string, string>> {
  const items = await storage.db.selectFrom('items').select(['id', 'access_token_enc']).execute();
  return new Map(items.map((item) => [item.id, item.access_token_enc ?? '']));
}
