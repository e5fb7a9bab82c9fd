import type { Hono } from 'hono';
import { renderSVG } from 'uqr';
import type { Link } from '../../../widget/contract.ts';
import { ProblemError } from '../../errors.ts';
import { createLink } from '../../links/create-link.ts';
import { revokeLink } from '../../links/end-links.ts';
import { linkUrl } from '../../records/link-address.ts';
import { listLinks } from '../../records/link-list.ts';
import { connectionsOfLink, findLink } from '../../records/links.ts';
import { viewLink } from '../../records/views.ts';
import type { Storage } from '../../storage/open.ts';
import type { LinkTable } from '../../storage/tables.ts';
import { readBody, readQuery } from '../body.ts';
import type { AppDeps, AppEnv } from '../context.ts';
import type { Credentials } from '../credentials.ts';
import { idempotencyKey, refuseWhenStopping } from '../request-headers.ts';
import { createLink as linkSchema, listLinks as listLinksQuery } from '../request-schemas.ts';

/** Links for the merchant: addresses that are sent to customers. The page behind an address is in link-page.ts. */
export function linkRoutes(app: Hono<AppEnv>, deps: AppDeps, credentials: Credentials): void {
  const { storage } = deps;

  app.post('/v1/links', async (c) => {
    credentials.requireMerchant(c);
    refuseWhenStopping(deps);
    const request = await readBody(c, linkSchema);
    return c.json(await createLink(deps, request, idempotencyKey(c)), 201);
  });

  app.get('/v1/links', async (c) => {
    credentials.requireMerchant(c);
    return c.json(await listLinks(storage, readQuery(c, listLinksQuery)));
  });

  app.get('/v1/links/:id', async (c) => {
    credentials.requireMerchant(c);
    return c.json(await view(storage, await requireLink(storage, c.req.param('id')), await storage.now()));
  });

  app.post('/v1/links/:id/revoke', async (c) => {
    credentials.requireMerchant(c);
    return c.json(await view(storage, await revokeLink(deps, c.req.param('id')), await storage.now()));
  });

  app.get('/v1/links/:id/qr.svg', async (c) => {
    credentials.requireMerchant(c);
    const link = await requireLink(storage, c.req.param('id'));
    if (!deps.secrets.keyIds.includes(link.secret_key_id)) {
      throw new ProblemError('not_found', { detail: 'The key of this link’s address is no longer in ENCRYPTION_KEY.' });
    }
    // Quartile correction: readable from a distant screen, and with a smudge on paper.
    const svg = renderSVG(linkUrl(deps.config, deps.secrets, link), { ecc: 'Q', border: 2 });
    return c.body(svg, 200, { 'Content-Type': 'image/svg+xml' });
  });
}

async function view(storage: Storage, link: LinkTable, now: number): Promise<Link> {
  return viewLink(link, await connectionsOfLink(storage.db, link), now);
}

/** @throws ProblemError `not_found` */
async function requireLink(storage: Storage, id: string): Promise<LinkTable> {
  const link = await findLink(storage, id);
  if (!link) throw new ProblemError('not_found', { detail: 'There is no such link.' });
  return link;
}
