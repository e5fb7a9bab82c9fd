import type { FinixClient, FinixInstrument } from '../clients/finix.ts';
import { UpstreamError } from '../clients/outbound.ts';
import type { PlaidClient } from '../clients/plaid.ts';
import { problemOfPlaidRefusal } from '../clients/plaid-codes.ts';
import { changeConnection, lockConnection } from '../records/connections.ts';
import type { Outbox } from '../records/outbox.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import type { ConnectionTable } from '../storage/tables.ts';
import { Fenced, lookAgainIn, Postpone, Stop } from '../work/retry.ts';
import type { Timing } from '../work/timing.ts';
import { duplicatesOf, retire } from './duplicates.ts';

/**
 * Making one payment instrument for one connection, and never two. Finix's create call has no idempotency key, so a call whose answer
 * was lost may have made one: from then on nobody creates again until the quiet period is over and Finix's own list shows none.
 */
export interface InstrumentDeps {
  storage: Storage;
  plaid: PlaidClient;
  finix: FinixClient;
  /** How long a lost call may still be carried out by Finix, or its result be missing from lists. Milliseconds. */
  quietMs: number;
  timing: Timing;
  outbox: Outbox;
}

/** A worker that may write the connection: its session's, or its task's. */
export interface InstrumentHold {
  /** @throws Fenced when lease lost to another worker */
  write(patch: Record<string, never>, also: (trx: StorageTransaction, now: number) => Promise<void>): Promise<void>;
}

/** The tag by which an instrument is known as this connection's. Within Finix's 40 characters for a key. */
const TAG = 'finix_bank_connect_connection';
/** Clocks of Finix and this machine may differ; looking further back costs nothing in a list of one identity's accounts. */
const LOOK_BACK_MS = 24 * 3600_000;

/** Brings one connection from `pending` to an outcome: active, pending_verification or failed. */
export async function makeInstrument(
  deps: InstrumentDeps,
  held: InstrumentHold,
  connection: ConnectionTable,
  accessToken: string,
): Promise<void> {
  if (connection.instrument_sent_at !== null) {
    const made = await instrumentsOf(deps, connection);
    if (made.length > 0) return adopt(deps, held, connection, made);
    const now = await deps.storage.now();
    // The clock was set back since: a quiet period counted from there could take as long as the clock was wrong.
    if (connection.instrument_sent_at > now) await writeConnection(deps, held, connection, { instrument_sent_at: now });
    const wait = lookAgainIn(Math.min(connection.instrument_sent_at, now), now, deps.quietMs, deps.timing);
    if (wait > 0) throw new Postpone('finix_unavailable', wait, false);
  }

  const processorToken = await processorTokenFor(deps, held, connection, accessToken);
  if (processorToken === undefined) return;

  const sentAt = await deps.storage.now();
  await writeConnection(deps, held, connection, {
    instrument_sent_at: sentAt,
    instrument_tries: connection.instrument_tries + 1,
  });
  // A process that was frozen here may be long behind, while the quiet period of others counts from sentAt.
  if ((await deps.storage.now(true)) - sentAt > deps.timing.lookAgainMs)
    throw new Postpone('finix_unavailable', 0, false);
  try {
    await createAndAdopt(deps, held, connection, processorToken);
  } catch (error) {
    // Whoever took over may have looked before this call was carried out.
    if (error instanceof Fenced) await sweepLater(deps, connection);
    throw error;
  }
}

async function createAndAdopt(
  deps: InstrumentDeps,
  held: InstrumentHold,
  connection: ConnectionTable,
  processorToken: string,
): Promise<void> {
  let instrument: FinixInstrument;
  try {
    instrument = await deps.finix.createPaymentInstrument({
      identity: connection.finix_identity ?? '',
      processorToken,
      tags: { [TAG]: tagOf(connection) },
    });
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    return afterFailedCreate(deps, held, connection, error);
  }
  const isOnlyCall = connection.instrument_tries === 0;
  await adopt(deps, held, connection, [instrument], isOnlyCall);
}

