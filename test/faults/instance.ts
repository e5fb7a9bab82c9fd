/**
 * One server process of the fault suite: the real server over the real storage and clients, with short waiting times,
 * and with points at which it dies or freezes on demand. Reads orders as lines of JSON from standard input, prints
 * lines to standard output.
 */
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import { sql } from 'kysely';
import { loadConfig } from '../../server/config.ts';
import type { Clients } from '../../server/create-server.ts';
import { assembleServer } from '../../server/create-server.ts';
import { createLog } from '../../server/log.ts';
import { openStorage } from '../../server/storage/open.ts';
import {
  type Control,
  naiveRetry,
  noDisabling,
  noFence,
  noLists,
  noLoginReads,
  noReports,
  synchronousOff,
  twoExchanges,
} from './controls.ts';
import { clientsWithPoints, clientsWithSlowReads, createPoints, print, storageWithPoints } from './points.ts';
import { INSTANCE_TIMES, type Order } from './times.ts';

const STALL_CHECK_MS = 50;
const REST_CHECK_MS = 20;
const control = process.env['FAULTS_CONTROL'] as Control | undefined;
const CLIENTS: Partial<Record<Control, (clients: Clients) => Clients>> = {
  'naive retry': naiveRetry,
  'no lists': noLists,
  'no disabling': noDisabling,
  'no reads of the login': noLoginReads,
  'two exchanges': twoExchanges,
  'no reports': noReports,
};
const points = createPoints();
const realNow = Date.now;
let clockOffset = 0;
// The whole process sees the jump, as with a machine's clock.
Date.now = () => realNow() + clockOffset;

const loaded = loadConfig(process.env);
// Tells the merchant of a return, and leaves the account as it is.
const config = control === 'no returns' ? { ...loaded, returns: 'report' as const } : loaded;
const log = createLog({
  level: config.logLevel,
  secrets: [config.plaid.secret],
  write: (line) => void process.stderr.write(line),
});
const opened = await openStorage({ ...config, log: (level, message, fields) => log[level](fields ?? {}, message) });
if (control === 'synchronous off') await synchronousOff(opened);
const storage = storageWithPoints(control === 'no fence' ? noFence(opened) : opened, points);
const { timing } = INSTANCE_TIMES;
// The clock check before a create call compares with this: too long to take effect, yet within the lease, which also
// bounds a wait.
const lookAgainMs = control === 'no clock check' ? 0.8 * timing.leaseMs : timing.lookAgainMs;
let stopping = false;
const { app, connector, jobs, plaid, reconcile } = await assembleServer({
  config,
  storage,
  log,
  version: '0.0.0-faults',
  isStopping: () => stopping,
  ...INSTANCE_TIMES,
  timing: { ...timing, lookAgainMs },
  ...(control === 'no quiet period' ? { quietMs: 0 } : {}),
  wrapClients: (clients) => {
    const own = (control && CLIENTS[control]?.(clients)) ?? clients;
    return clientsWithPoints(config.finix.webhookSecrets.length === 0 ? own : clientsWithSlowReads(own), points);
  },
});
const server = createServer(getRequestListener(app.fetch));
server.listen(0, '127.0.0.1', () => {
  jobs.start();
  plaid.warmUp();
  const address = server.address();
  print(`listening ${typeof address === 'object' && address ? address.port : 0}`);
});

// A machine that stalls for as long as a lease does the same to the server as SIGSTOP; the suite must know.
let looked = performance.now();
setInterval(() => {
  const stalled = performance.now() - looked - STALL_CHECK_MS;
  if (stalled > timing.leaseMs / 2) print(`stalled for ${Math.round(stalled)} ms`);
  looked = performance.now();
}, STALL_CHECK_MS);

createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line) as Order;
  if (order.order === 'arm') points.arm(order.point, order.action);
  if (order.order === 'go') points.go();
  if (order.order === 'trace') points.trace();
  if (order.order === 'clock') clockOffset = order.offsetMs;
  if (order.order === 'full') {
    // SQLite reads a limit below the current size as the current size.
    const pages = order.full ? 1 : 1_000_000_000;
    sql`PRAGMA max_page_count = ${sql.lit(pages)}`.execute(opened.db).catch(() => process.exit(1));
  }
  if (order.order === 'rest') return void rest();
  if (order.order === 'reconcile') {
    // As the command does, in a process of its own or in any other.
    reconcile({ fix: true, since: 0 }).then(
      () => print('done reconcile'),
      (error: unknown) => {
        process.stderr.write(`${(error as Error).stack}\n`);
        process.exit(1);
      },
    );
    return;
  }
  print(`done ${order.order}`);
});
async function rest(): Promise<void> {
  while (connector.inFlight > 0) await sleep(REST_CHECK_MS);
  print('done rest');
}

// The suite is gone: an orphan would hold the database and the port.
process.stdin.on('end', () => process.exit(1));

process.once('SIGTERM', () => {
  stopping = true;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  Promise.all([jobs.stop(), connector.stop(INSTANCE_TIMES.graceMs)])
    .then(() => closed)
    .then(() => storage.close())
    .then(() => process.exit(0))
    .catch(() => process.exit(1));
});
