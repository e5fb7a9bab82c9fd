import type { Row } from './rows.ts';

/**
 * What happens to connections after their sessions, told by webhooks that come twice, late, in any order and to different instances. In
 * the end the connection, its instruments at Finix and the merchant's latest news say what Plaid and Finix say.
 */
function webhookRow(name: string, short: number, webhooks: NonNullable<Row['options']>['webhooks']): Row {
  return {
    name,
    instances: { sqlite: 2, postgres: 3 },
    sessions: { full: 48, short },
    options: { webhooks: webhooks ?? {} },
    async run(arena, sessions) {
      await arena.connect(sessions, { atOnce: 12 });
      await arena.live();
    },
  };
}

export const webhookRows: Row[] = [
  webhookRow('webhooks twice, late and out of order', 8, {}),
  webhookRow('webhooks, and kill -9 after their 200', 0, { killsOneIn: 6 }),
];
