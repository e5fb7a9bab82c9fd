import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { prefersPackaged } from './test/helpers/chromium.mjs';
import { LongestFirst } from './test/helpers/longest-first.ts';
import { memoryFolder } from './test/helpers/memory-folder.ts';
import { retries } from './test/helpers/order.mjs';
import { testsOfOneProcess } from './test/helpers/own-process.ts';
import { patient } from './test/helpers/patience.mjs';
import { RetryReporter } from './test/helpers/retry-reporter.ts';

const resultsFolder = process.env['TEST_RESULTS_DIR'];

const retryReporter = new RetryReporter();

const folder = memoryFolder();
const env = { ...(folder && { TMPDIR: folder }), ...(prefersPackaged() && { FBC_BROWSER: 'packaged' }) };

const ownProcess = testsOfOneProcess([
  'test/server',
  'test/simulator',
  'test/package',
  'test/fuzz',
  'test/widget/unit',
]);

export default defineConfig({
  test: {
    environment: 'node',
    // With a folder for results, also counts in a file, which .ci/run adds to those of the browser tests.
    reporters: ['default', retryReporter, ...(resultsFolder ? ['json'] : [])],
    // Not an option of the reporter, which would go before the one of the command line.
    ...(resultsFolder && { outputFile: { json: join(resultsFolder, 'node.json') } }),
    // A poll ends when its condition holds; the default of a second is too short for a process or a first import.
    expect: { poll: { timeout: patient(10_000), interval: 20 } },
    setupFiles: [join(import.meta.dirname, 'test/helpers/no-network.ts')],
    // A test waits for a process, a database or a browser for almost half of its time: four files keep two cores busy.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    retry: retries,
    projects: [
      {
        extends: true,
        test: {
          name: 'server',
          env,
          include: ['test/{server,simulator}/**/*.test.ts'],
          exclude: ownProcess,
          // The server and its libraries take longer to load and to warm up than most files take to run: a process
          // that keeps them needs about half the time. Each test starts a server of its own, so files share nothing
          // else.
          isolate: false,
          testTimeout: patient(30_000),
          hookTimeout: patient(30_000),
        },
      },
      {
        extends: true,
        test: {
          name: 'unit',
          env,
          include: ['test/{package,fuzz}/**/*.test.ts', 'test/widget/unit/**/*.test.ts'],
          exclude: ownProcess,
          // As for the server: a process of its own takes longer than most of these files.
          isolate: false,
          // A test may start a process or a browser, which takes seconds.
          testTimeout: patient(30_000),
          hookTimeout: patient(30_000),
        },
      },
      {
        extends: true,
        test: {
          name: 'own process',
          env,
          include: ownProcess,
          // A test may start a process or a database, which takes seconds.
          testTimeout: patient(30_000),
          hookTimeout: patient(30_000),
        },
      },
      {
        extends: true,
        test: {
          name: 'journey',
          env,
          include: ['test/journey/**/*.test.ts'],
          // As above: each test has a demo, a server and a browser context of its own.
          isolate: false,
          // A look may ask the browser, which has work of its own: often enough for an eye, and not for most of a core.
          expect: { poll: { timeout: patient(10_000), interval: 50 } },
          testTimeout: patient(60_000),
          hookTimeout: patient(60_000),
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          // Its short timeouts would find a busy machine slow. `npm test` runs it next to the others, but before them
          // wherever it wants a core.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
