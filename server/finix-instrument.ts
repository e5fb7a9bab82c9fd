import type { FinixClient, FinixInstrument } from './clients/finix.ts';
import { UpstreamError } from './clients/outbound.ts';
import type { PlaidClient } from './clients/plaid.ts';
import { problemOfPlaidRefusal } from './clients/plaid-codes.ts';
import type { Storage } from './storage/open.ts';
import type { ConnectionTable } from './storage/tables.ts';
import { type HeldSession, Postpone, Stop } from './worker.ts';

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
}

/** The tag by which an instrument is known as this connection's. Within Finix's 40 characters for a key. */
const TAG = 'finix_bank_connect_connection';
/** Clocks of Finix and this machine may differ; looking further back costs nothing in a list of one identity's accounts. */
const LOOK_BACK_MS = 24 * 3600_000;
/** While in doubt, Finix's list is looked at this often: a late commit is then found seconds after it shows. */
const LOOK_AGAIN_MS = 5_000;

/** Brings one connection from `pending` to an outcome: active, pending_verification or failed. */
export async function makeInstrument(
  deps: InstrumentDeps,
  held: HeldSession,
  connection: ConnectionTable,
  accessToken: string,
): Promise<void> {
  if (connection.instrument_sent_at !== null) {
    const made = await instrumentsOf(deps, connection);
    if (made.length > 0) return adopt(deps, held, connection, made);
    const quietUntil = connection.instrument_sent_at + deps.quietMs;
    const now = await deps.storage.now();
    if (now < quietUntil) throw new Postpone('finix_unavailable', Math.min(LOOK_AGAIN_MS, quietUntil - now), false);
  }

  const processorToken = await processorTokenFor(deps, held, connection, accessToken);
  if (processorToken === undefined) return;

  const sentAt = await deps.storage.now();
  await writeConnection(held, connection, {
    instrument_sent_at: sentAt,
    instrument_tries: connection.instrument_tries + 1,
  });
  // A process that was frozen here may be long behind, while the quiet period of others counts from sentAt.
  if ((await deps.storage.now()) - sentAt > LOOK_AGAIN_MS) throw new Postpone('finix_unavailable', 0, false);
  let instrument: FinixInstrument;
  try {
    instrument = await deps.finix.createPaymentInstrument({
      identity: connection.finix_identity ?? '',
      processorToken,
      tags: { [TAG]: connection.id },
    });
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    return afterFailedCreate(deps, held, connection, error);
  }
  await adopt(deps, held, connection, [instrument]);
}

/** @returns undefined when the account's outcome is already decided by Plaid's answer, and written */
async function processorTokenFor(
  deps: InstrumentDeps,
  held: HeldSession,
  connection: ConnectionTable,
  accessToken: string,
): Promise<string | undefined> {
  try {
    return await deps.plaid.createProcessorToken(accessToken, connection.plaid_account_id);
  } catch (error) {
    if (!(error instanceof UpstreamError) || error.failure !== 'refused') throw error;
    if (error.code === 'PRODUCT_NOT_READY') {
      await writeConnection(held, connection, { status: 'pending_verification', instrument_sent_at: null });
      return undefined;
    }
    const code = problemOfPlaidRefusal(error.code);
    if (code === 'restart_required') throw new Stop('restart_required', code);
    await writeConnection(held, connection, { status: 'failed', error_code: code, instrument_sent_at: null });
    return undefined;
  }
}

async function afterFailedCreate(
  deps: InstrumentDeps,
  held: HeldSession,
  connection: ConnectionTable,
  error: UpstreamError,
): Promise<void> {
  if (error.failure === 'lost') throw new Postpone('finix_unavailable', 0);
  if (error.failure === 'refused') {
    return writeConnection(held, connection, {
      status: 'failed',
      error_code: 'instrument_refused',
      instrument_sent_at: null,
    });
  }
  // A definite answer, but a 5xx may have come after the commit: look once, then it is safe to try again.
  if ((error.details.status ?? 0) >= 500) {
    const made = await instrumentsOf(deps, connection);
    if (made.length > 0) return adopt(deps, held, connection, made);
  }
  await writeConnection(held, connection, { instrument_sent_at: null });
  throw error;
}

/** Looks at Finix's list once more after the dust has settled, and disables what a late commit left beside ours. */
export async function sweep(deps: InstrumentDeps, connection: ConnectionTable): Promise<number> {
  const surplus = (await instrumentsOf(deps, connection)).filter(({ id }) => id !== connection.payment_instrument);
  for (const { id } of surplus) await deps.finix.disablePaymentInstrument(id);
  return surplus.length;
}

/** The enabled instruments that carry this connection's tag, oldest first. */
async function instrumentsOf(deps: InstrumentDeps, connection: ConnectionTable): Promise<FinixInstrument[]> {
  if (connection.finix_identity === null) return [];
  const since = connection.created_at - LOOK_BACK_MS;
  const all = await deps.finix.listBankAccounts(connection.finix_identity, since);
  return all.filter(({ enabled, tags }) => enabled && tags[TAG] === connection.id);
}

async function adopt(
  deps: InstrumentDeps,
  held: HeldSession,
  connection: ConnectionTable,
  [oldest, ...surplus]: FinixInstrument[],
): Promise<void> {
  if (!oldest) throw new Error('adopt needs an instrument');
  const now = await deps.storage.now();
  await writeConnection(held, connection, {
    status: 'active',
    payment_instrument: oldest.id,
    fingerprint: oldest.fingerprint,
    bank_account_validation_check: oldest.bankAccountValidationCheck,
    instrument_sent_at: null,
    sweep_at: now + deps.quietMs,
  });
  for (const { id } of surplus) {
    // The sweep does it again if this fails; the customer does not wait for it.
    await deps.finix.disablePaymentInstrument(id).catch((error: unknown) => {
      if (!(error instanceof UpstreamError)) throw error;
    });
  }
}

function writeConnection(
  held: HeldSession,
  connection: ConnectionTable,
  patch: Partial<ConnectionTable>,
): Promise<void> {
  return held.write({}, async (trx, now) => {
    await trx
      .updateTable('connections')
      .set({ ...patch, updated_at: now })
      .where('id', '=', connection.id)
      .execute();
  });
}
