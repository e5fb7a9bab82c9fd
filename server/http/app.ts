import { Hono } from 'hono';
import { ProblemError } from '../errors.ts';
import { sessionOrigins } from '../records/sessions.ts';
import { limitBody } from './body.ts';
import type { AppDeps, AppEnv } from './context.ts';
import { createCredentials } from './credentials.ts';
import { everyRequest } from './every-request.ts';
import { FixedPathRouter } from './fixed-paths.ts';
import {
  allowedOrigins,
  createRefusedOrigins,
  pageCors,
  plainPath,
  problemHandler,
  problemResponse,
} from './middleware.ts';
import { checkRoutes } from './routes/checks.ts';
import { connectionRoutes } from './routes/connections.ts';
import { customerRoutes } from './routes/customers.ts';
import { deliveryRoutes } from './routes/deliveries.ts';
import { contractRoutes } from './routes/docs.ts';
import { evidenceRoutes } from './routes/evidence.ts';
import { firstPageRoutes } from './routes/first-page.ts';
import { operationRoutes } from './routes/health.ts';
import { linkPageRoutes } from './routes/link-page.ts';
import { linkRoutes } from './routes/links.ts';
import { officePageRoutes } from './routes/office-page.ts';
import { scriptRoutes } from './routes/script.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { webhookRoutes } from './routes/webhooks.ts';

export type { AppDeps, DocsBundle, ScriptBundle } from './context.ts';

/**
 * The whole HTTP surface over what it is given. Reads no environment and opens nothing, so that tests call it with
 * `app.request`.
 * @see widget/contract.ts for the bodies
 */
export function createApp(deps: AppDeps): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ router: new FixedPathRouter() });
  const origins = allowedOrigins(deps.config);
  const credentials = createCredentials(deps, origins);
  const refusedOrigins = createRefusedOrigins(deps.log);

  app.use(everyRequest(deps));
  app.use(
    '/v1/*',
    pageCors(origins, (id) => sessionOrigins(deps.storage, id), refusedOrigins),
    plainPath(),
    limitBody(),
  );
  app.onError(problemHandler(deps.log, refusedOrigins));

  sessionRoutes(app, deps, credentials, origins);
  connectionRoutes(app, deps, credentials);
  checkRoutes(app, deps, credentials);
  evidenceRoutes(app, deps, credentials);
  linkRoutes(app, deps, credentials);
  linkPageRoutes(app, deps, origins);
  if (deps.config.linksPage) officePageRoutes(app, deps, credentials);
  customerRoutes(app, deps, credentials);
  deliveryRoutes(app, deps, credentials);
  webhookRoutes(app, deps);
  operationRoutes(app, deps, credentials);
  contractRoutes(app, deps);
  scriptRoutes(app, deps);
  firstPageRoutes(app, deps);

  // Known paths with another method got a 405; the rest is a 404.
  const methods = new Map<string, Set<string>>();
  for (const { method, path } of app.routes) {
    if (method !== 'ALL') methods.set(path, (methods.get(path) ?? new Set()).add(method));
  }
  for (const [path, allowed] of methods) {
    app.all(path, (c) =>
      problemResponse(c, new ProblemError('method_not_allowed', { allow: [...allowed].join(', ') })),
    );
  }
  app.notFound((c) => problemResponse(c, new ProblemError('not_found')));
  return app;
}
