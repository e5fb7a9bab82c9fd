import type { ObservedCall, UpstreamError } from '../clients/outbound.ts';
import { newId } from '../ids.ts';
import { insertMany } from '../storage/insert-many.ts';
import type { Storage } from '../storage/open.ts';
import type { ProviderCallTable } from '../storage/tables.ts';

/**
 * The calls to Plaid and Finix that a session's or a connection's work made, with the ids that the providers' support
 * asks for. A record for people: it is written some time after the calls, in batches and without any customer waiting
 * for it, and a crash may lose the last.
 */
export interface ProviderCalls {
  note(service: UpstreamError['service'], call: ObservedCall): void;
  /** Writes what was noted. */
  flush(): Promise<void>;
}

/** More than a busy second makes: while the database is gone, memory must not fill. */
const MOST_WAITING = 5_000;
/** Rows of one statement: what a busy second makes, and a tenth of a megabyte. */
const BATCH = 500;
/** All of a row's, in the order of the table. */
export const PROVIDER_CALL_COLUMNS = [
  'id',
  'at',
  'session_id',
  'connection_id',
  'service',
  'call',
  'outcome',
  'code',
  'request_id',
  'ms',
] as const satisfies readonly (keyof ProviderCallTable)[];
/** As long as sessions without a connection: "what happened to my customer last week?" */
export const PROVIDER_CALLS_KEEP_MS = 30 * 24 * 3600_000;

export function createProviderCalls({ storage }: { storage: Storage }): ProviderCalls {
  let waiting: ProviderCallTable[] = [];
  return {
    note(service, { call, outcome, seconds, requestId, error, subject }) {
      const { session = null, connection = null } = subject;
      if ((session === null && connection === null) || waiting.length >= MOST_WAITING) return;
      waiting.push({
        id: newId('call'),
        at: Date.now() - Math.round(seconds * 1000),
        session_id: session,
        connection_id: connection,
        service,
        call,
        outcome,
        code: error?.code ?? null,
        request_id: requestId ?? null,
        ms: Math.round(seconds * 1000),
      });
    },
    async flush() {
      while (waiting.length > 0) {
        const batch = waiting.slice(0, BATCH);
        waiting = waiting.slice(BATCH);
        await insertMany(storage, 'provider_calls', PROVIDER_CALL_COLUMNS, batch);
      }
    },
  };
}

/** @returns the number of rows */
export async function purgeProviderCalls({ db }: Storage, now: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('provider_calls')
    .where('at', '<=', now - PROVIDER_CALLS_KEEP_MS)
    .executeTakeFirst();
  return Number(numDeletedRows);
}
