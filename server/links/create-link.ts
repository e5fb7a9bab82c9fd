import type { CreateLinkRequest, Link } from '../../widget/contract.ts';
import type { Config } from '../config.ts';
import { newLinkId, sha256 } from '../ids.ts';
import { addAudit } from '../records/audit.ts';
import { readStoredLink } from '../records/columns.ts';
import { canonicalJson, findAnswer, type Repeatable, rememberAnswer } from '../records/idempotency.ts';
import { linkPath } from '../records/link-address.ts';
import { findLink } from '../records/links.ts';
import { requireRepairable } from '../records/repairable.ts';
import { viewLink } from '../records/views.ts';
import { isUniqueViolation } from '../storage/errors.ts';
import type { Storage } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { LinkTable } from '../storage/tables.ts';

export interface CreateLinkDeps {
  config: Pick<Config, 'publicUrl'>;
  storage: Storage;
  secrets: Secrets;
}

const DAY_MS = 24 * 3600_000;
/**
 * A week: long enough for a letter that is answered on the weekend, short enough for an address that is a credential.
 */
const DAYS = 7;

/** The link's whole address. Derived, so that a repeated request returns it again although it is not stored. */
export function linkUrl({ config, secrets }: Pick<CreateLinkDeps, 'config' | 'secrets'>, link: LinkTable): string {
  return config.publicUrl + linkPath(secrets, link);
}

/**
 * Creates an address that is sent to a customer.
 * @param idempotencyKey the same key and body return the same answer for 24 hours
 * @throws ProblemError `idempotency_key_reused`, or `invalid_request` when the connection can't be repaired
 */
export async function createLink(
  deps: CreateLinkDeps,
  request: CreateLinkRequest,
  idempotencyKey: string | undefined,
): Promise<Link> {
  if (idempotencyKey === undefined) return insertLink(deps, request);
  // With the name of the call: a session may be asked for with the same body.
  const repeatable = { key: idempotencyKey, hash: sha256(`link ${canonicalJson(request)}`) };
  const earlier = await findLinkAnswer(deps, repeatable);
  if (earlier) return earlier;
  try {
    return await insertLink(deps, request, repeatable);
  } catch (error) {
    // Another request with this key was faster: its answer is the answer.
    const other = isUniqueViolation(error) ? await findLinkAnswer(deps, repeatable) : undefined;
    if (other) return other;
    throw error;
  }
}

async function findLinkAnswer(deps: CreateLinkDeps, repeatable: Repeatable): Promise<Link | undefined> {
  const earlier = await findAnswer(deps.storage, repeatable);
  const link = earlier && (await findLink(deps.storage, earlier.subjectId));
  return earlier && link ? { ...readStoredLink(earlier.answer), url: linkUrl(deps, link) } : undefined;
}

async function insertLink(deps: CreateLinkDeps, request: CreateLinkRequest, repeatable?: Repeatable): Promise<Link> {
  const { storage, secrets } = deps;
  const { expires_in_days = DAYS, return_url, ...session } = request;
  const repaired =
    session.connection === undefined
      ? undefined
      : await requireRepairable(storage, session.connection, session.customer_id);
  const now = await storage.now();
  const id = newLinkId();
  const row: LinkTable = {
    id,
    customer_id: session.customer_id,
    merchant_id: session.merchant?.id ?? repaired?.merchant_id ?? null,
    status: 'open',
    mode: repaired ? 'repair' : 'connect',
    request_enc: secrets.seal(JSON.stringify(session), { table: 'links', row: id, column: 'request_enc' }),
    return_url: return_url === undefined ? null : new URL(return_url).href,
    session_id: null,
    secret_key_id: secrets.currentKeyId,
    window_start: 0,
    openings: 0,
    opened_at: null,
    completed_at: null,
    created_at: now,
    updated_at: now,
    expires_at: now + expires_in_days * DAY_MS,
  };
  const answer = viewLink(row, [], now);
  await storage.transaction(`customer:${row.customer_id}`, async (trx) => {
    if (repeatable) await rememberAnswer(trx, repeatable, id, answer, now);
    await trx.insertInto('links').values(row).execute();
    await addAudit(trx, now, { actor: 'merchant' }, 'link.created', { link: id, connection: repaired?.id });
  });
  return { ...answer, url: linkUrl(deps, row) };
}
