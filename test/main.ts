import { type ChildProcess, spawn } from 'node:child_process';
import { getPriority, setPriority } from 'node:os';
import { join } from 'node:path';

/**
 * `npm test`: everything but what `npm run test:compat` repeats. The tests need the build; the check of format, lint
 * and types does not, and takes what the build leaves of two cores. The fault suite mostly waits, and its short
 * timeouts would find a busy machine slow: with the other files that wait, it goes first wherever it wants a core. The
 * rest has patience, and takes what these leave.
 */
// With one thread: four would each check the types that several files use for itself, which is twice the processor
// time.
const CHECK = ['npm', 'run', '--silent', 'check', '--', '--singleThreaded'];
const BUILD = ['npm', 'run', '--silent', 'build'];
const VITEST = ['vitest', 'run', '--project', '*process'];
const WAITING = ['vitest', 'run', '--project', 'faults', '--project', 'waiting'];
const WEB_TEST_RUNNER = ['wtr'];

const resultsFolder = process.env['TEST_RESULTS_DIR'];
// Of two runs of Vitest, each has a file of its own.
if (resultsFolder) WAITING.push(`--outputFile.json=${join(resultsFolder, 'waiting.json')}`);

const running = new Set<ChildProcess>();
let isEnding = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, endAll);
}

interface Ended {
  /** 0 for success. */
  code: number;
  /** Empty where it was shown as it came. */
  output: string;
}

/** As `nice` does: with a tenth of the claim to a core. A number of Linux and macOS, which Windows has a step for. */
const LOWER_BY = 10;
/** No process can have less. */
const LOWEST = 19;

interface How {
  /** Its output is shown as it comes, and not in one piece at its end, so that none is mixed. */
  isShown?: boolean;
  /** Others go first, wherever they want a core. */
  isLower?: boolean;
}

function run([command = '', ...args]: string[], { isShown = false, isLower = false }: How): Promise<Ended> {
  const output = isShown ? 'inherit' : 'pipe';
  return new Promise((resolve, reject) => {
    // On Windows npm and the programs of packages are scripts, which need a shell.
    const child = spawn(command, args, {
      stdio: ['inherit', output, output],
      shell: process.platform === 'win32',
    });
    running.add(child);
    // The processes that it starts inherit it.
    if (isLower && child.pid !== undefined) setPriority(child.pid, Math.min(getPriority() + LOWER_BY, LOWEST));
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
    }
    child.once('error', reject);
    child.once('close', (code) => {
      running.delete(child);
      resolve({ code: code ?? 1, output: text });
    });
  });
}

function endAll(signal: NodeJS.Signals): void {
  isEnding = true;
  for (const child of running) child.kill(signal);
}

/** @returns whether it succeeded */
async function succeeds(command: string[], how: How = {}): Promise<boolean> {
  const { code, output } = await run(command, how);
  process.stdout.write(output);
  if (code !== 0) console.error(`== ${command.join(' ')} ended with ${code}`);
  return code === 0;
}

/** There is nothing to learn from tests of code that does not compile. */
async function checkSucceeds(): Promise<boolean> {
  const isGood = await succeeds(CHECK, { isLower: true });
  if (!isGood) endAll('SIGTERM');
  return isGood;
}

async function testsSucceed(): Promise<boolean> {
  if (!(await succeeds(BUILD))) return false;
  const all = [succeeds(VITEST, { isShown: true, isLower: true }), elementAndWaitingSucceed()];
  return (await Promise.all(all)).every(Boolean);
}

/** One after the other: together they would leave nothing of two cores to Vitest, and later not use them. */
async function elementAndWaitingSucceed(): Promise<boolean> {
  const isElementGood = await succeeds(WEB_TEST_RUNNER, { isLower: true });
  return !isEnding && (await succeeds(WAITING)) && isElementGood;
}

const isGood = (await Promise.all([checkSucceeds(), testsSucceed()])).every(Boolean);
process.exitCode = isGood ? 0 : 1;
