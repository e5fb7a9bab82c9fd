import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { CompleteAccount, CompleteRequest } from '../../widget/contract.ts';
import { UpstreamError } from '../clients/outbound.ts';
import type { LinkResult, PlaidClient } from '../clients/plaid.ts';
import { sha256 } from '../ids.ts';
import type { Logger } from '../log.ts';
import { addAudit } from '../records/audit.ts';
import { withLaterReceipt } from '../records/authorization.ts';
import { readMetadata, readReceipt } from '../records/columns.ts';
import { changeConnection, lockConnection } from '../records/connections.ts';
import { accessTokenOf, findItem } from '../records/items.ts';
import { endOfSession, type FoundSession } from '../records/sessions.ts';
import type { Unit } from '../records/unit.ts';
import { isOwnedAsRequired } from '../records/verification.ts';
import { authorizationText } from '../records/views.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import type { LimitedUse } from '../storage/rate-limit.ts';
import type { Secrets } from '../storage/secrets.ts';
import { GONE_CONNECTION } from '../storage/statuses.ts';
import type { ConnectionTable, SessionTable } from '../storage/tables.ts';
import { RELEASED } from '../work/session-lease.ts';
import { factsOf, isOfMerchant, matchesByName } from './account-match.ts';
import { roleOf } from './identity-turn.ts';
import { mayEndOlderLogin } from './institution-quirks.ts';
import { openLinkToken, storedLinksOf } from './stored-link-tokens.ts';

/**
 * The same bank account connected twice by the same customer, recognized before anything is exchanged: an Item that is
 * never exchanged bills nothing. Plaid must confirm that Link has given this public token for these accounts: a page
 * whose word were enough would get a customer's bank without a sign-in. Wherever there is any doubt the
 * token is exchanged, and duplicates.ts comes after it.
 */
export interface RecognizeDeps {
  storage: Storage;
  secrets: Secrets;
  plaid: PlaidClient;
  log: Logger;
}

/** Two quick calls to Plaid; the customer waits, and the exchange that it saves takes as long. */
const PATIENCE_MS = 3_000;

/** @returns the ids of the connections that the customer already has to all of these accounts; undefined: exchange */
export async function recognize(
  deps: RecognizeDeps,
  session: FoundSession,
  request: CompleteRequest,
  limit?: LimitedUse,
): Promise<string[] | undefined> {
  if (session.any_connection === null || !mayRecognize(session, request)) return undefined;
  const known = await knownConnections(deps.storage.db, session);
  if (!couldBeKnown(known, request)) return undefined;
  // Plaid is asked before the token is accepted.
  await limit?.count();
  const asked = ask(deps, session, request, known).catch((error: unknown) => {
    if (!(error instanceof UpstreamError)) throw error;
    deps.log.warn({ session: session.id, code: error.code }, 'account recognition skipped');
    return undefined;
  });
  const patience = new AbortController();
  const timeout = sleep(PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => undefined);
  return Promise.race([asked, timeout]).finally(() => patience.abort());
}

/** Whether all of it is still true, in the transaction that ends the session with it. */
export async function areKnown(trx: StorageTransaction, session: SessionTable, ids: string[]): Promise<boolean> {
  const known = await knownConnections(trx, session);
  return ids.every((id) => known.some((connection) => connection.id === id));
}

/**
 * Ends the session with connections that the customer has already.
 * @param itemId names the public token, which is left to expire
 */
