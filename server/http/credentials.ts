import { createHash, timingSafeEqual } from 'node:crypto';
import { ProblemError } from '../errors.ts';
import { isErased } from '../ids.ts';
import { readAllowedOrigins } from '../records/columns.ts';
import { clientSecret, type FoundSession, findSession, findSessionOfPage } from '../records/sessions.ts';
import { type Audience, acceptsUntil } from '../records/views.ts';
import type { SessionTable } from '../storage/tables.ts';
import type { AppContext, AppDeps } from './context.ts';
import { checkOrigin } from './middleware.ts';

/** Who is asking, and may they. The two credentials of the contract have their one home here. */
export interface Credentials {
  /** @throws ProblemError unless the merchant's server is asking */
  requireMerchant(c: AppContext): void;
  /** @throws ProblemError unless the session's page is asking */
  requirePage(c: AppContext, sessionId: string): Promise<FoundSession>;
  /** Either of the two. @throws ProblemError */
  requireEither(c: AppContext, sessionId: string): Promise<{ audience: Audience; session: SessionTable }>;
  /**
   * The merchant's key, typed in by hand on a page of this server. @throws ProblemError for any other page, and without
   * the key
   */
  requireOffice(c: AppContext): void;
  /** Whether the merchant's key came with the request. @throws ProblemError when it came from a browser */
  isMerchant(c: AppContext): boolean;
}

/** Replaces an id that does not exist, of any length. No session has it. */
const NO_SESSION = 'ses_none';

export function createCredentials({ config, storage, secrets, log }: AppDeps, origins: Set<string>): Credentials {
  const keys = config.merchantApiKeys.map(digest);

  function hasKey(c: AppContext): boolean {
    const token = bearer(c);
    if (token === undefined) return false;
    const given = digest(token);
    // Compares with every key, so that the time does not reveal which one was near.
    return keys.filter((key) => timingSafeEqual(key, given)).length > 0;
  }

  function isMerchant(c: AppContext): boolean {
    const isKey = hasKey(c);
    if (isKey && isBrowser(c)) {
      const fields = { request_id: c.get('requestId'), origin: c.req.header('Origin') };
      log.warn(fields, 'the merchant key came from a browser: every visitor can read it there, so replace it');
      throw new ProblemError('merchant_key_in_browser');
    }
    return isKey;
  }

  async function requirePage(c: AppContext, sessionId: string): Promise<FoundSession> {
    const session = await findSessionOfPage(storage, sessionId);
    checkOrigin(c, originsOf(session, origins));
    const token = bearer(c);
    if (token === undefined) throw new ProblemError('unauthorized');
    const keyId =
      session && secrets.keyIds.includes(session.secret_key_id) ? session.secret_key_id : secrets.currentKeyId;
    // Derived and compared also for a session that does not exist, so that ids can't be probed.
    const isRight = timingSafeEqual(digest(clientSecret(secrets, session?.id ?? NO_SESSION, keyId)), digest(token));
    if (!session || keyId !== session.secret_key_id || !isRight) throw new ProblemError('unauthorized');
    if (isOver(session, await storage.now())) {
      throw new ProblemError('unauthorized', {
        detail: 'This client secret no longer works because its session has ended.',
      });
    }
    return session;
  }

  return {
    isMerchant,
    requireMerchant(c) {
      if (isMerchant(c)) return;
      checkOrigin(c, origins);
      throw new ProblemError('unauthorized', {
        detail: 'Send Authorization: Bearer with the merchant key, from your server.',
      });
    },
    requireOffice(c) {
      const site = c.req.header('Sec-Fetch-Site');
      if (site !== undefined && site !== 'same-origin') throw new ProblemError('origin_not_allowed');
      checkOrigin(c, new Set([new URL(config.publicUrl).origin]));
      if (!hasKey(c)) throw new ProblemError('unauthorized', { detail: 'This is not the merchant key.' });
    },
    requirePage,
    async requireEither(c, sessionId) {
      if (!isMerchant(c)) return { audience: 'page', session: await requirePage(c, sessionId) };
      const session = await findSession(storage, sessionId);
      if (!session) throw new ProblemError('not_found', { detail: 'There is no such session.' });
      return { audience: 'merchant', session };
    },
  };
}

/**
 * Every browser sends `Sec-Fetch-Site`, no page script can set it, and servers don't send it. `Origin` is no proof,
 * because frameworks' own `fetch` adds one on the server; nor is `Sec-Fetch-Mode: cors`, which Node's `fetch` sends
 * with every request.
 */
function isBrowser(c: AppContext): boolean {
  const mode = c.req.header('Sec-Fetch-Mode');
  return c.req.header('Sec-Fetch-Site') !== undefined || (mode !== undefined && mode !== 'cors');
}

/**
 * How long a page may still read what became of its session: a customer who comes back to the checkout the same hour.
 */
const READ_GRACE_MS = 3600_000;

/** Whether the session's client secret opens nothing any more. */
function isOver(session: FoundSession, now: number): boolean {
  if (session.status === 'canceled' || isErased(session.customer_id) || session.is_being_erased) return true;
  return session.status !== 'processing' && now >= acceptsUntil(session) + READ_GRACE_MS;
}

function bearer(c: AppContext): string | undefined {
  return /^Bearer\s+(\S+)$/i.exec(c.req.header('Authorization') ?? '')?.[1];
}

/** Equal lengths for any input, as a constant-time comparison needs. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The server's origins, and those that hold for this session only. */
export function originsOf(session: SessionTable | undefined, origins: Set<string>): Set<string> {
  const own = session?.allowed_origins;
  return own ? new Set([...origins, ...readAllowedOrigins(own)]) : origins;
}
