import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { CompleteRequest, HostedPublicToken } from '../../widget/contract.ts';
import { UpstreamError } from '../clients/outbound.ts';
import type { LinkResult, PlaidClient } from '../clients/plaid.ts';
import { ProblemError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { Logger } from '../log.ts';
import { changedAt } from '../storage/changed-at.ts';
import type { DueQuery, Now } from '../storage/due.ts';
import type { Storage } from '../storage/open.ts';
import { enforceRateLimit, type RateLimit, takeRateLimit } from '../storage/rate-limit.ts';
import type { Secrets } from '../storage/secrets.ts';
import { OPEN_SESSION } from '../storage/statuses.ts';
import type { SessionTable, StoredLinkTable } from '../storage/tables.ts';
import type { AgreedClock } from '../work/agreed-clock.ts';
import { claimRow } from '../work/claim-row.ts';
import type { RequestFacts } from './accept-public-token.ts';
import type { BankConnector } from './bank-connector.ts';
import { nextLook, openLinkToken, storedLinksOf } from './stored-link-tokens.ts';

/**
 * Hosted Link ends at Plaid, so no page has its public token. Plaid's webhook brings it; where that can't come or is
 * late, it is read from Plaid: while the page asks what has become of its session, and by a job for pages that are
 * gone. Whichever comes first, the others find it done.
 */
export interface HostedDeps {
  storage: Storage;
  secrets: Secrets;
  plaid: PlaidClient;
  connector: BankConnector;
  log: Logger;
}

/**
 * What a page sends in place of the public token of a Hosted Link, which it does not have. No public token has this
 * form.
 */
export const HOSTED_PUBLIC_TOKEN: HostedPublicToken = 'hosted';

/** A page asks every two seconds; Plaid need not be asked each time. */
const LOOKUPS: RateLimit = { limit: 1, windowMs: 3_000 };
/** A page sends one for each answer that its customer gives; each costs a call to Plaid. */
const COMPLETIONS: RateLimit = { limit: 30, windowMs: 60_000 };
/** So that a page which asks is answered with the outcome where it takes no longer than usual. */
const ANSWER_WITHIN_MS = 2_000;
const CALLS_AT_ONCE = 4;

/**
 * Looks for the outcome of the session's Hosted Links, if it has any that are open. Called when the page asks for its
 * session.
 */
export async function lookForHosted(deps: HostedDeps, session: SessionTable): Promise<void> {
  if (!isWaiting(session)) return;
  const links = await hostedLinksOf(deps, session.id);
  if (!links.some(({ is_used }) => is_used === 0)) return;
  if (!(await takeRateLimit(deps.storage, `hosted:${session.id}`, LOOKUPS)).allowed) return;
  const work = finish(deps, session, links).catch((error: unknown) => {
    if (!(error instanceof UpstreamError)) throw error;
    deps.log.warn({ session: session.id, code: error.code }, 'hosted link could not be read');
  });
  await Promise.race([work, sleep(ANSWER_WITHIN_MS)]);
  // What takes longer goes on without the page, which asks again.
  work.catch((error: unknown) => deps.log.error({ err: error }, 'hosted link could not be completed'));
}

/**
 * Puts the public token of the session's Hosted Link into a page's request.
 * @throws ProblemError `restart_required` when none was finished, `rate_limited`
 */
export async function withHostedToken(
  deps: HostedDeps,
  session: SessionTable,
  request: CompleteRequest,
): Promise<CompleteRequest> {
  await enforceRateLimit(deps.storage, `hosted-complete:${session.id}`, COMPLETIONS);
  const found = await resultOf(deps, await hostedLinksOf(deps, session.id));
  if (!found) throw new ProblemError('restart_required');
  return completion(found.result, request);
}

function dueLinks(db: Storage['db'], now: Now) {
  return db.selectFrom('hosted_links').where('next_at', '<=', now).orderBy('next_at');
}

export const DUE_LINKS: DueQuery = (db, now) => dueLinks(db, now).select('id');

/** Those that nothing can come of any more. */
export const ENDED_LINKS: DueQuery = (db, now) =>
  db.selectFrom('hosted_links').select('id').where('ends_at', '<=', now).orderBy('ends_at');

/** For pages that are gone. @returns whether more is due at once */
export async function runDueHosted(
  deps: HostedDeps & { clock: Pick<AgreedClock, 'certain'> },
  batch: number,
): Promise<boolean> {
  const { storage, clock } = deps;
  const now = await storage.now();
  const certain = await clock.certain();
  if (certain !== undefined) await storage.db.deleteFrom('hosted_links').where('ends_at', '<=', certain).execute();
  const due = await dueLinks(storage.db, now).selectAll().limit(batch).execute();
  const limit = pLimit(CALLS_AT_ONCE);
  await Promise.all(due.map((link) => limit(runDue, deps, link, now)));
  return due.length === batch;
}

async function runDue(deps: HostedDeps, link: StoredLinkTable, now: number): Promise<void> {
  const { storage } = deps;
  const next = { next_at: nextLook(link, now), tries: link.tries + 1 };
  if (!(await claimRow(storage, 'hosted_links', { id: link.id, next_at: link.next_at }, next))) return;
  const session = await storage.db
    .selectFrom('sessions')
    .selectAll()
    .where('id', '=', link.session_id)
    .executeTakeFirst();
  if (!session || (session.status !== 'processing' && !isWaiting(session))) {
    await storage.db.deleteFrom('hosted_links').where('id', '=', link.id).execute();
  } else if (link.is_hosted === 1 && link.is_used === 0 && isWaiting(session)) {
    await finish(deps, session, [link]).catch((error: unknown) => {
      if (!(error instanceof UpstreamError)) throw error;
    });
  }
}

/** Hands the public token over as if the page had sent it, once; what is missing then is the customer's to answer. */
async function finish(deps: HostedDeps, session: SessionTable, links: StoredLinkTable[]): Promise<void> {
  const found = await resultOf(
    deps,
    links.filter(({ is_used }) => is_used === 0),
  );
  if (!found) return;
  const facts: RequestFacts = { requestId: newId('req'), ip: null, userAgent: null, actor: 'plaid' };
  try {
    await deps.connector.complete(session, completion(found.result, { public_token: '', accounts: [] }), facts);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    deps.log.info({ session: session.id, code: error.code }, 'hosted link not accepted');
    // Another public token of the session is being processed, and may turn out to be of no use.
    if (error.code === 'session_busy') return;
    if (error.code === 'authorization_required') await showProblem(deps.storage, session.id, error, facts.requestId);
  }
  await deps.storage.db.updateTable('hosted_links').set({ is_used: 1 }).where('id', '=', found.link.id).execute();
}

/** So that the page, which asks for the session only, learns what it has to ask the customer. */
async function showProblem(storage: Storage, id: string, { code }: ProblemError, requestId: string): Promise<void> {
  const now = await storage.now();
  const error = JSON.stringify({ code, request_id: requestId });
  await storage.db
    .updateTable('sessions')
    .set((eb) => ({ error, updated_at: changedAt(eb, now) }))
    .where('id', '=', id)
    .where('status', 'in', OPEN_SESSION)
    .execute();
}

async function resultOf(
  { plaid, secrets }: HostedDeps,
  links: StoredLinkTable[],
): Promise<{ link: StoredLinkTable; result: LinkResult } | undefined> {
  for (const link of links) {
    const results = await plaid.getLinkResults(openLinkToken(secrets, link));
    const result = results.at(-1);
    if (result) return { link, result };
  }
  return undefined;
}

/** What the customer chose in Link, unless the page has asked them again. */
function completion({ publicToken, accounts, institution, linkSessionId }: LinkResult, asked: CompleteRequest) {
  return {
    ...asked,
    public_token: publicToken,
    accounts: asked.accounts.length ? asked.accounts : accounts,
    institution,
    link_session_id: linkSessionId,
  } satisfies CompleteRequest;
}

async function hostedLinksOf(deps: HostedDeps, sessionId: string): Promise<StoredLinkTable[]> {
  return (await storedLinksOf(deps, sessionId)).filter(({ is_hosted }) => is_hosted === 1);
}

function isWaiting({ status }: SessionTable): boolean {
  return status === 'open' || status === 'restart_required';
}
