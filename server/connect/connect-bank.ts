import type { ProblemCode } from '../../widget/contract.ts';
import { UpstreamError } from '../clients/outbound.ts';
import type { PlaidClient } from '../clients/plaid.ts';
import type { Config } from '../config.ts';
import { changeConnection, lockConnection } from '../records/connections.ts';
import { prepareForSignal, releaseItems } from '../records/items.ts';
import { endOfSession } from '../records/sessions.ts';
import type { Unit } from '../records/unit.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import { updateRow } from '../storage/row-writes.ts';
import { IDENTIFIED, LIVE_CONNECTION } from '../storage/statuses.ts';
import type { ConnectionTable, RecoveryPoint, SessionTable } from '../storage/tables.ts';
import { Fenced, Postpone, Stop } from '../work/retry.ts';
import { type Doubt, type HeldSession, RELEASED } from '../work/session-lease.ts';
import { type IdentityDeps, readyIdentity, rememberIdentity } from './finix-identity.ts';
import { makeInstrument } from './finix-instrument.ts';
import { type Adoption, holdOf, type InstrumentDeps, type InstrumentHold } from './instrument-hold.ts';
import type { OwnerChecks } from './ownership.ts';
import { beginProcessorTokens } from './processor-token.ts';
import { recordConnections } from './record-connections.ts';
import { leaveRepair } from './repair.ts';
import { currentItem, leaveAccessToken, requireAccessToken, writeItem } from './session-item.ts';

/**
 * The money path: how a public token becomes a Finix payment instrument. Each function is one step between two recovery
 * points, named by what is already true. A step reads the point, calls out with no transaction open, then writes its
 * result and the next point in one short transaction. Any process resumes work from the last point.
 *
 *   started ─ exchange the public token ─► item_linked ─ choose accounts, ready the identity ─► identity_ready
 *           ─ processor token, payment instrument ─► instrument_created ─ settle ─► finished
 */
export interface ConnectBankDeps extends IdentityDeps, InstrumentDeps {
  config: Pick<Config, 'debitCheck'>;
  plaid: PlaidClient;
  owners: OwnerChecks;
  doubt: Doubt;
}

type Step = (deps: ConnectBankDeps, held: HeldSession) => Promise<void>;

/** What to do next, by what is already true. */
export const STEPS: Record<Exclude<RecoveryPoint, 'finished'>, Step> = {
  started: linkItem,
  item_linked: chooseAndIdentify,
  identity_ready: createInstruments,
  instrument_created: settle,
};

/** started → item_linked: the access token is stored, encrypted, before anything else happens. */
async function linkItem({ storage, secrets, plaid, timing }: ConnectBankDeps, held: HeldSession): Promise<void> {
  const item = await currentItem(storage.db, held);
  if (item.status === 'linked') return held.write({ recovery_point: 'item_linked', tries: 0 });
  const { stage } = held;
  held.stage = 'running';
  // The worker before may be alive, with the answer in hand: see leaveAccessToken.
  if (item.exchange_tries > 0 && stage === 'resumed') {
    throw new Postpone('plaid_unavailable', timing.lookAgainMs, false);
  }
  if (item.public_token_enc === null) throw new Stop('restart_required', 'restart_required');
  const publicToken = secrets.open(item.public_token_enc, { table: 'items', row: item.id, column: 'public_token_enc' });

  if (stage !== 'accepted') {
    // Not counted further: version 0.1 gives a token up after two tries.
    await held.write({}, (trx, now) => writeItem(trx, item, { exchange_sent_at: now, exchange_tries: 1 }, now));
  }
  let linked: { accessToken: string; itemId: string };
  try {
    linked = await plaid.exchangePublicToken(publicToken);
  } catch (error) {
    // An exchange can't happen twice: after a lost answer a second call shows the outcome, and only Plaid's refusal of
    // the token ends it.
    if (!(error instanceof UpstreamError) || error.failure === 'lost') throw error;
    if (error.failure === 'refused') return endOrGoOn(storage, held);
    // A definite answer that it was not done: nothing is on its way.
    await held.write({}, (trx, now) => writeItem(trx, item, { exchange_tries: 0 }, now));
    if (error.failure === 'misconfigured') throw new Stop('open', 'provider_misconfigured');
    throw error;
  }
  const sealed = secrets.seal(linked.accessToken, { table: 'items', row: item.id, column: 'access_token_enc' });
  const tokens = { access_token_enc: sealed, plaid_item_id: linked.itemId, public_token_enc: null };
  try {
    const linkedItem = { ...tokens, status: 'linked' } as const;
    const also = (trx: StorageTransaction, now: number) => writeItem(trx, item, linkedItem, now);
    await held.write({ recovery_point: 'item_linked', tries: 0 }, also, 'rows');
    held.known.item = { ...item, ...linkedItem };
  } catch (error) {
    if (error instanceof Fenced) await leaveAccessToken(storage, item.id, tokens);
    throw error;
  }
}

