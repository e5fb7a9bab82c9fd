import { setTimeout as sleep } from 'node:timers/promises';
import type { Check, CheckRequest } from '../../widget/contract.ts';
import { UpstreamError } from '../clients/outbound.ts';
import type { PlaidClient } from '../clients/plaid.ts';
import { isPermissionRevoked } from '../clients/plaid-codes.ts';
import type { PlaidBalance, SignalEvaluation } from '../clients/plaid-risk.ts';
import type { Config } from '../config.ts';
import { ProblemError } from '../errors.ts';
import { iso, newId, plaidUserId, sha256 } from '../ids.ts';
import type { Logger } from '../log.ts';
import { answeredUntil } from '../records/agreements.ts';
import { readCheckAnswer, reportsAtAnswer } from '../records/checks.ts';
import { lockConnection, revoke } from '../records/connections.ts';
import { accessTokenOf, findItem, prepareForSignal } from '../records/items.ts';
import type { Outbox } from '../records/outbox.ts';
import type { Storage, StorageTransaction } from '../storage/open.ts';
import type { Secrets } from '../storage/secrets.ts';
import type { CheckTable, ConnectionTable } from '../storage/tables.ts';
import { claimRow } from '../work/claim-row.ts';
import { startHeartbeat } from '../work/heartbeat.ts';
import type { Timing } from '../work/timing.ts';
import { type Finding, type Judgment, judgeBalance, judgeConnection, judgeSignal, verdictOf } from './check-rules.ts';
import type { ConnectionTasks } from './connection-tasks.ts';

/**
 * The question before a debit: the facts known here, then Plaid's, in time and without ever failing when Plaid does.
 */
export interface CheckDeps {
  config: Pick<Config, 'debitCheck' | 'checkTimeoutMs' | 'signalRuleset' | 'changedBankMs'>;
  timing: Pick<Timing, 'checkLeaseMs'>;
  storage: Storage;
  secrets: Secrets;
  plaid: PlaidClient;
  outbox: Outbox;
  tasks: Pick<ConnectionTasks, 'run'>;
  log: Logger;
}

/** For the answer's way into the database; another request with the same id waits no longer than that on top. */
const MARGIN_MS = 5_000;
/** For Plaid, however long another request with the same id was waited for. */
const LEAST_PATIENCE_MS = 1_000;
/** How often a request looks whether another with the same id has its answer. */
const LOOK_MS = 50;

/** @throws ProblemError `not_found`, `idempotency_key_reused` */
export async function checkDebit(deps: CheckDeps, connectionId: string, request: CheckRequest): Promise<Check> {
  const { storage, config } = deps;
  const connection = await storage.db
    .selectFrom('connections')
    .selectAll()
    .where('id', '=', connectionId)
    .executeTakeFirst();
  if (!connection) throw new ProblemError('not_found', { detail: 'There is no such connection.' });
  const { amount, currency = 'USD', user_present = null, is_recurring = null } = request;
  const hash = sha256(JSON.stringify([connectionId, amount, currency, user_present, is_recurring]));
  const began = performance.now();
  for (;;) {
    const taken = await take(deps, connection, request, hash);
    if (taken.request_hash !== hash) throw new ProblemError('idempotency_key_reused', REUSED);
    if (taken.answer !== null) return readCheckAnswer(taken.answer);
    const waitedMs = performance.now() - began;
    if (taken.isMine) {
      const patienceMs = Math.max(LEAST_PATIENCE_MS, Math.ceil(config.checkTimeoutMs - waitedMs));
      return await whileLeased(deps, taken, () => find(deps, connection, request, taken, patienceMs));
    }
    // Another request with this id is finding it out.
    if (waitedMs > config.checkTimeoutMs + MARGIN_MS) throw new ProblemError('storage_unavailable');
    await sleep(LOOK_MS);
  }
}

const REUSED = {
  detail: 'This client_transaction_id was used for another check. Use a new one for each attempt.',
  errors: [{ path: 'client_transaction_id', message: 'was used for another check' }],
};

/** A check's row under a request's lease. */
type Taken = CheckTable & {
  isMine: boolean;
  /** By a request that did not come to its end: Plaid may have been asked. */
  isLeft: boolean;
};

