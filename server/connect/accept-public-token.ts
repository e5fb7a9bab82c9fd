import { sql } from 'kysely';
import type { CompleteRequest, ProblemCode } from '../../widget/contract.ts';
import { ProblemError } from '../errors.ts';
import { newId, sha256 } from '../ids.ts';
import { type Actor, addAudit } from '../records/audit.ts';
import { acceptAuthorization, auditAuthorization } from '../records/authorization.ts';
import { lockConnection } from '../records/connections.ts';
import { findItem, isBusy, releaseItems } from '../records/items.ts';
import type { Outbox } from '../records/outbox.ts';
import { hasEnded } from '../records/repairable.ts';
import { endOfSession } from '../records/sessions.ts';
import type { Unit } from '../records/unit.ts';
import { acceptsUntil, storedProblem } from '../records/views.ts';
import { writeLast } from '../storage/last-writes.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import type { LimitedUse } from '../storage/rate-limit.ts';
import { insertRow, theOnly, updateRow } from '../storage/row-writes.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { ItemTable, SessionTable } from '../storage/tables.ts';
import type { KnownRows } from '../work/session-lease.ts';
import type { Timing } from '../work/timing.ts';
import { areKnown, completeRecognized } from './recognize.ts';

/** Who sent the request, for the authorization's receipt and for support. */
export interface RequestFacts {
  requestId: string;
  ip: string | null;
  userAgent: string | null;
  /** `plaid` when a webhook brought the token of a Hosted Link; the page otherwise. */
  actor?: Actor;
}

/**
 * `work`: the token is committed and this worker holds the session. `join`: the same token is being worked on.
 * `settled`: the same token was processed before, and the session has its outcome.
 */
export type Accepted = { kind: 'work' | 'join' | 'settled'; session: SessionTable; known?: KnownRows };

/**
 * Each costs an exchange at Plaid. A customer who tries bank after bank stays far below; a page that guesses does not.
 */
const MAX_PUBLIC_TOKENS = 50;

/** What only the customer can go on from, with the public token that is known. */
const ASKED: ReadonlySet<ProblemCode | undefined> = new Set([
  'account_selection_required',
  'account_unknown',
  'account_not_supported',
] as const);

/** Never to be exchanged, and known by its hash. */
const SPENT = { status: 'spent', public_token_enc: null } as const;

const TAKEN: Partial<Record<SessionTable['status'], ProblemCode>> = {
  processing: 'session_busy',
  completed: 'session_already_completed',
  failed: 'session_failed',
  canceled: 'session_canceled',
  expired: 'session_expired',
};

/**
 * Takes a public token into a session, in one transaction: either it is stored and committed with the session leased to
 * `owner`, or nothing has changed. Nothing is exchanged here.
 * @param found the session as it was a moment ago
 * @param recognized ids of the connections that the customer has to these accounts already (recognize.ts)
 * @param limit counted together with the token
 * @throws ProblemError when the session or the token cannot be used
 */
