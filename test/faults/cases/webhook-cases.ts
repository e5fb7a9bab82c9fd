import type { FaultCase } from '../round.ts';

/**
 * What happens to connections after their sessions, sent as webhooks twice, late, in any order and to different instances. In the end
 * the connection, its instruments at Finix and the merchant's latest event agree with Plaid and Finix.
 */
function webhookCase(name: string, short: number, webhooks: NonNullable<FaultCase['options']>['webhooks']): FaultCase {
  return {
    name,
    instances: { sqlite: 2, postgres: 3 },
    sessions: { full: 48, short },
    options: { webhooks: webhooks ?? {} },
    async run(environment, sessions) {
      await environment.connect(sessions, { atOnce: 12 });
      await environment.live();
    },
  };
}

export const webhookCases: FaultCase[] = [
  webhookCase('webhooks twice, late and out of order', 8, {}),
  webhookCase('webhooks, and kill -9 after their 200', 0, { killsOneIn: 6 }),
];
