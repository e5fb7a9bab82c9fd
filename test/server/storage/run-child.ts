import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { StorageOptions } from '../../../server/storage/open.ts';

export function startChild(task: 'increment' | 'append', options: StorageOptions, times = 0): ChildProcess {
  const file = fileURLToPath(new URL('child.ts', import.meta.url));
  return spawn(process.execPath, ['--import', 'tsx', file, task, JSON.stringify(options), String(times)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** The exit code, or the signal that ended it. */
export async function ended(child: ChildProcess): Promise<unknown> {
  const [code, signal] = await once(child, 'close');
  return code ?? signal;
}
