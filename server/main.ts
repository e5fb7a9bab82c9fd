#!/usr/bin/env node
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runReconcile, UsageError } from './commands/reconcile.ts';
import { type Config, ConfigError, loadConfig, loadStorageSettings } from './config.ts';
import { createListener, listen } from './http/listener.ts';
import { createLog, type Logger } from './log.ts';
import { createServer } from './server.ts';
import { settingsHelp } from './settings/print.ts';
import { SETTINGS } from './settings/table.ts';
import { assertKeys } from './storage/check-keys.ts';
import { StorageSetupError, StorageUnavailableError } from './storage/errors.ts';
import { openStorage } from './storage/open.ts';
import { rotateKeys } from './storage/rotate-keys.ts';
import { createSecrets } from './storage/secrets.ts';
import { backupSqliteFile } from './storage/sqlite.ts';

const HELP = `finix-bank-connect: the server

  npm start                       serve
  npm start -- backup FILE        copy the embedded database to FILE, which must not exist yet; may run while serving, and needs only
                                  DATA_DIR. PostgreSQL has pg_dump
  npm start -- rotate-keys        re-encrypt everything stored with the first key of ENCRYPTION_KEY; may run while serving
  npm start -- reconcile          compare the rows with what Plaid and Finix have, after an older copy was put back or a replica took over;
                                  may run while serving. --fix disables, at Finix, instruments that no connection uses;
                                  --since 2026-01-31 leaves older instruments alone
  npm start -- --help             this text

Settings come from the environment:

${settingsHelp(SETTINGS)}
`;

/** How long running work and open requests may take to end after SIGTERM; orchestrators kill after 30 s. */
const GRACE_MS = 25_000;
/** A balancer's next request on a kept connection comes later than this. */
const CLOSE_IDLE_EVERY_MS = 50;
/** How long they have after a SHUTDOWN_DELAY_SECONDS that uses most of it up. */
const LEAST_GRACE_MS = 10_000;
/** Rows that one step of rotate-keys re-encrypts: short transactions, so that serving goes on beside it. */
const ROTATE_BATCH = 200;

async function main(args: string[]): Promise<void> {
  const [command = 'serve', ...rest] = args;
  if (command === '--help' || command === '-h' || command === 'help') return void process.stdout.write(HELP);
  const [file] = rest;
  if (command === 'backup' && file !== undefined && rest.length === 1) return backup(file);
  if (command === 'reconcile') return runReconcile(rest);
  if ((command !== 'serve' && command !== 'rotate-keys') || rest.length > 0) {
    const what = command === 'backup' ? 'backup takes one FILE.' : `Unknown command ${JSON.stringify(args.join(' '))}.`;
    process.stderr.write(`${what}\n\n${HELP}`);
    process.exitCode = 2;
    return;
  }
  const config = loadConfig(process.env);
  const log = createLog({ level: config.logLevel, secrets: config.secretValues });
  if (command === 'rotate-keys') await rotate(config, log);
  else await serve(config, log);
}

async function serve(config: Config, log: Logger): Promise<void> {
  const connect = createServer(process.env, { log });
  const started = await connect.start();
  const { storage } = started;
  const server = createListener(connect.fetch);
  const metricsServer = config.metricsPort === undefined ? undefined : createListener(connect.metrics);
  const port = await listenAll().catch(async (error: unknown) => {
    await connect.stop();
    throw error;
  });

  async function listenAll(): Promise<number> {
    if (metricsServer && config.metricsPort !== undefined) await listen(metricsServer, config.metricsPort, config.host);
    return listen(server, config.port, config.host);
  }
  log.info({ port, plaid: config.plaid.environment, finix: config.finix.environment, storage }, 'listening');
  if (storage === 'sqlite') {
    const data_dir = resolve(config.dataDir);
    log.info(
      { data_dir },
      'embedded database: servers on this machine may share the folder, servers on other machines must not',
    );
  }

  let stopping = false;
  async function stop(signal: string): Promise<void> {
    if (stopping) return;
    stopping = true;
    // A load balancer learns of it first, and sends no more; in a terminal there is none.
    const delayMs = signal === 'SIGTERM' ? config.shutdownDelayMs : 0;
    log.info({ signal, in_flight: started.inFlight, delay_ms: delayMs }, 'stopping');
    const killer = setTimeout(() => process.exit(1), Math.max(GRACE_MS, delayMs + LEAST_GRACE_MS));
    killer.unref();
    connect.drain();
    await sleep(delayMs);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    metricsServer?.close();
    metricsServer?.closeAllConnections();
    // Kept connections become idle as their answers are sent; each is closed then, and not when its long idle time is over.
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

async function backup(file: string): Promise<void> {
  const { databaseUrl, dataDir } = loadStorageSettings(process.env);
  if (databaseUrl)
    throw new StorageSetupError('Only the embedded database is copied here; DATABASE_URL is set: use pg_dump.');
  await backupSqliteFile(dataDir, file);
  process.stdout.write(
    `Copied to ${resolve(file)}. It is of use only with the keys of ENCRYPTION_KEY: keep them apart from it.\n`,
  );
}

async function rotate(config: Config, log: Logger): Promise<void> {
  const storage = await openStorage(config);
  try {
    const secrets = createSecrets(config.encryptionKeys);
    await assertKeys(storage, secrets);
    const { resealed, unreadable, keysStillNeeded } = await rotateKeys(storage, secrets, { batch: ROTATE_BATCH });
    log.info({ resealed, unreadable, keys_still_needed: keysStillNeeded }, 'rotated');
    const old =
      keysStillNeeded.length > 0 ? ` Old keys still needed: ${keysStillNeeded.join(', ')}.` : ' Old keys can go.';
    process.stdout.write(`${resealed} values re-encrypted, ${unreadable} could not be opened.${old}\n`);
  } finally {
    await storage.close();
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const isExpected =
    error instanceof ConfigError ||
    error instanceof StorageSetupError ||
    error instanceof StorageUnavailableError ||
    error instanceof UsageError;
  const { code, port } = error as { code?: string; port?: number };
  const inUse = code === 'EADDRINUSE' ? `PORT ${port} is in use by another process.` : undefined;
  process.stderr.write(`${inUse ?? (isExpected ? error.message : String((error as Error).stack))}\n`);
  process.exitCode = 1;
});
