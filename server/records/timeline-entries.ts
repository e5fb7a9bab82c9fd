import { iso } from '../ids.ts';
import type { Storage } from '../storage/open.ts';

/** One thing that happened. */
export interface TimelineEntry {
  /** ISO 8601. */
  at: string;
  /**
   * Who did it, or what it is. `call`: to a provider. `received`: a webhook of a provider. `sent`: a webhook to the
   * merchant.
   */
  kind: 'merchant' | 'page' | 'plaid' | 'finix' | 'job' | 'call' | 'received' | 'sent' | 'transfer';
  /** One line. */
  text: string;
  session: string | null;
  connection: string | null;
}

/** What a timeline is about. */
export interface Scope {
  sessions: string[];
  connections: string[];
  links: string[];
  /** Plaid's ids of Items, and Finix's of payment instruments: what incoming webhooks name. */
  outside: string[];
}

/** Webhooks to the merchant: one entry for each event, with what came of it. */
export async function outboundEntries(
  { db }: Storage,
  { sessions, connections, links }: Scope,
  limit: number,
): Promise<TimelineEntry[]> {
  const rows = await db
    .selectFrom('deliveries')
    .select(['id', 'type', 'status', 'tries', 'created_at', 'last_error', 'session_id', 'connection_id'])
    .where((eb) =>
      eb.or([
        ...(sessions.length > 0 ? [eb('session_id', 'in', sessions)] : []),
        ...(connections.length > 0 ? [eb('connection_id', 'in', connections)] : []),
        ...(links.length > 0 ? [eb('link_id', 'in', links)] : []),
      ]),
    )
    .orderBy('created_at', 'desc')
    .limit(limit)
    .execute();
  return rows.reverse().map((row) => ({
    at: iso(row.created_at),
    kind: 'sent',
    text: [
      `${row.type} ${row.id}: ${row.status}, ${row.tries} ${row.tries === 1 ? 'attempt' : 'attempts'}`,
      ...(row.last_error === null ? [] : [row.last_error]),
    ].join(', '),
    session: row.session_id || null,
    connection: row.connection_id,
  }));
}

/** Webhooks of Plaid and Finix that named an Item or a payment instrument of these connections. */
export async function inboundEntries({ db }: Storage, { outside }: Scope, limit: number): Promise<TimelineEntry[]> {
  if (outside.length === 0) return [];
  const rows = await db
    .selectFrom('inbound_events')
    .select(['source', 'type', 'status', 'tries', 'received_at', 'handled_at'])
    .where('subject', 'in', outside)
    .orderBy('received_at', 'desc')
    .limit(limit)
    .execute();
  return rows.reverse().map(({ source, type, status, tries, received_at, handled_at }) => ({
    at: iso(received_at),
    kind: 'received',
    text: [
      `${source} ${type}: ${status}`,
      ...(tries > 1 ? [`${tries} attempts`] : []),
      ...(handled_at === null ? [] : [`at ${iso(handled_at)}`]),
    ].join(', '),
    session: null,
    connection: null,
  }));
}

/** Debits and payouts, as Finix reported them last, and their returns. */
export async function transferEntries(
  { db }: Storage,
  { connections }: Scope,
  limit: number,
): Promise<TimelineEntry[]> {
  if (connections.length === 0) return [];
  const rows = await db
    .selectFrom('transfers')
    .selectAll()
    .where('connection_id', 'in', connections)
    .orderBy('sent_at', 'desc')
    .limit(limit)
    .execute();
  return rows.reverse().flatMap((row): TimelineEntry[] => {
    const about = { kind: 'transfer', session: null, connection: row.connection_id } as const;
    const amount = row.amount === null ? '' : ` of ${row.amount} ${row.currency ?? ''}`.trimEnd();
    const sent = { ...about, at: iso(row.sent_at), text: `${row.type} ${row.id}${amount}: ${row.state}` };
    if (row.returned_at === null) return [sent];
    const code = row.return_code ?? row.failure_code ?? 'no code';
    return [
      sent,
      { ...about, at: iso(row.returned_at), text: `${row.id} came back: ${code}, ${row.effect ?? 'keep'}` },
    ];
  });
}
