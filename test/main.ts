import { type ChildProcess, spawn } from 'node:child_process';

/**
 * `npm test`: everything, two programs at a time. Vitest begins with the server's tests, which mostly wait; the tests of
 * the element take the half of two cores that this leaves idle, and have ended when the fault suite needs both.
 */
// The compiler would check with four threads, each of which checks the types that several files use for itself: twice the
// processor time, where the build has the other core.
const CHECK = ['npm', 'run', '--silent', 'check', '--', '--singleThreaded'];
const BUILD = ['npm', 'run', '--silent', 'build'];
const VITEST = ['vitest', 'run'];
const WEB_TEST_RUNNER = ['wtr'];

const running = new Set<ChildProcess>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    for (const child of running) child.kill(signal);
  });
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

/** Runs both to their end, and shows the output of the second one after that of the first, so that none is mixed. */
async function runBoth(first: string[], second: string[]): Promise<boolean> {
  const [shown, kept] = await Promise.all([run(first, true), run(second, false)]);
  process.stdout.write(kept.output);
  for (const [{ code }, command] of [[shown, first] as const, [kept, second] as const]) {
    if (code !== 0) console.error(`== ${command.join(' ')} ended with ${code}`);
  }
  return shown.code === 0 && kept.code === 0;
}

const isGood = (await runBoth(CHECK, BUILD)) && (await runBoth(VITEST, WEB_TEST_RUNNER));
process.exitCode = isGood ? 0 : 1;
