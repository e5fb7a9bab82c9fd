import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const resultsFolder = process.env['TEST_RESULTS_DIR'];

export default defineConfig({
  test: {
    environment: 'node',
    // With a folder for results, also counts in a file, which .ci/run adds to those of the browser tests.
    reporters: resultsFolder ? ['default', ['json', { outputFile: join(resultsFolder, 'node.json') }]] : ['default'],
    setupFiles: [join(import.meta.dirname, 'test/helpers/no-network.ts')],
    // Most tests wait for a process, a database or a browser: two files at a time keep two cores busy. By default Vitest leaves one core unused.
    maxWorkers: 2,
    // On a shared machine a test with real processes can be starved once; twice in a row it is a defect. On a developer's own it shows at once.
    retry: process.env['CI'] ? 1 : 0,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/{server,simulator,package}/**/*.test.ts', 'test/widget/unit/**/*.test.ts'],
          // A test may start a process or a database; 20 s is what that takes on a busy 2-core machine, with room.
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'journey',
          include: ['test/journey/**/*.test.ts'],
          // One journey is a browser and a server: one at a time, after the rest, or timeouts measure the machine more than the product.
          sequence: { groupOrder: 1 },
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          // Processes that are killed and started take the whole machine, and short timeouts would find it slow.
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
