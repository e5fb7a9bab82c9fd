import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { StorageOptions } from '../../../server/storage/open.ts';
import { bundle } from '../../helpers/bundle.ts';

export type StartChild = (task: 'increment' | 'append', options: StorageOptions, times?: number) => ChildProcess;

/** Bundles child.ts once for all processes of a file. */
export async function prepareChild(): Promise<StartChild> {
  const file = await bundle('test/server/storage/child.ts');
  return (task, options, times = 0) =>
    spawn(process.execPath, [file, task, JSON.stringify(options), String(times)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
}

/** The exit code, or the signal that ended it. */
export async function ended(child: ChildProcess): Promise<unknown> {
  const [code, signal] = await once(child, 'close');
  return code ?? signal;
}
