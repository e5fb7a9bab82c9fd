import { type RawBuilder, sql } from 'kysely';

/**
 * Milliseconds since 1970, as an expression for a query. On PostgreSQL the database's clock, so that instances whose own clocks
 * differ agree on leases and windows; on SQLite all of them are on one machine.
 */
export function databaseNow(dialect: 'sqlite' | 'postgres'): RawBuilder<number> {
  return dialect === 'postgres'
    ? sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`
    : sql<number>`cast(${Date.now()} as bigint)`;
}
