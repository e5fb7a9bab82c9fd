import { Hono, type Context as HonoContext } from 'hono';
import type { Context } from '../context.ts';
import { pipe, type SimulatorEnv } from '../pipe.ts';
import { Refusal } from '../refusal.ts';
import { DIALOG_CLIENT, DOM_CLIENT, OAUTH_CLIENT } from './dialog-client.ts';
import { DIALOG_PAGE, OAUTH_PAGE } from './dialog-page.ts';
import { PANES_CLIENT } from './dialog-panes.ts';
import { DIALOG_STYLES } from './dialog-styles.ts';
import { EMBEDDED_CLIENT, EMBEDDED_PAGE, EMBEDDED_STYLES } from './embedded.ts';
import { isWebviewAgent } from './oauth.ts';
import type { Reply } from './replies.ts';
import { LINK_SCRIPT } from './script.ts';
import { LinkSessions } from './sessions.ts';

const SCRIPT = 'text/javascript; charset=utf-8';
const ASSETS: Record<string, { type: string; text: string }> = {
  '/dialog.css': { type: 'text/css; charset=utf-8', text: DIALOG_STYLES },
  '/dialog.js': { type: SCRIPT, text: DIALOG_CLIENT },
  '/dom.js': { type: SCRIPT, text: DOM_CLIENT },
  '/panes.js': { type: SCRIPT, text: PANES_CLIENT },
  '/oauth.js': { type: SCRIPT, text: OAUTH_CLIENT },
  '/embedded.css': { type: 'text/css; charset=utf-8', text: EMBEDDED_STYLES },
  '/embedded.js': { type: SCRIPT, text: EMBEDDED_CLIENT },
};

// Pages may frame the dialog, as they may frame Plaid's; nothing on it comes from anywhere else.
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

type Body = Record<string, unknown>;

/** Link's script, its frame and the frame's private calls; to be mounted at `/link`. */
export function linkApp(context: Context): Hono<SimulatorEnv> {
  const app = new Hono<SimulatorEnv>();
  const sessions = new LinkSessions(context);
  app.use(
    pipe(context, 'link', {
      respond: (status, body) => new Response(typeof body === 'string' ? body : JSON.stringify(body), { status }),
      fault: (rule) => new Refusal(rule.status ?? 500, { next: 'error' }),
      invalidJson: () => new Refusal(400, { next: 'error' }),
    }),
  );

  app.get('/link-initialize.js', (c) =>
    // Loaded from any page, as a classic script or with the crossorigin attribute.
    c.body(LINK_SCRIPT, 200, {
      'content-type': SCRIPT,
      'cache-control': 'no-store',
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
    }),
  );
  for (const [path, { type, text }] of Object.entries(ASSETS)) {
    app.get(path, (c) => c.body(text, 200, { 'content-type': type, 'cache-control': 'no-store' }));
  }
  app.get('/dialog', (c) => page(c, DIALOG_PAGE));
  app.get('/embedded', (c) => page(c, EMBEDDED_PAGE));
  app.get('/hosted/:id', (c) => page(c, DIALOG_PAGE));
  app.get('/oauth/:state', (c) => page(c, OAUTH_PAGE));

  const call = (path: string, answer: (body: Body, isWebview: boolean) => Reply | Body): void => {
    app.post(`/api/${path}`, (c) => {
      const origin = c.req.header('origin');
      if (origin !== undefined && origin !== new URL(c.req.url).origin) return c.json({ next: 'error' }, 403);
      const isWebview = context.settings.isWebview || isWebviewAgent(c.req.header('user-agent'));
      return c.json(answer((c.get('json') ?? {}) as Body, isWebview));
    });
  };
  call('start', (body) => sessions.start(body));
  call('open', ({ session }) => sessions.open(session));
  call('embedded', ({ link_token }) => sessions.embedded(link_token));
  call('institution', ({ session, institution_id }, isWebview) =>
    sessions.institution(session, institution_id, isWebview),
  );
  call('credentials', ({ session, username, password }) => sessions.credentials(session, username, password));
  call('code', ({ session, code }) => sessions.code(session, code));
  call('accounts', ({ session, account_ids }) => sessions.choose(session, account_ids));
  call('exit', ({ session, status, error_code }) => sessions.exit(session, status, error_code));
  call('oauth', ({ session }) => sessions.oauthState(session));
  call('oauth-bank', ({ state }) => ({ bank: sessions.oauthBank(state) }));
  call('oauth-answer', ({ state, granted, username }) => sessions.oauthAnswer(state, granted === true, username));
  return app;
}

function page(c: HonoContext<SimulatorEnv>, html: string): Response {
  return c.html(html, 200, {
    'content-security-policy': PAGE_POLICY,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
}
