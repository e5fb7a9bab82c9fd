import type { FaultCase } from '../round.ts';
import { CALLS } from '../times.ts';
import { copyCases } from './copy-cases.ts';
import { exchangeCases } from './exchange-cases.ts';
import { processCases } from './process-cases.ts';
import { scenarioCases } from './scenario-cases.ts';
import { storageCases } from './storage-cases.ts';
import { upgradeCases } from './upgrade-cases.ts';
import { upstreamCases } from './upstream-cases.ts';

/** In the order of the table. */
export const faultCases: FaultCase[] = [
  {
    name: 'nothing',
    instances: 1,
    sessions: { full: 10, short: 0 },
    run: (environment, sessions) => environment.connect(sessions),
  },
  ...upstreamCases,
  {
    name: 'lists that lag, after lost answers',
    instances: 2,
    sessions: { full: 20, short: 0 },
    options: { listLagMs: 700 },
    async run(environment, sessions) {
      for (const call of CALLS.filter(({ service }) => service === 'finix')) {
        environment.fault({ ...call, kind: 'timeout', when: 'after', times: Math.ceil(sessions / 2) });
      }
      await environment.connect(sessions);
    },
  },
  ...processCases,
  ...storageCases,
  ...exchangeCases,
  ...scenarioCases,
  ...copyCases,
  ...upgradeCases,
];
