import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStorage } from '../../server/storage/open.ts';
import type { Session } from '../../widget/contract.ts';
import { WEBHOOK_SECRET } from '../helpers/receiver.ts';
import { SHOP, TestServer } from '../helpers/server.ts';

/** A server with some rows of every kind, which inputs can be about. It is thrown away after some thousand inputs. */
export interface World {
  server: TestServer;
  sessions: Session[];
  connections: string[];
  customers: string[];
  links: { id: string; token: string }[];
  deliveries: string[];
  /** Not used yet. */
  publicTokens: string[];
  /** Keeps what an answer has made. */
  learn(operation: string, body: unknown): void;
  close(): Promise<void>;
}

export const FINIX_SECRET = 'finix-webhook-secret-of-the-fuzz';
const AUTHORIZATION = { text: 'I authorize the debit.', version: '1' };
/** Older ones are over by then, and inputs about them would all end the same. */
const MOST = 60;

export async function createWorld(): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), 'fbc-fuzz-'));
  const storage = await openStorage({ dataDir, guarded: false });
  const server = await TestServer.start({
    storage,
    timeoutMs: 10_000,
    answerWithinMs: 5_000,
    env: {
      PUBLIC_SESSIONS: 'on',
      FINIX_WEBHOOK_SECRET: FINIX_SECRET,
      MERCHANT_WEBHOOK_URL: 'http://127.0.0.1:9/hooks',
      MERCHANT_WEBHOOK_SECRET: WEBHOOK_SECRET,
      DEBIT_CHECK: 'balance',
      LOG_LEVEL: 'trace',
    },
  });
  const world: World = {
    server,
    sessions: [],
    connections: [],
    customers: ['cus_0'],
    links: [],
    deliveries: [],
    publicTokens: [],
    learn(_operation, body) {
      for (const found of objectsIn(body)) take(world, found);
      for (const pool of [world.sessions, world.connections, world.customers, world.links, world.deliveries]) {
        if (pool.length > MOST) pool.splice(0, pool.length - MOST);
      }
    },
    async close() {
      await server.jobs.stop();
      await server.close();
      await storage.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  await seed(world);
  return world;
}

/** Rows in many states, so that the first inputs already meet them. */
async function seed(world: World): Promise<void> {
  const { server } = world;
  for (const username of ['user_one_account', 'user_pending_verification', 'user_good']) {
    const session = await server.createSession({ customer_id: `cus_${username}` });
    const { body } = await server.complete(session, await server.publicToken(username));
    world.learn('seed', [session, body]);
  }
  for (let i = 0; i < 4; i++) {
    const session = await server.createSession({ customer_id: `cus_${i}`, authorization: AUTHORIZATION });
    await server.page(session, 'POST', '/link-token', {});
    world.learn('seed', session);
  }
  for (let i = 0; i < 3; i++) {
    world.learn(
      'seed',
      (await server.merchant('POST', '/v1/links', { customer_id: `cus_${i}`, return_url: SHOP })).body,
    );
  }
  world.learn('seed', (await server.merchant('GET', '/v1/webhook-deliveries')).body);
}

function* objectsIn(value: unknown): Iterable<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return;
  yield value as Record<string, unknown>;
  for (const inner of Object.values(value)) yield* objectsIn(inner);
}

function take(world: World, found: Record<string, unknown>): void {
  const { id, object, client_secret, url, customer_id } = found;
  if (typeof id !== 'string') return;
  if (object === 'session' && typeof client_secret === 'string') world.sessions.push(found as unknown as Session);
  if (object === 'connection' && !world.connections.includes(id)) world.connections.push(id);
  if (object === 'link' && typeof url === 'string') world.links.push({ id, token: url.split('/').at(-1) ?? '' });
  if (id.startsWith('msg_') || object === 'webhook_delivery') world.deliveries.push(id);
  if (typeof customer_id === 'string' && !world.customers.includes(customer_id)) world.customers.push(customer_id);
}