export async function completeRecognized(
  unit: Unit,
  session: SessionTable,
  { itemId, receipt, ids }: { itemId: string; receipt: string | null; ids: string[] },
): Promise<SessionTable> {
  const { trx, now, by } = unit;
  const completed = await trx
    .updateTable('sessions')
    .set({
      status: 'completed',
      recovery_point: 'finished',
      item_id: itemId,
      recognized_connections: JSON.stringify(ids),
      authorization_receipt: receipt,
      identity_enc: null,
      error: null,
      version: session.version + 1,
      updated_at: Math.max(now, session.updated_at + 1),
      tries: 0,
      ...RELEASED,
    })
    .where('id', '=', session.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  const accepted = receipt === null ? null : readReceipt(receipt);
  const details: Record<string, string> = accepted
    ? { version: accepted.version, text_sha256: accepted.text_sha256 }
    : {};
  for (const connection of ids) {
    await addAudit(trx, now, { ...by, details }, 'connection.recognized', { session: session.id, connection });
    const before = receipt === null ? undefined : await lockConnection(trx, connection);
    if (before) await changeConnection(unit, before, withLaterReceipt(before, receipt));
  }
  await endOfSession(unit, completed);
  return completed;
}

/** Whether the customer has a connection that could be recognized, so that the link token is worth keeping. */
export async function hasConnections(storage: Storage, session: FoundSession): Promise<boolean> {
  if (session.mode === 'repair' || session.is_public === 1 || session.any_connection === null) return false;
  return (await knownConnections(storage.db, session)).length > 0;
}

function mayRecognize(session: SessionTable, { accounts, authorization }: CompleteRequest): boolean {
  if (session.mode === 'repair' || session.is_public === 1) return false;
  if (session.status !== 'open' && session.status !== 'restart_required') return false;
  if (session.account_selection === 'single' && accounts.length > 1) return false;
  // Asked for in a moment; there is nothing to look for yet.
  return authorization?.accepted === true || session.authorization_receipt !== null || !authorizationText(session);
}

/**
 * The customer's connections that such a session could end with: healthy ones that a new one would differ from in
 * nothing but its id.
 */
async function knownConnections(
  db: Storage['db'] | StorageTransaction,
  session: SessionTable,
): Promise<ConnectionTable[]> {
  const all = await db
    .selectFrom('connections')
    .innerJoin('items', 'items.id', 'connections.item_id')
    .selectAll('connections')
    .select('items.status as item_status')
    .where('connections.customer_id', '=', session.customer_id)
    .where('connections.status', 'not in', GONE_CONNECTION)
    .execute();
  const own = all.filter(isOfMerchant(session));
  const healthy = own.filter(
    (connection) =>
      connection.status === 'active' &&
      connection.goal === null &&
      connection.payment_instrument !== null &&
      connection.item_status === 'linked' &&
      // Joint owners have it in common, each with numbers of their own.
      connection.persistent_account_id === null &&
      !mayEndOlderLogin(connection.institution_id, connection.institution_name) &&
      own.filter((other) => matchesByName(factsOf(other), factsOf(connection))).length === 1,
  );
  if (healthy.length === 0) return [];
  const customer = await db
    .selectFrom('customers')
    .select('finix_identity')
    .where('customer_id', '=', session.customer_id)
    .where('role', '=', roleOf(session))
    .executeTakeFirst();
  const identity = session.finix_identity ?? customer?.finix_identity ?? null;
  return healthy.filter(
    (connection) =>
      identity !== null &&
      connection.finix_identity === identity &&
      isDeepStrictEqual(readMetadata(connection.metadata), readMetadata(session.metadata)) &&
      isSameAuthorization(session, connection) &&
      // Of any other one the owner is compared after the exchange, and decides there.
      (session.ownership !== 'require' || isOwnedAsRequired(connection)),
  );
}

/** A receipt is never changed, so a connection whose customer has accepted another text, or none, is not the one. */
function isSameAuthorization(session: SessionTable, { authorization_receipt }: ConnectionTable): boolean {
  const text = authorizationText(session);
  if (!text) return true;
  if (authorization_receipt === null) return false;
  const receipt = readReceipt(authorization_receipt);
  return receipt.text_sha256 === text.text_sha256 && receipt.version === text.version;
}

/** Costs Plaid nothing: the page's data about the accounts only counts against a match. */
function couldBeKnown(known: ConnectionTable[], { accounts, institution }: CompleteRequest): boolean {
  if (accounts.length === 0) return known.length > 0;
  return accounts.every(
    (account) => known.filter((connection) => isNamed(connection, institution, account)).length === 1,
  );
}

async function ask(
  { storage, secrets, plaid }: RecognizeDeps,
  session: SessionTable,
  request: CompleteRequest,
  known: ConnectionTable[],
): Promise<string[] | undefined> {
  const hash = sha256(request.public_token);
  const used = await storage.db
    .selectFrom('items')
    .select('id')
    .where('public_token_hash', '=', hash)
    .executeTakeFirst();
  if (used) return undefined;
  const given = await linkThatGave({ storage, secrets, plaid }, session, request.public_token);
  const wanted = request.accounts.length === 0 ? given?.accounts : chosen(given?.accounts ?? [], request.accounts);
  if (!given || !wanted?.length || (session.account_selection === 'single' && wanted.length > 1)) return undefined;
  const matches = wanted.map((account) => known.find((connection) => isNamed(connection, given.institution, account)));
  const found = matches.filter((match) => match !== undefined);
  if (found.length < matches.length || new Set(found).size < found.length) return undefined;
  for (const itemId of new Set(found.map(({ item_id }) => item_id))) {
    if (!(await isLoginGood({ storage, secrets, plaid }, itemId))) return undefined;
  }
  return found.map(({ id }) => id);
}

/** Plaid's record of the Link that this public token came from. Unless asked to, Plaid only reports Hosted Links. */
async function linkThatGave(
  { storage, secrets, plaid }: Omit<RecognizeDeps, 'log'>,
  session: SessionTable,
  publicToken: string,
): Promise<LinkResult | undefined> {
  for (const link of await storedLinksOf({ storage }, session.id)) {
    const results = await plaid.getLinkResults(openLinkToken(secrets, link));
    const result = results.find((one) => one.publicToken === publicToken);
    if (result) return result;
  }
  return undefined;
}

/** The old login must work: the new one is thrown away. */
async function isLoginGood({ storage, secrets, plaid }: Omit<RecognizeDeps, 'log'>, itemId: string): Promise<boolean> {
  const item = await findItem(storage.db, itemId);
  const accessToken = item ? accessTokenOf(secrets, item) : null;
  return accessToken !== null && (await plaid.getItemError(accessToken)) === null;
}

/** Empty where the page named one that Link has not given: the exchange shows what is wrong. */
function chosen(given: LinkResult['accounts'], wanted: CompleteAccount[]): LinkResult['accounts'] {
  const found = given.filter(({ id }) => wanted.some((account) => account.id === id));
  return found.length === wanted.length ? found : [];
}

function isNamed(
  connection: ConnectionTable,
  institution: CompleteRequest['institution'],
  { name = null, mask = null }: Pick<CompleteAccount, 'name' | 'mask'>,
): boolean {
  return matchesByName(factsOf(connection), { institutionId: institution?.institution_id ?? null, name, mask });
}
