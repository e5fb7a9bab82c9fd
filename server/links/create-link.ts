import type { CreateLinkRequest, Link } from '../../widget/contract.ts';
import type { Config } from '../config.ts';
import { sha256 } from '../ids.ts';
import { readStoredLink } from '../records/columns.ts';
import {
  canonicalJson,
  findAnswer,
  type Repeatable,
  rememberAnswer,
  requireKeyOfAnswer,
} from '../records/idempotency.ts';
import { linkUrl } from '../records/link-address.ts';
import { findLink } from '../records/links.ts';
import { addLink, newLink } from '../records/new-link.ts';
import { findRepaired } from '../records/repairable.ts';
import { viewLink } from '../records/views.ts';
import { isUniqueViolation } from '../storage/errors.ts';
import type { Storage } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';

export interface CreateLinkDeps {
  config: Pick<Config, 'publicUrl'>;
  storage: Storage;
  secrets: Secrets;
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
  if (!earlier || !link) return undefined;
  requireKeyOfAnswer(deps.secrets.keyIds, link.secret_key_id);
  return { ...readStoredLink(earlier.answer), url: linkUrl(deps.config, deps.secrets, link) };
}

async function insertLink(deps: CreateLinkDeps, request: CreateLinkRequest, repeatable?: Repeatable): Promise<Link> {
  const { storage, secrets } = deps;
  const { expires_in_days: days, return_url: returnUrl, ...session } = request;
  const repaired = await findRepaired(storage, session);
  const now = await storage.now();
  const row = newLink(secrets, session, repaired, { now, days, returnUrl });
  const answer = viewLink(row, [], now);
  await storage.transaction(`customer:${row.customer_id}`, async (trx) => {
    if (repeatable) await rememberAnswer(trx, repeatable, row.id, answer, now);
    await addLink(trx, row, { actor: 'merchant' });
  });
  return { ...answer, url: linkUrl(deps.config, secrets, row) };
}
