import type { Kysely } from 'kysely';

/**
 * Budgets count the time that was waited, which no wrong clock can add to. And when a connection's permission last
 * ended: work that began before it must not make the connection usable again. In the order in which the application's
 * transactions take these tables.
 */
export async function up(db: Kysely<never>): Promise<void> {
  for (const table of ['inbound_events', 'sessions', 'connections'] as const) {
    await db.schema
      .alterTable(table)
      .addColumn('waited_ms', 'bigint', (c) => c.notNull().defaultTo(0))
      .execute();
  }
  await db.schema.alterTable('connections').addColumn('revoked_at', 'bigint').execute();
}
