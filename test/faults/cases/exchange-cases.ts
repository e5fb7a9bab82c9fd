import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultRule } from '../../../demo/simulator/index.ts';
import { eventually } from '../../helpers/server.ts';
import type { FaultCase } from '../round.ts';

const EXCHANGE = { service: 'plaid', path: '/item/public_token/exchange' } as const;
/** By then every customer has met the nonsense more than once, also on a busy machine. */
const PATIENCE_MS = 20_000;

/** What a gateway answers in front of Plaid, which never sees the request: the public token stays good. */
const NONSENSE: Record<string, Omit<FaultRule, 'service' | 'path'>> = {
  HTML: { kind: 'html' },
  'HTML with 200': { kind: 'html', status: 200 },
  'half an answer': { kind: 'malformed' },
  'an empty object': { kind: 'status', status: 200, body: {} },
  'a cut connection': { kind: 'reset' },
  silence: { kind: 'timeout' },
};

/** @param seconds how much longer it lasts once there were three exchanges for each customer */
function nonsense(name: string, answer: Omit<FaultRule, 'service' | 'path'>, seconds = 0): FaultCase {
  const isFirst = name === 'HTML' && seconds === 0;
  return {
    name: `the exchange's gateway: ${name}${seconds > 0 ? `, ${seconds} s longer` : ''}`,
    instances: 2,
    sessions: { full: 20, short: isFirst ? 5 : 0 },
    storesInShort: ['sqlite'],
    controls: isFirst ? ['two exchanges', 'earlier version'] : [],
    async run(environment, sessions) {
      const { faults, ledger } = environment.upstream.simulator;
      const end = faults.add({ ...EXCHANGE, ...answer });
      const connecting = environment.connect(sessions);
      const exchanges = () => ledger.calls().filter(({ path }) => path === EXCHANGE.path).length;
      await eventually(async () => exchanges() >= 3 * sessions, PATIENCE_MS);
      await sleep(seconds * 1_000);
      end();
      await connecting;
    },
  };
}

/** A stumble of seconds sends no customer through Link again. */
export const exchangeCases: FaultCase[] = [
  ...Object.entries(NONSENSE).map(([name, answer]) => nonsense(name, answer)),
  nonsense('HTML', { kind: 'html' }, 6),
];
