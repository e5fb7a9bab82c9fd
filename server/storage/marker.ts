import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageSetupError } from './errors.ts';

/**
 * A file next to the embedded database that records that there is one, and how far it had come: an emptied database,
 * and an older copy in its place, are noticed by it. It holds nothing that a copy of the database needs.
 */
const MARKER_FILE = 'finix-bank-connect.marker';

/**
 * @returns how far the database had come; undefined: there was none in this folder
 * @throws StorageSetupError when there is one that this process may not read
 */
export async function readMarker(dataDir: string): Promise<number | undefined> {
  try {
    const count = Number((await readFile(join(dataDir, MARKER_FILE), 'utf8')).trim());
    return Number.isSafeInteger(count) ? count : undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new StorageSetupError(
      `${join(dataDir, MARKER_FILE)} can't be read (${code}): give the user that the server runs as the right to read and write it.`,
    );
  }
}

/** Whole or not at all, so that a full disk leaves the last one. */
export async function writeMarker(dataDir: string, count: number): Promise<void> {
  const file = join(dataDir, MARKER_FILE);
  // Of several processes each writes a part of its own.
  const part = `${file}.${process.pid}.part`;
  const handle = await open(part, 'w', 0o600);
  try {
    await handle.writeFile(`${count}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(part, file);
}

export function markerPath(dataDir: string): string {
  return join(dataDir, MARKER_FILE);
}
