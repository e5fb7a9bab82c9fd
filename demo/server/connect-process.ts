import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import type { Tap, TappedAnswer, TappedRequest } from '../../server/clients/outbound.ts';
import type { Config } from '../../server/config.ts';
import { assembleServer } from '../../server/create-server.ts';
import { readDocs } from '../../server/http/docs-bundle.ts';
import { createLog } from '../../server/log.ts';
import { openStorage } from '../../server/storage/open.ts';

/** What the demo hands to this process when it starts. */
export interface ConnectSettings {
  config: Config;
  /** The folder of the built script-tag bundle. */
  bundle: string;
  version: string;
  /** After how many milliseconds a call to Plaid or Finix is given up; the clients' own time when left out. */
  timeoutMs?: number;
  /** How long the work of a process that died stays its own; the server's own time when left out. */
  leaseMs?: number;
  /** The demo is told of each call to Plaid and Finix. */
  isTapped?: boolean;
  /** Everything that the process talks to is on this machine. */
  isLocal?: boolean;
}

/**
 * The product's own server in a process of its own, as in production: so that the demo can kill it. It is started by `fork` and gets its settings
 * in the first message; on its way out it comes to its next recovery point, unless it is killed.
 */
async function serve({ config, bundle, version, timeoutMs, leaseMs, isTapped }: ConnectSettings): Promise<void> {
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
    tap: isTapped ? tapThrough : undefined,
    timing: leaseMs === undefined ? {} : { leaseMs },
    isStopping: () => isStopping,
  });
  jobs.start();
  plaid.warmUp();
  const server = createServer(getRequestListener(app.fetch));
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    process.send?.({ port: typeof address === 'object' ? address?.port : undefined });
  });
  const stop = async () => {
    if (isStopping) return;
    isStopping = true;
    server.close();
    server.closeAllConnections();
    await Promise.all([jobs.stop(), connector.stop()]);
    await storage.close();
    process.exit(0);
  };
  process.on('message', (message) => {
    if (message === 'stop') void stop();
  });
  // The demo is gone without a word: killed itself.
  process.on('disconnect', () => void stop());
}

/** A call to a provider on its way to the demo, which masks it. */
export type TappedCall =
  | ({ tapped: 'request'; id: number } & TappedRequest)
  | ({ tapped: 'answer'; id: number } & TappedAnswer);

let calls = 0;

const tapThrough: Tap = (request) => {
  const id = ++calls;
  const tell = (call: TappedCall) => void process.send?.(call);
  tell({ tapped: 'request', id, ...request });
  return (answer) => tell({ tapped: 'answer', id, ...answer });
};

async function readScript(folder: string) {
  const files = new Map<string, Uint8Array>();
  for (const name of await readdir(folder)) {
    if (name.endsWith('.js')) files.set(name, await readFile(join(folder, name)));
  }
  return { files };
}

// Ctrl+C reaches the whole group; the demo decides when this process ends.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.once('message', (settings) => {
  serve(settings as ConnectSettings).catch((error: unknown) => {
    process.stderr.write(`${(error as Error).stack}\n`);
    process.exit(1);
  });
});
