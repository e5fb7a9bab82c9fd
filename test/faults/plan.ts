import { controlCases } from './cases/control-cases.ts';
import { faultCases } from './cases/index.ts';
import { pointCases } from './cases/point-cases.ts';
import { earlierVersion } from './checkout.ts';
import type { Store } from './database.ts';
import type { EnvironmentOptions } from './environment.ts';
import { isClean, type Verdict } from './oracle.ts';
import { addUp, type CaseControl, type FaultCase, type RunRound } from './round.ts';

/** One line of the table, before it is known. */
export interface PlannedLine {
  name: string;
  /** Whether the suite must detect it. */
  control: boolean;
  /** No other line runs at the same time. */
  alone: boolean;
  run(round: RunRound): Promise<Verdict>;
}

export interface PlanOptions {
  store: Store;
  short: boolean;
  /** The sessions of all cases are multiplied by this. */
  scale: number;
  /** At most so many rounds of a case. */
  rounds?: number | undefined;
  /** Only lines whose name contains this; after `=`, the line of exactly this name. */
  only?: string | undefined;
  /** Another checkout whose server runs: it has none of the controls. */
  server?: string | undefined;
  /** Called with each line that can't run here, and why. */
  skip: (name: string, why: string) => void;
}

/** Concurrent rounds of one case: each of them mostly waits. */
const ROUNDS_AT_ONCE = 3;
/** In the short form more of them would starve each other on two cores. */
const ROUNDS_AT_ONCE_IN_SHORT = 2;

/** The lines for one store, in the order of the table. */
export function plan({
  store,
  short,
  scale,
  rounds = Number.POSITIVE_INFINITY,
  only,
  server,
  skip,
}: PlanOptions): PlannedLine[] {
  const lines: PlannedLine[] = [];
  const add = (line: PlannedLine, why: string | undefined) => {
    if (only !== undefined && !isNamed(line.name, only)) return;
    if (why === undefined) lines.push(line);
    else skip(line.name, why);
  };
  const sessionsOf = ({ sessions }: Pick<FaultCase, 'sessions'>) =>
    short ? sessions.short : Math.max(1, Math.round(sessions.full * scale));
  const atOnce = short ? ROUNDS_AT_ONCE_IN_SHORT : ROUNDS_AT_ONCE;
  const runCase = (one: FaultCase, more: Partial<EnvironmentOptions>) => async (round: RunRound) => {
    const before = one.startsWith?.(more.server ?? server);
    if (before && 'skipped' in before) throw new Error(before.skipped);
    const options = { ...more, ...(before && { startsWith: before.checkout }) };
    const { full, short: few } = one.rounds ?? { full: 1, short: 1 };
    const isControl = more.control !== undefined || more.isControl === true;
    const runRound = async () => {
      const verdict = await round(one, options, (environment) => one.run(environment, sessionsOf(one)));
      return isControl && one.detectsBy ? problemsOf(verdict, one.detectsBy) : verdict;
    };
    return addUp(
      Array.from({ length: Math.min(rounds, short ? few : full) }, () => runRound),
      one.roundsAtOnce ?? atOnce,
      (verdict) => isControl && !isClean(verdict),
    );
  };

  for (const one of faultCases) {
    const stores = (short ? one.storesInShort : undefined) ?? one.stores;
    if (!(stores?.includes(store) ?? true)) continue;
    const { alone = false } = one;
    const before = one.startsWith?.(server);
    const why = one.skipped?.(store) ?? (before && 'skipped' in before ? before.skipped : undefined);
    if (sessionsOf(one) > 0) add({ name: one.name, control: false, alone, run: runCase(one, {}) }, why);
    if (server !== undefined) continue;
    for (const control of (short ? one.controlsInShort : one.controls) ?? []) {
      const name = `control: ${control}: ${one.name}`;
      const found = controlled(control);
      if ('skipped' in found) add({ name, control: true, alone, run: runCase(one, {}) }, found.skipped);
      else add({ name, control: true, alone, run: runCase(one, found) }, why);
    }
  }
  for (const points of pointCases) {
    if (short && !points.storesInShort.includes(store)) continue;
    const sessions = sessionsOf(points);
    const run = (round: RunRound) => points.run(round, { short, sessions, atOnce });
    if (sessions > 0) add({ name: points.name, control: false, alone: false, run }, undefined);
  }
  if (server !== undefined) return lines;
  for (const one of controlCases) {
    if (one.stores && !one.stores.includes(store)) continue;
    if (short && !one.inShort?.includes(store)) continue;
    const run = (round: RunRound) => one.run(round);
    add({ name: one.name, control: one.isControl ?? true, alone: false, run }, one.skipped?.());
  }
  return lines;
}

function isNamed(name: string, only: string): boolean {
  return only.startsWith('=') ? name === only.slice(1) : name.includes(only);
}

/** Of the verdict's problems those of one kind. */
function problemsOf(verdict: Verdict, kind: RegExp): Verdict {
  return { ...verdict, lost: verdict.lost.filter((words) => kind.test(words)), double: [], needless: [] };
}

/** What makes an environment's servers the control's. */
function controlled(control: CaseControl): Partial<EnvironmentOptions> | { skipped: string } {
  if (control !== 'earlier version') return { control };
  const found = earlierVersion();
  return 'skipped' in found ? found : { server: found.checkout, isControl: true };
}
