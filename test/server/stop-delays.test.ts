import { afterEach, describe, expect, it } from 'vitest';
import { UpstreamError } from '../../server/clients/outbound.ts';
import type { Clients } from '../../server/create-server.ts';
import { TIMING } from '../../server/work/timing.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { FINIX_SECRET } from '../helpers/debits.ts';
import { Gate } from '../helpers/gate.ts';
import { patient } from '../helpers/patience.mjs';
import { eventually, TestServer, type TestServerOptions } from '../helpers/server.ts';

/** What may put off the end of a customer's debits, and for how long at most. */

let server: TestServer;
afterEach(() => server.close());
const { webhooks, bank, enabled, item, events, changeInstrument, connect, read, settled, expectStatus } =
  connectionLifecycle(() => server);
const row = (id: string) =>
  server.storage.db.selectFrom('connections').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

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

describe('a worker that waits for Finix', () => {
  /** Holds the answers of Finix to one call back. */
  async function holding(call: 'disablePaymentInstrument' | 'getPaymentInstrument', options: TestServerOptions = {}) {
    const gate = new Gate();
    let isHeld = false;
    const wrapClients = ({ plaid, finix }: Clients): Clients => ({
      plaid,
      finix: {
        ...finix,
        [call]: async (id: string) => {
          isHeld = true;
          await gate.passed;
          return finix[call](id);
        },
      },
    });
    const env = { FINIX_WEBHOOK_SECRET: FINIX_SECRET };
    server = await TestServer.start({ env, wrapClients, ...options });
    webhooks().settings.finix = { url: `${server.config.publicUrl}/webhooks/finix`, secret: FINIX_SECRET };
    return { open: () => gate.open(), isHeld: async () => isHeld };
  }

  it('keeps its lease on a disabling for as long as that takes', async () => {
    const finix = await holding('disablePaymentInstrument', { timing: { stopLeaseMs: patient(300) } });
    const { id } = await connect();
    bank().revokePermission(item().item_id);
    await eventually(finix.isHeld);
    const { lease_owner, lease_until } = await row(id);
    expect(lease_owner).not.toBeNull();
    const later = await eventually(async () => {
      const present = await row(id);
      return present.lease_until > lease_until && present;
    });
    expect(later.lease_owner).toBe(lease_owner);
    finix.open();
    await expectStatus(id, 'revoked');
    expect(enabled()).toEqual([]);
  });

  it('keeps its lease on a webhook for as long as handling takes', async () => {
    const finix = await holding('getPaymentInstrument', { timing: { inboundLeaseMs: patient(300) } });
    const { id } = await connect();
    await changeInstrument(id, { enabled: false });
    await eventually(finix.isHeld);
    const held = async () => (await events()).find(({ lease_until }) => lease_until > 0);
    const event = await held();
    await eventually(async () => ((await held())?.lease_until ?? 0) > (event?.lease_until ?? 0));
    finix.open();
    await expectStatus(id, 'revoked');
  });

  it('and is gone leaves the webhook to another one after half a minute', async () => {
    const finix = await holding('getPaymentInstrument');
    const { id } = await connect();
    await changeInstrument(id, { enabled: false });
    await eventually(finix.isHeld);
    const env = { FINIX_WEBHOOK_SECRET: FINIX_SECRET };
    const other = await TestServer.start({ env, storage: server.storage, upstream: server.upstream });
    other.clockOffset = 31_000;
    await eventually(async () => {
      await other.jobs.tick();
      return (await read(id)).status === 'revoked';
    });
    finix.open();
    await expectStatus(id, 'revoked');
    await other.close();
  });
});
