import type { UpstreamError } from './outbound.ts';

/** What an operator has to fix at a provider, as the last calls have shown it. */
export interface ProviderProblem {
  service: UpstreamError['service'];
  /** The endpoint. */
  call: string;
  /** The provider's code. */
  code: string;
  remedy: string;
  /** ISO 8601. */
  since: string;
}

export interface ProviderProblems {
  /** Notes a call; one that goes well ends the problem that it had. */
  note(service: UpstreamError['service'], call: string, error: UpstreamError | undefined, isOk: boolean): void;
  /** Those that are still there, oldest first. */
  list(): ProviderProblem[];
}

/** In memory: each instance learns of it by its own calls, and a restart is what many of the remedies ask for. */
export function createProviderProblems(): ProviderProblems {
  // One for each endpoint, so the list is always short.
  const problems = new Map<string, ProviderProblem>();
  return {
    note(service, call, error, isOk) {
      const key = `${service} ${call}`;
      if (isOk) problems.delete(key);
      const remedy = error?.details.remedy;
      if (!error || remedy === undefined) return;
      const { code } = error;
      const known = problems.get(key);
      const since = known?.code === code ? known.since : new Date().toISOString();
      problems.set(key, { service, call, code, remedy, since });
    },
    list: () => [...problems.values()],
  };
}
