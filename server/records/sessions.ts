import { sql } from 'kysely';
import type { CreatePublicSessionRequest, CreateSessionRequest, Session } from '../../widget/contract.ts';
import type { Config } from '../config.ts';
import { ProblemError } from '../errors.ts';
import { addressBlock, siteBlock } from '../hosts.ts';
import { newId, sha256 } from '../ids.ts';
import { changedAt } from '../storage/changed-at.ts';
import { isUniqueViolation } from '../storage/errors.ts';
import { keptSelect } from '../storage/kept-select.ts';
import { writeLast } from '../storage/last-writes.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import { enforceRateLimit, LimitedUse, type RateLimit, type UsedUpLimits } from '../storage/rate-limit.ts';
import { insertRow } from '../storage/row-writes.ts';
import type { Secrets } from '../storage/secrets.ts';
import { OPEN_SESSION } from '../storage/statuses.ts';
import type { ConnectionTable, SessionTable } from '../storage/tables.ts';
import { addAudit, type Initiator } from './audit.ts';
import { readAllowedOrigins, readStoredSession } from './columns.ts';
import { canonicalJson, findAnswer, type Repeatable, rememberAnswer, requireKeyOfAnswer } from './idempotency.ts';
import { releaseItems } from './items.ts';
import { completeLink } from './links.ts';
import { findRepaired } from './repairable.ts';
import type { Unit } from './unit.ts';
import { shownStatus, storedProblem, viewSession } from './views.ts';

/**
 * A customer may come back to a checkout on the same day; after that the merchant's page makes a new session anyway.
 */
const SESSION_MS = 24 * 3600_000;
/** A family or a small office behind one address; a script that mints sessions is stopped within a second. */
const PUBLIC_SESSIONS: RateLimit = { limit: 30, windowMs: 60_000 };
/** A /56 is what one customer of a provider may have: 256 networks, of which they use a few. */
const PUBLIC_SESSIONS_OF_SITE: RateLimit = { limit: 60, windowMs: 60_000 };
/** A checkout on its best day may need these; a botnet must not exceed them: a session may become an Item, billed. */
const PUBLIC_SESSIONS_OF_ALL: RateLimit = { limit: 3_000, windowMs: 60_000 };
/** A bank that is down is tried a few times; one session has no use for more. */
const COMPLETES: RateLimit = { limit: 120, windowMs: 3600_000 };

function addressBlocks(ip: string | null): (RateLimit & { name: string })[] {
  const site = siteBlock(ip);
  return [
    { name: addressBlock(ip), ...PUBLIC_SESSIONS },
    ...(site === undefined ? [] : [{ name: site, ...PUBLIC_SESSIONS_OF_SITE }]),
  ];
}

export interface SessionDeps {
  config: Pick<Config, 'ownershipCheck' | 'plaid'>;
  storage: Storage;
  secrets: Secrets;
}

/** What a new session is made of, in public mode and with a merchant key. */
type NewSession = CreateSessionRequest & { isPublic: boolean; linkId?: string };

/**
 * Makes a session for the merchant's server. With an idempotency key, the same key and body give the same answer for 24
 * hours.
 * @throws ProblemError `idempotency_key_reused` when the key came with another body
 */
export async function createSession(
  deps: SessionDeps,
  request: CreateSessionRequest,
  idempotencyKey: string | undefined,
): Promise<Session> {
  const wanted = { ...request, isPublic: false };
  if (idempotencyKey === undefined) return insertSession(deps, wanted, null);
  const repeatable = { key: idempotencyKey, hash: sha256(canonicalJson(request)) };
  const earlier = await findSessionAnswer(deps, repeatable);
  if (earlier) return earlier;
  try {
    return await insertSession(deps, wanted, null, repeatable);
  } catch (error) {
    // Another request with this key was faster: its answer is the answer.
    const other = isUniqueViolation(error) ? await findSessionAnswer(deps, repeatable) : undefined;
    if (other) return other;
    throw error;
  }
}

/** Before a body is read: what is refused must cost less than what is served. @throws ProblemError `rate_limited` */
export async function limitPublicSessions(storage: Storage, ip: string | null): Promise<void> {
  for (const { name, ...rate } of addressBlocks(ip)) await enforceRateLimit(storage, `public-session:${name}`, rate);
  await enforceRateLimit(storage, 'public-session', PUBLIC_SESSIONS_OF_ALL);
}

/**
 * A page asks once and polls; a public token that is made up costs a question to Plaid. Counted together with the
 * token.
 */
export function limitCompletes(storage: Storage, { id }: SessionTable, usedUp: UsedUpLimits): LimitedUse {
  return new LimitedUse(storage, `complete:${id}`, COMPLETES, usedUp);
}

/**
 * Makes a session for a page in public mode: a customer of its own, so that no other customer's bank can be reached
 * with it.
 * @throws ProblemError `rate_limited`
 */
