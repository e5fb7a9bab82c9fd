import { isDeepStrictEqual } from 'node:util';
import type { FaultRule } from '../../../demo/simulator/index.ts';
import type { Check } from '../../../widget/contract.ts';
import { slowly } from '../times.ts';
import type { ScenarioCustomer } from './customer.ts';
import type { Scenario } from './scenario.ts';

/** Debits that are checked, made all the same, and come back. */

/** For the instances: a question to Plaid is given up after a second, the least that the setting allows. */
const CHECK_TIMEOUT_SECONDS = String(Math.ceil(slowly(1_000) / 1_000));
export const ASKS_SIGNAL = { DEBIT_CHECK: 'signal', CHECK_TIMEOUT_SECONDS };
export const ASKS_FOR_BALANCE = { DEBIT_CHECK: 'balance', CHECK_TIMEOUT_SECONDS };

type Trouble = Omit<FaultRule, 'service' | 'path'>;

/** Shorter and longer than the server takes to handle an event. */
const PAUSE_MS = 300;
/** Beyond CHECK_TIMEOUT_SECONDS: the question is given up, and evaluated all the same. */
const LATE_MS = slowly(1_400);

/** By what happens to a call whose answer a check waits for. */
const ASKED: Record<string, Trouble> = {
  'nothing wrong': { kind: 'delay', delayMs: 0 },
  'late, within its time-out': { kind: 'delay', delayMs: slowly(400) },
  'late, beyond its time-out': { kind: 'timeout', when: 'after', delayMs: LATE_MS, times: 1 },
  'cut before it': { kind: 'reset', times: 1 },
  'cut after it': { kind: 'reset', when: 'after', times: 1 },
  'half an answer': { kind: 'malformed', when: 'after', times: 1 },
  'a gateway’s page': { kind: 'html' },
  refused: { kind: 'plaid_error', error_code: 'RULESET_NOT_FOUND' },
  '429': { kind: 'status', status: 429 },
  down: { kind: 'plaid_error', error_code: 'INSTITUTION_DOWN' },
};

/** By what happens to a report, which has no one waiting for it. */
const REPORTED: Record<string, Trouble> = {
  'cut before it': { kind: 'reset', times: 2 },
  'cut after it': { kind: 'reset', when: 'after', times: 2 },
  late: { kind: 'timeout', when: 'after', times: 1 },
  '429': { kind: 'status', status: 429, times: 2 },
  down: { kind: 'status', times: 2 },
};

interface Debit {
  amount: number;
  /** Signal's, where it is asked. */
  result: 'ACCEPT' | 'REVIEW' | 'REROUTE';
  /** Of the return. */
  code: string;
  end: Scenario['end'][number];
}

/** Amounts by which Plaid's sandbox decides. */
const ACCEPTED: Debit = { amount: 353, result: 'ACCEPT', code: 'R10', end: 'revoked' };
const TO_REVIEW: Debit = { amount: 1_217, result: 'REVIEW', code: 'R02', end: 'failed' };
const REROUTED: Debit = { amount: 2_753, result: 'REROUTE', code: 'R01', end: 'active' };

