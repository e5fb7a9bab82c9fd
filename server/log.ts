import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** From the few lines that matter most to all of them, and none. */
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * The tokens of Plaid, credentials in headers, our client secrets and addresses of links, wherever in a line they are.
 */
const TOKEN_SHAPES =
  /\b(?:public|access|link|processor)-(?:sandbox|production|development)-[\w-]+|(ses_[A-Za-z0-9]+_secret_)[\w-]+|(?<=\/c\/)[\w-]{43}(?![\w-])|Bearer\s+[\w.~+/=-]+|Basic\s+[\w+/=]+/g;

export interface LogOptions {
  level: LogLevel;
  /** Configured secrets, removed from every line by value. */
  secrets: string[];
  /** Where lines go; standard output unless a test listens. */
  write?: (line: string) => void;
}

/**
 * Structured logs that cannot leak: every finished line is scrubbed of known secrets and of anything shaped like a
 * token. Redaction by path alone misses nesting, messages and stacks, so the scrub works on the line.
 */
export function createLog({ level, secrets, write }: LogOptions): Logger {
  // Shorter strings would blank out innocent parts of lines.
  const values = secrets.filter((secret) => secret.length >= 8);
  const scrub = (line: string) => {
    let clean = line.replace(TOKEN_SHAPES, '$1[removed]');
    for (const value of values) clean = clean.replaceAll(value, '[removed]');
    return clean;
  };
  // A reader that has gone away must not take the server with it.
  if (!write) process.stdout.on('error', () => {});
  const destination = { write: write ?? ((line: string) => void process.stdout.write(line)) };
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, hooks: { streamWrite: scrub } },
    destination,
  );
}
