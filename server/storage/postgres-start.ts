import type { PoolClient } from 'pg';
import { StorageSetupError, StorageUnavailableError } from './errors.ts';

/** What an operator may learn of DATABASE_URL: everything but the password. */
interface Place {
  user: string;
  server: string;
  database: string;
}

type Remedy = (place: Place, message: string) => string;

/** A pooler is in between that knows no such parameter of a connection. PgBouncer calls it a protocol violation. */
export function isRefusedByPooler(error: unknown): boolean {
  return codeOf(error) === '08P01' && /unsupported startup parameter/.test(messageOf(error));
}

/** Whether the limits that a connection asked for at its start hold: a pooler may drop them. */
export async function hasStatementTimeout(client: PoolClient, timeoutMs: number): Promise<boolean> {
  const { rows } = await client.query<{ ms: string }>(
    `select setting as ms from pg_settings where name = 'statement_timeout'`,
  );
  return rows[0]?.ms === String(timeoutMs);
}

/**
 * The error of a start that failed, as one sentence that names the remedy. Errors that are not the database's stay as
 * they are. The password of the address is never part of it.
 */
export function startError(error: unknown, databaseUrl: string): unknown {
  if (error instanceof StorageSetupError) return error;
  const code = codeOf(error);
  const message = messageOf(error);
  const known = (code !== undefined && REMEDIES[code]) || MESSAGES.find(([text]) => text.test(message))?.[1];
  // Refused connections end so; what is wrong with a statement keeps its stack.
  const isFatal = (error as { severity?: unknown } | null)?.severity === 'FATAL';
  const remedy = known ?? (isFatal ? REFUSED : undefined);
  if (!remedy) return error;
  const sentence = remedy(placeOf(databaseUrl), message);
  return CAN_PASS.test(code ?? '')
    ? new StorageUnavailableError(code ?? '', sentence)
    : new StorageSetupError(sentence);
}

/** With these a later start can succeed without any change. */
const CAN_PASS = /^(ECONN|EHOST|ENET|ETIMEDOUT|EAI_AGAIN|53300|57P|28P01|25006|connect timeout)/;

const CERTIFICATE: Remedy = ({ server }) =>
  `The certificate of PostgreSQL at ${server} is not signed by an authority that this machine knows: save your provider's CA certificate to a file, and add sslmode=verify-full&sslrootcert=/path/to/ca.pem to DATABASE_URL.`;

const NOT_THERE: Remedy = ({ server }) =>
  `No PostgreSQL answers at ${server}: start it, open the network between, or correct host and port in DATABASE_URL.`;

const LOGIN: Remedy = ({ user, server }) =>
  `PostgreSQL at ${server} refuses the password of the role "${user}": correct it in DATABASE_URL, where #, /, ?, @ and % of a password are written as %23, %2F, %3F, %40 and %25.`;

const NO_DATABASE: Remedy = ({ database, user }) =>
  `There is no database "${database}": run CREATE DATABASE "${database}" OWNER "${user}", or correct the name in DATABASE_URL.`;

const REFUSED: Remedy = ({ server }, message) =>
  `PostgreSQL, or the pooler, at ${server} refuses the connection (${message}): correct DATABASE_URL, or what it names there.`;

