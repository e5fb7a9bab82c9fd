import type { FaultRule, ServiceName } from './types.ts';

/** Whether a request names something; see `about`. */
export type Names = (about: string) => boolean;

/** The rules in force, and how often each may still strike. */
export class Faults {
  #rules: { rule: FaultRule; left: number }[] = [];

  /** @returns ends it */
  add(rule: FaultRule): () => void {
    const added = { rule: { ...rule }, left: rule.times ?? Number.POSITIVE_INFINITY };
    this.#rules.push(added);
    return () => {
      added.left = 0;
    };
  }

  clear(): void {
    this.#rules = [];
  }

  /**
   * The first rule that fits, one about the request's own subject before one about all, counted as used; undefined: all
   * goes well.
   */
  take(service: ServiceName, method: string, path: string, names: Names): FaultRule | undefined {
    const fitting = this.#rules.filter(({ rule, left }) => left > 0 && matches(rule, service, method, path));
    const found =
      fitting.find(({ rule: { about } }) => about !== undefined && names(about)) ??
      fitting.find(({ rule: { about } }) => about === undefined);
    if (!found) return undefined;
    found.left -= 1;
    return found.rule;
  }
}

function matches(rule: FaultRule, service: ServiceName, method: string, path: string): boolean {
  if (rule.service !== service) return false;
  if (rule.method && rule.method.toUpperCase() !== method) return false;
  return rule.path.endsWith('*') ? path.startsWith(rule.path.slice(0, -1)) : rule.path === path;
}