/** The check's row: new, or left by a request that did not come to its end, or another's. */
async function take(
  { storage, config, timing: { checkLeaseMs } }: CheckDeps,
  connection: ConnectionTable,
  { client_transaction_id, amount }: CheckRequest,
  hash: string,
): Promise<Taken> {
  const now = await storage.now();
  return storage.transaction(`customer:${connection.customer_id}`, async (trx) => {
    const fresh = await trx
      .insertInto('checks')
      .values({
        id: newId('chk'),
        client_transaction_id,
        connection_id: connection.id,
        request_hash: hash,
        amount,
        answer: null,
        // With the intent to ask: a debit that is made after a crash in between was evaluated all the same.
        is_evaluated: config.debitCheck === 'signal' ? 1 : 0,
        signal_result: null,
        transfer_id: null,
        is_decision_due: 0,
        return_code: null,
        returned_at: null,
        is_return_due: 0,
        report_at: null,
        tries: 0,
        lease_until: now + checkLeaseMs,
        created_at: now,
      })
      .onConflict((conflict) => conflict.column('client_transaction_id').doNothing())
      .returningAll()
      .executeTakeFirst();
    if (fresh) return { ...fresh, isMine: true, isLeft: false };
    const row = await trx
      .selectFrom('checks')
      .selectAll()
      .where('client_transaction_id', '=', client_transaction_id)
      .executeTakeFirstOrThrow();
    const isTaken = row.answer !== null || row.request_hash !== hash || row.lease_until > now;
    if (isTaken) return { ...row, isMine: false, isLeft: false };
    const lease_until = now + checkLeaseMs;
    await trx.updateTable('checks').set({ lease_until }).where('id', '=', row.id).execute();
    return { ...row, lease_until, isMine: true, isLeft: true };
  });
}

/**
 * Renews the lease for as long as `work` takes: a bank may take half a minute, and a dead process holds it for seconds.
 */
async function whileLeased<T>(
  { storage, timing: { checkLeaseMs } }: CheckDeps,
  { id, lease_until }: CheckTable,
  work: () => Promise<T>,
): Promise<T> {
  let mine = lease_until;
  // Where it is lost, another request asks as well, and the first answer counts.
  const endHeartbeat = startHeartbeat(checkLeaseMs, async () => {
    const renewed = (await storage.now()) + checkLeaseMs;
    if (await claimRow(storage, 'checks', { id, lease_until: mine }, { lease_until: renewed })) mine = renewed;
  });
  return work().finally(endHeartbeat);
}

async function find(
  deps: CheckDeps,
  connection: ConnectionTable,
  request: CheckRequest,
  row: Taken,
  patienceMs: number,
): Promise<Check> {
  const { storage, config } = deps;
  const judge = async (db: Storage['db'] | StorageTransaction, present: ConnectionTable, now: number) =>
    judgeConnection(present, now, config.changedBankMs, await answeredUntil(db, present.id, now));
  const isOver = verdictOf(await judge(storage.db, connection, await storage.now())).decision === 'stop';
  const asked: Asked =
    isOver || config.debitCheck === 'local'
      ? { findings: [], isEvaluated: row.isLeft && row.is_evaluated === 1 }
      : await askPlaid(deps, connection, request, patienceMs);
  const now = await storage.now();
  let isEnded = false;
  const answer = await storage.transaction(`customer:${connection.customer_id}`, async (trx) => {
    isEnded = asked.findings.includes('revoked') && (await endPermission(deps, trx, connection, row.id, now));
    const mine = await trx
      .updateTable('checks')
      .set({ lease_until: now })
      .where('id', '=', row.id)
      .where('answer', 'is', null)
      .returningAll()
      .executeTakeFirst();
    const present = await trx.selectFrom('connections').selectAll().where('id', '=', connection.id).executeTakeFirst();
    // As it is by now: Plaid may take half a minute, in which the debit before can come back.
    const local = present ? await judge(trx, present, now) : (['not_active'] as const);
    const answer = answerOf(row, connection.id, local, asked);
    if (mine) {
      const evaluated = { is_evaluated: asked.isEvaluated ? 1 : 0, signal_result: asked.evaluation?.result ?? null };
      await trx
        .updateTable('checks')
        .set({ answer: JSON.stringify(answer), ...reportsAtAnswer(mine, evaluated, now) })
        .where('id', '=', row.id)
        .execute();
      return answer;
    }
    // A request that took over was faster, or the customer is erased by now.
    const other = await trx.selectFrom('checks').select('answer').where('id', '=', row.id).executeTakeFirst();
    return other?.answer ? readCheckAnswer(other.answer) : answer;
  });
  // The answer does not wait for Finix. Where the database is gone, jobs go on with it.
  if (isEnded) deps.tasks.run(connection.id).catch(() => {});
  return answer;
}

/**
 * Plaid itself has answered that the customer has taken the permission back: its webhook may be late, or lost.
 * @returns false where the connection has changed since Plaid was asked, as by a repair
 */
async function endPermission(
  { outbox }: CheckDeps,
  trx: StorageTransaction,
  { id, version }: ConnectionTable,
  check: string,
  now: number,
): Promise<boolean> {
  const before = await lockConnection(trx, id);
  const isInUse = before?.status === 'active' || before?.status === 'needs_repair';
  if (!before || !isInUse || before.version !== version) return false;
  await revoke({ trx, outbox, now, by: { actor: 'plaid', details: { check } } }, before, 'USER_PERMISSION_REVOKED');
  return true;
}

interface Asked extends Judgment {
  evaluation?: SignalEvaluation;
  /** Whether Signal knows of the debit, or may: an answer can be lost on its way. */
  isEvaluated: boolean;
}

