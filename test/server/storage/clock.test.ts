import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DatabaseClock } from '../../../server/storage/clock.ts';

let asked: number;
/** The database's clock is an hour ahead of this machine's. */
const read = async () => {
  asked++;
  return 3_600_000 + Date.now();
};

beforeEach(() => {
  asked = 0;
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout'], now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

test('one reading of the database’s clock is used for a second', async () => {
  const clock = new DatabaseClock(read);
  expect(await clock.now()).toBe(4_600_000);
  await vi.advanceTimersByTimeAsync(999);
  expect(await clock.now()).toBe(4_600_999);
  expect(asked).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(await clock.now()).toBe(4_601_000);
  expect(asked).toBe(2);
});

test('many callers at once read the database’s clock once', async () => {
  const clock = new DatabaseClock(read);
  expect(new Set(await Promise.all(Array.from({ length: 20 }, () => clock.now())))).toEqual(new Set([4_600_000]));
  expect(asked).toBe(1);
});

test.each([
  ['has slept, so that its monotonic clock stopped', 60_000],
  ['had its clock set back', -60_000],
])('a machine that %s asks again', async (_name, leap) => {
  const clock = new DatabaseClock(read);
  await clock.now();
  vi.setSystemTime(1_000_000 + leap);
  expect(await clock.now()).toBe(4_600_000 + leap);
  expect(asked).toBe(2);
});

test('a caller that must know for certain reads the database’s clock', async () => {
  const clock = new DatabaseClock(read);
  await clock.now();
  expect(await clock.now(true)).toBe(4_600_000);
  expect(asked).toBe(2);
});

test('a slow answer of the database’s clock counts as one from the middle of its wait', async () => {
  const clock = new DatabaseClock(async () => {
    const now = await read();
    await new Promise((resolve) => setTimeout(resolve, 100));
    return now;
  });
  const answer = clock.now();
  await vi.advanceTimersByTimeAsync(100);
  expect(await answer).toBe(4_600_050);
});

test('a process that was frozen while it read the clock reads it again', async () => {
  let frozenMs = 60_000;
  const clock = new DatabaseClock(async () => {
    const now = await read();
    await new Promise((resolve) => setTimeout(resolve, frozenMs));
    return now;
  });
  const before = clock.now();
  await vi.advanceTimersByTimeAsync(frozenMs);
  expect(await before).toBe(4_630_000);
  frozenMs = 0;
  const after = clock.now();
  await vi.advanceTimersByTimeAsync(0);
  expect(await after).toBe(4_660_000);
});

test('a database that does not answer is every caller’s error, and is asked again', async () => {
  let isGone = true;
  const clock = new DatabaseClock(async () => {
    if (isGone) throw new Error('gone');
    return read();
  });
  const settled = await Promise.allSettled([clock.now(), clock.now()]);
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  isGone = false;
  expect(await clock.now()).toBe(4_600_000);
});
