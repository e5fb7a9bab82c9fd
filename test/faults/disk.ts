import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canMount } from '../helpers/can-mount.ts';
import type { Environment, EnvironmentOptions } from './environment.ts';

/** Enough for the database of a few hundred sessions and its log. */
const DISK_BYTES = 24 * 2 ** 20;

/** A small disk that fills up; where none can be mounted, SQLite's own limit on the size of its file. */
export const withFullDisk = {
  async around(run: (more: Pick<EnvironmentOptions, 'dataDir'>) => Promise<void>): Promise<void> {
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

  async fill(environment: Environment, whileFull: () => Promise<void>): Promise<void> {
    if (environment.options.dataDir === undefined) {
      await Promise.all(environment.cluster.instances.map((instance) => instance.send({ order: 'full', full: true })));
      await whileFull();
      await Promise.all(environment.cluster.instances.map((instance) => instance.send({ order: 'full', full: false })));
      return;
    }
    const ballast = join(environment.dataDir, 'ballast');
    try {
      writeFileSync(ballast, Buffer.alloc(DISK_BYTES));
    } catch {
      // The disk is full now.
    }
    await whileFull();
    rmSync(ballast);
  },
};
