import type { Reporter, TestModule } from 'vitest/node';

/** Names the tests that passed only when they were run again: a retry must not hide a defect. */
export class RetryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const retried = modules.flatMap((module) =>
      [...module.children.allTests('passed')].filter((test) => (test.diagnostic()?.retryCount ?? 0) > 0),
    );
    if (retried.length === 0) return;
    console.warn(`== warning: ${retried.length} passed only when run again`);
    for (const test of retried) console.warn(`==   ${test.module.relativeModuleId} > ${test.fullName}`);
  }
}
