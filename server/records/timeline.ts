import { iso } from '../ids.ts';
import type { Storage } from '../storage/open.ts';
import { readAuditDetails, readProblem } from './columns.ts';
import {
  inboundEntries,
  outboundEntries,
  type Scope,
  type TimelineEntry,
  transferEntries,
} from './timeline-entries.ts';

export interface Timeline {
  /** What was asked for and what belongs to it, each with its present state. */
  subjects: { id: string; text: string }[];
  /** Oldest first. */
  entries: TimelineEntry[];
}

/** A customer with more has a program that connects for them; the newest show what is going on. */
const MOST = 50;
/** Entries of one kind: enough for months of a connection. */
const MOST_ENTRIES = 1_000;

/** @returns undefined when nothing has that id. @param id of a session, a connection, a link or a customer */
export async function readTimeline(storage: Storage, id: string): Promise<Timeline | undefined> {
  const found = await findSubjects(storage, id);
  if (found.subjects.length === 0) return undefined;
  const { scope, subjects } = found;
  const entries = await Promise.all([
    auditEntries(storage, scope),
    callEntries(storage, scope),
    outboundEntries(storage, scope, MOST_ENTRIES),
    inboundEntries(storage, scope, MOST_ENTRIES),
    transferEntries(storage, scope, MOST_ENTRIES),
  ]);
  // Sorting is stable, so what happened in one millisecond stays in its order.
  return { subjects, entries: entries.flat().sort((a, b) => a.at.localeCompare(b.at)) };
}

async function findSubjects({ db }: Storage, id: string): Promise<{ scope: Scope; subjects: Timeline['subjects'] }> {
  const links = await db
    .selectFrom('links')
    .selectAll()
    .where((eb) => eb.or([eb('id', '=', id), eb('customer_id', '=', id)]))
    .orderBy('created_at', 'desc')
    .limit(MOST)
    .execute();
  const linkIds = links.map((link) => link.id);
  const named = await db
    .selectFrom('connections')
    .selectAll()
    .where((eb) => eb.or([eb('id', '=', id), eb('customer_id', '=', id), eb('session_id', '=', id)]))
    .orderBy('created_at', 'desc')
    .limit(MOST)
    .execute();
  const ofConnection = named.filter((connection) => connection.id === id);
  const sessions = await db
    .selectFrom('sessions')
    .selectAll()
    .where((eb) =>
      eb.or([
        eb('id', '=', id),
        eb('customer_id', '=', id),
        eb('repair_connection_id', '=', id),
        ...(linkIds.length > 0 ? [eb('link_id', 'in', linkIds)] : []),
        ...ofConnection.map(({ session_id }) => eb('id', '=', session_id)),
      ]),
    )
    .orderBy('created_at', 'desc')
    .limit(MOST)
    .execute();
  const sessionIds = sessions.map((session) => session.id);
  const isSession = sessionIds.includes(id);
  const others =
    sessionIds.length === 0 || ofConnection.length > 0
      ? []
      : await db
          .selectFrom('connections')
          .selectAll()
          .where((eb) =>
            eb.or([
              eb('session_id', 'in', sessionIds),
              ...sessions.flatMap(({ repair_connection_id }) =>
                isSession && repair_connection_id !== null ? [eb('id', '=', repair_connection_id)] : [],
              ),
            ]),
          )
          .execute();
  const connections = [...new Map([...named, ...others].map((row) => [row.id, row])).values()];
  const connectionIds = connections.map((connection) => connection.id);
  const outside = [
    ...(await plaidItems(db, [...new Set(connections.map(({ item_id }) => item_id))])),
    ...(await instruments(db, connectionIds)),
  ];
  return {
    scope: { sessions: sessionIds, connections: connectionIds, links: linkIds, outside },
    subjects: [
      ...links.map((link) => ({
        id: link.id,
        text: `link, ${link.status}, of customer ${link.customer_id}, until ${iso(link.expires_at)}`,
      })),
      ...sessions.map((session) => ({ id: session.id, text: describeSession(session) })),
      ...connections.map((connection) => ({ id: connection.id, text: describeConnection(connection) })),
    ],
  };
}

