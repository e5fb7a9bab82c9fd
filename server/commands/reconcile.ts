import { parseArgs } from 'node:util';
import { loadConfig } from '../config.ts';
import { assembleServer } from '../create-server.ts';
import { readVersion } from '../http/script-bundle.ts';
import type { Finding } from '../lifecycle/reconcile.ts';
import { createLog } from '../log.ts';
import { openStorage } from '../storage/open.ts';

/** The command was called in a way that it does not have. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** `reconcile [--fix] [--since DATE]`. Exits with 1 while something is found that was not put right. */
export async function runReconcile(args: string[]): Promise<void> {
  const options = readArguments(args);
  const config = loadConfig(process.env);
  const log = createLog({
    level: config.logLevel,
    secrets: config.secretValues,
    write: (line) => void process.stderr.write(line),
  });
  const storage = await openStorage(config);
  try {
    const { reconcile } = await assembleServer({ config, storage, log, version: await readVersion() });
    const { instruments, connections, findings } = await reconcile(options);
    for (const finding of findings) process.stdout.write(`${toLine(finding)}\n`);
    const open = findings.filter(({ done }) => done === null).length;
    process.stdout.write(
      `${instruments} instruments and ${connections} connections compared: ${findings.length} findings, ${open} to be put right.\n`,
    );
    if (findings.some(({ about, done }) => about === 'instrument' && done === null)) {
      process.stdout.write('Run it with --fix to disable these instruments at Finix.\n');
    }
    if (open > 0) process.exitCode = 1;
  } finally {
    await storage.close();
  }
}

function readArguments(args: string[]): { fix: boolean; since: number } {
  let values: { fix?: boolean | undefined; since?: string | undefined };
  try {
    ({ values } = parseArgs({ args, options: { fix: { type: 'boolean' }, since: { type: 'string' } } }));
  } catch (error) {
    throw new UsageError(`reconcile takes --fix and --since DATE. ${(error as Error).message}`);
  }
  const since = values.since === undefined ? 0 : Date.parse(values.since);
  if (Number.isNaN(since)) throw new UsageError('--since must be a date such as 2026-01-31.');
  return { fix: values.fix ?? false, since };
}

function toLine({ about, id, problem, done }: Finding): string {
  return `${about} ${id} ${problem}${done === null ? '' : ` -> ${done}`}`;
}
