import { createHmac, randomBytes } from 'node:crypto';
import { startSimulator } from '../../demo/simulator/index.ts';
import { type BuiltServer, readMetrics, startBuiltServer } from './built-server.ts';

/** The server's processor time for Finix's webhooks about transfers of the merchant's other customers. */
export interface ForeignFigures {
  webhooks: number;
  /** Microseconds of the server's processor for one of them. */
  webhook_us: number;
  /** The same for Finix's empty test of the address: HTTP, limits and the log alone. */
  empty_us: number;
  /** What the signature, the parsing and the look into the index add, as a factor. */
  ratio: number;
  /** Cores at 1,000 a second, beyond what an HTTP request costs that does nothing. */
  cores_per_thousand: number;
}

/** Until the code is compiled and the index is in memory. */
const WARM_UP = 2_000;
const WEBHOOKS = 4_000;
/** As many as Finix may have on their way; a loop one by one would measure the network. */
const AT_ONCE = 32;

export async function measureForeign(): Promise<ForeignFigures> {
  const upstream = await startSimulator();
  const secret = randomBytes(32).toString('hex');
  let server: BuiltServer | undefined;
  try {
    server = await startBuiltServer(upstream, { FINIX_WEBHOOK_SECRET: secret });
    const { url } = server;
    const own = server;
    const foreign = (i: number) => webhook(i, secret);
    const empty = () => ({ body: '', headers: {} });
    await send(url, WARM_UP, foreign);
    await send(url, WARM_UP, empty);
    const webhook_us = await cost(own, () => send(url, WEBHOOKS, (i) => foreign(WARM_UP + i)));
    const empty_us = await cost(own, () => send(url, WEBHOOKS, empty));
    return {
      webhooks: WEBHOOKS,
      webhook_us,
      empty_us,
      ratio: webhook_us / empty_us,
      cores_per_thousand: (webhook_us - empty_us) / 1_000,
    };
  } finally {
    await server?.stop();
    await upstream.close();
  }
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

async function send(
  url: string,
  count: number,
  make: (i: number) => { body: string; headers: Record<string, string> },
): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < count) {
      const response = await fetch(`${url}/webhooks/finix`, { method: 'POST', ...make(next++) });
      await response.arrayBuffer();
      if (response.status !== 200) throw new Error(`The webhook was answered ${response.status}.`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** @returns microseconds of the server's processor for each */
async function cost(server: BuiltServer, run: () => Promise<void>): Promise<number> {
  const before = await processorSeconds(server);
  await run();
  return (((await processorSeconds(server)) - before) * 1e6) / WEBHOOKS;
}

async function processorSeconds(server: BuiltServer): Promise<number> {
  const seconds = /^process_cpu_seconds_total (\S+)$/m.exec(await readMetrics(server))?.[1];
  if (seconds === undefined) throw new Error('The server shows no processor time.');
  return Number(seconds);
}
