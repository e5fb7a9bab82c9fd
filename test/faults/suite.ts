import pLimit from 'p-limit';
import pg from 'pg';
import { postgresMissing, startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { controlCases } from './cases/control-cases.ts';
import { faultCases } from './cases/index.ts';
import { pointCases } from './cases/point-cases.ts';
import { Environment, type EnvironmentOptions, type Store } from './environment.ts';
import { isClean, type Verdict } from './oracle.ts';
import { createRandom } from './random.ts';
import type { FaultCase, RunRound } from './round.ts';

export interface SuiteOptions {
  seed: number;
  stores: Store[];
  /** Only cases whose name contains this. */
  only?: string | undefined;
  short: boolean;
  /** The sessions of all cases are multiplied by this. */
  scale: number;
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

/** Concurrent rounds of one case: each of them mostly waits. */
const ROUNDS_AT_ONCE = 3;
/** In the short form, for each store: more of them would starve each other on two cores. */
const CASES_AT_ONCE = 2;

/** @returns all lines; the verdict of those that are not `ok` explains why */
export async function runSuite(options: SuiteOptions): Promise<Line[]> {
  const lines: Line[] = [];
  const runOne = async (store: Store) => {
    const postgres = store === 'postgres' ? await openPostgres() : undefined;
    try {
      await runStore(options, store, postgres, (line) => {
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

async function openPostgres(): Promise<TestPostgres> {
  const postgres = await startPostgres();
  if ('skipped' in postgres) throw new Error(postgres.skipped);
  if (postgres.canRestart) {
    // Several rounds of several instances, and the connections of those that were killed a moment ago: more than the usual 100.
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
  { seed, only, short, scale, verbose }: SuiteOptions,
  store: Store,
  postgres: TestPostgres | undefined,
  report: (line: Line) => void,
): Promise<void> {
  const isWanted = (name: string) => only === undefined || name.includes(only);
  const sessionsOf = ({ sessions }: Pick<FaultCase, 'sessions'>) =>
    short ? sessions.short : Math.max(1, Math.round(sessions.full * scale));

  const roundOf = (name: string): RunRound => {
    const random = createRandom(seed).fork(name);
    let rounds = 0;
    return async (faultCase, more, act) => {
      const instances = typeof faultCase.instances === 'number' ? faultCase.instances : faultCase.instances[store];
      const own = random.fork(String(rounds++));
      let verdict: Verdict | undefined;
      const run = async (around: Pick<EnvironmentOptions, 'dataDir'>) => {
        const environment = await Environment.open({
          store,
          random: own,
          postgres,
          instances,
          verbose,
          ...faultCase.options,
          ...more,
          ...around,
        });
        try {
          await act(environment);
          verdict = await environment.verdict();
        } finally {
          await environment.close();
        }
      };
      await (faultCase.around ? faultCase.around(run) : run({}));
      if (!verdict) throw new Error('a round had no verdict');
      return verdict;
    };
  };
  type RunLine = (round: RunRound) => Promise<Verdict>;
  const tryLine = async (fault: string, control: boolean, run: RunLine): Promise<Line> => {
    const began = performance.now();
    const verdict = await run(roundOf(fault)).catch(failed);
    // A control without any verdict was not detected.
    const caught = verdict.sessions > 0 && verdict.lost.length + verdict.double.length > 0;
    return { store, fault, verdict, control, ok: control ? caught : isClean(verdict), ms: performance.now() - began };
  };
  const again: (() => Promise<void>)[] = [];
  const line = async (fault: string, control: boolean, run: RunLine) => {
    const first = await tryLine(fault, control, run);
    if (first.ok || !short) return report(first);
    again.push(async () => report(await tryLine(fault, control, run)));
  };

  const limit = pLimit(short ? CASES_AT_ONCE : 1);
  const inOrder: Promise<void>[] = [];
  const add = (...args: Parameters<typeof line>) => inOrder.push(limit(() => line(...args)));
  const runCase = (faultCase: FaultCase) => (round: RunRound) =>
    round(faultCase, {}, (environment) => faultCase.run(environment, sessionsOf(faultCase)));
  const ownCases = faultCases.filter(
    (one) => isWanted(one.name) && (one.stores?.includes(store) ?? true) && sessionsOf(one) > 0,
  );
  // Where cases run one by one, each is alone in any case; and a crash's recovery takes longer with more databases.
  const isInOrder = (one: FaultCase) => !short || !one.alone;
  for (const one of ownCases) if (isInOrder(one)) add(one.name, false, runCase(one));
  for (const points of pointCases) {
    if (!isWanted(points.name) || sessionsOf(points) === 0) continue;
    const sessions = sessionsOf(points);
    add(points.name, false, (round) =>
      points.run(round, { short, sessions, atOnce: short ? CASES_AT_ONCE : ROUNDS_AT_ONCE }),
    );
  }
  for (const one of controlCases) {
    if (!isWanted(one.name) || (one.stores && !one.stores.includes(store))) continue;
    if (short && !one.inShort?.includes(store)) continue;
    const skipped = one.skipped?.();
    if (skipped) console.log(`(${store}) ${one.name}: not run: ${skipped}`);
    else add(one.name, one.isControl ?? true, (round) => one.run(round));
  }
  await Promise.all(inOrder);
  for (const one of ownCases) if (!isInOrder(one)) await line(one.name, false, runCase(one));
  // With concurrent cases the machine can starve one of them once; a case that also fails alone has found a defect. The full form
  // repeats nothing.
  for (const run of again) await run();
}

/** A case that could not be carried out proves nothing, which is as bad as a lost bank. */
function failed(error: unknown): Verdict {
  const why = `the case itself failed: ${error instanceof Error ? error.message : String(error)}`;
  return { sessions: 0, completed: 0, restartsAsked: 0, lost: [why], double: [], needless: [], longestMs: 0 };
}
