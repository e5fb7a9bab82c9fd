import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLog } from '../../server/log.ts';
import { AgreedClock } from '../../server/work/agreed-clock.ts';

const START = Date.parse('2026-03-01T12:00:00Z');
const YEAR_MS = 365 * 24 * 3600_000;

/** How far the database's clock is from the true time. */
let error: number;
/** What a provider's response has as its time; null: no provider responds. */
let date: () => string | null;
let asked: number;
let lines: string[];
let clock: AgreedClock;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout'], now: START });
  error = 0;
  asked = 0;
  lines = [];
  date = () => new Date().toUTCString();
  const log = createLog({ level: 'info', secrets: [], write: (line) => lines.push(line) });
  clock = new AgreedClock({ now: async () => Date.now() + error }, log, async () => {
    asked++;
    clock.note('finix', date());
  });
});
afterEach(() => {
  vi.useRealTimers();
});

test('the database’s clock counts as long as a provider’s agrees with it', async () => {
  clock.note('plaid', date());
  await vi.advanceTimersByTimeAsync(3600_000);
  error = 20_000;
  expect([await clock.now(), await clock.certain()]).toEqual([Date.now() + error, Date.now() + error]);
  expect(asked).toBe(0);
});

test('a clock that is behind counts for what is deleted, and for nothing that is measured later', async () => {
  clock.note('plaid', date());
  clock.note('finix', new Date(Date.now() + 5_000).toUTCString());
  error = -YEAR_MS;
  expect([await clock.now(), await clock.certain()]).toEqual([Date.now(), Date.now() + error]);
  error = -20_000;
  expect(await clock.now()).toBe(Date.now() + error);
});

test('a clock that jumps ahead counts for nothing, and a provider is asked once', async () => {
  clock.note('plaid', date());
  error = YEAR_MS;
  expect(await clock.now()).toBe(Date.now());
  expect([await clock.certain(), await clock.certain()]).toEqual([Date.now(), Date.now()]);
  expect(asked).toBe(1);
  expect(lines).toHaveLength(1);
  error = 0;
  expect(await clock.certain()).toBe(Date.now());
  expect(lines).toHaveLength(2);
});

test('after the machine has slept, a provider’s response brings both clocks together', async () => {
  clock.note('plaid', date());
  // The monotonic clock stopped.
  vi.setSystemTime(START + YEAR_MS);
  expect(await clock.certain()).toBe(START + YEAR_MS);
  expect(asked).toBe(1);
  expect(lines).toEqual([]);
});

test('a machine that was paused with all of its clocks learns the time before others count from it', async () => {
  clock.note('plaid', date());
  clock.note('finix', date());
  const before = await clock.now();
  const AWAY_MS = 600_000;
  error = AWAY_MS;
  date = () => new Date(Date.now() + AWAY_MS).toUTCString();
  expect((await clock.now()) - before).toBeLessThan(AWAY_MS);
  expect((await clock.informed()) - before).toBe(AWAY_MS);
  expect((await clock.informed()) - before).toBe(AWAY_MS);
  expect(asked).toBe(1);
});

test('a clock that stays ahead of the providers has them asked every ten seconds, and not for each call', async () => {
  clock.note('plaid', date());
  error = YEAR_MS;
  for (let second = 0; second < 15; second++) {
    expect(await clock.informed()).toBeLessThan(Date.now() + 60_000);
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(asked).toBe(2);
});

test('no provider is asked for the time before one has responded', async () => {
  expect(await clock.informed()).toBe(Date.now());
  expect(asked).toBe(0);
});

test('nothing is certain before a provider has responded', async () => {
  date = () => null;
  expect(await clock.certain()).toBeUndefined();
  expect(await clock.now()).toBe(START);
  await vi.advanceTimersByTimeAsync(11_000);
  date = () => new Date().toUTCString();
  expect(await clock.certain()).toBe(Date.now());
});

test('a response without a time, and one with an unreadable time, change nothing', async () => {
  clock.note('plaid', date());
  clock.note('plaid', undefined);
  clock.note('plaid', 'yesterday');
  error = YEAR_MS;
  expect(await clock.now()).toBe(Date.now());
});

test('a provider whose clock is behind holds nothing up while the other one’s is right', async () => {
  clock.note('finix', new Date(START - YEAR_MS).toUTCString());
  clock.note('plaid', date());
  expect(await clock.certain()).toBe(Date.now());
});
