import type { ProblemCode } from '../../widget/contract.ts';
import { UpstreamError } from '../clients/outbound.ts';
import { isPending, isPermissionRevoked, problemOfPlaidRefusal } from '../clients/plaid-codes.ts';
import {
  announceFirst,
  awaitsInstrument,
  changeConnection,
  lockConnection,
  loginBreak,
} from '../records/connections.ts';
import { announceCall, callsOf, instrumentCall, instrumentTag, putCall, settleCalls } from '../records/create-calls.ts';
import type { StorageTransaction } from '../storage/open.ts';
import type { ConnectionTable, CreateCallTable } from '../storage/tables.ts';
import { type CreateStep, nextCreateStep, outcomeOfFailure, toOpenCall } from '../work/create-call.ts';
import { countElapsed } from '../work/elapsed.ts';
import { Fenced, PermissionRevoked, Postpone, Stop } from '../work/retry.ts';
import { adopt } from './adopt-instrument.ts';
import type { InstrumentDeps, InstrumentHold } from './instrument-hold.ts';
import { listOwn, type OwnInstrument, tagsOf, toOwn } from './instrument-list.ts';
import { withheldBy } from './login-state.ts';
import { makeProcessorToken } from './processor-token.ts';
import { restartQuietPeriod } from './restart-quiet-period.ts';
import { sweepNow } from './sweep.ts';
import { waitForQuietPeriod } from './wait-for-quiet-period.ts';

/**
 * Making one payment instrument for one connection, and never two, by the rules of work/create-call.ts. The intent is
 * committed before the call, as a row that goes only when it is certain what the call has made.
 * Brings the connection from `pending` to an outcome: active, pending_verification or failed.
 */
export async function makeInstrument(
  deps: InstrumentDeps,
  held: InstrumentHold,
  connection: ConnectionTable,
  accessToken: string,
): Promise<void> {
  const calls = await openCallsOf(deps, held, connection);
  let listed: OwnInstrument[] | undefined;
  const decide = async (): Promise<CreateStep> => {
    const seen = listed?.filter((one) => one.connection === connection.id && one.generation === connection.generation);
    const now = await deps.clock.now();
    return nextCreateStep({
      calls: calls.map(toOpenCall),
      mustLook: held.looksFirst,
      seen,
      now,
      quietMs: deps.quietMs,
    });
  };
  let step = await decide();
  if (step.kind === 'look') {
    // The rows' own times may be ahead: theirs is the database's clock alone.
    const since = Math.min(held.since, connection.created_at, await deps.clock.now());
    listed = await listOf(deps, connection, since);
    step = await decide();
  }
  await waitForQuietPeriod(deps, step);
  if (step.kind === 'adopt') {
    const { id, duplicates } = step;
    const made = listed?.find((one) => one.id === id);
    if (!made) throw new Error('an instrument is adopted that was not listed');
    // A call that is seen to have made something has made nothing else.
    const decided = calls.filter((call) => listed?.some((one) => one.call === call.id)).map((call) => call.id);
    return adopt(deps, held, connection, made, { duplicates, decided, listed });
  }
  await create(deps, held, connection, { accessToken, calls, listed });
}

/** What Finix lists, and what was answered to a worker that was overtaken, which lists may show later. */
async function listOf(
  { storage, finix }: InstrumentDeps,
  connection: ConnectionTable,
  since: number,
): Promise<OwnInstrument[]> {
  const listed = await listOwn(finix, connection.finix_identity, since);
  const calls = await callsOf(storage.db, connection.id);
  const answered = calls.filter(({ generation }) => generation === connection.generation);
  const missing = answered
    .flatMap(({ instrument }) => instrument ?? [])
    .filter((id) => !listed.some((one) => one.id === id));
  for (const id of missing) {
    const own = toOwn(await finix.getPaymentInstrument(id));
    if (own) listed.push(own);
  }
  return listed;
}