/**
 * The public token is consumed. Requires a new Link run, unless the previous worker has stored its access token in the
 * meantime.
 */
async function endOrGoOn({ db }: Storage, held: HeldSession): Promise<void> {
  held.known = {};
  const item = await currentItem(db, held);
  if (item.status !== 'linked') throw new Stop('restart_required', 'restart_required');
  await held.write({ recovery_point: 'item_linked', tries: 0 });
}

/** A token that Plaid refused may have been used by work of which no row is left. */
async function lookFirstIfRestarted({ storage: { db } }: ConnectBankDeps, held: HeldSession): Promise<void> {
  if (held.looksFirst || held.known.isFirstItem) return;
  const earlier = await db
    .selectFrom('items')
    .select('id')
    .where('session_id', '=', held.row.id)
    .where('id', '!=', held.row.item_id)
    .executeTakeFirst();
  if (earlier) held.lookFirst();
  else held.known.isFirstItem = true;
}

/**
 * item_linked → identity_ready: there is a row for each account, and an identity at Finix that will own the
 * instruments.
 */
async function chooseAndIdentify(deps: ConnectBankDeps, held: HeldSession): Promise<void> {
  let connections = await currentConnections(deps, held);
  if (connections.length === 0) connections = await recordConnections(deps, held);
  // One that waits for its verification needs the identity too: by then the session's fields for it are erased.
  if (connections.every(({ status }) => status !== 'pending' && status !== 'pending_verification')) {
    return held.write({ recovery_point: 'instrument_created', tries: 0 });
  }
  await lookFirstIfRestarted(deps, held);
  const item = await currentItem(deps.storage.db, held);
  // A refusal of the owner is written to the connections, which are there then.
  if (held.row.ownership === 'require') await held.write({});
  const accessToken = requireAccessToken(deps.secrets, item);
  deps.owners.begin(held.row, connections, accessToken);
  beginProcessorTokens(deps, held, connections, accessToken);
  // Both have ended before either error counts: a create call that goes on would write under a session that has ended.
  const [identified, owned] = await Promise.allSettled([
    readyIdentity(deps, held),
    deps.owners.require(held.row, connections),
  ]);
  if (owned.status === 'rejected') throw owned.reason;
  if (identified.status === 'rejected') throw identified.reason;
  const finix_identity = identified.value;
  const refused = owned.value;
  // With the intent to create an instrument: until then a crash costs a look at what Finix has of the customer.
  const patch = { recovery_point: 'identity_ready', finix_identity, identity_enc: null, tries: 0 } as const;
  const identify = async (trx: StorageTransaction, now: number) => {
    const { item_id } = held.row;
    await updateRow('connections', { item_id: item_id ?? '' }, { finix_identity, updated_at: now }).execute(trx);
    for (const connection of connections) {
      const learned = deps.owners.learned(connection);
      if (learned.verification)
        await trx.updateTable('connections').set(learned).where('id', '=', connection.id).execute();
    }
    // In the commit that lets work go on: no account is connected whose owner was refused, whichever worker continues.
    const unit: Unit = { trx, outbox: deps.outbox, now, by: { actor: 'job' } };
    for (const { id, code } of refused) await failConnection(unit, id, code);
  };
  held.join(patch, identify, refused.length === 0 ? 'rows' : undefined);
  held.known.connections = connections.map((connection) => ({ ...connection, finix_identity }));
  if (refused.length === 0) return;
  await held.write({});
  delete held.known.connections;
}

