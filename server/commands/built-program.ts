import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type CommandContext, CommandError } from './command.ts';

/** `dist/`, as seen from the built server in `dist/server/`. */
const dist = dirname(dirname(fileURLToPath(import.meta.url)));
/** Shells add the signal's number to it. */
const ENDED_BY_SIGNAL = 128;

/**
 * Runs another program of this package, the demo or the simulator, which the server itself never loads. Ctrl+C reaches
 * both, and the program ends in its own way; so does a SIGTERM.
 * @param file below `dist/`
 */
export async function runBuiltProgram(
  { env }: Pick<CommandContext, 'env'>,
  file: string,
  args: readonly string[],
): Promise<number> {
  const program = findProgram(file);
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

function findProgram(file: string): string {
  const program = join(dist, file);
  if (!existsSync(program)) throw new CommandError(`dist/${file} is not there. In a clone, run: npm run build`);
  return program;
}

const simulatorFacts = z.object({
  plaidUrl: z.string(),
  finixUrl: z.string(),
  linkScriptUrl: z.string(),
  plaid: z.object({ clientId: z.string(), secret: z.string() }),
  finix: z.object({ username: z.string(), password: z.string() }),
});

export interface BuiltSimulator extends z.infer<typeof simulatorFacts> {
  stop(): Promise<void>;
  /** Without waiting, for a process that ends. */
  kill(): void;
}

/** The settings by which a server takes a simulator for both providers. */
export function providerSettings({ plaidUrl, finixUrl, plaid, finix }: BuiltSimulator): Record<string, string> {
  return {
    PLAID_ENV: 'sandbox',
    PLAID_CLIENT_ID: plaid.clientId,
    PLAID_SECRET: plaid.secret,
    PLAID_BASE_URL: plaidUrl,
    FINIX_ENV: 'sandbox',
    FINIX_USERNAME: finix.username,
    FINIX_PASSWORD: finix.password,
    FINIX_BASE_URL: finixUrl,
  };
}

/** A simulator for as long as a command runs. @param options as `simulator` takes them */
export async function startBuiltSimulator(
  { env }: Pick<CommandContext, 'env'>,
  options: readonly string[] = ['--port=0', '--quiet'],
): Promise<BuiltSimulator> {
  const args = [findProgram('simulator/serve.js'), '--json', ...options];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
  const ended = once(child, 'close');
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([once(lines, 'line'), ended.then(() => undefined)]);
  if (!first) throw new CommandError('The simulator did not start.');
  return {
    ...simulatorFacts.parse(JSON.parse(String(first[0]))),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
    kill: () => void child.kill('SIGTERM'),
  };
}
