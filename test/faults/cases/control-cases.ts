import type { Control } from '../controls.ts';
import type { Store } from '../database.ts';
import type { Verdict } from '../oracle.ts';
import { powerCut, whyNoPowerCut } from '../power.ts';
import { addUp, type RunRound } from '../round.ts';
import { FROZEN_MS } from '../times.ts';
import { freezeAt } from './point-cases.ts';

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

/** A worker is frozen before its create call, and goes on with it when another worker has made the instrument. */
function fenceCase(name: string, control: Control): ControlCase {
  const points = ['after the processor token', 'before the processor token'];
  const options = { instancesSuffer: true, slowInstruments: true };
  return {
    name,
    isControl: control === 'no fence',
    run: (round) =>
      addUp(
        points.map(
          (point) => () =>
            round({ instances: 2, options }, { control }, (environment) => freezeAt(environment, point, 3, FROZEN_MS)),
        ),
        points.length,
      ),
  };
}

/** The suite's own test: servers with one protection removed must lose a bank or make two. */
export const controlCases: ControlCase[] = [
  upstreamControl('naive retry', 0),
  // Long after any repeated call, also on a busy machine.
  upstreamControl('no quiet period', 4_000),
  fenceCase('the fence alone', 'no clock check'),
  fenceCase('control: no fence', 'no fence'),
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