/** identity_ready → instrument_created: every account has its outcome. */
async function createInstruments(deps: ConnectBankDeps, held: HeldSession): Promise<void> {
  const item = await currentItem(deps.storage.db, held);
  const accessToken = requireAccessToken(deps.secrets, item);
  await lookFirstIfRestarted(deps, held);
  const connections = await currentConnections(deps, held);
  // The session ends with its only account.
  const adopt = connections.length === 1 ? { adopt: (also: Adoption) => finishWith(deps, held, also) } : {};
  const { areNew: isFirst = false, processorTokens } = held.known;
  const hold: InstrumentHold = Object.assign(holdOf(held), { isFirst, processorTokens, ...adopt });
  // From here on they change.
  delete held.known.connections;
  delete held.known.areNew;
  for (const connection of connections) {
    if (connection.status !== 'pending') continue;
    try {
      await makeInstrument(deps, hold, connection, accessToken);
    } catch (error) {
      // Another account of the login is connected already: the session ends with that one.
      if (!(error instanceof Stop) || !(await currentConnections(deps, held)).some(isUsable)) throw error;
      delete held.known.connections;
      await held.write({}, (trx, now) =>
        failConnection({ trx, outbox: deps.outbox, now, by: { actor: 'job' } }, connection.id, error.code),
      );
    }
  }
  if (held.row.status === 'processing') held.join({ recovery_point: 'instrument_created', tries: 0 });
}

/**
 * One that a later session of the customer has just replaced was connected all the same, and so was one that a return
 * asks to repair.
 */
function isUsable({ status, reason }: ConnectionTable): boolean {
  return LIVE_CONNECTION.includes(status) || reason === 'replaced';
}

/** Without its identity, one that waits for its verification could never have an instrument. */
function staysConnected({ status, finix_identity }: ConnectionTable): boolean {
  return LIVE_CONNECTION.includes(status) && finix_identity !== null;
}

async function failConnection(unit: Unit, id: string, code: ProblemCode): Promise<void> {
  const before = await lockConnection(unit.trx, id);
  const isBecoming = before?.status === 'pending' || before?.status === 'pending_verification';
  if (!before || !isBecoming || before.goal !== null) return;
  // A create call that is still in doubt has its row, which has it looked for.
  const failed = { status: 'failed', error_code: code, reason: code, instrument_sent_at: null } as const;
  await changeConnection(unit, before, failed);
}

/** instrument_created → finished: the session ends as what its connections became. */
async function settle(deps: ConnectBankDeps, held: HeldSession): Promise<void> {
  const connections = await currentConnections(deps, held);
  if (!connections.some(isUsable)) throw endWithout(connections);
  await held.write(FINISHED, (trx, now, session) => finish(deps, trx, now, session, connections));
  deps.owners.finish(connections);
}

const FINISHED = {
  recovery_point: 'finished',
  status: 'completed',
  identity_enc: null,
  error: null,
  ...RELEASED,
} as const;

/** @param connections all of the session's, as they are now */
async function finish(
  { config, outbox }: ConnectBankDeps,
  trx: StorageTransaction,
  now: number,
  session: SessionTable,
  connections: ConnectionTable[],
  hasIdentity = false,
): Promise<void> {
  if (!hasIdentity) await rememberIdentity(trx, session, now);
  if (config.debitCheck === 'signal') await prepareForSignal(trx, session.item_id, now);
  await endOfSession({ trx, outbox, now, by: { actor: 'job' } }, session, connections);
}

class NotUsable extends Error {}

/** identity_ready → finished, where `adopt` gives the session's only connection its instrument. */
async function finishWith(deps: ConnectBankDeps, held: HeldSession, adopt: Adoption): Promise<void> {
  // Where an older copy was restored, the customer's row may have gone since it was read.
  const hasIdentity = held.known.hasIdentity === true && !held.looksFirst;
  try {
    let connection: ConnectionTable | undefined;
    await held.write(FINISHED, async (trx, now, session) => {
      connection = await adopt(trx, now, session);
      // Nothing of this write is kept then.
      if (!connection || !isUsable(connection)) throw new NotUsable();
      // A millisecond later, so that lists and events have the session's end after its connection.
      await finish(deps, trx, now + 1, session, [connection], hasIdentity);
    });
    if (!connection) return;
    held.known.ended = [connection];
    deps.owners.finish([connection]);
  } catch (error) {
    if (!(error instanceof NotUsable)) throw error;
    // The connection has come to an end while its instrument was made: the next steps find out which.
    await held.write({}, async (trx, now) => void (await adopt(trx, now)));
  }
}

