import { describe, expect, it } from 'vitest';
import { availableStores, runSuite } from './suite.ts';

/** The short form takes about two minutes on an idle machine, which a test machine rarely is. */
const PATIENCE_MS = 15 * 60_000;
/** Fixed, so that a failure can be repeated; the full form draws its own. */
const SEED = 20_240_229;

const { stores, missing } = availableStores();
describe(missing ? `faults, in short (PostgreSQL skipped: ${missing})` : 'faults, in short', () => {
  it('the fault suite loses no bank and creates none twice, and detects every control', {
    timeout: PATIENCE_MS,
  }, async () => {
    const lines = await runSuite({ seed: SEED, stores, short: true, scale: 1, verbose: false, report: () => {} });
    const wrong = lines.filter(({ ok }) => !ok);
    expect(wrong.map(({ store, fault, verdict }) => ({ store, fault, ...verdict }))).toEqual([]);
    expect(lines.length).toBeGreaterThan(5 * stores.length);
  });
});
