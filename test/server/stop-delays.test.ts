import { afterEach, describe, expect, it } from 'vitest';
import { UpstreamError } from '../../server/clients/outbound.ts';
import type { Clients } from '../../server/create-server.ts';
import { TIMING } from '../../server/work/timing.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { eventually, TestServer } from '../helpers/server.ts';

/** What may put off the end of a customer's debits, and for how long at most. */

let server: TestServer;
afterEach(() => server.close());
const { bank, enabled, item, connect, read, settled } = connectionLifecycle(() => server);

/** The longest wait between two of the first five attempts; see work/retry.ts. */
const QUICK_WAIT_MS = 5_000;

describe('a provider that asks for ten minutes of rest', () => {
  const RESTS = { status: 429, retryAfter: 600 };
  let isBusy = false;
  const unless = <A extends unknown[], R>(call: string, made: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      if (isBusy) throw new UpstreamError('finix', call, 'busy', 'RATE_LIMITED', RESTS);
      return made(...args);
    };
  };
  const wrapClients = ({ plaid, finix }: Clients): Clients => ({
    plaid,
    finix: {
      ...finix,
      disablePaymentInstrument: unless('disable', finix.disablePaymentInstrument),
      createPaymentInstrument: unless('create', finix.createPaymentInstrument),
    },
  });
  const row = (id: string) =>
    server.storage.db.selectFrom('connections').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  /** After at least so many attempts: how many there were, and how long the task waits for the next. */
  async function afterAttempts(id: string, least: number): Promise<{ tries: number; wait: number }> {
    const { tries, next_at, updated_at } = await eventually(async () => {
      const present = await row(id);
      return present.tries >= least && present.lease_until === 0 && present;
    });
    return { tries, wait: next_at - updated_at };
  }
  async function nextAttempt(id: string): Promise<void> {
    server.clockOffset += Math.max(0, (await row(id)).next_at - (await server.storage.now()));
    await server.jobs.tick();
  }

  it.each([
    ['revocation', () => bank().revokePermission(item().item_id)],
    ['removal', (id: string) => server.merchant('DELETE', `/v1/connections/${id}`)],
  ] as const)('a %s is tried again within seconds at first, and then within five minutes', async (_name, end) => {
    isBusy = false;
    server = await TestServer.start({ wrapClients });
    const { id } = await connect();
    isBusy = true;
    await end(id);
    for (let least = 1; least <= 6; least++) {
      const { tries, wait } = await afterAttempts(id, least);
      expect(wait).toBeLessThanOrEqual(tries <= 5 ? QUICK_WAIT_MS : TIMING.slowCapMs);
      await nextAttempt(id);
    }
    isBusy = false;
    await nextAttempt(id);
    await settled();
    expect(enabled()).toEqual([]);
  });

  it('a new instrument is tried again within five minutes', async () => {
    isBusy = false;
    server = await TestServer.start({ wrapClients });
    const { id } = await connect();
    isBusy = true;
    bank().renumber(item().item_id);
    const { wait } = await afterAttempts(id, 1);
    expect(wait).toBeLessThanOrEqual(TIMING.slowCapMs);
    expect(wait).toBeGreaterThan(QUICK_WAIT_MS);
    isBusy = false;
    await nextAttempt(id);
    await settled();
    expect((await read(id)).status).toBe('active');
  });
});
