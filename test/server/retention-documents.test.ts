import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RETENTION } from '../../server/jobs/retention.ts';
import { IDEMPOTENCY_MS } from '../../server/records/idempotency.ts';
import { PROVIDER_CALLS_KEEP_MS } from '../../server/records/provider-calls.ts';
import { EVENT_KEEP_MS } from '../../server/webhooks/receive.ts';

/** Operators read the table of docs/operations.md; what is deleted goes by the constants. */

const HOUR = 3600_000;
const table = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'operations.md'), 'utf8');

it.each([
  ['answers to repeated `Idempotency-Key`s', IDEMPOTENCY_MS],
  ['sessions without a connection', RETENTION.unfinished],
  ['completed sessions', RETENTION.completed],
  ['checks before a debit', RETENTION.checks],
  ['debits and payouts that did not come back', RETENTION.transfers],
  ['webhooks that came in', EVENT_KEEP_MS],
  ['which calls were made to Plaid and Finix, with their request ids', PROVIDER_CALLS_KEEP_MS],
])('the documents name how long %s are kept', (what, ms) => {
  const [, count, unit] = new RegExp(`^\\| ${what} \\| (\\d+) (hours|days) `, 'm').exec(table) ?? [];
  expect(Number(count) * (unit === 'days' ? 24 * HOUR : HOUR)).toBe(ms);
});
