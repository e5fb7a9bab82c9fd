import type { Hono } from 'hono';
import type { AppDeps, AppEnv } from '../context.ts';

/** For load balancers and orchestrators. No credential, and nothing in them that needs one. */
export function operationRoutes(
  app: Hono<AppEnv>,
  { storage, isStopping, log, metrics, providerProblems }: AppDeps,
): void {
  // Alive means that the process answers; a database that is gone is no reason to restart it.
  app.get('/healthz', (c) => c.json({ status: 'ok' }));

  app.get('/readyz', async (c) => {
    if (isStopping()) return c.json({ status: 'stopping' }, 503);
    try {
      await storage.ping();
    } catch (error) {
      log.warn({ reason: error instanceof Error ? error.message : 'unknown' }, 'not ready');
      return c.json({ status: 'storage is not available' }, 503);
    }
    // Other instances have the same account, so this is no reason to take this one out of service.
    const needsAttention = providerProblems.list();
    return c.json({ status: 'ready', ...(needsAttention.length > 0 && { needs_attention: needsAttention }) });
  });

  app.get('/metrics', async (c) => {
    const { text, contentType } = await metrics.render();
    return c.body(text, 200, { 'Content-Type': contentType });
  });
}
