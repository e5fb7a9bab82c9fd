import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStorage } from '../../server/storage/open.ts';

let template: Promise<Map<string, Buffer>> | undefined;

/** Makes a folder with an embedded database that has its tables and no rows: migrating takes longer than copying. */
export async function migratedDatabase(): Promise<string> {
  template ??= makeTemplate();
  const files = await template;
  const dataDir = await mkdtemp(join(tmpdir(), 'fbc-server-'));
  for (const [name, content] of files) await writeFile(join(dataDir, name), content);
  return dataDir;
}

async function makeTemplate(): Promise<Map<string, Buffer>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'fbc-template-'));
  try {
    const storage = await openStorage({ dataDir });
    await storage.close();
    const names = await readdir(dataDir);
    return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(dataDir, name))] as const)));
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}
