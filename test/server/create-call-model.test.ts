import { describe, expect, it } from 'vitest';
import { patient } from '../helpers/patience.mjs';
import { explore } from './create-call-model/explore.ts';
import { newRules } from './create-call-model/new-rules.ts';
import { oldRules } from './create-call-model/old-rules.ts';
import type { World } from './create-call-model/world.ts';

type Budget = World<unknown>['left'];
const NOTHING: Budget = { creates: 0, crashes: 0, freezes: 0, ends: 0, renewals: 0 };
/** A hundred thousand worlds take three seconds on an idle machine. */
const PATIENCE_MS = patient(60_000);

describe('the rules of a create call', () => {
  it.each<[string, Partial<Budget>, number]>([
    ['three calls', { creates: 3 }, 10_000],
    ['three calls and a renewal', { creates: 3, renewals: 1 }, 50_000],
    ['two calls, a crash and an end', { creates: 2, crashes: 1, ends: 1 }, 10_000],
    ['two calls, an end and a renewal', { creates: 2, ends: 1, renewals: 1 }, 20_000],
    ['two calls, a frozen worker and an end', { creates: 2, freezes: 1, ends: 1 }, 50_000],
  ])(
    'leave one enabled instrument, or none once ended, in every order of %s',
    (_name, budget, atLeast) => {
      const { worlds, violations } = explore(newRules, { ...NOTHING, ...budget });
      expect(violations).toEqual([]);
      expect(worlds).toBeGreaterThan(atLeast);
    },
    PATIENCE_MS,
  );
});

/** The search finds what it is for: these rules break the promise in ways that are known. */
describe('the rules of version 0.1.0', () => {
  const problems = (budget: Partial<Budget>) =>
    explore(oldRules, { ...NOTHING, ...budget }, Number.POSITIVE_INFINITY).violations;

  it('the rules of version 0.1.0 leave an instrument enabled when work ends with its create call in doubt', () => {
    const found = problems({ creates: 1, ends: 1 });
    expect(found.map(({ problem }) => problem)).toContain('the connection is ended with null, and enabled are PI1');
  });

  it('the rules of version 0.1.0 ask Finix for its list indefinitely when work ends with a create call in doubt', () => {
    const found = problems({ creates: 1, ends: 1 });
    expect(found.map(({ problem }) => problem)).toContain('Finix is asked for its list indefinitely');
  });

  it('the rules of version 0.1.0 leave two instruments enabled when a renewal comes before the sweep', () => {
    const renewed = problems({ creates: 3, renewals: 1 }).filter(({ trace }) => {
      const at = (step: RegExp) => trace.findIndex((line) => step.test(line));
      return at(/renewed/) > 0 && at(/the sweep/) < 0;
    });
    expect(renewed.map(({ problem }) => problem)).toContain(
      'the connection is active with PI3, and enabled are PI1, PI3',
    );
  });
});