async function plaidItems(db: Storage['db'], ids: string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await db.selectFrom('items').select('plaid_item_id').where('id', 'in', ids).execute();
  return rows.flatMap(({ plaid_item_id }) => plaid_item_id ?? []);
}

async function instruments(db: Storage['db'], ids: string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('connection_instruments')
    .select('payment_instrument')
    .where('connection_id', 'in', ids)
    .execute();
  return rows.map(({ payment_instrument }) => payment_instrument);
}

function describeSession(row: {
  status: string;
  mode: string;
  customer_id: string;
  recovery_point: string;
  tries: number;
  next_at: number;
  error: string | null;
}): string {
  const code = row.error === null ? '' : `, ${readProblem(row.error).code}`;
  const work =
    row.status === 'processing'
      ? `, at ${row.recovery_point}, ${row.tries} failed attempts in a row, next attempt ${iso(row.next_at)}`
      : '';
  return `session, ${row.status}${code}, ${row.mode}, of customer ${row.customer_id}${work}`;
}

function describeConnection(row: {
  status: string;
  reason: string | null;
  goal: string | null;
  customer_id: string;
  payment_instrument: string | null;
  institution_name: string | null;
  account_mask: string | null;
}): string {
  const account = [row.institution_name, row.account_mask && `••${row.account_mask}`].filter(Boolean).join(' ');
  return [
    `connection, ${row.status}${row.reason === null ? '' : ` (${row.reason})`}`,
    ...(row.goal === null ? [] : [`task ${row.goal}`]),
    ...(account === '' ? [] : [account]),
    ...(row.payment_instrument === null ? [] : [row.payment_instrument]),
    `of customer ${row.customer_id}`,
  ].join(', ');
}

async function auditEntries({ db }: Storage, { sessions, connections, links }: Scope): Promise<TimelineEntry[]> {
  const rows = await db
    .selectFrom('audit')
    .selectAll()
    .where((eb) =>
      eb.or([
        ...(sessions.length > 0 ? [eb('session_id', 'in', sessions)] : []),
        ...(connections.length > 0 ? [eb('connection_id', 'in', connections)] : []),
        ...(links.length > 0 ? [eb('link_id', 'in', links)] : []),
      ]),
    )
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(MOST_ENTRIES)
    .execute();
  return rows.reverse().map((row) => {
    const details = Object.entries(readAuditDetails(row.details)).map(([name, value]) => `${name} ${value}`);
    const text = [row.action, ...details, ...(row.ip === null ? [] : [`from ${row.ip}`])].join(', ');
    return { at: iso(row.at), kind: row.actor, text, session: row.session_id, connection: row.connection_id };
  });
}

async function callEntries({ db }: Storage, { sessions, connections }: Scope): Promise<TimelineEntry[]> {
  if (sessions.length === 0 && connections.length === 0) return [];
  const rows = await db
    .selectFrom('provider_calls')
    .selectAll()
    .where((eb) =>
      eb.or([
        ...(sessions.length > 0 ? [eb('session_id', 'in', sessions)] : []),
        ...(connections.length > 0 ? [eb('connection_id', 'in', connections)] : []),
      ]),
    )
    .orderBy('at', 'desc')
    .limit(MOST_ENTRIES)
    .execute();
  return rows.reverse().map((row) => ({
    at: iso(row.at),
    kind: 'call',
    text: [
      `${row.service} ${row.call}: ${row.outcome}${row.code === null ? '' : ` ${row.code}`}`,
      `${row.ms} ms`,
      ...(row.request_id === null ? [] : [`request ${row.request_id}`]),
    ].join(', '),
    session: row.session_id,
    connection: row.connection_id,
  }));
}
