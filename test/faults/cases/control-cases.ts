import type { Control } from '../controls.ts';
import type { Store } from '../database.ts';
import type { Environment } from '../environment.ts';
import type { Verdict } from '../oracle.ts';
import { powerCut, whyNoPowerCut } from '../power.ts';
import { addUp, type RunRound } from '../round.ts';
import { slowly } from '../times.ts';
import { killInCheck, overtakeAt, overtakeBeforeOutage, untilReached } from './point-cases.ts';

interface ControlCase {
  name: string;
  stores?: readonly Store[];
  /** False: the complete server goes through the same, and its verdict must be clean. */
  isControl?: boolean;
  /** The stores on which the short form runs it, too; none when left out. */
  inShort?: readonly Store[];
  /** Why it can't be run here. */
  skipped?: () => string | undefined;
  run(round: RunRound): Promise<Verdict>;
}

const INSTRUMENT = { service: 'finix', path: '/payment_instruments', method: 'POST' } as const;

function upstreamControl(control: Control, delayMs: number): ControlCase {
  return {
    name: `control: ${control}`,
    // No part of it depends on the database.
    inShort: ['sqlite'],
    run: (round) =>
      round({ instances: 1 }, { control, settleMs: delayMs }, async (environment) => {
        environment.fault({ ...INSTRUMENT, kind: 'timeout', when: 'after', delayMs, times: 3 });
        await environment.connect(6);
      }),
  };
}

/**
 * Where a worker is held until another one has ended its session. Around the create call the connection's own row
 * refuses a second instrument as well. What a session ends as has the fence alone.
 */
const AROUND_CREATE = ['after creating the instrument', 'after the processor token', 'before the processor token'];

function fenceCase(
  name: string,
  control: Control,
  overtake: readonly ((environment: Environment) => Promise<void>)[],
): ControlCase {
  const options = { instancesSuffer: true, slowInstruments: true };
  return {
    name,
    isControl: control === 'no fence',
    run: (round) =>
      addUp(
        overtake.map((act) => () => untilReached(() => round({ instances: 2, options }, { control }, act))),
        overtake.length,
      ),
  };
}

const overtakeInEnd = (environment: Environment) => overtakeBeforeOutage(environment, 3);

/** The suite's own test: servers with one protection removed must lose a bank or make two. */
export const controlCases: ControlCase[] = [
  upstreamControl('naive retry', 0),
  // Long after any repeated call, also on a busy machine.
  upstreamControl('no quiet period', slowly(4_000)),
  fenceCase('the fence alone', 'no clock check', [
    ...AROUND_CREATE.map((point) => (environment: Environment) => overtakeAt(environment, point, 3)),
    overtakeInEnd,
  ]),
  fenceCase('control: no fence', 'no fence', [overtakeInEnd]),
  {
    name: 'control: no reports: kill -9 at each step of a check',
    // Where the complete server's next process makes up for the report.
    run: (round) => killInCheck(round, 'before reporting the decision', 2, 'no reports'),
  },
  {
    name: 'the power fails',
    stores: ['sqlite'],
    isControl: false,
    skipped: whyNoPowerCut,
    run: (round) => powerCut(round, undefined),
  },
  {
    name: 'control: synchronous off',
    stores: ['sqlite'],
    skipped: whyNoPowerCut,
    run: (round) => powerCut(round, 'synchronous off'),
  },
];
