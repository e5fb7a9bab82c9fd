import { parseArgs } from 'node:util';
import { type FuzzResult, runFuzz } from './run.ts';

const HELP = `npm run test:fuzz -- [options]

Requests made from the published contract, with valid credentials and signatures, right or changed in a place or two, over every
route and webhook of the whole server. Exit code 1 for a 5xx, a hang, a secret in an answer or a line of the log, an unhandled
exception, a heap that grows, or when less than a third of the inputs reach a handler.

  --seed N     the same inputs again (default: a new one each time)
  --count N    how many (default: 100,000)
  --only TEXT  only operations with TEXT in their name; a number: that input alone, after those of its world, shown whole
  --help       this text
`;

const COUNT = 100_000;
const LEAST_SHARE = 1 / 3;
/**
 * Of one world, whose rows are on disk: the simulator's books are the most of it, and the server's caches have limits.
 */
const MOST_GROWTH_MB = 32;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      count: { type: 'string' },
      only: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  const { only } = values;
  const input = only !== undefined && /^\d+$/.test(only) ? Number(only) : undefined;
  console.log(`seed ${seed}`);
  const began = performance.now();
  const result = await runFuzz({
    seed,
    count: Number(values.count ?? COUNT),
    operation: input === undefined ? only : undefined,
    input,
    report: (line) => console.log(line),
  });
  if (input !== undefined) console.dir(result.last, { depth: null, maxStringLength: 5000 });
  console.log(summary(result, (performance.now() - began) / 1000));
  process.exitCode = isGood(result, input !== undefined || only !== undefined) ? 0 : 1;
}

function isGood({ inputs, reached, faults, growth }: FuzzResult, isPart: boolean): boolean {
  return faults.length === 0 && Math.max(...growth) <= MOST_GROWTH_MB && (isPart || reached / inputs >= LEAST_SHARE);
}

function summary(
  { inputs, reached, statuses, codes, operations, faults, growth }: FuzzResult,
  seconds: number,
): string {
  const share = (part: number, whole: number) => `${Math.round((100 * part) / Math.max(1, whole))} %`;
  const kinds = new Map<string, number>();
  for (const { kind } of faults) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  return [
    '',
    ...[...operations]
      .sort()
      .map(
        ([name, own]) =>
          `${name.padEnd(26)} ${String(own.inputs).padStart(7)}  ${share(own.reached, own.inputs)} reached`,
      ),
    '',
    [...statuses]
      .sort(([a], [b]) => a - b)
      .map(([status, times]) => `${status}: ${times}`)
      .join(', '),
    [...codes].map(([code, times]) => `${code}: ${times}`).join(', '),
    `${inputs} inputs in ${Math.round(seconds)} s, ${share(reached, inputs)} reached a handler`,
    `the heap grew by at most ${Math.max(...growth)} MB in one world; ${Math.round(process.resourceUsage().maxRSS / 1024)} MB at most for the process`,
    faults.length === 0 ? 'no fault' : [...kinds].map(([kind, times]) => `${times} × ${kind}`).join(', '),
  ].join('\n');
}

await main();
