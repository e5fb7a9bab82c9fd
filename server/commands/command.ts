import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { ConfigError } from '../config.ts';
import { StorageSetupError, StorageUnavailableError } from '../storage/errors.ts';

/** Exit codes of every command; docs/cli.md documents them. */
export const EXIT = {
  ok: 0,
  /** The command did not do its work, or found something that needs attention. */
  failed: 1,
  /** The command does not exist or does not take these arguments. */
  usage: 2,
  /** The running server, a provider or the database could not be reached: the same command may work later. */
  unreachable: 3,
} as const;

/** The surroundings of a command, so that tests run one without a process. */
export interface CommandContext {
  env: Record<string, string | undefined>;
  /** Results: what a pipe reads. */
  write(text: string): void;
  /** Progress, remarks and errors: what a person reads. */
  note(text: string): void;
  /** For commands that run until they are stopped: resolves at the first request to stop. */
  untilStopped(): Promise<void>;
  /** How the process ends unless the command throws. */
  exitCode: number;
}

/** Adds one command to the program. */
export type AddCommand = (program: Command, context: CommandContext) => void;

/** A failure that a sentence explains. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  constructor(
    message: string,
    readonly exitCode: number = EXIT.failed,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The command was called in a way that it does not have. */
export class UsageError extends CommandError {
  constructor(message: string) {
    super(message, EXIT.usage);
  }
}

/** The number of an option, in digits; NaN: it is none. JavaScript takes an empty text for 0, and `1e3` for 1000. */
export function wholeNumber(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
}

/** JavaScript takes `7` for a day in 2001, and many other typing errors for dates. */
const ISO_TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

/** The time of an option, in milliseconds since 1970. @throws InvalidArgumentError */
export function readIsoTime(text: string): number {
  const time = ISO_TIME.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) {
    throw new InvalidArgumentError('It must be a date such as 2026-01-31, or a time such as 2026-01-31T08:00Z.');
  }
  return time;
}

interface SystemError {
  code?: string;
  syscall?: string;
  path?: string;
  address?: string;
  hostname?: string;
  port?: number;
}

/**
 * Why a server could not listen, in the words of its settings; undefined: it is another error.
 * @param setting the port's
 */
export function listenFailure(error: unknown, setting = 'PORT'): string | undefined {
  const { code, syscall, address, hostname, port } = (error ?? {}) as SystemError;
  if (code === 'EADDRINUSE') return `${setting} ${port} is in use by another process.`;
  if (code === 'EACCES' && syscall === 'listen') {
    return `${setting} ${port} needs a right that this process does not have (EACCES): take one above 1023, such as 3000.`;
  }
  if (code === 'EADDRNOTAVAIL') return `HOST ${address} is no address of this machine.`;
  return syscall === 'getaddrinfo' ? `HOST ${hostname} leads to no address (${code}).` : undefined;
}

/** Why a file or a folder could not be used; undefined: it is another error. */
function fileFailure(error: unknown): string | undefined {
  const { code, syscall, path } = (error ?? {}) as SystemError;
  if (code === undefined || syscall === undefined || path === undefined) return undefined;
  return code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
    ? `${path} must be readable and writable for the user that this process runs as (${code}).`
    : `${path} could not be used (${syscall}: ${code}).`;
}

/**
 * How a process reports an error, and how it ends. Unexpected errors keep their stack.
 * @param folder where the process was started
 */
export function describeFailure(error: unknown, folder = process.cwd()): { message: string; exitCode: number } {
  if (error instanceof CommandError) return { message: error.message, exitCode: error.exitCode };
  const { message, stack } = error as { message?: string; stack?: string };
  if (error instanceof StorageUnavailableError) return { message: error.message, exitCode: EXIT.unreachable };
  if (error instanceof ConfigError) {
    const hint = isInFile(error, join(folder, '.env')) ? UNREAD_FILE : '';
    return { message: `${error.message}${hint}`, exitCode: EXIT.failed };
  }
  const sentence = error instanceof StorageSetupError ? message : (listenFailure(error) ?? fileFailure(error));
  return { message: String(sentence ?? stack), exitCode: EXIT.failed };
}

const UNREAD_FILE = '\n`.env` has settings that are missing here: run `set -a; . ./.env; set +a` first.';

/** Whether a file has a setting that the environment does not have: it was filled in, and not loaded. */
function isInFile({ problems }: ConfigError, file: string): boolean {
  const missing = problems.flatMap((problem) => /^([A-Z_]+) is missing/.exec(problem)?.[1] ?? []);
  try {
    const text = readFileSync(file, 'utf8');
    return missing.some((name) => new RegExp(`^(?:export )?${name}=[^\\s#]`, 'm').test(text));
  } catch {
    return false;
  }
}
