import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../config.ts';
import { settingsHints } from '../diagnosis/hints.ts';
import { createListener, listen } from '../http/listener.ts';
import { createLog } from '../log.ts';
import { createServer } from '../server.ts';
import { type AddCommand, type CommandContext, CommandError, EXIT, listenFailure } from './command.ts';

/** How long running work and open requests may take to end after SIGTERM; orchestrators kill after 30 s. */
const GRACE_MS = 25_000;
/** A balancer's next request on a kept connection comes later than this. */
const CLOSE_IDLE_EVERY_MS = 50;
/** Before that, connections whose requests have no answer yet are closed, so that the process still ends by itself. */
const CUT_BEFORE_MS = 1_000;
/** How long they have after a SHUTDOWN_DELAY_SECONDS that uses most of it up. */
const LEAST_GRACE_MS = 10_000;

export const addServe: AddCommand = (program, context) => {
  program
    .command('serve')
    .summary('run the server (the default)')
    .description('Runs the server until it receives SIGTERM or SIGINT. Logs are JSON lines on standard output.')
    .action(() => serve(context));
};

/**
 * Ends the process when it is asked to stop.
 * @param isOnSimulator nothing can be wrong with settings that no person made
 */
export async function serve({ env }: CommandContext, { isOnSimulator = false } = {}): Promise<void> {
  const config = loadConfig(env);
  const log = createLog({ level: config.logLevel, secrets: config.secretValues });
  const connect = createServer(env, { log });
  const started = await connect.start();
  const { storage } = started;
  const server = createListener(connect.fetch);
  const metricsServer = config.metricsPort === undefined ? undefined : createListener(connect.metrics);
  const port = await listenAll().catch(async (error: unknown) => {
    await connect.stop();
    throw error;
  });

  async function listenAll(): Promise<number> {
    if (metricsServer && config.metricsPort !== undefined) {
      await listenOn(metricsServer, 'METRICS_PORT', config.metricsPort);
    }
    return listenOn(server, 'PORT', config.port);
  }

  function listenOn(on: typeof server, setting: 'METRICS_PORT' | 'PORT', atPort: number): Promise<number> {
    return listen(on, atPort, config.host).catch((error: unknown) => {
      const sentence = listenFailure(error, setting);
      throw sentence === undefined ? error : new CommandError(sentence, EXIT.failed, { cause: error });
    });
  }
  log.info({ port, plaid: config.plaid.environment, finix: config.finix.environment, storage }, 'listening');
  if (storage === 'sqlite') {
    const data_dir = resolve(config.dataDir);
    log.info(
      { data_dir },
      'embedded database: servers on this machine may share the folder, servers on other machines must not',
    );
  }

  // What is right needs no line in production.
  for (const { id, status, detail, remedy } of isOnSimulator ? [] : settingsHints(config)) {
    if (status !== 'ok') log.warn({ check: id, remedy }, detail);
    else if (config.plaid.environment === 'sandbox') log.info({ check: id }, detail);
  }

  let stopping = false;
  async function stop(signal: string): Promise<void> {
    if (stopping) return;
    stopping = true;
    // A load balancer learns of it first, and sends no more; in a terminal there is none.
    const delayMs = signal === 'SIGTERM' ? config.shutdownDelayMs : 0;
    log.info({ signal, in_flight: started.inFlight, delay_ms: delayMs }, 'stopping');
    const graceMs = Math.max(GRACE_MS, delayMs + LEAST_GRACE_MS);
    const killer = setTimeout(() => process.exit(1), graceMs);
    killer.unref();
    const cutter = setTimeout(() => server.closeAllConnections(), graceMs - CUT_BEFORE_MS);
    cutter.unref();
    connect.drain();
    await sleep(delayMs);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    metricsServer?.close();
    metricsServer?.closeAllConnections();
    // Kept connections become idle as their answers are sent; each is closed then, and not when its long idle time is
    // over.
    const closing = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS);
    server.closeIdleConnections();
    await connect.stop();
    await closed;
    clearInterval(closing);
    log.info('stopped');
    // Calls that were left keep their sockets open for as long as their timeouts.
    process.exit(0);
  }
  const onSignal = (signal: string) => {
    stop(signal).catch((error: unknown) => {
      log.error({ err: error }, 'stopping failed');
      process.exit(1);
    });
  };
  process.once('SIGTERM', onSignal);
  process.once('SIGINT', onSignal);
}
