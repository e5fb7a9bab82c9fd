import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Arena, ArenaOptions } from './arena.ts';
import type { Control } from './controls.ts';
import type { Verdict } from './judge.ts';
import type { RunRound } from './suite.ts';

/**
 * A power cut, as far as a file system can tell: the database lies in an image of a disk that is mounted, and what counts after the cut
 * is a copy of that image, taken behind the back of the file system while the server is stopped in its tracks. Whatever was written but
 * not synced is in the memory of the machine only, and so not in the copy. It proves that what was acknowledged had been handed to the
 * disk with the order to keep it; it proves nothing about a disk that lies about that.
 */
const IMAGE_SIZE = '96M';
/** The file system's own syncing would save what SQLite did not: later than any round here lasts. */
const OPTIONS = 'loop,commit=600';

/** Why there can be no power cut here; undefined: there can. */
export function whyNoPowerCut(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'fbc-power-'));
  try {
    const disk = makeDisk(folder, '8M');
    mount(disk);
    execFileSync('umount', [disk.folder]);
    return undefined;
  } catch {
    return 'it needs root, mkfs.ext4 and a loop device';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function powerCut(round: RunRound, control: Control | undefined): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), 'fbc-power-'));
  const disk = makeDisk(folder, IMAGE_SIZE);
  const around = async (run: (more: Pick<ArenaOptions, 'dataDir'>) => Promise<void>) => {
    mount(disk);
    try {
      await run({ dataDir: join(disk.folder, 'data') });
    } finally {
      execFileSync('umount', ['-l', disk.folder]);
      rmSync(folder, { recursive: true, force: true });
    }
  };
  return round({ instances: 1, around, options: { instancesSuffer: true } }, { control }, async (arena) => {
    await arena.connect(20, { atOnce: 10 });
    if (control) return cutPower(arena, disk);
    // The whole server is also cut off in the middle of work.
    const connecting = arena.connect(10);
    await sleep(arena.random.between(100, 200));
    await cutPower(arena, disk);
    await connecting;
  });
}

async function cutPower(arena: Arena, disk: Disk): Promise<void> {
  const instance = arena.cluster.empty(0);
  // Stopped first: what it does after the copy has not happened on the disk that comes back.
  instance?.signal('SIGSTOP');
  const copy = `${disk.image}.after`;
  copyFileSync(disk.image, copy);
  instance?.signal('SIGKILL');
  await instance?.exited;
  execFileSync('umount', [disk.folder]);
  mount({ ...disk, image: copy });
  await arena.cluster.fill(0);
}

interface Disk {
  image: string;
  folder: string;
}

function makeDisk(folder: string, size: string): Disk {
  const disk = { image: join(folder, 'disk.img'), folder: join(folder, 'mounted') };
  mkdirSync(disk.folder);
  execFileSync('truncate', ['-s', size, disk.image], { stdio: 'ignore' });
  execFileSync('mkfs.ext4', ['-q', '-F', disk.image], { stdio: 'ignore' });
  return disk;
}

function mount({ image, folder }: Disk): void {
  execFileSync('mount', ['-o', OPTIONS, image, folder], { stdio: 'ignore' });
}
