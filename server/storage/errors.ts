/**
 * The database can't answer just now: locked for too long, disk full, connection lost, shutting down. Asking again
 * later can succeed. After it, whether a commit happened is not known: read before writing again. `reason` is a short
 * code that is safe to log; the driver's own error is not kept, because its text can carry values of rows.
 */
export class StorageUnavailableError extends Error {
  readonly reason: string;

  /** @param sentence for the person who starts the server, where the reason has a remedy */
  constructor(reason: string, sentence = `The database is not available (${reason}).`) {
    super(sentence);
    this.name = 'StorageUnavailableError';
    this.reason = reason;
  }
}

/** The storage can't be opened as it is; the operator must change something, which the message names. */
export class StorageSetupError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StorageSetupError';
  }
}

/** The database was written by a newer version of this server than the one that runs. */
export class SchemaTooNewError extends StorageSetupError {
  constructor(unknown: readonly string[]) {
    super(
      `The database has migrations that this version does not know (${unknown.join(', ')}). Start the newer version of the server, or restore the backup that was taken before the upgrade.`,
    );
    this.name = 'SchemaTooNewError';
  }
}

/** For a commit, or one more statement, after an error that the transaction's own code has caught. */
export const TRANSACTION_FAILED = 'A statement of this transaction has failed; nothing of it is kept.';

/** True for the error that a broken unique or primary key gives, on both databases. */
export function isUniqueViolation(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, errcode } = error as Error & { code?: unknown; errcode?: unknown };
  if (code === '23505') return true;
  // 2067: SQLITE_CONSTRAINT_UNIQUE, 1555: SQLITE_CONSTRAINT_PRIMARYKEY. @photostructure/sqlite gives a failing run only
  // SQLite's text.
  return (
    code === 'ERR_SQLITE_ERROR' &&
    (errcode === 2067 || errcode === 1555 || /^UNIQUE constraint failed/.test(error.message))
  );
}
