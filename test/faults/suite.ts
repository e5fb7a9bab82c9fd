import pLimit, { type LimitFunction } from 'p-limit';
import pg from 'pg';
import { retries } from '../helpers/order.mjs';
import { type OwnPostgres, postgresMissing, startPostgres } from '../helpers/postgres.ts';
import type { Store } from './database.ts';
import { Environment, type EnvironmentOptions } from './environment.ts';
import { isClean, type Verdict } from './oracle.ts';
import { type PlannedLine, plan } from './plan.ts';
import { createRandom } from './random.ts';
import type { RunRound } from './round.ts';

export interface SuiteOptions {
  seed: number;
  stores: Store[];
  only?: string | undefined;
  short: boolean;
  scale: number;
  /** See PlanOptions. */
  rounds?: number | undefined;
  server?: string | undefined;
  verbose: boolean;
  /** Called with each line of the table as soon as it is known. */
  report: (line: Line) => void;
}

/** One line of the table. */
export interface Line {
  store: Store;
  fault: string;
  verdict: Verdict;
  /** For a control: whether the suite detected it. */
  ok: boolean;
  control: boolean;
  ms: number;
}

/** In the short form, of both stores: more cases would starve each other on two cores. */
const CASES_AT_ONCE = 4;

/** @returns all lines; the verdict of those that are not `ok` explains why */
export async function runSuite(options: SuiteOptions): Promise<Line[]> {
  const lines: Line[] = [];
  const limit = pLimit(options.short ? CASES_AT_ONCE : 1);
  const runOne = async (store: Store) => {
    const postgres = store === 'postgres' ? await openPostgres() : undefined;
    try {
      await runStore(options, store, postgres, limit, (line) => {
        lines.push(line);
        options.report(line);
      });
    } finally {
      await postgres?.stop();
    }
  };
  // A developer waits for the short form; the full form measures how long customers wait, so its cases run one by one.
  if (options.short) await Promise.all(options.stores.map(runOne));
  else for (const store of options.stores) await runOne(store);
  return lines;
}

async function openPostgres(): Promise<OwnPostgres> {
  const postgres = await startPostgres();
  if ('skipped' in postgres) throw new Error(postgres.skipped);
  if (postgres.canRestart) {
    // Several rounds of several instances, and the connections of those that were killed a moment ago: more than the
    // usual 100.
    const admin = new pg.Client({ connectionString: postgres.url });
    await admin.connect();
    await admin.query('alter system set max_connections = 400');
    await admin.end();
    await postgres.restart('fast');
  }
  return postgres;
}

/** The stores that are available here, and why another one is not. */
export function availableStores(): { stores: Store[]; missing: string | undefined } {
  const missing = postgresMissing();
  return { stores: missing ? ['sqlite'] : ['sqlite', 'postgres'], missing };
}

async function runStore(
  { seed, only, short, scale, rounds: atMost, server, verbose }: SuiteOptions,
  store: Store,
  postgres: OwnPostgres | undefined,
  limit: LimitFunction,
  report: (line: Line) => void,
): Promise<void> {
  const roundOf = (name: string): RunRound => {
    const random = createRandom(seed).fork(name);
    let rounds = 0;
    return async ({ instances, options, around }, more, act) => {
      const own: EnvironmentOptions = {
        store,
        random: random.fork(String(rounds++)),
        postgres,
        instances: typeof instances === 'number' ? instances : instances[store],
        server,
        verbose,
        ...options,
        ...more,
      };
      let verdict: Verdict | undefined;
      const run = async (within: Pick<EnvironmentOptions, 'dataDir'>) => {
        const environment = await Environment.open({ ...own, ...within });
        try {
          await act(environment);
          verdict = await environment.verdict();
        } finally {
          await environment.close();
        }
      };
      await (around ? around(run) : run({}));
      if (!verdict) throw new Error('a round had no verdict');
      return verdict;
    };
  };
  const runLine = async ({ name, control, run }: PlannedLine): Promise<Line> => {
    const began = performance.now();
    const verdict = await run(roundOf(name)).catch(failed);
    // A control without any verdict was not detected.
    const isDetected = verdict.sessions > 0 && !isClean(verdict);
    const ok = control ? isDetected : isClean(verdict);
    return { store, fault: name, verdict, control, ok, ms: performance.now() - began };
  };
  const again: PlannedLine[] = [];
  const runAndReport = async (planned: PlannedLine) => {
    const line = await runLine(planned);
    // With concurrent cases the machine can starve one of them once; a case that also fails alone has found a defect.
    if (line.ok || !short || retries === 0) report(line);
    else again.push(planned);
  };

  const skip = (name: string, why: string) => console.log(`(${store}) ${name}: not run: ${why}`);
  const lines = plan({ store, short, scale, rounds: atMost, only, server, skip });
  // Controls take longest, because they wait for an end that does not come.
  if (short) lines.sort((a, b) => Number(b.control) - Number(a.control));
  // Where cases run one by one, each is alone in any case; and a crash's recovery takes longer with more databases.
  const isInOrder = ({ alone }: PlannedLine) => !short || !alone;
  await Promise.all(lines.filter(isInOrder).map((line) => limit(() => runAndReport(line))));
  for (const line of lines) if (!isInOrder(line)) await limit(() => runAndReport(line));
  for (const line of again) report(await runLine(line));
}

/** A case that could not be carried out proves nothing, which is as bad as a lost bank. */
function failed(error: unknown): Verdict {
  const why = `the case itself failed: ${error instanceof Error ? error.message : String(error)}`;
  return { sessions: 0, completed: 0, restartsAsked: 0, lost: [why], double: [], needless: [], longestMs: 0 };
}
