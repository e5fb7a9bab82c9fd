import { type Bank, type Ledger, SIMULATOR_CREDENTIALS } from '../../demo/simulator/index.ts';
import type { Connection } from '../../widget/contract.ts';
import type { Outcome } from './customer.ts';
import type { Verdict } from './judge.ts';

/** What can be done to a connection from outside, once it is made. */
export interface Scene {
  bank: Bank;
  itemId: string;
  /** As somebody does in Finix's own dashboard. */
  setEnabled(enabled: boolean): Promise<void>;
  /** A moment, another one each time. */
  pause(): Promise<void>;
}

/** What happens to a connection after its session, and what is true in the end, whatever the webhooks' order. */
export interface Story {
  name: string;
  /** Of the simulated login. */
  username: string;
  happen(scene: Scene): Promise<void>;
  status: Connection['status'];
  /** How many instruments Finix has made for it in the end; undefined: as many as it takes. */
  made: number | undefined;
}

const ONE = 'user_one_account';
const PENDING = 'user_pending_verification';

export const STORIES: readonly Story[] = [
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

/** A customer's story is known by their number, so that a seed repeats it. */
export function storyOf(number: number): Story {
  const story = STORIES[number % STORIES.length];
  if (!story) throw new Error('there are no stories');
  return story;
}

/** The Item that the customer's last public token stands for. */
export function itemOf(ledger: Ledger, { tokens }: Outcome): string | undefined {
  const token = tokens.at(-1)?.token;
  return ledger.publicTokens().find(({ public_token }) => public_token === token)?.item_id;
}

/** The instruments that Finix has ever made for a customer. */
export function instrumentsOf(ledger: Ledger, email: string): { id: string; enabled: boolean }[] {
  const own = new Set(
    ledger.identities().flatMap(({ id, entity }) => ((entity as { email?: unknown }).email === email ? [id] : [])),
  );
  return ledger
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

export interface News {
  id: string;
  status: Connection['status'];
  updated_at: string;
}

/** Judges what has become of the connections by what happened to them. */
export function judgeStories({
  ledger,
  outcomes,
  stories,
  connections,
  news,
}: {
  ledger: Ledger;
  outcomes: Outcome[];
  stories: ReadonlyMap<string, Story>;
  connections: ReadonlyMap<string, Connection[]>;
  news: News[];
}): Verdict {
  const verdict: Verdict = {
    sessions: outcomes.length,
    completed: outcomes.filter(({ told }) => told?.status === 'completed').length,
    restartsAsked: 0,
    lost: [],
    double: [],
    needless: [],
    longestMs: Math.max(0, ...outcomes.map(({ ms }) => ms)),
  };
  for (const { email } of outcomes) {
    const story = stories.get(email);
    if (!story) continue;
    const instruments = instrumentsOf(ledger, email);
    judgeStory(verdict, story, { email, connections: connections.get(email) ?? [], instruments, news });
  }
  return verdict;
}

/** Adds what is wrong to the verdict. */
function judgeStory(
  verdict: Pick<Verdict, 'lost' | 'double'>,
  { name, status, made }: Story,
  evidence: {
    email: string;
    /** As the merchant reads them. */
    connections: Connection[];
    instruments: { id: string; enabled: boolean }[];
    /** What the merchant was told, in the order in which it came. */
    news: News[];
  },
): void {
  const { email, connections, instruments, news } = evidence;
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
  const about = news.filter(({ id }) => id === connection.id);
  const last = about.sort((a, b) => (a.updated_at < b.updated_at ? -1 : 1)).at(-1);
  if (last?.status !== status) wrong(`the merchant's latest news is ${last?.status}`);
}
