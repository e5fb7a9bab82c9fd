import type { Hono } from 'hono';
import { checkDebit } from '../../lifecycle/checks.ts';
import { depsAbout } from '../../trace.ts';
import { readBody } from '../body.ts';
import type { AppDeps, AppEnv } from '../context.ts';
import type { Credentials } from '../credentials.ts';
import { createCheck } from '../request-schemas.ts';

/** The question before a debit. It has an answer also when Plaid fails. */
export function checkRoutes(app: Hono<AppEnv>, deps: AppDeps, credentials: Credentials): void {
  app.post('/v1/connections/:id/check', async (c) => {
    credentials.requireMerchant(c);
    const request = await readBody(c, createCheck);
    const id = c.req.param('id');
    return c.json(await checkDebit(depsAbout(deps, { connection: id }), id, request));
  });
}
