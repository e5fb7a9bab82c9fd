import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CommandContext, CommandError } from './command.ts';

/** `dist/`, as seen from the built server in `dist/server/`. */
const dist = dirname(dirname(fileURLToPath(import.meta.url)));
/** Shells add the signal's number to it. */
const ENDED_BY_SIGNAL = 128;

/**
 * Runs another program of this package, the demo or the simulator, which the server itself never loads. Ctrl+C reaches both, and the
 * program ends in its own way; so does a SIGTERM.
 * @param file below `dist/`
 */
export async function runBuiltProgram(
  { env }: Pick<CommandContext, 'env'>,
  file: string,
  args: readonly string[],
): Promise<number> {
  const program = join(dist, file);
  if (!existsSync(program)) throw new CommandError(`dist/${file} is not there. In a clone, run: npm run build`);
  const child = spawn(process.execPath, [program, ...args], { stdio: 'inherit', env });
  const passOn = () => void child.kill('SIGTERM');
  const ignore = () => {};
  process.once('SIGTERM', passOn);
  process.on('SIGINT', ignore);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) =>
        resolve(code ?? ENDED_BY_SIGNAL + (signal === null ? 0 : (constants.signals[signal] ?? 0))),
      );
    });
  } finally {
    process.off('SIGTERM', passOn);
    process.off('SIGINT', ignore);
  }
}
