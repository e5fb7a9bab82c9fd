import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import type { Tap } from '../../server/clients/outbound.ts';
import type { Config } from '../../server/config.ts';
import { assembleServer } from '../../server/create-server.ts';
import { readDocs } from '../../server/http/docs-bundle.ts';
import { createLog } from '../../server/log.ts';
import { openStorage } from '../../server/storage/open.ts';

/** What the demo hands to its connect server when it starts. */
export interface ConnectSettings {
  config: Config;
  /** The folder of the built script-tag bundle. */
  bundle: string;
  version: string;
  /** After how many milliseconds a call to Plaid or Finix is given up; the clients' own time when left out. */
  timeoutMs?: number;
  /** How long the work of a process that died stays its own; the server's own time when left out. */
  leaseMs?: number;
  /** Everything that the server talks to is on this machine. */
  isLocal?: boolean;
}

export interface OpenConnectServer {
  port: number;
  /** Comes to the next recovery point of what is in work. */
  stop(): Promise<void>;
}

/** The product's own server, on a free port of loopback. @param tap is given each call to Plaid and Finix */
export async function openConnectServer(
  { config, bundle, version, timeoutMs, leaseMs }: ConnectSettings,
  tap?: Tap,
): Promise<OpenConnectServer> {
  const storage = await openStorage(config);
  const log = createLog({
    level: config.logLevel,
    secrets: config.secretValues,
    write: (line) => void process.stderr.write(line),
  });
  let isStopping = false;
  const { app, connector, jobs, plaid } = await assembleServer({
    config,
    storage,
    log,
    version,
    script: await readScript(bundle),
    docs: await readDocs(),
    timeoutMs,
    tap,
    timing: leaseMs === undefined ? {} : { leaseMs },
    isStopping: () => isStopping,
  });
  jobs.start();
  plaid.warmUp();
  const server = createServer(getRequestListener(app.fetch));
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
  return {
    port,
    async stop() {
      if (isStopping) return;
      isStopping = true;
      server.close();
      server.closeAllConnections();
      await Promise.all([jobs.stop(), connector.stop()]);
      await storage.close();
    },
  };
}

async function readScript(folder: string) {
  const files = new Map<string, Uint8Array>();
  for (const name of await readdir(folder)) {
    if (name.endsWith('.js')) files.set(name, await readFile(join(folder, name)));
  }
  return { files };
}
