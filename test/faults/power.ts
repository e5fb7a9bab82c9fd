import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Control } from './controls.ts';
import type { Environment, EnvironmentOptions } from './environment.ts';
import type { Verdict } from './oracle.ts';
import type { RunRound } from './round.ts';

/**
 * A power cut, as a file system sees it: the database is in an image of a disk that is mounted, and what counts after
 * the cut is a copy of that image, taken without the file system's knowledge while the server is stopped. Data that was
 * written but not synced is in the memory of the machine only, and so not in the copy. It proves that acknowledged data
 * had been synced to the disk; it proves nothing about a disk that ignores a sync.
 */
const IMAGE_SIZE = '96M';
/** The file system's own syncing would save data that SQLite did not sync: later than any round here lasts. */
const OPTIONS = 'loop,commit=600';

/** Why a power cut can't be simulated here; undefined: it can. */
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
  const around = async (run: (more: Pick<EnvironmentOptions, 'dataDir'>) => Promise<void>) => {
    mount(disk);
    try {
      await run({ dataDir: join(disk.folder, 'data') });
    } finally {
      execFileSync('umount', ['-l', disk.folder]);
      rmSync(folder, { recursive: true, force: true });
    }
  };
  return round({ instances: 1, around, options: { instancesSuffer: true } }, { control }, async (environment) => {
    await environment.connect(20, { atOnce: 10 });
    if (control) return cutPower(environment, disk);
    // The complete server also loses power in the middle of work.
    const connecting = environment.connect(10);
    await sleep(environment.random.between(100, 200));
    await cutPower(environment, disk);
    await connecting;
  });
}

async function cutPower(environment: Environment, disk: Disk): Promise<void> {
  const instance = environment.cluster.empty(0);
  // Stopped first: nothing it writes after the copy is on the disk that comes back.
  instance?.signal('SIGSTOP');
  const copy = `${disk.image}.after`;
  copyFileSync(disk.image, copy);
  instance?.signal('SIGKILL');
  await instance?.exited;
  execFileSync('umount', [disk.folder]);
  mount({ ...disk, image: copy });
  await environment.cluster.fill(0);
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
