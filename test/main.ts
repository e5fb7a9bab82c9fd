import { type ChildProcess, spawn } from 'node:child_process';

/**
 * `npm test`: everything. The tests need the build; the check of format, lint and types needs neither, and takes the
 * part of two cores that the first tests leave idle. Vitest begins with the server's tests, of which many wait; the
 * tests of the element, which run at the same time, have ended when the fault suite needs both cores.
 */
// With one thread: four would each check the types that several files use for itself, which is twice the processor
// time.
const CHECK = ['npm', 'run', '--silent', 'check', '--', '--singleThreaded'];
const BUILD = ['npm', 'run', '--silent', 'build'];
const VITEST = ['vitest', 'run'];
const WEB_TEST_RUNNER = ['wtr'];

const running = new Set<ChildProcess>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, endAll);
}

interface Ended {
  /** 0 for success. */
  code: number;
  /** Empty where it was shown as it came. */
  output: string;
}

function run([command = '', ...args]: string[], isShown: boolean): Promise<Ended> {
  const output = isShown ? 'inherit' : 'pipe';
  return new Promise((resolve, reject) => {
    // On Windows npm and the programs of packages are scripts, which need a shell.
    const child = spawn(command, args, {
      stdio: ['inherit', output, output],
      shell: process.platform === 'win32',
    });
    running.add(child);
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
  for (const child of running) child.kill(signal);
}

/** @returns whether it succeeded; its output is shown as it comes, or in one piece at its end, so that none is mixed */
async function succeeds(command: string[], isShown = false): Promise<boolean> {
  const { code, output } = await run(command, isShown);
  process.stdout.write(output);
  if (code !== 0) console.error(`== ${command.join(' ')} ended with ${code}`);
  return code === 0;
}

/** There is nothing to learn from tests of code that does not compile. */
async function checkSucceeds(): Promise<boolean> {
  const isGood = await succeeds(CHECK);
  if (!isGood) endAll('SIGTERM');
  return isGood;
}

const isGood =
  (await succeeds(BUILD)) &&
  (await Promise.all([succeeds(VITEST, true), succeeds(WEB_TEST_RUNNER), checkSucceeds()])).every(Boolean);
process.exitCode = isGood ? 0 : 1;
