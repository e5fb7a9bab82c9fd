import type { Storage } from '../storage/open.ts';
import type { ScriptBundle } from './context.ts';

/** `finix-bank-connect@{version}.js` is next to it: the whole script in one file, which pages pin by its hash. */
export const MOVING_NAME = 'finix-bank-connect.js';

/**
 * Keeps this build's scripts next to those of earlier ones. A page that pins a version, or that was loaded before an
 * upgrade and asks for a chunk after it, gets from the archive what its own server no longer has on disk.
 */
export async function archiveScripts(storage: Storage, { files }: ScriptBundle): Promise<void> {
  const now = await storage.now();
  for (const [name, bytes] of files) {
    // It moves with the server's version; the pinned form of a version stays.
    if (name === MOVING_NAME) continue;
    const content = Buffer.from(bytes).toString('base64');
    const row = { name, content, created_at: now };
    await storage.db
      .insertInto('scripts')
      .values(row)
      // Only a build that is not released yet comes twice under one version.
      .onConflict((conflict) =>
        conflict.column('name').doUpdateSet({ content }).where('scripts.content', '<>', content),
      )
      .execute();
  }
}

/** @returns undefined when no version of this server had such a file */
export async function findArchivedScript(storage: Storage, name: string): Promise<Uint8Array | undefined> {
  const row = await storage.db.selectFrom('scripts').select('content').where('name', '=', name).executeTakeFirst();
  return row && Buffer.from(row.content, 'base64');
}
