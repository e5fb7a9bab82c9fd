import type { Hono } from 'hono';
import { viewDelivery } from '../../deliveries/deliveries.ts';
import { readQuery } from '../body.ts';
import type { AppDeps, AppEnv } from '../context.ts';
import type { Credentials } from '../credentials.ts';
import { listDeliveries } from '../request-schemas.ts';

/** What became of the webhooks to the merchant, and sending one again. */
export function deliveryRoutes(app: Hono<AppEnv>, { deliveries }: AppDeps, credentials: Credentials): void {
  app.get('/v1/webhook-deliveries', async (c) => {
    credentials.requireMerchant(c);
    const { merchant_id: merchantId, ...query } = readQuery(c, listDeliveries);
    return c.json(await deliveries.list({ ...query, merchantId }));
  });

  app.post('/v1/webhook-deliveries/:id/resend', async (c) => {
    credentials.requireMerchant(c);
    return c.json(viewDelivery(await deliveries.resend(c.req.param('id'))));
  });
}
