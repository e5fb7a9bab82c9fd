import { Hono } from 'hono';
import { ProblemError } from '../../errors.ts';
import type { Metrics } from '../../metrics.ts';
import type { AppDeps, AppEnv } from '../context.ts';
import type { Credentials } from '../credentials.ts';
import { requestId } from '../every-request.ts';
import { problemResponse } from '../middleware.ts';

/** For load balancers and orchestrators. No credential, and nothing in them that needs one. */
export function operationRoutes(
  app: Hono<AppEnv>,
  { config, storage, isReady, isStopping, log, metrics, providerProblems }: AppDeps,
  credentials: Credentials,
): void {
  // Many probes at once are one write: they come from outside, without a credential.
  let probing: Promise<void> | undefined;
  const probe = (): Promise<void> => {
    probing ??= storage.ping().finally(() => {
      probing = undefined;
    });
    return probing;
  };

  // Alive means that the process answers; a database that is gone is no reason to restart it.
  app.get('/healthz', (c) => c.json({ status: 'ok' }));

  app.get('/readyz', async (c) => {
    if (!isReady() || isStopping()) return c.json({ status: 'stopping' }, 503);
    try {
      await probe();
    } catch (error) {
      log.warn({ reason: error instanceof Error ? error.message : 'unknown' }, 'not ready');
      return c.json({ status: 'storage is not available' }, 503);
    }
    // Other instances have the same account, so this is no reason to take this one out of service.
    const needsAttention = providerProblems.list();
    return c.json({ status: 'ready', ...(needsAttention.length > 0 && { needs_attention: needsAttention }) });
  });

  app.get('/metrics', async (c) => {
    // With METRICS_PORT set, metrics are served there only, so that they stay inside the network.
    if (config.metricsPort !== undefined) throw new ProblemError('not_found');
    credentials.requireMerchant(c);
    const { text, contentType } = await metrics.render();
    return c.body(text, 200, { 'Content-Type': contentType });
  });
}

/** The metrics on a port of their own. */
export function createMetricsApp(metrics: Metrics): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.use(requestId());
  app.get('/metrics', async (c) => {
    const { text, contentType } = await metrics.render();
    return c.body(text, 200, { 'Content-Type': contentType });
  });
  app.all('/metrics', (c) => problemResponse(c, new ProblemError('method_not_allowed', { allow: 'GET' })));
  app.notFound((c) => problemResponse(c, new ProblemError('not_found')));
  return app;
}