/** By SQLSTATE, by the codes of TLS and of the operating system, and by the reasons of StorageUnavailableError. */
const REMEDIES: Record<string, Remedy> = {
  ECONNREFUSED: NOT_THERE,
  EHOSTUNREACH: NOT_THERE,
  ENETUNREACH: NOT_THERE,
  ETIMEDOUT: NOT_THERE,
  'connect timeout': NOT_THERE,
  ECONNRESET: ({ server }) =>
    `PostgreSQL at ${server} closed the connection before it was open: check the host, the port and the network between, and whether the server asks for TLS (sslmode=verify-full).`,
  ENOTFOUND: ({ server }) => `The host of ${server} can't be found: correct it in DATABASE_URL.`,
  EAI_AGAIN: ({ server }) =>
    `The host of ${server} can't be found just now: check the name server of this machine, then start again.`,
  ENOENT: (_place, message) =>
    /sslrootcert|sslcert|sslkey|\bopen\b/.test(message)
      ? `A file that DATABASE_URL names can't be read (${message}): correct sslrootcert, sslcert or sslkey.`
      : `There is no socket where DATABASE_URL points: start PostgreSQL, or correct the folder.`,
  EACCES: (_place, message) =>
    `A file that DATABASE_URL names can't be read (${message}): let the server's user read it.`,
  '28P01': LOGIN,
  '28000': ({ user, server, database }, message) => {
    if (/no encryption|SSL off/i.test(message))
      return `PostgreSQL at ${server} accepts only TLS: add sslmode=verify-full to DATABASE_URL.`;
    if (/does not exist/.test(message))
      return `There is no role "${user}" at ${server}: create it, or correct the user in DATABASE_URL.`;
    return `PostgreSQL at ${server} does not let the role "${user}" use the database "${database}" from this machine: add a line to its pg_hba.conf.`;
  },
  '3D000': NO_DATABASE,
  '42501': ({ user }, message) => {
    const schema = /permission denied for schema (\S+)/.exec(message)?.[1]?.replaceAll('"', '');
    if (schema !== undefined)
      return `The role "${user}" may not create tables in the schema "${schema}": run GRANT USAGE, CREATE ON SCHEMA "${schema}" TO "${user}", or give the role a schema of its own with CREATE SCHEMA AUTHORIZATION "${user}".`;
    if (/permission denied for database/.test(message))
      return `The role "${user}" may not connect: run GRANT CONNECT ON DATABASE … TO "${user}".`;
    return `The role "${user}" lacks a right that the start needs (${message}): start this version once with the role that owns the tables, or run the grant.`;
  },
  '42P07': ({ user }) =>
    `The schema holds a table of the same name that another program has made: give the role "${user}" a schema of its own with CREATE SCHEMA AUTHORIZATION "${user}".`,
  '3F000': ({ user }) =>
    `The role "${user}" has no schema to create tables in: run CREATE SCHEMA AUTHORIZATION "${user}", or grant it USAGE and CREATE on the schema of its search_path.`,
  '25006': ({ server, user }) =>
    `The database at ${server} only reads: use the primary's address, or run ALTER ROLE "${user}" SET default_transaction_read_only = off.`,
  '53300': ({ server }) =>
    `PostgreSQL at ${server} has no connection left: raise max_connections, or put a pooler in front of it.`,
  '57P03': ({ server }) => `PostgreSQL at ${server} is starting or stopping: start this server again in a moment.`,
  '0A000': (_place, message) =>
    `The database can't do what the server needs (${message}): use PostgreSQL 12 or later, or a service that is compatible with it.`,
  SELF_SIGNED_CERT_IN_CHAIN: CERTIFICATE,
  DEPTH_ZERO_SELF_SIGNED_CERT: CERTIFICATE,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: CERTIFICATE,
  UNABLE_TO_GET_ISSUER_CERT: CERTIFICATE,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: CERTIFICATE,
  CERT_HAS_EXPIRED: ({ server }) =>
    `The certificate of PostgreSQL at ${server} has expired: renew it there, or check this machine's clock.`,
  CERT_NOT_YET_VALID: ({ server }) =>
    `The certificate of PostgreSQL at ${server} is not valid yet: check this machine's clock.`,
  ERR_TLS_CERT_ALTNAME_INVALID: ({ server }) =>
    `The certificate of PostgreSQL is not for the host of ${server}: connect by the name in the certificate, or add uselibpqcompat=true&sslmode=verify-ca to check only that your provider's CA signed it.`,
};

/** pg's own errors and a pooler's have no code that distinguishes them. */
const MESSAGES: readonly [RegExp, Remedy][] = [
  [
    /does not support SSL/i,
    ({ server }) =>
      `PostgreSQL at ${server} has no TLS: turn it on there, or remove sslmode from DATABASE_URL where the network between is your own.`,
  ],
  [/no such database|database "[^"]*" does not exist/, NO_DATABASE],
  [/no such user|password authentication failed|SASL|auth failed/i, LOGIN],
  [/timeout exceeded when trying to connect|connection timeout|timeout expired/, NOT_THERE],
  [/Connection terminated/, REMEDIES['ECONNRESET'] as Remedy],
  [
    /requires specifying a CA/,
    () => 'sslmode=verify-ca needs the CA: add sslrootcert=/path/to/ca.pem to DATABASE_URL.',
  ],
  [
    /PEM|certificate|no start line/i,
    (_place, message) => `A certificate or key that DATABASE_URL names is not usable (${message}): it must be PEM.`,
  ],
  [
    /server login|pooler|query_wait_timeout|server_login_retry/i,
    ({ server }, message) =>
      `The pooler at ${server} can't reach its PostgreSQL (${message}): correct its configuration, or start the database.`,
  ],
];

function placeOf(databaseUrl: string): Place {
  const { hostname, port, pathname, username, searchParams } = new URL(databaseUrl);
  const user = searchParams.get('user') ?? decoded(username);
  const host = searchParams.get('host') ?? decoded(hostname);
  return {
    user,
    server: `${host || 'localhost'}:${searchParams.get('port') ?? (port || '5432')}`,
    database: decoded(pathname.slice(1)) || user,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function codeOf(error: unknown): string | undefined {
  if (error instanceof StorageUnavailableError) return error.reason;
  const { code, errors } = (error ?? {}) as { code?: unknown; errors?: unknown };
  if (typeof code === 'string') return code;
  // Both addresses of `localhost` were tried.
  return Array.isArray(errors) ? codeOf(errors[0]) : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}
