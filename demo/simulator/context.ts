import { setTimeout as sleep } from 'node:timers/promises';
import type { Bank } from './bank.ts';
import type { Faults } from './faults.ts';
import type { Lifetimes, ServiceName, SimulatedCall, State } from './state.ts';
import type { Webhooks } from './webhooks.ts';

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

export interface SimulatorSettings {
  /** How long new identities and payment instruments stay out of Finix's lists, in milliseconds. */
  listLagMs: number;
  /** Takes every browser for a webview, where banks with OAuth take the place of the page. Without it the user agent decides, as with Plaid. */
  isWebview: boolean;
  /** Tells of every Link by its link token, as Plaid does for clients that are enabled for Link events; otherwise of Hosted Links only. */
  linkEvents: boolean;
  /** How long after the exchange that happens which a scenario has in store, in real milliseconds. */
  laterMs: number;
}

/** What the three services share. */
export interface Context {
  state: State;
  faults: Faults;
  plaid: { clientId: string; secret: string };
  finix: { username: string; password: string };
  lifetimes: Lifetimes;
  /** May be changed at any time. */
  settings: SimulatorSettings;
  now: () => number;
  webhooks: Webhooks;
  bank: Bank;
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
