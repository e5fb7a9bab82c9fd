import type { Hono } from 'hono';
import type { ConnectionList } from '../../../widget/contract.ts';
import { ProblemError } from '../../errors.ts';
import { REMOVAL_PATIENCE_MS, requestRemoval } from '../../lifecycle/removal.ts';
import { listAudit } from '../../records/audit.ts';
import { viewConnection } from '../../records/views.ts';
import type { Storage } from '../../storage/open.ts';
import type { ConnectionTable } from '../../storage/tables.ts';
import type { AppDeps, AppEnv } from '../context.ts';
import type { Credentials } from '../credentials.ts';
import { listConnections, listPage, parse } from '../request-schemas.ts';

/** What the merchant's server reads before it charges: the id that came with the form is not proof. */
export function connectionRoutes(app: Hono<AppEnv>, deps: AppDeps, credentials: Credentials): void {
  const { storage } = deps;

  app.get('/v1/connections/:id', async (c) => {
    credentials.requireMerchant(c);
    return c.json(viewConnection(await findConnection(storage, c.req.param('id')), 'merchant'));
  });

  // 202 while Finix or Plaid can't be reached: a job goes on, and the connection says `removed` in the end.
  app.delete('/v1/connections/:id', async (c) => {
    credentials.requireMerchant(c);
    const id = c.req.param('id');
    await requestRemoval(deps, id, { actor: 'merchant' });
    await deps.tasks.run(id, REMOVAL_PATIENCE_MS);
    const row = await findConnection(storage, id);
    return c.json(viewConnection(row, 'merchant'), row.status === 'removed' ? 200 : 202);
  });

  app.get('/v1/connections/:id/audit', async (c) => {
    credentials.requireMerchant(c);
    const page = parse(listPage, c.req.query());
    return c.json(await listAudit(storage, await findConnection(storage, c.req.param('id')), page));
  });

  app.get('/v1/connections', async (c) => {
    credentials.requireMerchant(c);
    const { customer_id, status, cursor, limit } = parse(listConnections, c.req.query());
    let query = storage.db.selectFrom('connections').selectAll();
    if (customer_id !== undefined) query = query.where('customer_id', '=', customer_id);
    if (status !== undefined) query = query.where('status', '=', status);
    if (cursor !== undefined) query = query.where('id', '>', cursor);
    // One more than asked for tells whether there is a next page.
    const rows = await query
      .orderBy('id')
      .limit(limit + 1)
      .execute();
    const page = rows.slice(0, limit);
    const hasMore = rows.length > limit;
    const list: ConnectionList = {
      object: 'list',
      data: page.map((row) => viewConnection(row, 'merchant')),
      has_more: hasMore,
      next_cursor: hasMore ? (page.at(-1)?.id ?? null) : null,
    };
    return c.json(list);
  });
}

/** @throws ProblemError `not_found` */
async function findConnection({ db }: Storage, id: string): Promise<ConnectionTable> {
  const row = await db.selectFrom('connections').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw new ProblemError('not_found', { detail: 'There is no such connection.' });
  return row;
}