export async function acceptPublicToken(
  { storage, secrets, timing, outbox }: { storage: Storage; secrets: Secrets; timing: Timing; outbox: Outbox },
  owner: string,
  found: SessionTable,
  request: CompleteRequest,
  facts: RequestFacts,
  recognized?: string[],
  limit?: LimitedUse,
): Promise<Accepted> {
  const hash = sha256(request.public_token);
  // Most repetitions come while the first request is being processed, and must not delay it.
  const early = await findAccepted(storage.db, found, hash);
  if (early) {
    await limit?.count();
    return early;
  }
  const now = await storage.now();
  const accepted = await storage.transaction(`customer:${found.customer_id}`, async (trx): Promise<Accepted> => {
    await limit?.countIn(trx);
    // A write first: it locks the row, so that of many requests at once exactly one goes on from here.
    const { rows } = await sql<SessionTable & { same_token: string | null }>`
      update sessions set updated_at = updated_at where id = ${found.id}
      returning *, (select items.id from items where public_token_hash = ${hash}) as same_token`.execute(trx);
    const [session] = rows;
    if (!session) throw new ProblemError('not_found');
    const unit: Unit = { trx, outbox, now, by: { actor: facts.actor ?? 'page', ip: facts.ip } };
    const taking = { trx, now, owner, leaseUntil: now + timing.leaseMs };
    if (session.mode === 'repair') return acceptRepair(taking, session, request, facts);
    const known = session.same_token === null ? undefined : await findItem(trx, session.same_token);
    const isSameToken = known !== undefined && known.id === session.item_id;

    const answered = answerTo(session, isSameToken, now);
    if (answered) return answered;
    // Consumed before, in this session or another: Plaid need not be asked.
    if (known && (!isSameToken || (known.status !== 'linked' && known.status !== 'exchanging'))) {
      return { kind: 'settled', session: await askForRestart(unit, session, facts) };
    }

    // A repetition of a token whose choice is pending: working on it again would lose the customer's choice.
    if (known && facts.actor === 'plaid' && ASKED.has(storedProblem(session)?.code))
      return { kind: 'settled', session };

    const receipt = acceptAuthorization(session, request.authorization, facts, now);
    await auditAccepted(trx, session, receipt, facts, now);
    if (!known) await replaceItem(trx, session, now);
    if (!known && recognized && (await areKnown(trx, session, recognized))) {
      const item = await insertItem(trx, secrets, session, request, hash, now, SPENT);
      const ended = { itemId: item.id, receipt, ids: recognized };
      return {
        kind: 'settled',
        session: await completeRecognized(unit, session, ended),
      };
    }
    const item = known ?? (await insertItem(trx, secrets, session, request, hash, now));
    if (known?.status === 'exchanging') await announceExchange(trx, known, now);
    const work = {
      recovery_point: item.status === 'linked' ? 'item_linked' : 'started',
      item_id: item.id,
      chosen_accounts: JSON.stringify(request.accounts.map(({ id }) => id)),
      authorization_receipt: receipt,
    } as const;
    const begun = await beginWork(taking, session, work);
    return session.item_id === null ? { ...begun, known: { item, isFirstItem: true, connections: [] } } : begun;
  });
  limit?.committed();
  return accepted;
}

/**
 * How the session itself responds to a token, before the token is examined; undefined: it takes the token.
 * @throws ProblemError when it takes none
 */
function answerTo(session: SessionTable, isSameToken: boolean, now: number): Accepted | undefined {
  if (isSameToken && session.status === 'processing') return { kind: 'join', session };
  if (isSameToken && (session.status === 'completed' || session.status === 'failed'))
    return { kind: 'settled', session };
  const taken = TAKEN[session.status];
  if (taken) throw new ProblemError(taken);
  if (now > acceptsUntil(session)) throw new ProblemError('session_expired');
  return undefined;
}

/**
 * The token was consumed elsewhere. An Item that waits for the customer's choice stays: it is not what this token is
 * about.
 */
