/** A test of the element (test/widget/browser), as it went in the browser that this page is in. */
export interface Outcome {
  name: string;
  outcome: 'passed' | 'skipped' | 'failed';
  cause?: string;
}

type Step = (this: Context) => unknown;
interface Context {
  skip(): never;
}
interface Suite {
  name: string;
  before: Step[];
  after: Step[];
  beforeEach: Step[];
  afterEach: Step[];
  tests: { name: string; run: Step }[];
}

declare global {
  /**
   * Runs all tests of a file, one after the other.
   * @param patience how long one of them may take, in milliseconds
   * @param left a regular expression: tests with such a name are left out
   */
  var runTestsOf: (file: string, patience: number, left: string) => Promise<Outcome[]>;
}

const SKIPPED = Symbol('skipped');
const context: Context = {
  skip() {
    throw SKIPPED;
  },
};
const suites: Suite[] = [];
const suiteOf = (name: string): Suite => ({ name, before: [], after: [], beforeEach: [], afterEach: [], tests: [] });
// Hooks outside of a suite are those of all suites.
const all = suiteOf('');
let current = all;

// As much of Mocha's words as the tests use: the test runner's own copy talks to its server, which is not here.
Object.assign(globalThis, {
  describe(name: string, define: () => void) {
    current = suiteOf(name);
    suites.push(current);
    define();
    current = all;
  },
  it: (name: string, run: Step) => void current.tests.push({ name, run }),
  before: (step: Step) => void current.before.push(step),
  after: (step: Step) => void current.after.push(step),
  beforeEach: (step: Step) => void current.beforeEach.push(step),
  afterEach: (step: Step) => void current.afterEach.push(step),
});

const files = (import.meta as unknown as { glob(pattern: string): Record<string, () => Promise<unknown>> }).glob(
  '../widget/browser/*.test.ts',
);

globalThis.runTestsOf = async (file, patience, left) => {
  await files[`../widget/browser/${file}.test.ts`]?.();
  const outcomes: Outcome[] = [];
  for (const suite of suites) {
    for (const step of suite.before) await step.call(context);
    for (const test of suite.tests) {
      const name = `${suite.name} ${test.name}`;
      const isLeft = new RegExp(left).test(name);
      outcomes.push(isLeft ? { name, outcome: 'skipped' } : await outcomeOf(name, suite, test.run, patience));
    }
    for (const step of suite.after) await step.call(context);
  }
  return outcomes;
};

async function outcomeOf(name: string, suite: Suite, run: Step, patience: number): Promise<Outcome> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${patience} ms`)), patience);
  });
  try {
    for (const step of [...all.beforeEach, ...suite.beforeEach]) await step.call(context);
    await Promise.race([run.call(context), late]);
    return { name, outcome: 'passed' };
  } catch (thrown) {
    if (thrown === SKIPPED) return { name, outcome: 'skipped' };
    return { name, outcome: 'failed', cause: String(thrown) };
  } finally {
    clearTimeout(timer);
    for (const step of [...suite.afterEach, ...all.afterEach]) await step.call(context);
  }
}
