import { sql } from 'kysely';
import { forgetKeys, neededKeys } from './check-keys.ts';
import type { Storage } from './open.ts';
import { type Secrets, SecretsError } from './secrets.ts';
import { ACCEPT_GRACE_MS, USABLE_LINK } from './statuses.ts';

/** Every column that holds sealed values. `row` of such a value is the row's `id`. */
export const SEALED_COLUMNS = [
  { table: 'sessions', column: 'identity_enc' },
  { table: 'items', column: 'public_token_enc' },
  { table: 'items', column: 'access_token_enc' },
  { table: 'inbound_events', column: 'public_token_enc' },
  { table: 'hosted_links', column: 'link_token_enc' },
  { table: 'evidence_keys', column: 'private_enc' },
  { table: 'links', column: 'request_enc' },
] as const;

type SealedColumn = (typeof SEALED_COLUMNS)[number];

export interface Rotation {
  resealed: number;
  /** Values that could not be opened; they were left as they are. */
  unreadable: number;
  /**
   * Old keys that must stay in the list: a value, or the client secret of a session that is still going, needs them.
   */
  keysStillNeeded: string[];
}

/**
 * Seals every value again with the first key, while serving. Each is written only if it is still what was read, so a
 * concurrent change always wins. Run it when all instances have the new key first; then the keys not in
 * `keysStillNeeded` can leave the list.
 * @param options.batch how many rows are read at a time
 * @param options.onProgress is given how many values were looked at, after each batch
 */
export async function rotateKeys(
  storage: Storage,
  secrets: Secrets,
  options: { batch: number; onProgress?: (values: number) => void },
): Promise<Rotation> {
  const rotation: Rotation = { resealed: 0, unreadable: 0, keysStillNeeded: [] };
  let values = 0;
  for (const sealed of SEALED_COLUMNS) {
    let after = '';
    for (;;) {
      const rows = await readBatch(storage, sealed, after, options.batch);
      for (const row of rows) await reseal(storage, secrets, sealed, row, rotation);
      const last = rows.at(-1);
      if (!last) break;
      after = last.id;
      values += rows.length;
      options.onProgress?.(values);
    }
  }
  const used = await usedKeys(storage);
  const known = await neededKeys(storage);
  const old = (id: string) => id !== secrets.currentKeyId;
  await forgetKeys(
    storage,
    known.filter((id) => old(id) && !used.has(id)),
  );
  rotation.keysStillNeeded = [...used].filter(old).sort();
  return rotation;
}

async function readBatch(storage: Storage, { table, column }: SealedColumn, after: string, batch: number) {
  const { rows } = await sql<{ id: string; value: string }>`
    select id, ${sql.ref(column)} as value from ${sql.table(table)}
    where id > ${after} and ${sql.ref(column)} is not null order by id limit ${batch}`.execute(storage.db);
  return rows;
}

async function reseal(
  storage: Storage,
  secrets: Secrets,
  { table, column }: SealedColumn,
  { id, value }: { id: string; value: string },
  rotation: Rotation,
): Promise<void> {
  const where = { table, row: id, column };
  let fresh: string;
  try {
    if (!secrets.needsReseal(value)) return;
    fresh = secrets.seal(secrets.open(value, where), where);
  } catch (error) {
    if (!(error instanceof SecretsError)) throw error;
    rotation.unreadable += 1;
    return;
  }
  const result = await sql`
    update ${sql.table(table)} set ${sql.ref(column)} = ${fresh}
    where id = ${id} and ${sql.ref(column)} = ${value}`.execute(storage.db);
  if (result.numAffectedRows === 1n) rotation.resealed += 1;
}

async function usedKeys(storage: Storage): Promise<Set<string>> {
  const used = new Set<string>();
  for (const { table, column } of SEALED_COLUMNS) {
    // After `v1.` come the eight characters of the key id.
    const { rows } = await sql<{ id: string }>`
      select distinct substr(${sql.ref(column)}, 4, 8) as id from ${sql.table(table)}
      where ${sql.ref(column)} is not null`.execute(storage.db);
    for (const { id } of rows) used.add(id);
  }
  const now = await storage.now();
  // While `complete` is accepted, the session's client secret must still be derivable.
  const sessions = await storage.db
    .selectFrom('sessions')
    .select('secret_key_id')
    .distinct()
    .where((row) => row.or([row('expires_at', '>', now), row('link_tokens_until', '>', now - ACCEPT_GRACE_MS)]))
    .execute();
  for (const { secret_key_id } of sessions) used.add(secret_key_id);
  // The address of a link that can still be used is derived with it.
  const links = await storage.db
    .selectFrom('links')
    .select('secret_key_id')
    .distinct()
    .where('status', 'in', USABLE_LINK)
    .where('expires_at', '>', now)
    .execute();
  for (const { secret_key_id } of links) used.add(secret_key_id);
  return used;
}