export async function createPublicSession(
  deps: SessionDeps,
  settings: Config['publicSessions'],
  request: CreatePublicSessionRequest,
  ip: string | null,
): Promise<Session> {
  const { purpose, authorization } = settings;
  const customer_id = newId('anon');
  return insertSession(deps, { ...request, customer_id, purpose, authorization, isPublic: true }, ip);
}

export async function findSession(storage: Storage, id: string): Promise<SessionTable | undefined> {
  return storage.db.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst();
}

/** A session with what its page's requests need to know of its customer. */
export interface FoundSession extends SessionTable {
  /**
   * The id of one of the customer's connections; null: the customer has none, so that there is nothing to recognize.
   */
  any_connection?: string | null;
  /** 1 while the customer is being erased, else null. */
  is_being_erased?: number | null;
}

export async function findSessionOfPage(storage: Storage, id: string): Promise<FoundSession | undefined> {
  const [found] = await sessionOfPage(storage, id);
  return found;
}

const sessionOfPage = keptSelect<FoundSession>((db, id) =>
  db
    .selectFrom('sessions')
    .selectAll()
    .select((eb) =>
      eb
        .selectFrom('connections')
        .select('connections.id')
        .whereRef('connections.customer_id', '=', 'sessions.customer_id')
        .where('connections.status', '!=', 'removed')
        .limit(1)
        .as('any_connection'),
    )
    .select((eb) =>
      eb
        .selectFrom('erasures')
        .select(sql.lit(1).as('one'))
        .whereRef('erasures.customer_id', '=', 'sessions.customer_id')
        .as('is_being_erased'),
    )
    .where('id', '=', id),
);

/** The origins that a session was given in addition to the server's own. */
export async function sessionOrigins({ db }: Storage, id: string): Promise<string[]> {
  const session = await db.selectFrom('sessions').select('allowed_origins').where('id', '=', id).executeTakeFirst();
  return session?.allowed_origins ? readAllowedOrigins(session.allowed_origins) : [];
}

/**
 * Closes a session that waits for its customer, and has its Item removed.
 * @throws ProblemError when it is being worked on or has ended otherwise
 */
export async function cancelSession({ storage }: Pick<SessionDeps, 'storage'>, id: string): Promise<SessionTable> {
  const now = await storage.now();
  const found = await findSession(storage, id);
  if (!found) throw new ProblemError('not_found');
  return storage.transaction(`customer:${found.customer_id}`, async (trx) => {
    const closed = await closeWaiting(trx, id, now, { actor: 'merchant' });
    if (closed) return closed;
    const session = await trx.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst();
    if (!session) throw new ProblemError('not_found');
    if (session.status === 'canceled') return session;
    if (session.status === 'processing') throw new ProblemError('session_busy');
    if (session.status === 'completed') throw new ProblemError('session_already_completed');
    throw new ProblemError(session.status === 'expired' ? 'session_expired' : 'session_failed');
  });
}

/** @throws ProblemError unless the session waits for its customer */
export function requireWaiting(session: SessionTable, now: number): void {
  const status = shownStatus(session, now);
  if (status === 'expired') throw new ProblemError('session_expired');
  if (status === 'canceled') throw new ProblemError('session_canceled');
  if (status === 'completed') throw new ProblemError('session_already_completed');
  if (status === 'failed') throw new ProblemError('session_failed');
  if (status === 'processing') throw new ProblemError('session_busy');
}

/** Plaid's advice for a bank that is down: hours, not minutes. Seconds. */
const BANK_RETRY_AFTER = 3600;

/**
 * @throws ProblemError when the work on the session ended where the customer must continue, or the session was canceled
 */
export function requireOutcome(session: SessionTable): void {
  if (session.status === 'canceled') throw new ProblemError('session_canceled');
  if (session.status !== 'open' && session.status !== 'restart_required') return;
  const problem = storedProblem(session);
  if (!problem) throw new ProblemError('internal_error');
  const { code, request_id: _, ...extras } = problem;
  throw new ProblemError(code, code === 'bank_unavailable' ? { ...extras, retryAfter: BANK_RETRY_AFTER } : extras);
}

/**
 * Closes a session that waits for its customer, and has its Item removed.
 * @returns undefined when it does not wait
 */
export async function closeWaiting(
  trx: StorageTransaction,
  id: string,
  now: number,
  by: Initiator,
): Promise<SessionTable | undefined> {
  const closed = await trx
    .updateTable('sessions')
    .set((eb) => ({
      status: 'canceled',
      identity_enc: null,
      error: null,
      version: eb('version', '+', 1),
      updated_at: changedAt(eb, now),
    }))
    .where('id', '=', id)
    .where('status', 'in', OPEN_SESSION)
    .returningAll()
    .executeTakeFirst();
  if (!closed) return undefined;
  await releaseItems(trx, closed.id, now);
  await auditSession(trx, closed, now, by, 'session.canceled');
  return closed;
}