function checked(name: string, debit: Debit, { path, ...trouble }: Omit<FaultRule, 'service'>): Scenario {
  return {
    name: `${name}, ${debit.code}`,
    async live(customer) {
      await customer.connect();
      await customer.becomes('active');
      if (customer.instruments.length === 0) return;
      customer.bank.grantConsent(customer.itemId, ['signal']);
      const id = `debit-${customer.number}.first`;
      // A balance is asked about an account, and a report about a debit.
      const about = path === '/accounts/balance/get' ? customer.itemId : id;
      const end = customer.fault({ service: 'plaid', path, about, ...trouble });
      const answer = await customer.check(debit.amount, id);
      const transfer = await customer.debit({ amount: debit.amount, idempotency_id: id });
      await customer.pause(PAUSE_MS);
      if (customer.number % 2 === 0) customer.ach.succeed(transfer);
      customer.ach.returnDebit(transfer, debit.code);
      await customer.until('the return known', async () => isReturned(await customer.connection(), debit.code));
      await customer.becomes(debit.end);
      await expectStopped(customer, debit);
      await customer.until('the same answer to the same check', async () =>
        isDeepStrictEqual(await customer.check(debit.amount, id), answer),
      );
      end();
      if (!path.startsWith('/signal/')) return;
      // Signal evaluates it in any case, though it may do so late.
      const isEvaluated = path === EVALUATE.path && trouble.when === 'after';
      const isComplete = () => knows(customer, id, answer, debit, isEvaluated);
      await customer.until('Signal’s knowledge complete', isComplete);
      // It stays so.
      await customer.pause(PAUSE_MS);
      if (!isComplete()) customer.problems.push('Signal learned more than Plaid asks for');
    },
    end: [debit.end],
    made: 1,
  };
}

function isReturned(connection: object | undefined, code: string): boolean {
  return (connection as { last_return?: { code: string | null } | null } | undefined)?.last_return?.code === code;
}

/** No check of an account that came back is ok, nor any debit of it possible where its instrument is disabled. */
async function expectStopped(customer: ScenarioCustomer, { amount, end }: Debit): Promise<void> {
  const after = await customer.check(amount, `debit-${customer.number}.after`);
  if (after?.decision === 'ok' || (end !== 'active' && after?.decision !== 'stop'))
    customer.problems.push(`a check after the return was ${after?.decision}`);
  if (end !== 'active') await customer.until('no debit possible', async () => !(await customer.canDebit()));
}

/**
 * A return is reported of every debit that Signal has evaluated, also where its answer was lost; a decision, unless
 * Signal is known to have accepted the debit.
 */
function knows(
  customer: ScenarioCustomer,
  id: string,
  answer: Check | undefined,
  { code }: Debit,
  isEvaluated: boolean,
): boolean {
  const known = customer.world.upstream.signalKnows(id);
  if (known === undefined) return !isEvaluated && answer?.signal === null;
  const initiated = answer?.signal?.result === 'ACCEPT' ? null : true;
  return known.returned === code && known.initiated === initiated;
}

const EVALUATE = { path: '/signal/evaluate' } as const;

export const CHECKS: readonly Scenario[] = [
  ...Object.entries(ASKED).map(([name, trouble], index) =>
    checked(`${name} while Signal is asked`, [ACCEPTED, TO_REVIEW, REROUTED][index % 3] ?? ACCEPTED, {
      ...EVALUATE,
      ...trouble,
    }),
  ),
  ...Object.entries(REPORTED).flatMap(([name, trouble]) => [
    checked(`${name} while the decision is reported`, REROUTED, { path: '/signal/decision/report', ...trouble }),
    checked(`${name} while the return is reported`, ACCEPTED, { path: '/signal/return/report', ...trouble }),
  ]),
];

export const BALANCES: readonly Scenario[] = Object.entries(ASKED).map(([name, trouble], index) =>
  checked(`${name} while the balance is asked for`, [ACCEPTED, TO_REVIEW, REROUTED][index % 3] ?? ACCEPTED, {
    path: '/accounts/balance/get',
    ...trouble,
  }),
);

/** Of these, Signal has to learn everything. */
export const KILLED_CHECKS: readonly Scenario[] = [
  checked('killed', TO_REVIEW, { ...EVALUATE, kind: 'delay', delayMs: 50 }),
  checked('killed', REROUTED, { ...EVALUATE, kind: 'delay', delayMs: 50 }),
];

/** Every step of a check and of its reports. */
export const CHECK_POINTS: readonly string[] = [
  'taking the check',
  'evaluating the debit',
  'answering the check',
  'reporting the decision',
  'reporting the return',
].flatMap((step) => [`before ${step}`, `after ${step}`]);