function answerOf(row: CheckTable, connection: string, local: readonly Finding[], asked: Asked): Check {
  const { evaluation } = asked;
  return {
    id: row.id,
    object: 'check',
    ...verdictOf([...new Set([...local, ...asked.findings])]),
    balance: asked.balance ?? null,
    signal: evaluation
      ? {
          result: evaluation.result,
          scores: evaluation.scores && {
            customer_initiated: evaluation.scores.customerInitiated,
            bank_initiated: evaluation.scores.bankInitiated,
          },
        }
      : null,
    connection,
    created_at: iso(row.created_at),
  };
}

async function askPlaid(
  deps: CheckDeps,
  connection: ConnectionTable,
  request: CheckRequest,
  patience: number,
): Promise<Asked> {
  const { config, storage, secrets, plaid, log } = deps;
  const item = await findItem(storage.db, connection.item_id);
  const accessToken = item ? accessTokenOf(secrets, item) : null;
  const isSignal = config.debitCheck === 'signal';
  if (accessToken === null) return { findings: ['provider_unavailable'], isEvaluated: false };
  const accountId = connection.plaid_account_id;
  const late = sleep(patience, undefined, { ref: false }).then(() => undefined);
  try {
    if (!isSignal) {
      const balance = await Promise.race([plaid.getBalance(accessToken, accountId, patience), late]);
      if (!balance) return { findings: ['provider_unavailable'], isEvaluated: false };
      // Amounts in two currencies can't be compared.
      if ((balance.currency ?? 'USD') !== 'USD') return { findings: ['balance_uncertain'], isEvaluated: false };
      // Plaid has asked the bank for this answer, and rarely returns when.
      const asOf = balance.asOf ?? (await storage.now());
      return { ...judgeBalance(viewBalance({ ...balance, asOf }), request.amount), isEvaluated: false };
    }
    const debit = {
      accessToken,
      accountId,
      clientTransactionId: request.client_transaction_id,
      // Plaid counts in dollars.
      amount: request.amount / 100,
      clientUserId: plaidUserId(connection.customer_id),
      userPresent: request.user_present,
      isRecurring: request.is_recurring,
      ruleset: config.signalRuleset,
    };
    const evaluation = await Promise.race([plaid.evaluateDebit(debit, patience), late]);
    // Connected while Signal was not in use: prepared for the next check.
    if (item && item.signal_prepared_at === null && item.signal_prepare_at === null) {
      await prepareForSignal(storage.db, item.id, await storage.now());
    }
    if (!evaluation) return { findings: ['provider_unavailable'], isEvaluated: true };
    const balance = evaluation.balance && viewBalance(evaluation.balance);
    return { ...judgeSignal(evaluation), balance, evaluation, isEvaluated: true };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const { code, failure, details } = error;
    const about = { connection: connection.id, check: config.debitCheck, code, failure };
    log.warn({ ...about, ...details }, 'check answered without the provider');
    return {
      findings: [findingOf(code, isSignal ? 'signal' : 'balance')],
      isEvaluated: isSignal && (failure === 'lost' || code === 'CLIENT_TRANSACTION_ID_ALREADY_IN_USE'),
    };
  }
}

/** Refusals that waiting does not end. */
function findingOf(code: string, asked: 'balance' | 'signal'): Finding {
  if (isPermissionRevoked(code)) return 'revoked';
  if (code === 'ADDITIONAL_CONSENT_REQUIRED' || code === 'ACCESS_NOT_GRANTED') return 'consent_required';
  if (SIGN_IN_AGAIN.has(code)) return 'login_required';
  // Of a login by deposits, or by a database, the bank gives no balance.
  if (code === 'PRODUCTS_NOT_SUPPORTED' && asked === 'balance') return 'balance_uncertain';
  return 'provider_unavailable';
}

/** The bank, or Plaid, wants the customer: to sign in, or to share the account once more. */
const SIGN_IN_AGAIN: ReadonlySet<string> = new Set([
  'ITEM_LOGIN_REQUIRED',
  'ITEM_LOCKED',
  'PASSWORD_RESET_REQUIRED',
  'USER_SETUP_REQUIRED',
  'INVALID_CREDENTIALS',
  'INSUFFICIENT_CREDENTIALS',
  'INVALID_MFA',
  'INVALID_SEND_METHOD',
  'INVALID_PHONE_NUMBER',
  'INVALID_UPDATED_USERNAME',
  'USER_INPUT_TIMEOUT',
  'INVALID_ACCOUNT_ID',
  'NO_ACCOUNTS',
]);

/** Plaid counts in dollars. */
function viewBalance({ available, current, asOf }: PlaidBalance): NonNullable<Check['balance']> {
  const as_of = asOf === null ? null : iso(asOf);
  return { available: toCents(available), current: toCents(current), as_of };
}

function toCents(dollars: number | null): number | null {
  return dollars === null ? null : Math.round(dollars * 100);
}
