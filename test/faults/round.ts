import pLimit from 'p-limit';
import type { Found } from './checkout.ts';
import type { Control } from './controls.ts';
import type { Store } from './database.ts';
import type { Environment, EnvironmentOptions } from './environment.ts';
import type { Verdict } from './oracle.ts';

/** One line of the table: what goes wrong, for how many customers. */
export interface FaultCase {
  name: string;
  /** Both when left out. */
  stores?: readonly Store[];
  instances: number | Record<Store, number>;
  /** Where the short form runs it; on all of `stores` when left out. */
  storesInShort?: readonly Store[];
  /** 0: not in the short form. */
  sessions: { full: number; short: number };
  /** How many environments go through it, each with so many sessions; one when left out. */
  rounds?: { full: number; short: number };
  /** How many of them at the same time; a few when left out. */
  roundsAtOnce?: number;
  /** It takes the database away from every instance: no other round runs at the same time. */
  alone?: boolean;
  options?: Pick<
    EnvironmentOptions,
    'instancesSuffer' | 'listLagMs' | 'slowInstruments' | 'identitiesMayDouble' | 'webhooks' | 'patienceMs' | 'settings'
  >;
  /** What a round needs around it, such as a disk of its own. */
  around?: (run: (more: Pick<EnvironmentOptions, 'dataDir'>) => Promise<void>) => Promise<void>;
  run(environment: Environment, sessions: number): Promise<void>;
  /** The version that the instances run at first, before the one under test; that one when left out. */
  startsWith?: (server: string | undefined) => Found;
  /** Why it can't run here. */
  skipped?: (store: Store) => string | undefined;
  /** Servers that the case must detect: it runs with each of them as well. */
  controls?: readonly CaseControl[];
  /** By which problem it must detect them, where others can come of a busy machine; any when left out. */
  detectsBy?: RegExp;
  /** Which of them also run in the short form. */
  controlsInShort?: readonly CaseControl[];
}

/** A server without one protection, or the earlier version (checkout.ts), which lacked several. */
export type CaseControl = Control | 'earlier version';

/** Runs one round in an environment of its own, and gives the oracle's verdict. */
export type RunRound = (
  options: Pick<FaultCase, 'instances' | 'options' | 'around'>,
  more: Partial<EnvironmentOptions>,
  act: (environment: Environment) => Promise<void>,
) => Promise<Verdict>;

/**
 * Adds up rounds, at most `atOnce` of them at the same time.
 * @param isEnough no other round begins after such a verdict
 */
export async function addUp(
  rounds: (() => Promise<Verdict>)[],
  atOnce: number,
  isEnough: (verdict: Verdict) => boolean = () => false,
): Promise<Verdict> {
  const limit = pLimit(atOnce);
  let isOver = false;
  const run = async (round: () => Promise<Verdict>): Promise<Verdict[]> => {
    if (isOver) return [];
    const verdict = await round();
    if (isEnough(verdict)) isOver = true;
    return [verdict];
  };
  // All of them end, also when one fails: a round that goes on would disturb the cases that follow.
  const settled = await Promise.allSettled(rounds.map((round) => limit(run, round)));
  const verdicts = settled.flatMap((end) => {
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

/** Repeats `act` until `work` has ended. */
export async function during(work: Promise<void>, act: (round: number) => Promise<void>): Promise<void> {
  let isOver = false;
  const ended = work.finally(() => {
    isOver = true;
  });
  const acting = (async () => {
    for (let round = 0; !isOver; round++) await act(round);
  })();
  await Promise.all([ended, acting]);
}
