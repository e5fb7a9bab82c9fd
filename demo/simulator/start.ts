import { serve } from '@hono/node-server';
import { controlApp } from './control/app.ts';
import { createClock } from './control/clock.ts';
import { createSimulator, SIMULATOR_CREDENTIALS, type Simulator, type SimulatorOptions } from './simulator.ts';

export interface RunningSimulator {
  simulator: Simulator;
  /** `http://127.0.0.1:{port}` */
  url: string;
  /** For PLAID_BASE_URL. */
  plaidUrl: string;
  /** For FINIX_BASE_URL. */
  finixUrl: string;
  /** For a `<script>` before the widget. */
  linkScriptUrl: string;
  /** Steers it over HTTP: docs/testing.md. */
  controlUrl: string;
  close(): Promise<void>;
}

/** Starts the simulator on loopback. `port` 0, the default, takes a free one. */
export async function startSimulator(options: SimulatorOptions & { port?: number } = {}): Promise<RunningSimulator> {
  const clock = options.now ? undefined : createClock();
  const simulator = createSimulator(clock ? { ...options, now: clock.now } : options);
  const facts: Record<string, unknown> = {};
  simulator.app.route('/_control', controlApp({ simulator, clock, facts }));
  const { server, port } = await new Promise<{ server: ReturnType<typeof serve>; port: number }>((resolve, reject) => {
    const server = serve(
      // A test runner's own Request and Response must stay as they are.
      { fetch: simulator.app.fetch, hostname: '127.0.0.1', port: options.port ?? 0, overrideGlobalObjects: false },
      (info) => resolve({ server, port: info.port }),
    );
    server.once('error', reject);
  });
  const url = `http://127.0.0.1:${port}`;
  const addresses = {
    url,
    plaidUrl: `${url}/plaid`,
    finixUrl: `${url}/finix`,
    linkScriptUrl: `${url}/link/link-initialize.js`,
    controlUrl: `${url}/_control`,
  };
  Object.assign(facts, addresses, {
    plaid: options.plaid ?? SIMULATOR_CREDENTIALS.plaid,
    finix: options.finix ?? SIMULATOR_CREDENTIALS.finix,
  });
  return {
    simulator,
    ...addresses,
    close: () =>
      new Promise((resolve, reject) => {
        simulator.close();
        server.close((error) => (error ? reject(error) : resolve()));
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  };
}