/** What a session without a usable connection ends as. */
function endWithout(connections: ConnectionTable[]): Stop {
  if (connections.some(({ status, goal }) => status === 'removed' || goal === 'remove')) {
    return new Stop('failed', 'session_failed', { detail: 'The connection was removed in the meantime.' });
  }
  // Taken back at the bank while it was being connected: the customer may connect again.
  if (connections.some(({ revoked_at }) => revoked_at !== null))
    return new Stop('restart_required', 'restart_required');
  const code = connections.find(({ error_code }) => error_code !== null)?.error_code as ProblemCode | undefined;
  return new Stop('failed', code ?? 'instrument_refused');
}

/**
 * Ends the work on a session where the customer or the merchant must go on. Connections that were becoming something
 * are failed, and the Item is removed at Plaid unless the same public token may still be sent again.
 */
export async function stop(deps: ConnectBankDeps, held: HeldSession, reason: Stop, requestId: string): Promise<void> {
  const { outbox } = deps;
  const { code, status } = reason;
  // Before its identity is ready, an account may still be refused for its owner.
  const isIdentified = IDENTIFIED.includes(held.row.recovery_point);
  const stays = (one: ConnectionTable) => one.status === 'active' || (isIdentified && staysConnected(one));
  if (status !== 'open' && (await storedConnections(deps, held)).some(stays)) {
    return finishPartly(deps, held, code);
  }
  const { detail, action, errors, accounts } = reason.extras;
  const error = JSON.stringify({ code, request_id: requestId, detail, action, errors, accounts });
  const erased = status === 'failed' ? { identity_enc: null } : {};
  const patch = { status, error, processing_since: null, tries: 0, ...erased, ...RELEASED };
  await held.write(patch, async (trx, now, session) => {
    const unit: Unit = { trx, outbox, now, by: { actor: 'job' } };
    if (session.repair_connection_id !== null) {
      await leaveRepair(unit, session.repair_connection_id, code);
    }
    if (status === 'open') return;
    const unfinished = await trx
      .selectFrom('connections')
      .select('id')
      .where('session_id', '=', session.id)
      // One that waits for its verification would never end: its Item goes.
      .where('status', 'in', ['pending', 'pending_verification'])
      .where('goal', 'is', null)
      .execute();
    for (const { id } of unfinished) await failConnection(unit, id, code);
    await releaseItems(trx, session.id, now);
    await endOfSession({ ...unit, by: { actor: 'job', details: { code } } }, session);
  });
}

/** Another account of the login is connected: its Item must stay, or no webhook would ever end its debits. */
async function finishPartly(deps: ConnectBankDeps, held: HeldSession, code: ProblemCode): Promise<void> {
  await held.write(FINISHED, async (trx, now, session) => {
    const all = () => trx.selectFrom('connections').selectAll().where('item_id', '=', session.item_id).execute();
    const unit: Unit = { trx, outbox: deps.outbox, now, by: { actor: 'job', details: { code } } };
    for (const { id, status } of await all()) if (status === 'pending') await failConnection(unit, id, code);
    await finish(deps, trx, now, session, await all());
  });
}

/** The session's connections of its Item. What is joined may be the very connections, so it is written first. */
async function currentConnections(deps: ConnectBankDeps, held: HeldSession): Promise<ConnectionTable[]> {
  if (!held.known.connections && held.hasJoined) await held.write({});
  held.known.connections ??= await storedConnections(deps, held);
  return held.known.connections;
}

function storedConnections({ storage }: ConnectBankDeps, { row }: HeldSession): Promise<ConnectionTable[]> {
  return storage.db
    .selectFrom('connections')
    .selectAll()
    .where('item_id', '=', row.item_id)
    .where('session_id', '=', row.id)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}
