import { type Kysely, sql } from 'kysely';
import { StorageSetupError } from './errors.ts';
import type { Database } from './tables.ts';

/** Rights that the server needs on each of its tables. */
const RIGHTS = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];

/** Each table once; the type fails when one is missing. */
const TABLES = Object.keys({
  sessions: true,
  items: true,
  connections: true,
  connection_instruments: true,
  transfers: true,
  checks: true,
  links: true,
  evidence_keys: true,
  customers: true,
  create_calls: true,
  link_tokens: true,
  hosted_links: true,
  inbound_events: true,
  deliveries: true,
  audit: true,
  erasures: true,
  idempotency: true,
  rate_limits: true,
  scripts: true,
  meta: true,
  provider_calls: true,
} satisfies Record<keyof Database, true>);

/**
 * On PostgreSQL, a role that may only read would be noticed by the first customer otherwise.
 * @throws {StorageSetupError} naming the tables and the grant
 */
export async function assertRights(db: Kysely<Database>): Promise<void> {
  const has = sql.join(
    RIGHTS.map((right) => sql`has_table_privilege(c.oid, ${right})`),
    sql` and `,
  );
  const { rows } = await sql<{ name: string; schema: string; role: string }>`
    select c.relname as name, n.nspname as schema, current_user as role
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.oid in (${sql.join(TABLES.map((table) => sql`to_regclass(${table})`))}) and not (${has})
    order by c.relname`.execute(db);
  const [first] = rows;
  if (!first) return;
  const names = rows.map(({ name }) => name).join(', ');
  throw new StorageSetupError(
    `The role "${first.role}" may not read and write ${names}: run GRANT ${RIGHTS.join(', ')} ON ALL TABLES IN SCHEMA "${first.schema}" TO "${first.role}" as the owner of the tables.`,
  );
}
