import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createRandom } from '../faults/random.ts';
import { createInput, type Input, pickOperation } from './inputs.ts';
import { type Answered, codeOf, type Fault, hasReachedHandler, judge, judgeLog } from './judge.ts';
import { createWorld, type World } from './world.ts';

export interface FuzzOptions {
  seed: number;
  count: number;
  /** A part of an operation's name. */
  operation?: string | undefined;
  /** The number of one input: its world is built up again, and the run ends with it. */
  input?: number | undefined;
  report?: (line: string) => void;
  /** For a look at what the inputs meet. */
  onAnswer?: (answered: Answered, input: Input) => void;
}

export interface FuzzResult {
  inputs: number;
  reached: number;
  statuses: Map<number, number>;
  /** Of problems. */
  codes: Map<string, number>;
  operations: Map<string, { inputs: number; reached: number }>;
  faults: (Fault & { index: number; input: Input })[];
  /**
   * Megabytes that each world's inputs have left on the heap while the world was there, its simulator's books included.
   */
  growth: number[];
  last: { input: Input; answered: Answered } | undefined;
}

/** Rows and the simulator's own books grow with each input: a new world keeps the memory's limit about the server. */
const INPUTS_OF_WORLD = 2_500;
/** No answer takes longer: `complete` answers 202 after five seconds here. */
const HANG_MS = 25_000;
/** Between these the limits count: the inputs are to meet them, but not nothing else. */
const LIMITS_EVERY = 40;
const JOBS_EVERY = 150;
const PUBLIC_TOKENS = 3;

/** Every number is drawn from the seed and the input's own number, so that an input is the same in every run. */
export async function runFuzz({
  seed,
  count,
  operation,
  input: wanted,
  report,
  onAnswer,
}: FuzzOptions): Promise<FuzzResult> {
  const result: FuzzResult = {
    inputs: 0,
    reached: 0,
    statuses: new Map(),
    codes: new Map(),
    operations: new Map(),
    faults: [],
    growth: [],
    last: undefined,
  };
  const rejected = new Set<string>();
  const onRejection = (reason: unknown) => void rejected.add(String((reason as Error)?.stack ?? reason));
  process.on('unhandledRejection', onRejection);
  const end = wanted === undefined ? count : wanted + 1;
  const begin = wanted === undefined ? 0 : wanted - (wanted % INPUTS_OF_WORLD);
  try {
    for (let from = begin; from < end; from += INPUTS_OF_WORLD) {
      const world = await createWorld();
      const before = heapMegabytes();
      try {
        for (let index = from; index < Math.min(from + INPUTS_OF_WORLD, end); index++) {
          await one(world, index);
        }
        result.growth.push(heapMegabytes() - before);
      } finally {
        await world.close();
      }
      report?.(progress(result));
    }
  } finally {
    process.off('unhandledRejection', onRejection);
  }
  return result;

  async function one(world: World, index: number): Promise<void> {
    const random = createRandom(seed).fork(String(index));
    if (index % LIMITS_EVERY === 0) await world.server.storage.db.deleteFrom('rate_limits').execute();
    if (index % JOBS_EVERY === 0) {
      await world.server.jobs.tick();
      while (world.publicTokens.length < PUBLIC_TOKENS) world.publicTokens.push(await world.server.publicToken());
    }
    const input = await createInput(pickOperation(random, operation), random, world);
    const answered = await send(world, input);
    const faults = answered === undefined ? [hang()] : judge(world, input, answered);
    for (const stack of rejected) faults.push({ kind: 'exception', detail: `unhandled: ${stack.slice(0, 1000)}` });
    rejected.clear();
    faults.push(...judgeLog(world));
    result.inputs += 1;
    const own = result.operations.get(input.operation) ?? { inputs: 0, reached: 0 };
    own.inputs += 1;
    if (answered) {
      result.statuses.set(answered.status, (result.statuses.get(answered.status) ?? 0) + 1);
      const code = codeOf(answered);
      if (code !== undefined) result.codes.set(code, (result.codes.get(code) ?? 0) + 1);
      if (hasReachedHandler(answered)) {
        own.reached += 1;
        result.reached += 1;
      }
      if (answered.status < 300) world.learn(input.operation, parseJson(answered.text));
      result.last = { input, answered };
      onAnswer?.(answered, input);
    }
    result.operations.set(input.operation, own);
    for (const fault of faults) {
      result.faults.push({ ...fault, index, input });
      report?.(`input ${index}, ${input.operation}: ${fault.kind}: ${fault.detail}`);
    }
  }
}

async function send(world: World, { method, path, headers, body }: Input): Promise<Answered | undefined> {
  const init: RequestInit = { method, headers };
  if (body !== undefined) init.body = body as BodyInit;
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, HANG_MS, undefined);
  });
  const answering = async () => {
    const response = await world.server.request(path, init);
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  try {
    return await Promise.race([answering(), tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

function hang(): Fault {
  return { kind: 'hang', detail: `no answer within ${HANG_MS} ms` };
}

function progress({ inputs, reached, faults, growth }: FuzzResult): string {
  const share = Math.round((100 * reached) / inputs);
  return `${inputs} inputs, ${share} % reached a handler, ${faults.length} faults, ${growth.at(-1)} MB more on the heap`;
}

function heapMegabytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return Math.round(process.memoryUsage().heapUsed / 2 ** 20);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