async function askForRestart(unit: Unit, session: SessionTable, { requestId }: RequestFacts): Promise<SessionTable> {
  const error = JSON.stringify({ code: 'restart_required', request_id: requestId });
  const asked = { status: 'restart_required', error } as const;
  if (session.item_id !== null) return { ...session, ...asked };
  const restarted = await unit.trx
    .updateTable('sessions')
    .set({ ...asked, version: session.version + 1, updated_at: Math.max(unit.now, session.updated_at + 1) })
    .where('id', '=', session.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  if (session.status !== 'restart_required') await endOfSession(unit, restarted);
  return restarted;
}

/** The transaction in which a worker takes a session, and until when the session is that worker's. */
interface Taking {
  trx: StorageTransaction;
  now: number;
  owner: string;
  leaseUntil: number;
}

/**
 * As acceptPublicToken, for a repair: the token only proves that the customer has signed in again, and is never
 * exchanged.
 */
async function acceptRepair(
  taking: Taking,
  session: SessionTable,
  request: CompleteRequest,
  facts: RequestFacts,
): Promise<Accepted> {
  const { trx, now } = taking;
  const hash = sha256(request.public_token);
  const isSameToken = session.repair_token_hash === hash;
  const answered = answerTo(session, isSameToken, now);
  if (answered) return answered;
  // The token can't be proved by exchanging it. Where Link was never opened there can be none.
  if (session.link_tokens_until === 0) throw new ProblemError('restart_required');
  const connection = await lockConnection(trx, session.repair_connection_id ?? '');
  if (!connection || hasEnded(connection)) {
    throw new ProblemError('session_failed', { detail: 'The connection has ended in the meantime.' });
  }
  if (await isBusy(trx, connection.item_id)) throw new ProblemError('session_busy', { retryAfter: 2 });
  const receipt = acceptAuthorization(session, request.authorization, facts, now);
  await auditAccepted(trx, session, receipt, facts, now);
  const work = {
    recovery_point: 'item_linked',
    item_id: connection.item_id,
    repair_token_hash: hash,
    authorization_receipt: receipt,
    // After every revocation of before, also where the clock was set back since.
    processing_since: Math.max(now, (connection.revoked_at ?? 0) + 1),
  } as const;
  return beginWork(taking, session, work);
}

/** The session is the worker's from here on. */
async function beginWork(
  { trx, now, owner, leaseUntil }: Taking,
  session: SessionTable,
  work: Partial<SessionTable>,
): Promise<Accepted> {
  const fields: Partial<SessionTable> = {
    status: 'processing',
    error: null,
    updated_at: Math.max(now, session.updated_at + 1),
    version: session.version + 1,
    lease_owner: owner,
    lease_until: leaseUntil,
    next_at: now,
    tries: 0,
    processing_since: now,
    waited_ms: 0,
    ...work,
  };
  const { rows } = await sql<SessionTable>`${updateRow('sessions', { id: session.id }, fields)} returning *`.execute(
    trx,
  );
  return { kind: 'work', session: theOnly(rows) };
}

async function auditAccepted(
  trx: StorageTransaction,
  session: SessionTable,
  receipt: string | null,
  { actor = 'page', ip }: RequestFacts,
  now: number,
): Promise<void> {
  const about = { session: session.id, connection: session.repair_connection_id };
  await auditAuthorization(trx, session, receipt, { actor, ip }, now);
  await addAudit(trx, now, { actor, ip }, 'public_token.accepted', about);
}

/** The same token, which is being worked on or has been: nothing is to be written for it. */
async function findAccepted(db: Storage['db'], session: SessionTable, hash: string): Promise<Accepted | undefined> {
  const { item_id, status } = session;
  const kind = status === 'processing' ? 'join' : status === 'completed' || status === 'failed' ? 'settled' : undefined;
  if (kind === undefined || item_id === null) return undefined;
  const item = await db.selectFrom('items').select('public_token_hash').where('id', '=', item_id).executeTakeFirst();
  return item?.public_token_hash === hash ? { kind, session } : undefined;
}

/** A token whose exchange was put off, as while Plaid was misconfigured. */
async function announceExchange(trx: StorageTransaction, item: ItemTable, now: number): Promise<void> {
  await trx
    .updateTable('items')
    .set({ exchange_sent_at: now, exchange_tries: item.exchange_tries + 1, updated_at: now })
    .where('id', '=', item.id)
    .execute();
}

/**
 * The customer came back with another bank: the Item of the one before is of no use, and bills.
 * @throws ProblemError `rate_limited` when the session has no tokens left
 */
async function replaceItem(trx: StorageTransaction, session: SessionTable, now: number): Promise<void> {
  if (session.item_id === null) return;
  const { used } = await trx
    .selectFrom('items')
    .select((eb) => eb.fn.countAll<number>().as('used'))
    .where('session_id', '=', session.id)
    .executeTakeFirstOrThrow();
  if (Number(used) >= MAX_PUBLIC_TOKENS) throw new ProblemError('rate_limited', { action: 'contact_merchant' });
  await releaseItems(trx, session.id, now);
}

async function insertItem(
  trx: StorageTransaction,
  secrets: Secrets,
  session: SessionTable,
  { public_token, institution, link_session_id }: CompleteRequest,
  hash: string,
  now: number,
  patch: Partial<ItemTable> = {},
): Promise<ItemTable> {
  const id = newId('itm');
  const item: ItemTable = {
    id,
    session_id: session.id,
    public_token_hash: hash,
    public_token_enc: secrets.seal(public_token, { table: 'items', row: id, column: 'public_token_enc' }),
    // The exchange is sent as soon as this is committed.
    exchange_sent_at: now,
    exchange_tries: 1,
    access_token_enc: null,
    plaid_item_id: null,
    institution_id: institution?.institution_id ?? null,
    institution_name: institution?.name ?? null,
    webhook_url: null,
    signal_prepare_at: null,
    signal_prepared_at: null,
    link_session_id: link_session_id ?? null,
    status: 'exchanging',
    next_at: now,
    tries: 0,
    created_at: now,
    updated_at: now,
    ...patch,
  };
  await writeLast(trx, insertRow('items', item));
  return item;
}
