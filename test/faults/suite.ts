import pLimit from 'p-limit';
import pg from 'pg';
import { postgresMissing, startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { Arena, type ArenaOptions, isClean, type Store } from './arena.ts';
import { controlRows } from './control-rows.ts';
import type { Verdict } from './judge.ts';
import { pointRows } from './point-rows.ts';
import { createRandom } from './random.ts';
import { type Row, rows } from './rows.ts';

export interface SuiteOptions {
  seed: number;
  stores: Store[];
  /** Only rows whose name contains this. */
  only?: string | undefined;
  short: boolean;
  /** All rows' sessions times this. */
  scale: number;
  verbose: boolean;
  /** Told of each line of the table as it is known. */
  report: (line: Line) => void;
}

/** One line of the table. */
export interface Line {
  store: Store;
  fault: string;
  verdict: Verdict;
  ok: boolean;
  /** For a control: whether it was found out. */
  control: boolean;
  ms: number;
}

/** Runs one row's round and gives what came of it. */
export type RunRound = (
  row: Pick<Row, 'instances' | 'options' | 'around'>,
  more: Partial<ArenaOptions>,
  act: (arena: Arena) => Promise<void>,
) => Promise<Verdict>;

/** Rounds that run beside each other: each is mostly waiting. */
const ROUNDS_AT_ONCE = 3;
/** In the short form, of each store: more of them would starve each other on two cores. */
const ROWS_AT_ONCE = 2;

/** @returns all lines; those that are not `ok` say why in their verdict */
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
  // The short form is for whoever waits for it; the full one, whose rows tell how long customers waited, goes one by one.
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

/** The stores that can be tried here, and why not others. */
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
  const wanted = (name: string) => only === undefined || name.includes(only);
  const sessionsOf = ({ sessions }: Pick<Row, 'sessions'>) =>
    short ? sessions.short : Math.max(1, Math.round(sessions.full * scale));

  const roundOf = (name: string): RunRound => {
    const random = createRandom(seed).fork(name);
    let rounds = 0;
    return async (row, more, act) => {
      const instances = typeof row.instances === 'number' ? row.instances : row.instances[store];
      const own = random.fork(String(rounds++));
      let verdict: Verdict | undefined;
      const run = async (around: Pick<ArenaOptions, 'dataDir'>) => {
        const arena = await Arena.open({
          store,
          random: own,
          postgres,
          instances,
          verbose,
          ...row.options,
          ...more,
          ...around,
        });
        try {
          await act(arena);
          verdict = await arena.verdict();
        } finally {
          await arena.close();
        }
      };
      await (row.around ? row.around(run) : run({}));
      if (!verdict) throw new Error('a round had no verdict');
      return verdict;
    };
  };
  type RunLine = (round: RunRound) => Promise<Verdict>;
  const tryLine = async (fault: string, control: boolean, run: RunLine): Promise<Line> => {
    const began = performance.now();
    const verdict = await run(roundOf(fault)).catch(failed);
    // A control that came to no verdict at all has caught nothing.
    const caught = verdict.sessions > 0 && verdict.lost.length + verdict.double.length > 0;
    return { store, fault, verdict, control, ok: control ? caught : isClean(verdict), ms: performance.now() - began };
  };
  const again: (() => Promise<void>)[] = [];
  const line = async (fault: string, control: boolean, run: RunLine) => {
    const first = await tryLine(fault, control, run);
    if (first.ok || !short) return report(first);
    again.push(async () => report(await tryLine(fault, control, run)));
  };

  const limit = pLimit(short ? ROWS_AT_ONCE : 1);
  const inOrder: Promise<void>[] = [];
  const add = (...args: Parameters<typeof line>) => inOrder.push(limit(() => line(...args)));
  const runRow = (row: Row) => (round: RunRound) => round(row, {}, (arena) => row.run(arena, sessionsOf(row)));
  const ownRows = rows.filter(
    (row) => wanted(row.name) && (row.stores?.includes(store) ?? true) && sessionsOf(row) > 0,
  );
  // Where rows go one by one, each is alone anyway; and a crash's recovery takes the longer the more databases there are.
  const inPlace = (row: Row) => !short || !row.alone;
  for (const row of ownRows) if (inPlace(row)) add(row.name, false, runRow(row));
  for (const points of pointRows) {
    if (!wanted(points.name) || sessionsOf(points) === 0) continue;
    const sessions = sessionsOf(points);
    add(points.name, false, (round) =>
      points.run(round, { short, sessions, atOnce: short ? ROWS_AT_ONCE : ROUNDS_AT_ONCE }),
    );
  }
  for (const row of controlRows) {
    if (!wanted(row.name) || (row.stores && !row.stores.includes(store))) continue;
    if (short && !row.inShort?.includes(store)) continue;
    const skipped = row.skipped?.();
    if (skipped) console.log(`(${store}) ${row.name}: not run: ${skipped}`);
    else add(row.name, row.isControl ?? true, (round) => row.run(round));
  }
  await Promise.all(inOrder);
  for (const row of ownRows) if (!inPlace(row)) await line(row.name, false, runRow(row));
  // Where everything runs beside everything, a row can be starved of the machine once; alone, it is a defect. The full form forgives nothing.
  for (const run of again) await run();
}

/** A row that could not be carried out proves nothing, which is as bad as a lost bank. */
function failed(error: unknown): Verdict {
  const why = `the row itself failed: ${error instanceof Error ? error.message : String(error)}`;
  return { sessions: 0, completed: 0, restartsAsked: 0, lost: [why], double: [], needless: [], longestMs: 0 };
}

/** Adds up rounds, at most `atOnce` of them at the same time. */
export async function addUp(rounds: (() => Promise<Verdict>)[], atOnce: number): Promise<Verdict> {
  const limit = pLimit(atOnce);
  // To the end also when one fails: what still ran would disturb the rows that come after.
  const settled = await Promise.allSettled(rounds.map((round) => limit(round)));
  const verdicts = settled.map((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });
  return verdicts.reduce((sum, one) => ({
    sessions: sum.sessions + one.sessions,
    completed: sum.completed + one.completed,
    restartsAsked: sum.restartsAsked + one.restartsAsked,
    lost: [...sum.lost, ...one.lost],
    double: [...sum.double, ...one.double],
    needless: [...sum.needless, ...one.needless],
    longestMs: Math.max(sum.longestMs, one.longestMs),
  }));
}