/** @returns undefined when the account's outcome is already decided by Plaid's answer, and written */
async function processorTokenFor(
  deps: InstrumentDeps,
  held: InstrumentHold,
  connection: ConnectionTable,
  accessToken: string,
): Promise<string | undefined> {
  try {
    return await deps.plaid.createProcessorToken(accessToken, connection.plaid_account_id);
  } catch (error) {
    if (!(error instanceof UpstreamError) || error.failure !== 'refused') throw error;
    if (error.code === 'PRODUCT_NOT_READY') {
      await writeConnection(deps, held, connection, { status: 'pending_verification', instrument_sent_at: null });
      return undefined;
    }
    const code = problemOfPlaidRefusal(error.code);
    if (code === 'restart_required') throw new Stop('restart_required', code);
    await writeConnection(deps, held, connection, {
      status: 'failed',
      error_code: code,
      reason: code,
      instrument_sent_at: null,
      // An earlier create call whose answer was lost may still be carried out.
      sweep_at: connection.instrument_tries > 0 ? (await deps.storage.now()) + deps.quietMs : null,
    });
    return undefined;
  }
}

async function afterFailedCreate(
  deps: InstrumentDeps,
  held: InstrumentHold,
  connection: ConnectionTable,
  error: UpstreamError,
): Promise<void> {
  if (error.failure === 'lost') throw new Postpone('finix_unavailable', 0);
  if (error.failure === 'refused') {
    return writeConnection(deps, held, connection, {
      status: 'failed',
      error_code: 'instrument_refused',
      reason: 'instrument_refused',
      instrument_sent_at: null,
      sweep_at: (await deps.storage.now()) + deps.quietMs,
    });
  }
  // A definite answer, but a 5xx may have come after the commit: look once, then it is safe to try again.
  if ((error.details.status ?? 0) >= 500) {
    const made = await instrumentsOf(deps, connection);
    if (made.length > 0) return adopt(deps, held, connection, made);
  }
  await writeConnection(deps, held, connection, { instrument_sent_at: null });
  throw error;
}

/**
 * Looks at Finix's list once more after the dust has settled, and disables what a late commit left beside ours.
 * @returns how many; undefined when an instrument is just being made, so that it is too early to say which is ours
 */
export async function sweep(deps: InstrumentDeps, connection: ConnectionTable): Promise<number | undefined> {
  const made = await everyInstrumentOf(deps, connection);
  // Read after the list: an instrument in it that was adopted meanwhile is not surplus.
  const present = await deps.storage.db
    .selectFrom('connections')
    .select(['id', 'status', 'payment_instrument', 'instrument_sent_at'])
    .where('id', '=', connection.id)
    .executeTakeFirst();
  if (present?.status === 'pending' || (present && present.instrument_sent_at !== null)) return undefined;
  const isEnded = present === undefined || ENDED.has(present.status);
  const surplus = made.filter(({ id }) => isEnded || id !== present.payment_instrument);
  for (const { id } of surplus) await deps.finix.disablePaymentInstrument(id);
  return surplus.length;
}

async function sweepLater({ storage, quietMs }: InstrumentDeps, { id }: ConnectionTable): Promise<void> {
  const now = await storage.now();
  await storage.db
    .updateTable('connections')
    .set({ sweep_at: now + quietMs })
    .where('id', '=', id)
    .execute();
}

/**
 * Disables a connection's instruments in Finix: those that the row names and whatever else Finix lists as its own.
 * @param only these ids and no others
 * @throws UpstreamError while it is not certain that all are disabled
 */
