import type { Hono } from 'hono';
import type { ConnectionList } from '../../widget/contract.ts';
import { ProblemError } from '../errors.ts';
import type { AppDeps, AppEnv } from '../http/context.ts';
import type { Credentials } from '../http/credentials.ts';
import { listConnections, parse } from '../schemas.ts';
import { viewConnection } from '../views.ts';

/** What the merchant's server reads before it charges: the id that came with the form is not proof. */
export function connectionRoutes(app: Hono<AppEnv>, { storage }: AppDeps, credentials: Credentials): void {
  app.get('/v1/connections/:id', async (c) => {
    credentials.requireMerchant(c);
    const row = await storage.db
      .selectFrom('connections')
      .selectAll()
      .where('id', '=', c.req.param('id'))
      .executeTakeFirst();
    if (!row) throw new ProblemError('not_found', { detail: 'There is no such connection.' });
    return c.json(viewConnection(row, 'merchant'));
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
