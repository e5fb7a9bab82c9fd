import type { Hono } from 'hono';
import { REMOVAL_PATIENCE_MS, requestRemoval } from '../../lifecycle/removal.ts';
import { listAudit, listConnectionAudit } from '../../records/audit-list.ts';
import { listConnections, requireConnection } from '../../records/connection-list.ts';
import { viewConnection } from '../../records/views.ts';
import { readQuery } from '../body.ts';
import type { AppDeps, AppEnv } from '../context.ts';
import type { Credentials } from '../credentials.ts';
import { askAgain } from '../middleware.ts';
import { listAudit as listAuditQuery, listConnections as listConnectionsQuery, listPage } from '../request-schemas.ts';

/** What the merchant's server reads before it charges: the id that came with the form is not proof. */
export function connectionRoutes(app: Hono<AppEnv>, deps: AppDeps, credentials: Credentials): void {
  const { storage } = deps;

  app.get('/v1/connections/:id', async (c) => {
    credentials.requireMerchant(c);
    return c.json(viewConnection(await requireConnection(storage, c.req.param('id')), 'merchant'));
  });

  // 202 while Finix or Plaid can't be reached: a job goes on, and the connection's status becomes `removed`.
  app.delete('/v1/connections/:id', async (c) => {
    credentials.requireMerchant(c);
    const id = c.req.param('id');
    await requestRemoval(deps, id, { actor: 'merchant' });
    await deps.tasks.run(id, REMOVAL_PATIENCE_MS);
    const row = await requireConnection(storage, id);
    if (row.status !== 'removed') askAgain(c);
    return c.json(viewConnection(row, 'merchant'), row.status === 'removed' ? 200 : 202);
  });

  app.get('/v1/connections/:id/audit', async (c) => {
    credentials.requireMerchant(c);
    const page = readQuery(c, listPage);
    return c.json(await listConnectionAudit(storage, await requireConnection(storage, c.req.param('id')), page));
  });

  app.get('/v1/audit', async (c) => {
    credentials.requireMerchant(c);
    return c.json(await listAudit(storage, readQuery(c, listAuditQuery)));
  });

  app.get('/v1/connections', async (c) => {
    credentials.requireMerchant(c);
    const page = readQuery(c, listConnectionsQuery);
    return c.json(await listConnections(storage, page));
  });
}
