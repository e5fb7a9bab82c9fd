import { afterEach, expect, it, vi } from 'vitest';
import { countElapsed } from '../../server/work/elapsed.ts';

afterEach(() => vi.restoreAllMocks());

/** The two clocks, before and after. */
async function elapsed(database: [number, number], own: [number, number]): Promise<number> {
  const monotonic = vi.spyOn(performance, 'now');
  for (const time of own) monotonic.mockReturnValueOnce(time);
  const readings = [...database];
  const count = await countElapsed({ now: async () => readings.shift() ?? 0 });
  return count();
}

it.each([
  ['as both clocks have it', [1_000, 61_000], [5, 60_005], 60_000],
  ['by the database’s clock when the machine was paused with its own', [1_000, 61_000], [5, 7.5], 60_000],
  ['by its own clock when the database’s was set back', [61_000, 1_000], [5, 60_005.5], 60_000],
] as const)('a worker knows how long it was away %s', async (_by, [began, ended], [start, end], ms) => {
  expect(await elapsed([began, ended], [start, end])).toBe(ms);
});