/** @throws Fenced */
async function openCallsOf(
  { storage, clock, quietMs }: InstrumentDeps,
  held: InstrumentHold,
  connection: ConnectionTable,
): Promise<CreateCallTable[]> {
  if (held.isFirst) return [];
  const read = async () => {
    const all = await callsOf(storage.db, connection.id);
    return all.filter(({ outcome, generation }) => outcome !== 'made' && generation === connection.generation);
  };
  let calls = await read();
  // After a pause the agreed time is behind until a provider has responded.
  const now = await clock.informed();
  const isFuture = calls.some(({ sent_at }) => sent_at > now);
  const isLeft = connection.instrument_sent_at !== null && calls.length === 0;
  if (!isFuture && !isLeft) return calls;
  await held.write(async (trx) => {
    // A server of version 0.1 has left it in its column; see takeOverColumns.
    await lockConnection(trx, connection.id);
    // The clock was set back since: a quiet period counted from there could take as long as the clock was wrong.
    await trx
      .updateTable('create_calls')
      .set({ sent_at: now, look_at: now + quietMs })
      .where('connection_id', '=', connection.id)
      .where('sent_at', '>', now)
      .execute();
  });
  calls = await read();
  return calls;
}

interface Attempt {
  accessToken: string;
  /** The open calls of before. */
  calls: CreateCallTable[];
  /** What Finix listed before; undefined: it was not asked. */
  listed: OwnInstrument[] | undefined;
}

async function create(
  deps: InstrumentDeps,
  held: InstrumentHold,
  connection: ConnectionTable,
  { accessToken, calls, listed }: Attempt,
): Promise<void> {
  const { storage, clock, finix, timing, quietMs } = deps;
  const processorToken = await processorTokenFor(deps, held, connection, accessToken);
  if (processorToken === undefined) return;

  const sentAt = await clock.informed();
  const elapsed = await countElapsed(storage);
  const call = { ...instrumentCall(connection, sentAt), look_at: sentAt + quietMs };
  if (!(await announce(deps, held, connection, call))) return;
  if (held.looksFirst && listed === undefined) {
    // An older copy of the database was restored since it was decided to create. The call was not sent.
    await settleUnsent(deps, held, connection, call, calls);
    throw new Postpone('finix_unavailable', 0, false);
  }
  // A process that was frozen here may be long behind, while the quiet period of others counts from sentAt.
  if ((await elapsed()) > timing.lookAgainMs) throw new Postpone('finix_unavailable', 0, false);
  let made: OwnInstrument;
  try {
    const answer = await finix.createPaymentInstrument({
      identity: connection.finix_identity ?? '',
      processorToken,
      tags: tagsOf(instrumentTag(connection), call.id),
    });
    made = { ...answer, connection: connection.id, generation: connection.generation, call: call.id };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const isWanted = await afterFailedCreate(deps, held, connection, { call, elapsed, earlier: calls, error });
    return isWanted ? refuse(deps, held, connection, accessToken, 'instrument_refused') : undefined;
  }
  try {
    await adopt(deps, held, connection, made, {
      duplicates: [],
      decided: [call.id],
      listed,
      announcedAt: call.sent_at,
    });
  } catch (error) {
    // The worker that took over may have looked before this call was carried out.
    if (error instanceof Fenced) {
      await putCall(storage.db, { ...call, outcome: 'made', instrument: made.id, look_at: await storage.now() });
      // Or the connection was stopped in the meantime, and stopping a debit does not wait for the next round of jobs.
      await sweepNow(deps, connection.id);
    }
    throw error;
  }
}

/**
 * Commits that the call is about to be sent.
 * @returns false when the connection is not to have an instrument any more
 */
async function announce(
  { outbox }: InstrumentDeps,
  held: InstrumentHold,
  connection: ConnectionTable,
  call: CreateCallTable,
): Promise<boolean> {
  let isWanted = false;
  await held.write(async (trx, now) => {
    isWanted = held.isFirst && (await announceFirst(trx, connection, call.sent_at, now));
    if (isWanted) return announceCall(trx, call);
    const before = await lockConnection(trx, connection.id);
    isWanted = before !== undefined && awaitsInstrument(before, connection.generation);
    if (!before || !isWanted) return;
    await announceCall(trx, call);
    const patch = { instrument_sent_at: call.sent_at, instrument_tries: before.instrument_tries + 1 };
    await changeConnection({ trx, outbox, now, by: { actor: 'job' } }, before, patch);
  }, 'rows');
  return isWanted;
}

/** @returns undefined when the account's outcome is already decided by Plaid's answer, and written */
async function processorTokenFor(
  deps: InstrumentDeps,
  held: InstrumentHold,
  connection: ConnectionTable,
  accessToken: string,
): Promise<string | undefined> {
  try {
    return await (held.processorTokens?.get(connection.id) ?? makeProcessorToken(deps, connection, accessToken));
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const waits = isPending(error.code);
    if (!waits && error.failure !== 'refused') throw error;
    if (waits) {
      await changeWanted(deps, held, connection, { status: 'pending_verification', instrument_sent_at: null });
      return undefined;
    }
    const code = problemOfPlaidRefusal(error.code);
    if (code === 'restart_required') throw signInAgain(error.code);
    await refuse(deps, held, connection, accessToken, code);
    return undefined;
  }
}