export async function disableInstruments(
  deps: InstrumentDeps,
  connection: ConnectionTable,
  only?: string[],
): Promise<void> {
  const { payment_instrument: present, previous_payment_instrument: previous } = connection;
  const listed = only ? [] : (await everyInstrumentOf(deps, connection)).map(({ id }) => id);
  const known = only ?? [present, previous].flatMap((id) => id ?? []);
  for (const id of new Set([...known, ...listed])) {
    try {
      await deps.finix.disablePaymentInstrument(id);
    } catch (error) {
      // What is not there can't be debited.
      if (!(error instanceof UpstreamError) || error.details.status !== 404) throw error;
    }
  }
}

/** States in which the merchant has no instrument to use. */
const ENDED = new Set<ConnectionTable['status']>(['revoked', 'removed', 'failed']);

/** Instruments that follow one another have tags of their own, or an old one would be taken for the answer to a new call. */
function tagOf({ id, generation }: ConnectionTable): string {
  return generation === 0 ? id : `${id}.${generation}`;
}

/** The enabled instruments that the present generation's create calls have made, oldest first. */
async function instrumentsOf(deps: InstrumentDeps, connection: ConnectionTable): Promise<FinixInstrument[]> {
  const all = await everyInstrumentOf(deps, connection);
  return all.filter(({ tags }) => tags[TAG] === tagOf(connection));
}

/** The enabled instruments of all generations, oldest first. */
async function everyInstrumentOf(deps: InstrumentDeps, connection: ConnectionTable): Promise<FinixInstrument[]> {
  if (connection.finix_identity === null) return [];
  const since = connection.created_at - LOOK_BACK_MS;
  const all = await deps.finix.listBankAccounts(connection.finix_identity, since);
  return all.filter(({ enabled, tags }) => enabled && tags[TAG]?.split('.')[0] === connection.id);
}

async function adopt(
  deps: InstrumentDeps,
  held: InstrumentHold,
  connection: ConnectionTable,
  [oldest, ...surplus]: FinixInstrument[],
  isOnlyCall = false,
): Promise<void> {
  if (!oldest) throw new Error('adopt needs an instrument');
  const now = await deps.storage.now();
  const patch: Partial<ConnectionTable> = {
    status: 'active',
    reason: null,
    payment_instrument: oldest.id,
    fingerprint: oldest.fingerprint,
    bank_account_validation_check: oldest.bankAccountValidationCheck,
    instrument_sent_at: null,
    // A single call that was answered has made a single instrument: there is nothing to look for.
    sweep_at: isOnlyCall ? null : now + deps.quietMs,
  };
  await held.write({}, async (trx, at) => {
    const before = await lockConnection(trx, connection.id);
    if (!before) return;
    // The customer has connected this account before: the merchant is left with the new instrument only.
    const isLeaving = before.goal === 'remove' || before.status === 'removed';
    const duplicates = isLeaving ? [] : await duplicatesOf(trx, { ...before, fingerprint: oldest.fingerprint });
    const replaced = duplicates.at(-1)?.payment_instrument ?? before.previous_payment_instrument;
    const by = { actor: 'job' } as const;
    // Made for a connection that is going: it goes too.
    const swept = isLeaving ? { sweep_at: at } : {};
    const full = { ...patch, previous_payment_instrument: replaced, ...swept };
    const after = await changeConnection(trx, deps.outbox, before, full, at, by);
    if (after.status === 'active') await retire(trx, deps.outbox, duplicates, after, at);
  });
  for (const { id } of surplus) {
    // The sweep does it again if this fails; the customer does not wait for it.
    await deps.finix.disablePaymentInstrument(id).catch((error: unknown) => {
      if (!(error instanceof UpstreamError)) throw error;
    });
  }
}

function writeConnection(
  { outbox }: InstrumentDeps,
  held: InstrumentHold,
  connection: ConnectionTable,
  patch: Partial<ConnectionTable>,
): Promise<void> {
  return held.write({}, async (trx, now) => {
    const before = await lockConnection(trx, connection.id);
    if (before) await changeConnection(trx, outbox, before, patch, now, { actor: 'job' });
  });
}
