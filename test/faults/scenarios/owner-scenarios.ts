import type { FaultRule } from '../../../demo/simulator/index.ts';
import type { Scenario } from './scenario.ts';

const MATCH = { service: 'plaid', path: '/identity/match' } as const;
const REQUIRED = { session: { ownership: 'require' } } as const;

type Trouble = Omit<FaultRule, 'service' | 'path'>;

/** Fewer than the attempts that a session makes where it requires the owner. */
const PASSING: Record<string, Trouble> = {
  'reset before it': { kind: 'reset', times: 2 },
  'reset after it': { kind: 'reset', when: 'after', times: 2 },
  'an answer that is lost': { kind: 'timeout', when: 'after', times: 1 },
  '429': { kind: 'status', status: 429, times: 2 },
  'half an answer': { kind: 'malformed', when: 'after', times: 2 },
};

const customerOf = (username: string, troubles: FaultRule[] = []): Scenario['live'] => {
  // The question may have to be put again; Link must not.
  return async (customer) => void (await customer.connect(troubles, { ...REQUIRED, login: { username }, maxRuns: 1 }));
};

/** Sessions that require the owner: a lost check loses no bank, and connects none unchecked. */
export const OWNERS: readonly Scenario[] = [
  ...Object.entries(PASSING).map(
    ([name, trouble]): Scenario => ({
      name: `the owner matches, ${name}`,
      live: customerOf('user_owner_match', [{ ...MATCH, ...trouble }]),
      end: ['active'],
      made: 1,
    }),
  ),
  ...Object.entries(PASSING).map(
    ([name, trouble]): Scenario => ({
      name: `another owner, ${name}`,
      live: customerOf('user_owner_mismatch', [{ ...MATCH, ...trouble }]),
      end: ['failed'],
      made: 0,
    }),
  ),
  {
    name: 'no answer at all',
    live: customerOf('user_owner_match', [{ ...MATCH, kind: 'reset' }]),
    end: ['failed'],
    made: 0,
  },
  {
    name: 'refused',
    live: customerOf('user_owner_not_enabled'),
    end: ['failed'],
    made: 0,
  },
];
