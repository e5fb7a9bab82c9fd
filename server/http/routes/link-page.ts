import { randomBytes } from 'node:crypto';
import type { Hono } from 'hono';
import type { CreateSessionRequest, ProblemCode } from '../../../widget/contract.ts';
import { issueLinkToken, limitLinkTokens } from '../../connect/issue-link-token.ts';
import { ProblemError } from '../../errors.ts';
import { isLocalUrl } from '../../hosts.ts';
import { sha256 } from '../../ids.ts';
import { openLink } from '../../links/open-link.ts';
import {
  type LinkPageFacts,
  renderDonePage,
  renderLinkPage,
  renderOverPage,
  renderRefusedPage,
} from '../../links/page.ts';
import { pageLanguage } from '../../links/page-texts.ts';
import { readLinkRequest } from '../../records/columns.ts';
import { parseLinkToken } from '../../records/link-address.ts';
import { findLink, leadsToRepair } from '../../records/links.ts';
import { shownLinkStatus } from '../../records/views.ts';
import { USABLE_LINK } from '../../storage/statuses.ts';
import type { LinkTable } from '../../storage/tables.ts';
import { depsAbout } from '../../trace.ts';
import { createAddressLimit } from '../address-limit.ts';
import { readBytes } from '../body.ts';
import type { AppContext, AppDeps, AppEnv } from '../context.ts';
import { checkOrigin } from '../middleware.ts';
import { originOf, refuseWhenStopping } from '../request-headers.ts';

/**
 * A family behind one address opens a few links a day; a robot that tries addresses is stopped, without a database
 * write.
 */
const PER_ADDRESS = { limit: 60, windowMs: 60_000 };

/** Of two short fields. */
const MAX_FORM_BYTES = 4 * 1024;

/**
 * The page behind the address of a link. A GET changes nothing, because previews and scanners open addresses; a person
 * presses a button. A wrong address and a link that is over get the same answer, without a hint of whose it was.
 */
