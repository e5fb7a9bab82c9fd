import { type Bank, type Ledger, SIMULATOR_CREDENTIALS } from '../../demo/simulator/index.ts';
import type { Connection } from '../../widget/contract.ts';
import type { Outcome } from './customer.ts';
import type { Verdict } from './oracle.ts';

/** What can happen to a connection from outside, once it is made. */
export interface Scene {
  bank: Bank;
  itemId: string;
  /** As in Finix's own dashboard. */
  setEnabled(enabled: boolean): Promise<void>;
  /** A short time, another one each time. */
  pause(): Promise<void>;
}

/** What happens to a connection after its session, and what is true in the end, in whichever order the webhooks arrive. */
export interface Scenario {
  name: string;
  /** Of the simulated login. */
  username: string;
  happen(scene: Scene): Promise<void>;
  status: Connection['status'];
  /** How many instruments Finix may have made for it in the end; undefined: any number. */
  made: number | undefined;
}

const ONE = 'user_one_account';
const PENDING = 'user_pending_verification';

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'verified',
    username: PENDING,
    happen: async ({ bank, itemId }) => bank.verify(itemId, 'automatically_verified'),
    status: 'active',
    made: 1,
  },
  {
    name: 'revoked',
    username: ONE,
    happen: async ({ bank, itemId }) => bank.revokePermission(itemId),
    status: 'revoked',
    made: 1,
  },
  {
    name: 'broken and repaired',
    username: ONE,
    async happen({ bank, itemId, pause }) {
      bank.breakLogin(itemId);
      await pause();
      bank.repairLogin(itemId);
    },
    status: 'active',
    made: 1,
  },
  {
    name: 'disabled and enabled at Finix',
    username: ONE,
    async happen({ setEnabled, pause }) {
      for (const enabled of [false, true, false, true]) {
        await setEnabled(enabled);
        await pause();
      }
    },
    status: 'active',
    made: 1,
  },
  {
    name: 'enabled and disabled at Finix',
    username: ONE,
    async happen({ setEnabled, pause }) {
      for (const enabled of [false, true, false]) {
        await setEnabled(enabled);
        await pause();
      }
    },
    status: 'revoked',
    made: 1,
  },
  {
    name: 'broken, then revoked',
    username: ONE,
    async happen({ bank, itemId, pause }) {
      bank.breakLogin(itemId);
      await pause();
      bank.revokePermission(itemId);
    },
    status: 'revoked',
    made: 1,
  },
  {
    name: 'new numbers',
    username: ONE,
    happen: async ({ bank, itemId }) => bank.renumber(itemId),
    status: 'active',
    made: undefined,
  },
  {
    name: 'verification expired',
    username: PENDING,
    happen: async ({ bank, itemId }) => bank.verify(itemId, 'verification_expired'),
    status: 'failed',
    made: 0,
  },
];

/** Chosen by the customer's number, so that a seed repeats it. */
export function scenarioOf(number: number): Scenario {
  const scenario = SCENARIOS[number % SCENARIOS.length];
  if (!scenario) throw new Error('there are no scenarios');
  return scenario;
}

/** The Item that the customer's last public token stands for. */
export function itemOf(upstream: Ledger, { tokens }: Outcome): string | undefined {
  const token = tokens.at(-1)?.token;
  return upstream.publicTokens().find(({ public_token }) => public_token === token)?.item_id;
}

/** The instruments that Finix has ever made for a customer. */
export function instrumentsOf(upstream: Ledger, email: string): { id: string; enabled: boolean }[] {
  const own = new Set(
    upstream.identities().flatMap(({ id, entity }) => ((entity as { email?: unknown }).email === email ? [id] : [])),
  );
  return upstream
    .instruments()
    .flatMap(({ id, identity, enabled }) => (own.has(String(identity)) ? [{ id, enabled: enabled === true }] : []));
}

/** As Finix's dashboard does. */
export async function setEnabled(finixUrl: string, instrument: string, enabled: boolean): Promise<void> {
  const { username, password } = SIMULATOR_CREDENTIALS.finix;
  const response = await fetch(`${finixUrl}/payment_instruments/${instrument}`, {
    method: 'PUT',
    headers: {
      Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      'Finix-Version': '2022-02-01',
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({ enabled }),
  });
  if (!response.ok) throw new Error(`Finix answered ${response.status}`);
}

export interface MerchantEvent {
  id: string;
  status: Connection['status'];
  updated_at: string;
}

/** Compares what became of the connections with what happened to them. */
export function checkScenarios({
  upstream,
  outcomes,
  scenarios,
  connections,
  events,
}: {
  upstream: Ledger;
  outcomes: Outcome[];
  scenarios: ReadonlyMap<string, Scenario>;
  connections: ReadonlyMap<string, Connection[]>;
  events: MerchantEvent[];
}): Verdict {
  const verdict: Verdict = {
    sessions: outcomes.length,
    completed: outcomes.filter(({ final }) => final?.status === 'completed').length,
    restartsAsked: 0,
    lost: [],
    double: [],
    needless: [],
    longestMs: Math.max(0, ...outcomes.map(({ ms }) => ms)),
  };
  for (const { email } of outcomes) {
    const scenario = scenarios.get(email);
    if (!scenario) continue;
    const instruments = instrumentsOf(upstream, email);
    checkScenario(verdict, scenario, { email, connections: connections.get(email) ?? [], instruments, events });
  }
  return verdict;
}

/** Adds what is wrong to the verdict. */
function checkScenario(
  verdict: Pick<Verdict, 'lost' | 'double'>,
  { name, status, made }: Scenario,
  evidence: {
    email: string;
    /** As the merchant reads them. */
    connections: Connection[];
    instruments: { id: string; enabled: boolean }[];
    /** The merchant's events, in the order of their arrival. */
    events: MerchantEvent[];
  },
): void {
  const { email, connections, instruments, events } = evidence;
  const wrong = (words: string) => verdict.lost.push(`${email} (${name}): ${words}`);
  const [connection] = connections;
  if (!connection) return void wrong('has no connection');
  if (connection.status !== status) wrong(`is ${connection.status}, not ${status}`);
  const enabled = instruments.flatMap((instrument) => (instrument.enabled ? [instrument.id] : []));
  const usable = status === 'active' ? [connection.payment_instrument] : [];
  if (enabled.length > 1) verdict.double.push(`${email} (${name}): ${enabled.length} enabled instruments`);
  if (enabled.join() !== usable.join()) wrong(`${enabled.join()} is enabled, ${usable.join()} should be`);
  if (made !== undefined && instruments.length > made) {
    verdict.double.push(`${email} (${name}): ${instruments.length} instruments were made`);
  }
  const about = events.filter(({ id }) => id === connection.id);
  const last = about.sort((a, b) => (a.updated_at < b.updated_at ? -1 : 1)).at(-1);
  if (last?.status !== status) wrong(`the merchant's latest event is ${last?.status}`);
}
