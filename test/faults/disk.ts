import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Arena, ArenaOptions } from './arena.ts';

/** Room for the database of a few hundred sessions and its log. */
const DISK_BYTES = 24 * 2 ** 20;

/** Whether this process may mount: needs root, and a container that lets it. */
export function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'fbc-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A small disk that really fills up; where none can be mounted, SQLite's own limit on the size of its file. */
export const withFullDisk = {
  async around(run: (more: Pick<ArenaOptions, 'dataDir'>) => Promise<void>): Promise<void> {
    if (!canMount()) return run({});
    const dataDir = mkdtempSync(join(tmpdir(), 'fbc-disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES},mode=0700`, 'tmpfs', dataDir]);
    try {
      await run({ dataDir });
    } finally {
      execFileSync('umount', ['-l', dataDir]);
      rmSync(dataDir, { recursive: true, force: true });
    }
  },

  async fill(arena: Arena, whileFull: () => Promise<void>): Promise<void> {
    if (arena.options.dataDir === undefined) {
      await Promise.all(arena.cluster.instances.map((instance) => instance.tell({ order: 'full', full: true })));
      await whileFull();
      await Promise.all(arena.cluster.instances.map((instance) => instance.tell({ order: 'full', full: false })));
      return;
    }
    const ballast = join(arena.dataDir, 'ballast');
    try {
      writeFileSync(ballast, Buffer.alloc(DISK_BYTES));
    } catch {
      // As much as there was room for is in it.
    }
    await whileFull();
    rmSync(ballast);
  },
};
