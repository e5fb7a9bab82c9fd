import { UpstreamError } from '../clients/outbound.ts';
import type { PlaidClient } from '../clients/plaid.ts';
import type { Logger } from '../log.ts';
import { CHECKS_KEEP_MS, readCheckAnswer } from '../records/checks.ts';
import type { DueQuery, Now } from '../storage/due.ts';
import type { Storage } from '../storage/open.ts';
import type { CheckTable } from '../storage/tables.ts';
import { claimRow } from '../work/claim-row.ts';
import { BUDGET_MS, backoff, QUICK_ATTEMPTS } from '../work/retry.ts';
import type { Timing } from '../work/timing.ts';

/**
 * What Signal asks to learn of debits that it was asked about: that one was made which it did not plainly accept, and
 * that one came back.
 */
export interface ReportDeps {
  storage: Storage;
  plaid: PlaidClient;
  timing: Timing;
  log: Logger;
}

/** Not while Signal is being asked: it knows no debit that it has yet to evaluate. */
function dueChecks(db: Storage['db'], now: Now) {
  return db
    .selectFrom('checks')
    .where('report_at', '<=', now)
    .where((eb) => eb.or([eb('answer', 'is not', null), eb('lease_until', '<=', now)]))
    .orderBy('report_at');
}

export const DUE_REPORTS: DueQuery = (db, now) => dueChecks(db, now).select('id');

/** @returns whether there may be more */
export async function reportToSignal(deps: ReportDeps, limit: number): Promise<boolean> {
  const { storage } = deps;
  const now = await storage.now();
  const due = await dueChecks(storage.db, now).selectAll().limit(limit).execute();
  await Promise.all(due.map((check) => report(deps, check, now)));
  return due.length === limit;
}

async function report({ storage, plaid, timing, log }: ReportDeps, check: CheckTable, now: number): Promise<void> {
  const taken = now + timing.jobLeaseMs;
  const seen = { id: check.id, report_at: check.report_at };
  if (!(await claimRow(storage, 'checks', seen, { report_at: taken }))) return;
  const write = (patch: Partial<CheckTable>) => claimRow(storage, 'checks', { id: check.id, report_at: taken }, patch);
  const { client_transaction_id: id, return_code, returned_at, is_return_due } = check;
  let decided = check.is_decision_due === 0;
  try {
    if (!decided) await plaid.reportDecision(id, true);
    decided = true;
    if (is_return_due === 1 && return_code !== null) {
      try {
        await plaid.reportReturn(id, return_code, returned_at ?? now);
      } catch (error) {
        // Signal had advised against the debit, and has not learned that it was made.
        if (!(error instanceof UpstreamError) || error.code !== 'SIGNAL_TRANSACTION_NOT_INITIATED') throw error;
        await plaid.reportDecision(id, true);
        await plaid.reportReturn(id, return_code, returned_at ?? now);
      }
    }
    await write({ is_decision_due: 0, is_return_due: 0, report_at: null, tries: 0 });
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const isRefused = error.failure !== 'busy' && error.failure !== 'lost';
    const isOver = (isRefused && !mayBeEvaluatedYet(check, now)) || now - check.created_at > CHECKS_KEEP_MS;
    log.warn(
      { check: check.id, code: error.code, ...error.details, given_up: isOver },
      'a debit could not be reported to Signal',
    );
    const delay = Math.ceil(backoff(QUICK_ATTEMPTS + check.tries, timing));
    const next =
      isOver || check.tries * timing.slowCapMs > BUDGET_MS ? { report_at: null } : { report_at: now + delay };
    await write({ is_decision_due: decided ? 0 : 1, tries: check.tries + 1, ...next });
  }
}

/** A question that was given up may still be on its way: a bank's balance takes Plaid half a minute. */
const ON_ITS_WAY_MS = 3600_000;

/** Signal knows nothing of the debit, and may get to know it. */
function mayBeEvaluatedYet({ answer, created_at }: CheckTable, now: number): boolean {
  const isInDoubt = answer === null || readCheckAnswer(answer).signal === null;
  return isInDoubt && now - created_at < ON_ITS_WAY_MS;
}
