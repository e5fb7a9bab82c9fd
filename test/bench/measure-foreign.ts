import { spawn } from 'node:child_process';
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSimulator } from '../../demo/simulator/index.ts';
import { type BuiltServer, readMetrics, startBuiltServer } from './built-server.ts';
import { percentile } from './statistics.ts';

/** The server's processor time for Finix's webhooks about transfers of the merchant's other customers. */
export interface ForeignFigures {
  webhooks: number;
  /** Microseconds of the server's processor for one of them. */
  webhook_us: number;
  /** The same of a bare Node HTTP server that proves the signature and answers, measured in turns with it. */
  floor_us: number;
  /** The first over the second. */
  ratio: number;
  /** Cores at 1,000 a second, of the server in all. */
  cores_per_thousand: number;
  /** Of these, what the server adds to the bare one: the median of the rounds, each compared within itself. */
  own_cores_per_thousand: number;
}

/** Until the code is compiled and the index is in memory. */
const WARM_UP = 4_000;
/** So many that reading the processor time, which takes milliseconds, does not count. */
const WEBHOOKS = 4_000;
/** In turns, so that a machine that is busy for a while is so for both. */
const ROUNDS = 7;
/** The rate that the limit is about. */
const PER_SECOND = 1_000;

export async function measureForeign(child: (role: string) => string[]): Promise<ForeignFigures> {
  const upstream = await startSimulator();
  const secret = randomBytes(32).toString('hex');
  let server: BuiltServer | undefined;
  const bare = spawn(process.execPath, child('signature alone'), {
    env: { PATH: process.env['PATH'], FINIX_WEBHOOK_SECRET: secret },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const own = await startBuiltServer(upstream, { FINIX_WEBHOOK_SECRET: secret });
    server = own;
    const [line] = (await once(bare.stdout, 'data')) as [Buffer];
    const bareUrl = `http://127.0.0.1:${line.toString().trim().split(' ')[1]}`;
    let next = 0;
    const run = (url: string, count: number) => send(url, count, () => webhook(next++, secret));
    const ofServer = () => processorSeconds(own);
    const ofBare = async () => Number(await (await fetch(bareUrl)).text());
    await run(own.url, WARM_UP);
    await run(bareUrl, WARM_UP);
    const webhooks: number[] = [];
    const floors: number[] = [];
    const added: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const webhook = await cost(ofServer, () => run(own.url, WEBHOOKS));
      const floor = await cost(ofBare, () => run(bareUrl, WEBHOOKS));
      webhooks.push(webhook);
      floors.push(floor);
      added.push(webhook - floor);
    }
    const [webhook_us, floor_us] = [percentile(webhooks, 0.5), percentile(floors, 0.5)];
    return {
      webhooks: ROUNDS * WEBHOOKS,
      webhook_us,
      floor_us,
      ratio: webhook_us / floor_us,
      cores_per_thousand: webhook_us / 1_000,
      own_cores_per_thousand: percentile(added, 0.5) / 1_000,
    };
  } finally {
    bare.kill();
    await server?.stop();
    await upstream.close();
  }
}

/**
 * The floor: what every receiver of Finix's webhooks has to do, and nothing else. A GET answers with the processor time
 * of the process so far, in seconds.
 */
export function startSignatureAlone(): void {
  const secret = process.env['FINIX_WEBHOOK_SECRET'] ?? '';
  const server = createServer((request, response) => {
    if (request.method === 'GET') {
      const { user, system } = process.cpuUsage();
      return void response.end(String((user + system) / 1e6));
    }
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { timestamp, sig } = /timestamp=(?<timestamp>\d+), sig=(?<sig>\w+)/.exec(
        String(request.headers['finix-signature']),
      )?.groups ?? { timestamp: '', sig: '' };
      const expected = createHmac('sha256', secret).update(`${timestamp}:`).update(Buffer.concat(parts)).digest();
      const isGenuine = timingSafeEqual(expected, Buffer.from(sig ?? '', 'hex'));
      response.writeHead(isGenuine ? 200 : 401, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ received: isGenuine }));
    });
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    process.stdout.write(`listening ${typeof address === 'object' && address ? address.port : 0}\n`);
  });
}

/** A debit of a customer who is none of this server's, as Finix sends it. */
function webhook(i: number, secret: string): { body: string; headers: Record<string, string> } {
  const transfer = {
    id: `TRforeign${i}`,
    type: 'DEBIT',
    state: i % 2 === 0 ? 'SUCCEEDED' : 'PENDING',
    amount: 4_200,
    currency: 'USD',
    source: `PIforeign${i}`,
    merchant: 'MUforeign',
    tags: { order: `order-${i}` },
    created_at: '2026-11-20T10:00:00.00Z',
    updated_at: '2026-11-20T10:00:00.00Z',
  };
  const body = JSON.stringify({
    id: `event_${i}`,
    entity: 'transfer',
    type: 'updated',
    _embedded: { transfers: [transfer] },
  });
  const timestamp = Math.floor(Date.now() / 1000);
  const sig = createHmac('sha256', secret).update(`${timestamp}:`).update(body).digest('hex');
  return {
    body,
    headers: { 'Content-Type': 'application/json', 'Finix-Signature': `timestamp=${timestamp}, sig=${sig}` },
  };
}

/** So many a second, evenly: how many share a query, or a turn of the event loop, depends on the rate. */
async function send(
  url: string,
  count: number,
  make: () => { body: string; headers: Record<string, string> },
): Promise<void> {
  const post = async () => {
    const response = await fetch(`${url}/webhooks/finix`, { method: 'POST', ...make() });
    await response.arrayBuffer();
    if (response.status !== 200) throw new Error(`The webhook was answered ${response.status}.`);
  };
  const began = performance.now();
  const sent: Promise<void>[] = [];
  while (sent.length < count) {
    const due = Math.min(count, ((performance.now() - began) * PER_SECOND) / 1000);
    while (sent.length < due) sent.push(post());
    await sleep(1);
  }
  await Promise.all(sent);
}

/** @returns microseconds of the processor for each */
async function cost(seconds: () => Promise<number>, run: () => Promise<void>): Promise<number> {
  const before = await seconds();
  await run();
  return (((await seconds()) - before) * 1e6) / WEBHOOKS;
}

async function processorSeconds(server: BuiltServer): Promise<number> {
  const seconds = /^process_cpu_seconds_total (\S+)$/m.exec(await readMetrics(server))?.[1];
  if (seconds === undefined) throw new Error('The server shows no processor time.');
  return Number(seconds);
}
