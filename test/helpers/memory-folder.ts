import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
const PREFIX = 'fbc-tests-';
/** A run takes minutes. */
const ABANDONED_AFTER_MS = 24 * 3600_000;
const MADE = Symbol.for('finix-bank-connect.memory-folder');

/** Two PostgreSQLs with a database for each of 100 tests take up to 2 GB; containers often give 64 MB. */
const LEAST_BYTES = 4 * 2 ** 30;

/**
 * A folder in memory for what tests write, removed with this process. Each server of a test has a database of its own,
 * and its durable commits would be most of what the test waits for. A power cut is simulated by the fault suite, which
 * has its databases on a disk.
 * @returns undefined where there is too little memory, or none that can be used as a folder
 */
export function memoryFolder(): string | undefined {
  // Vitest evaluates its configuration, with all that it imports, once for each project.
  const shared = globalThis as { [MADE]?: string | undefined };
  if (!(MADE in shared)) shared[MADE] = make();
  return shared[MADE];
}

function make(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    if (Math.min(bavail * bsize, process.availableMemory()) < LEAST_BYTES || forbidsPrograms()) return undefined;
    removeAbandoned();
    const folder = mkdtempSync(join(MEMORY, PREFIX));
    // PostgreSQL runs as another user where the tests run as root.
    chmodSync(folder, 0o755);
    process.once('exit', () => remove(folder));
    return folder;
  } catch {
    return undefined;
  }
}

/** As containers often mount it; the tests of the packages start a program where they have installed it. */
function forbidsPrograms(): boolean {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  // The last of several mounts is the one that is seen.
  const [, , , options = ''] = mounts.map((line) => line.split(' ')).findLast(([, at]) => at === MEMORY) ?? [];
  return options.split(',').includes('noexec');
}

/** Folders of processes that were killed. By their age, because containers can share the memory but not process ids. */
function removeAbandoned(): void {
  for (const name of readdirSync(MEMORY)) {
    const folder = join(MEMORY, name);
    if (!name.startsWith(PREFIX) || Date.now() - statSync(folder).mtimeMs < ABANDONED_AFTER_MS) continue;
    remove(folder);
  }
}

function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // A database that is ending may still write to it, which is no failure of the tests. A later run removes it.
  }
}
