import type { Pool } from 'pg';
import { StorageSetupError, StorageUnavailableError } from './errors.ts';
import { hasStatementTimeout, isRefusedByPooler, startError } from './postgres-start.ts';
import { isStalePlan, PreparedStatements } from './prepared-statements.ts';

/**
 * Eight instances fit into PostgreSQL's default of 100 connections; a query takes milliseconds, so ten serve hundreds a
 * second.
 */
const POOL_SIZE = 10;
/**
 * A healthy server accepts within milliseconds; a customer should not look at a spinner for longer than this for an
 * error.
 */
const CONNECT_TIMEOUT_MS = 5_000;
/** Connections are costly to the server; half a minute keeps them through a quiet spell of a busy day. */
const IDLE_TIMEOUT_MS = 30_000;
/** Every query here goes through an index and takes milliseconds; 10 s means a lock that is never released. */
const STATEMENT_TIMEOUT_MS = 10_000;
/**
 * No transaction here waits for anything but the database, so one that idles belongs to a frozen process and blocks
 * others.
 */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000;
/**
 * When the network swallows packets the server's own timeout never arrives; a little after it, the connection is given
 * up.
 */
const ANSWER_TIMEOUT_MS = 12_000;

/** A pool, and the statements that bring the limits above into force in each transaction. */
export interface OpenPool {
  pool: Pool;
  /** Empty: each connection has the limits from its start. */
  limits: string;
  prepared: PreparedStatements;
}

const LIMITS = {
  statement_timeout: STATEMENT_TIMEOUT_MS,
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
};
/** For a pooler, whose connections are lent for a transaction: a setting would stay for another program. */
const LIMITS_OF_TRANSACTION = Object.entries(LIMITS)
  .map(([name, ms]) => `set local ${name} = ${ms}`)
  .join('; ');

const LENT = 'Statements are no longer prepared: a pooler is between this server and PostgreSQL';

/**
 * Connects once, so that a wrong address is reported at the start and a pooler is noticed.
 * @throws {StorageSetupError} not a PostgreSQL URL (which is not repeated: it holds a password)
 */
export async function openPool(
  databaseUrl: string,
  warn: (message: string, fields: object) => void,
  preparedStatements = true,
): Promise<OpenPool> {
  if (!/^postgres(ql)?:\/\//.test(databaseUrl)) {
    throw new StorageSetupError('DATABASE_URL must begin with postgres:// (leave it unset for the embedded database)');
  }
  try {
    return await connectOnce(databaseUrl, warn, LIMITS, preparedStatements);
  } catch (error) {
    if (!isRefusedByPooler(error)) throw startError(error, databaseUrl);
  }
  return connectOnce(databaseUrl, warn, {}, false).catch((error: unknown) => {
    throw startError(error, databaseUrl);
  });
}

/** @throws pg's own error */
async function connectOnce(
  databaseUrl: string,
  warn: (message: string, fields: object) => void,
  limits: Partial<typeof LIMITS>,
  preparedStatements: boolean,
): Promise<OpenPool> {
  const pool = await createPool(databaseUrl, warn, limits);
  try {
    const client = await pool.connect();
    try {
      const isInForce = await hasStatementTimeout(client, STATEMENT_TIMEOUT_MS);
      // A pooler lends a connection for a transaction, without what was prepared on it.
      const prepared = new PreparedStatements(preparedStatements && isInForce, () => warn(LENT, {}));
      return { pool, limits: isInForce ? '' : LIMITS_OF_TRANSACTION, prepared };
    } finally {
      client.release();
    }
  } catch (error) {
    await pool.end();
    throw error;
  }
}

async function createPool(
  databaseUrl: string,
  warn: (message: string, fields: object) => void,
  limits: Partial<typeof LIMITS>,
): Promise<Pool> {
  const { default: pg } = await import('pg');
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    application_name: 'finix-bank-connect',
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    ...limits,
    query_timeout: ANSWER_TIMEOUT_MS,
    keepAlive: true,
    // A statement is sent although the one before was not answered yet; see PostgresConnection.
    ...{ pipeline: true },
    types: {
      // Times and counts come as numbers, as on SQLite: milliseconds stay exact for 280,000 years. Set for this pool,
      // not for other users of pg in the process.
      getTypeParser: (oid, format) => (oid === INT8 || oid === NUMERIC ? Number : pg.types.getTypeParser(oid, format)),
    },
  });
  // Without listeners a lost connection ends the process. The pool speaks for the idle ones; one that is lost in the
  // middle of a transaction shows itself at the next statement.
  pool.on('error', (error) =>
    warn('A database connection was lost', { reason: unavailableReason(error) ?? error.name }),
  );
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

// Type numbers, from pg_type: sum() over bigint gives numeric.
const INT8 = 20;
const NUMERIC = 1700;

/**
 * Another transaction, or a change of the schema, was in the way: run again, it can succeed. 40001: serialization
 * failure, 40P01: deadlock.
 */
export function isConflict(error: unknown): boolean {
  const code = codeOf(error);
  return code === '40001' || code === '40P01' || isStalePlan(error);
}

/**
 * What a caller gets for an error of pg: StorageUnavailableError where waiting can help, else the error without values
 * of rows.
 */
export function toPostgresError(error: unknown): unknown {
  const reason = unavailableReason(error);
  if (reason !== undefined) return new StorageUnavailableError(reason);
  // PostgreSQL puts whole rows into these ("Failing row contains …"), and errors end up in logs.
  if (error instanceof Error) Object.assign(error, { detail: undefined, where: undefined, internalQuery: undefined });
  return error;
}

/** As toPostgresError, of an attempt to connect: no statement was sent, so each error there is the connection's. */
export function toConnectError(error: unknown): StorageUnavailableError {
  return new StorageUnavailableError(unavailableReason(error) ?? codeOf(error) ?? 'no connection');
}

/**
 * SQLSTATE classes: 08 connection, 28 login refused, 53 out of memory, disk or connections, 58 disk failure, 57
 * canceled, shut down or starting up; 25006 connected to a standby, 25P03 idle in transaction for too long, 55P03 lock
 * not available.
 */
const UNAVAILABLE_STATE = /^(08|28|53|57|58)...$|^25006$|^25P03$|^55P03$/;

/** Codes of the operating system and the resolver. */
const UNAVAILABLE_CODE =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ENOENT|EMFILE|ENFILE)$/;

/** pg has no codes for its own: these are the beginnings of its messages. */
const UNAVAILABLE_MESSAGE: readonly [RegExp, string][] = [
  [
    /^timeout exceeded when trying to connect|^Connection terminated due to connection timeout|^timeout expired/,
    'connect timeout',
  ],
  [/^Connection terminated|^Client has encountered a connection error|^Client was closed/, 'connection lost'],
  [/^Query read timeout/, 'query timeout'],
  [/^Cannot use a pool after calling end/, 'closed'],
];

function unavailableReason(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = codeOf(error);
  if (code !== undefined) return UNAVAILABLE_STATE.test(code) || UNAVAILABLE_CODE.test(code) ? code : undefined;
  return UNAVAILABLE_MESSAGE.find(([text]) => text.test(error.message))?.[1];
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : undefined;
}
