import { setTimeout as sleep } from 'node:timers/promises';
import type { Faults } from './faults.ts';
import type { Lifetimes, ServiceName, SimulatedCall, State } from './state.ts';

/** One line for a live log: no token, no credential, no name. */
export interface Step {
  at: string;
  service: ServiceName;
  /** Method and path, or what happened in Link. */
  what: string;
  /** null: no answer was given. */
  status: number | null;
  ms: number;
}

/** What the three services share. */
export interface Context {
  state: State;
  faults: Faults;
  plaid: { clientId: string; secret: string };
  finix: { username: string; password: string };
  lifetimes: Lifetimes;
  /** How long new resources stay out of Finix's lists; settings of a test may change it at any time. */
  settings: { listLagMs: number };
  now: () => number;
  /** Ends every wait when the simulator closes. */
  closing: AbortSignal;
  emit: (step: Step) => void;
  record: (call: SimulatedCall) => void;
}

export const iso = (ms: number): string => new Date(ms).toISOString();

/** Waits, at most until the simulator closes. Real time, also where `now` is a test's own clock. */
export async function pause(context: Context, ms: number): Promise<void> {
  try {
    await sleep(ms, undefined, { signal: context.closing });
  } catch {
    // Closing ends the wait early; what comes after it finds its connection gone.
  }
}
