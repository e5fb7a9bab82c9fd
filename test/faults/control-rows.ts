import type { Store } from './arena.ts';
import type { Control } from './controls.ts';
import type { Verdict } from './judge.ts';
import { freezeAt } from './point-rows.ts';
import { powerCut, whyNoPowerCut } from './power.ts';
import { FROZEN_MS } from './rows.ts';
import { addUp, type RunRound } from './suite.ts';

interface ControlRow {
  name: string;
  stores?: readonly Store[];
  /** False: the whole server goes through the same, and must come out clean. */
  isControl?: boolean;
  /** In which the short form runs it, too; none when left out. */
  inShort?: readonly Store[];
  /** Why it can't be run here. */
  skipped?: () => string | undefined;
  run(round: RunRound): Promise<Verdict>;
}

const INSTRUMENT = { service: 'finix', path: '/payment_instruments', method: 'POST' } as const;

function upstreamControl(control: Control, delayMs: number): ControlRow {
  return {
    name: `control: ${control}`,
    // Nothing of it depends on the database.
    inShort: ['sqlite'],
    run: (round) =>
      round({ instances: 1 }, { control, settleMs: delayMs }, async (arena) => {
        arena.fault({ ...INSTRUMENT, kind: 'timeout', when: 'after', delayMs, times: 3 });
        await arena.connect(6);
      }),
  };
}

/** A worker is frozen before its create call, and comes back to it when another has made the instrument. */
function fenceRow(name: string, control: Control): ControlRow {
  const points = ['after the processor token', 'before the processor token'];
  const options = { instancesSuffer: true, slowInstruments: true };
  return {
    name,
    isControl: control === 'no fence',
    run: (round) =>
      addUp(
        points.map(
          (point) => () =>
            round({ instances: 2, options }, { control }, (arena) => freezeAt(arena, point, 3, FROZEN_MS)),
        ),
        points.length,
      ),
  };
}

/** The suite's own test: servers with one protection taken out must lose a bank or make two. */
export const controlRows: ControlRow[] = [
  upstreamControl('naive retry', 0),
  // Long after any repeated call, also on a machine that is busy.
  upstreamControl('no quiet period', 4_000),
  fenceRow('the fence alone', 'no clock check'),
  fenceRow('control: no fence', 'no fence'),
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
