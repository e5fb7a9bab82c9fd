import type { Hono } from 'hono';
import { ProblemError } from '../../errors.ts';
import { openLink } from '../../links/open-link.ts';
import { parseLinkToken } from '../../records/link-address.ts';
import { findLink } from '../../records/links.ts';
import { shownLinkStatus, USABLE_LINK } from '../../records/views.ts';
import type { LinkTable } from '../../storage/tables.ts';
import { createAddressLimit } from '../address-limit.ts';
import type { AppContext, AppDeps, AppEnv } from '../context.ts';
import { checkOrigin } from '../middleware.ts';
import { refuseWhenStopping } from '../request-headers.ts';

/** A family behind one address opens a few links a day; a robot that tries addresses is stopped, without a database write. */
const PER_ADDRESS = { limit: 60, windowMs: 60_000 };

/** What is behind the address of a link. A GET changes nothing: previews and scanners open addresses; a person presses a button. */
export function linkPageRoutes(app: Hono<AppEnv>, deps: AppDeps, origins: Set<string>): void {
  const { storage, secrets } = deps;
  const addresses = createAddressLimit(PER_ADDRESS);

  app.post('/c/:token/session', async (c) => {
    checkOrigin(c, origins);
    refuseWhenStopping(deps);
    const link = await requireUsable(c);
    const { session, clientSecret } = await openLink(deps, link, { actor: 'page', ip: c.get('ip') });
    return c.json({ session: session.id, client_secret: clientSecret, return_url: link.return_url }, 201);
  });

  /** @throws ProblemError `not_found`, the same for a wrong address and for a link that is over: no hint of whose it was */
  async function requireUsable(c: AppContext): Promise<LinkTable> {
    const retryAfter = addresses.take(c.get('ip'));
    if (retryAfter > 0) throw new ProblemError('rate_limited', { retryAfter });
    const parsed = parseLinkToken(secrets, c.req.param('token') ?? '');
    const link = parsed && (await findLink(storage, parsed.id));
    const isUsable =
      link?.secret_key_id === parsed?.keyId &&
      link !== undefined &&
      USABLE_LINK.includes(shownLinkStatus(link, await storage.now()));
    if (!isUsable) throw new ProblemError('not_found', { detail: 'This link can no longer be used.' });
    return link;
  }
}