export function linkPageRoutes(app: Hono<AppEnv>, deps: AppDeps, origins: Set<string>): void {
  const { config, storage, secrets } = deps;
  const addresses = createAddressLimit(PER_ADDRESS);

  // Before the address with a token: where Plaid's own page leads to at its end, with nothing about the link in it.
  app.get('/c/done', (c) => send(c, renderDonePage({ language: languageOf(c), nonce: newNonce() }), 200));

  app.get('/c/:token', async (c) => {
    c.set('problemPage', (code, status) => refusedPage(c, code, status));
    const nonce = newNonce();
    const link = await findUsable(c);
    if (!link) return send(c, renderOverPage({ language: languageOf(c), nonce }), 404, policy(nonce));
    const request = readRequest(link);
    const facts = factsOf(c, link, request, nonce);
    return send(c, renderLinkPage(facts), 200, policy(nonce, facts.merchant.logo_url));
  });

  // As some programs write an address that they pass on.
  app.get('/c/:token/', (c) => c.redirect(pagePath(c), 308));

  app.post('/c/:token/session', async (c) => {
    checkOrigin(c, origins);
    refuseWhenStopping(deps);
    const link = await requireUsable(c);
    const { session, clientSecret } = await openLink(deps, link, { actor: 'page', ip: c.get('ip') });
    const authorization = readRequest(link).authorization ?? null;
    return c.json(
      { session: session.id, client_secret: clientSecret, return_url: link.return_url, authorization },
      201,
    );
  });

  // Without scripts: a form leads to Plaid's Hosted Link, whose end the webhook brings.
  app.post('/c/:token/hosted', async (c) => {
    c.set('problemPage', (code, status) => refusedPage(c, code, status));
    // The page's policy sends no referrer, with which browsers send `null` as the origin of a form.
    if (c.req.header('Origin') !== 'null' || !isSameOrigin(c)) checkOrigin(c, origins);
    refuseWhenStopping(deps);
    const link = await findUsable(c);
    if (!link) return send(c, renderOverPage({ language: languageOf(c), nonce: newNonce() }), 404);
    if (!config.hostedLink) throw new ProblemError('not_found');
    const form = new URLSearchParams(new TextDecoder().decode(await readBytes(c, MAX_FORM_BYTES)));
    const language = pageLanguage(form.get('lang') ?? '', undefined, c.req.header('Accept-Language'));
    c.set('problemPage', (code, status) => refusedPage(c, code, status, language));
    const text = readRequest(link).authorization?.text;
    if (text !== undefined && form.get('accepted') !== 'yes') return c.redirect(`${pagePath(c)}`, 303);
    const { session } = await openLink(deps, link, { actor: 'page', ip: c.get('ip') });
    const return_url = link.return_url ?? `${config.publicUrl}/c/done`;
    const acceptance = text === undefined ? undefined : { accepted: true, text_sha256: sha256(text) };
    const request = { mode: 'hosted', language, return_url } as const;
    await limitLinkTokens(storage, session);
    const { hosted_link_url } = await issueLinkToken(
      depsAbout(deps, { session: session.id }),
      session,
      request,
      acceptance,
      originOf(c),
    );
    if (hosted_link_url === undefined) throw new ProblemError('plaid_unavailable');
    return c.redirect(hosted_link_url, 303);
  });

  // A press of reload in the address bar of a page that has refused the form.
  app.get('/c/:token/hosted', (c) => c.redirect(pagePath(c), 303));

  function refusedPage(c: AppContext, code: ProblemCode, status: number, language = languageOf(c)): Promise<Response> {
    const nonce = newNonce();
    if (code === 'not_found') return send(c, renderOverPage({ language, nonce }), 404);
    const facts = { language, nonce, path: pagePath(c), code };
    return send(c, renderRefusedPage(facts), status);
  }

  function factsOf(c: AppContext, link: LinkTable, request: CreateSessionRequest, nonce: string): LinkPageFacts {
    const { plaid, publicUrl } = config;
    return {
      language: pageLanguage(c.req.query('lang'), request.language, c.req.header('Accept-Language')),
      nonce,
      mode: link.mode,
      purpose: request.purpose ?? 'debit',
      merchant: request.merchant ?? { name: plaid.clientName },
      authorization: request.authorization,
      path: pagePath(c),
      endpoint: publicUrl,
      returnUrl: link.return_url,
      // Plaid's own script comes from Plaid's own address and from nowhere else; the simulator serves it from its API's
      // address.
      linkScript: isLocalUrl(plaid.baseUrl) ? `${new URL(plaid.baseUrl).origin}/link/link-initialize.js` : undefined,
      isHostedOffered: config.hostedLink,
    };
  }

  /** The whole address: PUBLIC_URL may have a path that a proxy takes away. */
  function pagePath(c: AppContext): string {
    // Decoded: as it came it may be any text, also one that no header takes.
    return `${config.publicUrl}/c/${encodeURIComponent(c.req.param('token') ?? '')}`;
  }

  function readRequest(link: LinkTable): CreateSessionRequest {
    const where = { table: 'links', row: link.id, column: 'request_enc' };
    return readLinkRequest(secrets.open(link.request_enc ?? '', where));
  }

  /** @throws ProblemError `not_found`, `rate_limited` */
  async function requireUsable(c: AppContext): Promise<LinkTable> {
    const link = await findUsable(c);
    if (!link) throw new ProblemError('not_found', { detail: 'This link can no longer be used.' });
    return link;
  }

  /** @throws ProblemError `rate_limited` */
  async function findUsable(c: AppContext): Promise<LinkTable | undefined> {
    const retryAfter = addresses.take(c.get('ip'));
    if (retryAfter > 0) throw new ProblemError('rate_limited', { retryAfter });
    const parsed = parseLinkToken(secrets, c.req.param('token') ?? '');
    if (!parsed) return undefined;
    const link = await findLink(storage, parsed.id);
    const isUsable =
      link?.secret_key_id === parsed.keyId && USABLE_LINK.includes(shownLinkStatus(link, await storage.now()));
    return isUsable && link.request_enc !== null && (await leadsToRepair(storage, link)) ? link : undefined;
  }

  function policy(nonce: string, logo?: string): string {
    const { baseUrl } = config.plaid;
    const [script, frame] = isLocalUrl(baseUrl)
      ? [new URL(baseUrl).origin, new URL(baseUrl).origin]
      : ['https://cdn.plaid.com/link/v2/stable/link-initialize.js', 'https://cdn.plaid.com'];
    return [
      "default-src 'none'",
      `script-src 'nonce-${nonce}' ${new URL(config.publicUrl).origin} ${script}`,
      `style-src 'nonce-${nonce}'`,
      // Plaid's script writes them.
      "style-src-attr 'unsafe-inline'",
      `connect-src ${new URL(config.publicUrl).origin} ${new URL(baseUrl).origin}`,
      `frame-src ${frame}`,
      `img-src data: ${logo === undefined ? '' : new URL(logo).origin}`.trim(),
      // The form without scripts is answered with a redirect to Plaid's page.
      `form-action 'self' ${isLocalUrl(baseUrl) ? new URL(baseUrl).origin : 'https://*.plaid.com'}`,
      "base-uri 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      'trusted-types lit-html finix-bank-connect',
    ].join('; ');
  }
}

function languageOf(c: AppContext): string {
  return pageLanguage(c.req.query('lang'), undefined, c.req.header('Accept-Language'));
}

/** Browsers that don't send it are older than any page could exploit here: the address itself is the secret. */
function isSameOrigin(c: AppContext): boolean {
  return (c.req.header('Sec-Fetch-Site') ?? 'same-origin') === 'same-origin';
}

function newNonce(): string {
  return randomBytes(16).toString('base64');
}

async function send(
  c: AppContext,
  page: ReturnType<typeof renderLinkPage>,
  status: number,
  policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
): Promise<Response> {
  c.header('Content-Security-Policy', policy);
  c.header('X-Robots-Tag', 'noindex, nofollow');
  c.header('Permissions-Policy', 'camera=(), geolocation=(), microphone=()');
  return c.html(page, status as 200);
}
