import type { Hono } from 'hono';
import { erase, requestErasure } from '../../lifecycle/erase-customer.ts';
import { REMOVAL_PATIENCE_MS } from '../../lifecycle/removal.ts';
import type { AppDeps, AppEnv } from '../context.ts';
import type { Credentials } from '../credentials.ts';
import { parse } from '../field-messages.ts';
import { askAgain } from '../middleware.ts';
import { customerOfPath } from '../request-schemas.ts';

/** Erasing a customer. 202 while something is still to be disabled or removed; asking again returns the status. */
export function customerRoutes(app: Hono<AppEnv>, deps: AppDeps, credentials: Credentials): void {
  app.delete('/v1/customers/:customer_id', async (c) => {
    credentials.requireMerchant(c);
    const { customer_id: customerId } = parse(customerOfPath, { customer_id: c.req.param('customer_id') });
    await requestErasure(deps, customerId);
    const isDone = await erase(deps, customerId, REMOVAL_PATIENCE_MS);
    const body = { object: 'customer', customer_id: customerId, status: isDone ? 'erased' : 'erasing' };
    if (!isDone) askAgain(c);
    return c.json(body, isDone ? 200 : 202);
  });
}
