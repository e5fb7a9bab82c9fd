import type { ExpressionBuilder } from 'kysely';
import type { Database } from './tables.ts';

/**
 * The next `updated_at` of a session. It orders the merchant's events, so it grows with every change: also of two
 * within a millisecond, and while the clock is behind what it was.
 */
export function changedAt(eb: ExpressionBuilder<Database, 'sessions'>, now: number) {
  return eb
    .case()
    .when('sessions.updated_at', '>=', now)
    .then(eb('sessions.updated_at', '+', 1))
    .else(now)
    .end();
}
