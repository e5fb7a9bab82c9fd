import type { Clients } from '../../server/create-server.ts';
import { Gate } from './gate.ts';
import { eventually, type TestServer } from './server.ts';

/**
 * Holds the n-th create call for an instrument, counted from 1, until `open`.
 * @param isCarriedOut Finix has made the instrument, and only its answer is held
 */
export function holdCreate(nth: number, isCarriedOut = false) {
  const gate = new Gate();
  const held = {
    calls: 0,
    /** The instrument of that call, once Finix has made it. */
    made: '',
    open: () => gate.open(),
    isHeld: async () => (isCarriedOut ? held.made !== '' : held.calls >= nth),
    wrapClients: ({ plaid, finix }: Clients): Clients => ({
      plaid,
      finix: {
        ...finix,
        async createPaymentInstrument(request) {
          held.calls += 1;
          if (held.calls !== nth) return finix.createPaymentInstrument(request);
          if (!isCarriedOut) await gate.passed;
          const made = await finix.createPaymentInstrument(request);
          held.made = made.id;
          await gate.passed;
          return made;
        },
      },
    }),
  };
  return held;
}

/** Every webhook of this type that came in has been handled. */
export async function eventHandled(server: TestServer, type: string): Promise<void> {
  await server.upstream.simulator.webhooks.settled();
  await eventually(async () => {
    const { db } = server.storage;
    const rows = await db.selectFrom('inbound_events').select('status').where('type', '=', type).execute();
    return rows.length > 0 && rows.every(({ status }) => status !== 'received');
  });
}

/**
 * Has a round of jobs make the instrument that a webhook asks for, so that the webhook's handler has ended by then.
 * @returns what has the held call answered, and waits for the round
 */
export async function beginInJobs(
  server: TestServer,
  held: ReturnType<typeof holdCreate>,
  type: string,
  ask: () => void,
): Promise<() => Promise<void>> {
  const busy = { service: 'plaid', path: '/processor/token/create', kind: 'status', status: 503, times: 1 } as const;
  server.upstream.simulator.faults.add(busy);
  ask();
  await eventHandled(server, type);
  // Longer than any wait between two quick attempts.
  server.clockOffset += 10_000;
  const round = server.jobs.tick();
  await eventually(held.isHeld);
  return async () => {
    held.open();
    await round;
  };
}
