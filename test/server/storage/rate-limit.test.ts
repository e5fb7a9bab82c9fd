import { expect, test, vi } from 'vitest';
import { purgeRateLimits, takeRateLimit } from '../../../server/storage/rate-limit.ts';
import { patient } from '../../helpers/patience.mjs';
import { forEachStorage } from '../../helpers/storages.ts';

/** A window that no test run outlasts: the present one began in 2001 and ends in 2033. */
const LONG = 1e12;
/** For a window of a second to end, also where each call takes long. */
const PATIENCE = { timeout: patient(10_000), interval: 20 };

forEachStorage((_name, kind) => {
  test('a rate limit allows its number of calls and then returns how long to wait', async () => {
    const storage = await kind.open();
    const take = () => takeRateLimit(storage, 'ip:1', { limit: 2, windowMs: LONG });
    expect(await take()).toEqual({ allowed: true, retryAfterSeconds: 0 });
    expect(await take()).toEqual({ allowed: true, retryAfterSeconds: 0 });
    const { allowed, retryAfterSeconds } = await take();
    expect(allowed).toBe(false);
    expect(Math.abs(retryAfterSeconds - (2 * LONG - Date.now()) / 1000)).toBeLessThan(10);
  });

  test('a rate limit allows exactly its number when many instances ask at once', async () => {
    const database = await kind.database();
    const storages = [await database.open(), await database.open()];
    const takes = storages.flatMap((storage) =>
      Array.from({ length: 25 }, () => takeRateLimit(storage, 'ip:1', { limit: 10, windowMs: LONG })),
    );
    expect((await Promise.all(takes)).filter(({ allowed }) => allowed)).toHaveLength(10);
  });

  test('a rate limit counts each bucket by itself', async () => {
    const storage = await kind.open();
    const take = (bucket: string) => takeRateLimit(storage, bucket, { limit: 1, windowMs: LONG });
    expect((await take('ip:1')).allowed).toBe(true);
    expect((await take('ip:2')).allowed).toBe(true);
    expect((await take('ip:1')).allowed).toBe(false);
  });

  test('a rate limit starts over with the next window', async () => {
    const storage = await kind.open();
    const take = () => takeRateLimit(storage, 'ip:1', { limit: 1, windowMs: 1_000 });
    await take();
    const refused = await vi.waitFor(async () => {
      const answer = await take();
      if (answer.allowed) throw new Error('a window has just begun');
      return answer;
    }, PATIENCE);
    expect(refused.retryAfterSeconds).toBe(1);
    await vi.waitFor(async () => expect((await take()).allowed).toBe(true), PATIENCE);
  });

  test('a clean-up keeps the rate limits whose windows still count', async () => {
    const storage = await kind.open();
    await takeRateLimit(storage, 'recent', { limit: 1, windowMs: 1_000 });
    await takeRateLimit(storage, 'old', { limit: 1, windowMs: LONG });
    expect(await purgeRateLimits(storage, 60_000)).toBe(1);
    expect(await storage.db.selectFrom('rate_limits').select('bucket').execute()).toEqual([{ bucket: 'recent' }]);
  });
});
