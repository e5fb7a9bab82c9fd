import { UpstreamError } from '../clients/outbound.ts';
import type { PlaidClient } from '../clients/plaid.ts';
import type { Logger } from '../log.ts';
import type { ConnectionTable } from '../storage/tables.ts';
import type { HeldSession } from '../work/session-lease.ts';

/** What Finix gets of an account, in memory only: made again by a worker that resumes. */
export interface ProcessorTokenDeps {
  plaid: PlaidClient;
  log: Logger;
}

/** By the connection's id. */
export type ProcessorTokens = ReadonlyMap<string, Promise<string>>;

/** A customer waits, and the instrument can be made without it. */
const LIMIT_TIMEOUT_MS = 3_000;

/**
 * Limited before Finix gets it: to the account's numbers and its owner, and to nothing the customer agrees to later.
 */
export async function makeProcessorToken(
  { plaid, log }: ProcessorTokenDeps,
  { id, plaid_account_id }: ConnectionTable,
  accessToken: string,
): Promise<string> {
  const token = await plaid.createProcessorToken(accessToken, plaid_account_id);
  try {
    await plaid.limitProcessorToken(token, LIMIT_TIMEOUT_MS);
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    log.warn(
      { connection: id, code: error.code, ...error.details },
      'a processor token could not be limited to auth and identity',
    );
  }
  return token;
}

/**
 * Makes the tokens while Finix makes the identity, so that limiting them costs the customer no round trip. Not where an
 * owner that is required may still be refused, where an instrument may exist already, or where an identity waits for
 * Finix: each try would make a token that is not used.
 */
export function beginProcessorTokens(
  deps: ProcessorTokenDeps,
  { row, known, looksFirst }: HeldSession,
  connections: ConnectionTable[],
  accessToken: string,
): void {
  if (row.ownership === 'require' || looksFirst || row.tries > 0) return;
  const pending = connections.filter(({ status }) => status === 'pending');
  const tokens = pending.map((one) => [one.id, makeProcessorToken(deps, one, accessToken)] as const);
  // A failure counts where the token is used; a session that stops before has no use for it.
  for (const [, token] of tokens) token.catch(() => {});
  known.processorTokens = new Map(tokens);
}