/** What the audit keeps of a session; a repair's belongs to its connection. */
export async function auditSession(
  trx: StorageTransaction,
  { id, repair_connection_id }: SessionTable,
  now: number,
  by: Initiator,
  action: string,
): Promise<void> {
  await addAudit(trx, now, by, action, { session: id, connection: repair_connection_id });
}

/** The session has come to an end, or back to its customer: the merchant gets an event, and the audit an entry. */
export async function endOfSession(unit: Unit, session: SessionTable, connections?: ConnectionTable[]): Promise<void> {
  const { trx, outbox, now, by } = unit;
  await outbox.sessionEnded(trx, session, now, connections);
  if (session.status === 'completed') await completeLink(unit, session);
  await auditSession(trx, session, now, by, `session.${session.status}`);
}

async function findSessionAnswer(
  { storage, secrets }: SessionDeps,
  repeatable: Repeatable,
): Promise<Session | undefined> {
  const earlier = await findAnswer(storage, repeatable);
  const session = earlier && (await findSession(storage, earlier.subjectId));
  if (!earlier || !session) return undefined;
  requireKeyOfAnswer(secrets.keyIds, session.secret_key_id);
  const secret = clientSecret(secrets, session.id, session.secret_key_id);
  return { ...readStoredSession(earlier.answer), client_secret: secret };
}

async function insertSession(
  deps: SessionDeps,
  request: NewSession,
  ip: string | null,
  repeatable?: Repeatable,
): Promise<Session> {
  const { config, storage, secrets } = deps;
  const { row, repaired } = await prepareSession(deps, request);
  const audience = request.isPublic ? 'page' : 'merchant';
  const answer = viewSession(row, repaired ? [repaired] : [], audience, row.created_at, config);
  await storage.transaction('rows', async (trx) => {
    if (repeatable) await rememberAnswer(trx, repeatable, row.id, answer, row.created_at);
    await addSession(trx, row, { actor: request.isPublic ? 'page' : 'merchant', ip });
  });
  return { ...answer, client_secret: clientSecret(secrets, row.id, row.secret_key_id) };
}

/** Writes a session that was prepared. */
export async function addSession(trx: StorageTransaction, row: SessionTable, by: Initiator): Promise<void> {
  await writeLast(trx, insertRow('sessions', row));
  await auditSession(trx, row, row.created_at, by, 'session.created');
}

/**
 * The row of a new session, not yet written.
 * @throws ProblemError when the connection to repair can't be repaired, or is not this customer's
 */
export async function prepareSession(
  { config, storage, secrets }: SessionDeps,
  request: NewSession,
): Promise<{ row: SessionTable; repaired: ConnectionTable | undefined }> {
  const repaired = await findRepaired(storage, request);
  const merchant = request.merchant ? JSON.stringify(request.merchant) : (repaired?.merchant ?? null);
  const now = await storage.now();
  const id = newId('ses');
  const row: SessionTable = {
    id,
    mode: repaired ? 'repair' : 'connect',
    status: 'open',
    recovery_point: 'started',
    customer_id: request.customer_id,
    // A repair is about the account as it was connected. Rows of older versions have no purpose.
    purpose: repaired?.purpose ?? request.purpose ?? 'debit',
    account_selection: request.account_selection ?? 'single',
    language: request.language ?? 'en',
    ownership: request.ownership ?? config.ownershipCheck,
    is_public: request.isPublic ? 1 : 0,
    finix_identity: repaired?.finix_identity ?? request.finix_identity ?? null,
    identity_enc: request.identity
      ? secrets.seal(JSON.stringify(request.identity), { table: 'sessions', row: id, column: 'identity_enc' })
      : null,
    authorization_text: request.authorization?.text ?? null,
    authorization_version: request.authorization?.version ?? null,
    authorization_receipt: null,
    metadata: JSON.stringify(request.metadata ?? {}),
    repair_connection_id: repaired?.id ?? null,
    repair_token_hash: null,
    secret_key_id: secrets.currentKeyId,
    item_id: repaired?.item_id ?? null,
    recognized_connections: null,
    chosen_accounts: '[]',
    error: null,
    link_tokens_until: 0,
    link_id: request.linkId ?? null,
    merchant,
    merchant_id: request.merchant?.id ?? repaired?.merchant_id ?? null,
    link_customization: request.link_customization ?? null,
    allowed_origins: request.allowed_origins ? JSON.stringify(request.allowed_origins) : null,
    version: 0,
    lease_owner: null,
    lease_until: 0,
    next_at: 0,
    tries: 0,
    processing_since: null,
    waited_ms: 0,
    created_at: now,
    updated_at: now,
    expires_at: now + SESSION_MS,
  };
  return { row, repaired };
}

/** `{session id}_secret_{43 characters}`: derived, so that it never has to be stored and can be given again. */
export function clientSecret(secrets: Secrets, sessionId: string, keyId: string): string {
  return `${sessionId}_secret_${secrets.deriveClientSecret(sessionId, keyId)}`;
}
