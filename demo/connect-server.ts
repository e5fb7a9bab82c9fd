import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../server/config.ts';
import { type AssembledServer, assembleServer } from '../server/create-server.ts';
import type { ScriptBundle } from '../server/http/app.ts';
import { createLog } from '../server/log.ts';
import { openStorage } from '../server/storage/open.ts';
import { type StepLog, watchSessions } from './steps.ts';

export interface ConnectServer {
  fetch: AssembledServer['app']['fetch'];
  /** Lets running work come to its next recovery point. */
  stop(): Promise<void>;
}

export interface ConnectServerOptions {
  config: Config;
  steps: StepLog;
  /** The folder of the built script-tag bundle. */
  bundle: string;
  /** Of this package. */
  version: string;
  /** After how many milliseconds a call to Plaid or Finix is given up; the clients' own time when left out. */
  timeoutMs?: number;
}

/** The product's own server as `npm start` runs it, over a database of its own, with its steps told to the log. */
export async function startConnectServer(options: ConnectServerOptions): Promise<ConnectServer> {
  const { config, steps, bundle, version, timeoutMs } = options;
  const script = await readScript(bundle);
  const opened = await openStorage(config);
  const log = createLog({
    level: config.logLevel,
    secrets: [config.plaid.secret, config.finix.password, ...config.merchantApiKeys, ...config.encryptionKeys],
    write: (line) => void process.stderr.write(line),
  });
  let stopping = false;
  const { app, connector, jobs, plaid } = await assembleServer({
    config,
    storage: watchSessions(opened, steps),
    log,
    version,
    script,
    timeoutMs,
    isStopping: () => stopping,
  });
  jobs.start();
  plaid.warmUp();
  return {
    fetch: app.fetch,
    async stop() {
      stopping = true;
      await Promise.all([jobs.stop(), connector.stop()]);
      await opened.close();
    },
  };
}

async function readScript(folder: string): Promise<ScriptBundle> {
  const files = new Map<string, Uint8Array>();
  for (const name of await readdir(folder)) {
    if (name.endsWith('.js')) files.set(name, await readFile(join(folder, name)));
  }
  return { files };
}
