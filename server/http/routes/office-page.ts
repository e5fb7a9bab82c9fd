import { randomBytes } from 'node:crypto';
import type { Hono } from 'hono';
import { renderSVG } from 'uqr';
import { ProblemError } from '../../errors.ts';
import { createLink } from '../../links/create-link.ts';
import { revokeLink } from '../../links/end-links.ts';
import { renderOfficePage } from '../../links/office-page.ts';
import { listLinks } from '../../records/link-list.ts';
import { createAddressLimit } from '../address-limit.ts';
import { limitBody, readBody, readQuery } from '../body.ts';
import type { AppContext, AppDeps, AppEnv } from '../context.ts';
import type { Credentials } from '../credentials.ts';
import { plainPath } from '../middleware.ts';
import { idempotencyKey, refuseWhenStopping } from '../request-headers.ts';
import { createLink as linkSchema, listLinks as listLinksQuery } from '../request-schemas.ts';

/** An office behind one address makes a few links a minute; a program that tries keys is stopped. */
const PER_ADDRESS = { limit: 120, windowMs: 60_000 };

/**
 * A page for a back office, where links are made, listed and revoked without any code. The merchant key is typed in by
 * hand and stays in the memory of that tab; the calls below are the only ones that take it from a browser, and only
 * from this page.
 */
export function officePageRoutes(app: Hono<AppEnv>, deps: AppDeps, credentials: Credentials): void {
  const { config, storage } = deps;
  const addresses = createAddressLimit(PER_ADDRESS);
  const { origin } = new URL(config.publicUrl);

  function requireOffice(c: AppContext): void {
    const retryAfter = addresses.take(c.get('ip'));
    if (retryAfter > 0) throw new ProblemError('rate_limited', { retryAfter });
    credentials.requireOffice(c);
  }

  app.use('/links/*', plainPath(), limitBody());

  app.get('/links/new', (c) => {
    const nonce = randomBytes(16).toString('base64');
    c.header(
      'Content-Security-Policy',
      [
        "default-src 'none'",
        `script-src 'nonce-${nonce}'`,
        `style-src 'nonce-${nonce}'`,
        `connect-src ${origin}`,
        // The QR code.
        'img-src data:',
        "base-uri 'none'",
        // The key is in a field of the page: no form leads anywhere.
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
      ].join('; '),
    );
    c.header('Cross-Origin-Opener-Policy', 'same-origin');
    c.header('X-Robots-Tag', 'noindex, nofollow');
    const callsPath = `${config.publicUrl}/links/new/links`;
    return c.html(renderOfficePage({ nonce, callsPath, name: config.plaid.clientName }));
  });

  app.get('/links/new/links', async (c) => {
    requireOffice(c);
    return c.json(await listLinks(storage, readQuery(c, listLinksQuery)));
  });

  app.post('/links/new/links', async (c) => {
    requireOffice(c);
    refuseWhenStopping(deps);
    const link = await createLink(deps, await readBody(c, linkSchema), idempotencyKey(c));
    return c.json({ link, qr: renderSVG(link.url ?? '', { ecc: 'Q', border: 2 }) }, 201);
  });

  app.post('/links/new/links/:id/revoke', async (c) => {
    requireOffice(c);
    const { id, status } = await revokeLink(deps, c.req.param('id'));
    return c.json({ id, status });
  });
}