/**
 * Plaid or Finix, which reads the account at Plaid, has refused it for good. That is the account's end only while Plaid
 * shares it: a login that has just broken, or a permission that was just taken back, is refused too, before the event
 * about it has come.
 * @throws Stop when the account is not shared now; UpstreamError while Plaid gives no definite answer
 */
async function refuse(
  deps: InstrumentDeps,
  held: InstrumentHold,
  connection: ConnectionTable,
  accessToken: string,
  code: ProblemCode,
): Promise<void> {
  const withheld = await withheldBy(deps.plaid, accessToken, connection.plaid_account_id);
  if (withheld !== null) throw signInAgain(withheld);
  const failed = { status: 'failed', error_code: code, reason: code } as const;
  // An event has come while Plaid was asked, or the end of the consent is announced: its customer signs in again.
  const patchOf = (before: ConnectionTable) =>
    loginBreak(before) === null ? failed : ({ status: 'needs_repair', error_code: null } as const);
  await changeWanted(deps, held, connection, patchOf);
}

function signInAgain(plaidCode: string): Stop {
  if (isPermissionRevoked(plaidCode)) return new PermissionRevoked(plaidCode);
  return new Stop('restart_required', 'restart_required');
}

/**
 * Writes what is known of the call.
 * @returns whether the connection still waits for an instrument, which Finix has refused for good
 * @throws Postpone, UpstreamError unless it has
 */
async function afterFailedCreate(
  deps: InstrumentDeps,
  held: InstrumentHold,
  connection: ConnectionTable,
  { call, elapsed, earlier, error }: FailedCreate,
): Promise<boolean> {
  const outcome = outcomeOfFailure(error.failure, error.details.status);
  let isWanted: boolean;
  if (outcome === 'nothing') {
    isWanted = await settleUnsent(deps, held, connection, call, earlier);
  } else {
    const answered = await restartQuietPeriod(deps, { ...call, outcome }, await elapsed());
    if (outcome === null) throw new Postpone('finix_unavailable', 0);
    const patch = { instrument_sent_at: lastUnanswered(earlier) };
    isWanted = await changeWanted(deps, held, connection, patch, (trx) => putCall(trx, answered));
  }
  if (error.failure !== 'refused') throw error;
  return isWanted;
}

interface FailedCreate {
  call: CreateCallTable;
  /** See countElapsed; since the call was announced. */
  elapsed: () => Promise<number>;
  /** The open calls of before. */
  earlier: CreateCallTable[];
  error: UpstreamError;
}

/**
 * The call was not sent, or has made nothing.
 * @returns as changeWanted
 */
async function settleUnsent(
  deps: InstrumentDeps,
  held: InstrumentHold,
  connection: ConnectionTable,
  call: CreateCallTable,
  earlier: CreateCallTable[],
): Promise<boolean> {
  return changeWanted(deps, held, connection, { instrument_sent_at: lastUnanswered(earlier) }, (trx) =>
    settleCalls(trx, [call.id]),
  );
}

/** Version 0.1 waits for the quiet period of the call in a column of the connection. */
function lastUnanswered(calls: CreateCallTable[]): number | null {
  const unanswered = calls.filter((one) => one.outcome === null).map(({ sent_at }) => sent_at);
  return unanswered.at(-1) ?? null;
}

/**
 * Changes the connection as long as it waits for this very instrument; an end in the meantime stays.
 * @returns whether it does
 */
async function changeWanted(
  { outbox }: InstrumentDeps,
  held: InstrumentHold,
  connection: ConnectionTable,
  patch: Partial<ConnectionTable> | ((before: ConnectionTable) => Partial<ConnectionTable>),
  also?: (trx: StorageTransaction) => Promise<void>,
): Promise<boolean> {
  let isWanted = false;
  await held.write(async (trx, now) => {
    const before = await lockConnection(trx, connection.id);
    await also?.(trx);
    isWanted = before !== undefined && awaitsInstrument(before, connection.generation);
    if (!before || !isWanted) return;
    const changed = typeof patch === 'function' ? patch(before) : patch;
    await changeConnection({ trx, outbox, now, by: { actor: 'job' } }, before, changed);
  });
  return isWanted;
}
