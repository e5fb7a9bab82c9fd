import type { FinixClient, FinixInstrument } from '../clients/finix.ts';
import { UpstreamError } from '../clients/outbound.ts';
import type { Storage } from '../storage/open.ts';
import type { ConnectionTable } from '../storage/tables.ts';
import type { SeenInstrument } from '../work/create-call.ts';

/** This server's instruments in Finix's list, recognized by the tags that their create calls carried. */

/** The connection, and which of its generations. Within Finix's 40 characters for a key. */
const CONNECTION_TAG = 'finix_bank_connect_connection';
/** The create call. */
export const CALL_TAG = 'finix_bank_connect_call';
/**
 * Clocks of Finix and this machine may differ; looking further back costs nothing in a list of one identity's accounts.
 */
const LOOK_BACK_MS = 24 * 3600_000;

/** An instrument that a create call of this server has made. */
export interface OwnInstrument extends SeenInstrument {
  connection: string;
  fingerprint: string | null;
  bankAccountValidationCheck: string | null;
}

export function tagsOf(tag: string, call: string): Record<string, string> {
  return { [CONNECTION_TAG]: tag, [CALL_TAG]: call };
}

/** @returns undefined when it is none of this server's */
export function toOwn({ id, enabled, tags, ...facts }: FinixInstrument): OwnInstrument | undefined {
  const [connection, generation = '0'] = tags[CONNECTION_TAG]?.split('.') ?? [];
  if (!connection) return undefined;
  const { fingerprint, bankAccountValidationCheck } = facts;
  const call = tags[CALL_TAG];
  return { id, enabled, connection, generation: Number(generation), call, fingerprint, bankAccountValidationCheck };
}

/**
 * The identity's instruments that this server has made, oldest first, also disabled ones.
 * @param since in milliseconds
 */
export async function listOwn(finix: FinixClient, identity: string | null, since: number): Promise<OwnInstrument[]> {
  if (identity === null) return [];
  const all = await finix.listBankAccounts(identity, since - LOOK_BACK_MS);
  return all.flatMap((instrument) => toOwn(instrument) ?? []);
}

/**
 * One that Finix refuses to disable keeps no other one enabled.
 * @throws UpstreamError while it is not certain that all are disabled
 */
export async function disableAll(finix: FinixClient, ids: readonly string[]): Promise<void> {
  const failures: unknown[] = [];
  for (const id of ids) {
    try {
      await finix.disablePaymentInstrument(id);
    } catch (error) {
      // An instrument that does not exist can't be debited.
      if (!isUnknownAtFinix(error)) failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** By Finix's own word: a gateway in between also answers 404, and knows nothing of instruments. */
export function isUnknownAtFinix(error: unknown): boolean {
  return error instanceof UpstreamError && error.failure === 'refused' && error.details.status === 404;
}

/**
 * Disables a connection's instruments in Finix: those that the row names and every other one that Finix lists as its
 * own.
 * @param connection as it was when the disabling began
 * @param only these ids and no others
 * @throws UpstreamError while it is not certain that all are disabled
 */
export async function disableInstruments(
  { finix, storage }: { finix: FinixClient; storage: Storage },
  connection: ConnectionTable,
  only?: string[],
): Promise<void> {
  const { payment_instrument: present, previous_payment_instrument: previous } = connection;
  if (only) return disableAll(finix, only);
  // First what is known, so that a list that can't be had holds nothing up.
  const known = [present, previous].flatMap((id) => id ?? []);
  const [first] = await Promise.allSettled([disableAll(finix, known)]);
  const listed = await listOwn(finix, connection.finix_identity, connection.created_at);
  const others = listed.filter((one) => one.enabled && one.connection === connection.id && !known.includes(one.id));
  const own = await withoutLater(storage.db, connection, others);
  await disableAll(
    finix,
    own.map(({ id }) => id),
  );
  if (first.status === 'rejected') throw first.reason;
}

/**
 * Without what a repair has made since the disabling began, which a worker that was frozen may find in the list. A
 * later generation of which the row knows nothing is one that an older copy of the database has lost: the row is read
 * after the list, and a repair raises it before it makes an instrument.
 */
async function withoutLater(
  db: Storage['db'],
  { id, generation }: ConnectionTable,
  listed: OwnInstrument[],
): Promise<OwnInstrument[]> {
  if (listed.every((one) => one.generation <= generation)) return listed;
  const present = await db.selectFrom('connections').select('generation').where('id', '=', id).executeTakeFirst();
  const isSame = present === undefined || present.generation === generation;
  return isSame ? listed : listed.filter((one) => one.generation <= generation);
}
