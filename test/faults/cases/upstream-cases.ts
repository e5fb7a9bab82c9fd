import type { FaultRule } from '../../../demo/simulator/index.ts';
import type { FaultCase } from '../round.ts';
import { CALLS, LATE_COMMIT_MS } from '../times.ts';

/** The reads of Finix's lists that follow a lost answer fail as well, now and then. */
const LISTS: typeof CALLS = [
  { service: 'finix', path: '/payment_instruments', method: 'GET' },
  { service: 'finix', path: '/identities', method: 'GET' },
];

type Trouble = Omit<FaultRule, 'service' | 'path' | 'method'>;

const TROUBLES: Record<string, Trouble> = {
  'timeout before the commit': { kind: 'timeout' },
  'timeout after the commit': { kind: 'timeout', when: 'after' },
  'timeout long before the commit': { kind: 'timeout', when: 'after', delayMs: LATE_COMMIT_MS },
  '429': { kind: 'status', status: 429 },
  '500': { kind: 'status', status: 500 },
  '500 after the commit': { kind: 'status', status: 500, when: 'after' },
  'HTML instead of JSON': { kind: 'html', when: 'after' },
  'half an answer': { kind: 'malformed', when: 'after' },
  'reset before the commit': { kind: 'reset' },
  'reset after the commit': { kind: 'reset', when: 'after' },
};

/** The trouble that the rules against a second instrument are made for. */
const IN_SHORT = 'timeout long before the commit';

/** Each trouble, at every call, for some of the customers who come at the same time. */
export const upstreamCases: FaultCase[] = Object.entries(TROUBLES).map(([name, trouble]) => ({
  name: `upstream: ${name}`,
  instances: 2,
  storesInShort: ['sqlite'],
  sessions: { full: 20, short: name === IN_SHORT ? 5 : 0 },
  async run(environment, sessions) {
    const times = Math.ceil(sessions / 5);
    for (const call of CALLS) environment.fault({ ...call, ...trouble, times });
    for (const list of LISTS) environment.fault({ ...list, ...trouble, times: 1 });
    await environment.connect(sessions);
  },
}));

/** Everything at once, as on a bad day: about a third of the calls fail in one way or another. */
export function badDay(random: { pick<T>(from: readonly T[]): T }, failures: number): FaultRule[] {
  const troubles = Object.values(TROUBLES);
  return Array.from({ length: failures }, () => ({ ...random.pick(CALLS), ...random.pick(troubles), times: 1 }));
}
