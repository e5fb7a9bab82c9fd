import { ProblemError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { InboundEventTable } from '../storage/tables.ts';
import { NotNow } from '../work/retry.ts';
import type { Outcome, WebhookDeps } from './change-connections.ts';
import type { PlaidFacts } from './verify-plaid.ts';

/** Another bank of the same session is being connected; it is done within seconds. */
const BUSY_MS = 5_000;

/**
 * A Hosted Link has ended with a login: the webhook brings the public token that no page has. From here on it is as if
 * the page had sent it; whichever of the two comes first, the other finds it done.
 */
export async function finishHostedLink(
  { storage, secrets, connector, log }: WebhookDeps,
  event: InboundEventTable,
  facts: PlaidFacts,
): Promise<Outcome> {
  if (event.public_token_enc === null || facts.link_token_hash === undefined) return 'ignored';
  const session = await storage.db
    .selectFrom('sessions')
    .selectAll()
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('link_tokens')
        .select('session_id')
        .where('hash', '=', facts.link_token_hash ?? ''),
    )
    .executeTakeFirst();
  if (!session) return 'ignored';
  const where = { table: 'inbound_events', row: event.id, column: 'public_token_enc' };
  const request = {
    public_token: secrets.open(event.public_token_enc, where),
    accounts: [],
    link_session_id: facts.link_session_id ?? null,
  };
  const requestFacts = { requestId: newId('req'), ip: null, userAgent: null, actor: 'plaid' as const };
  try {
    await connector.complete(session, request, requestFacts);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    if (error.code === 'session_busy') throw new NotNow('in_use', BUSY_MS);
    // Anything else is final, and its page learns of it by asking.
    log.info({ event: event.id, session: session.id, code: error.code }, 'hosted link not accepted');
  }
  return 'handled';
}
