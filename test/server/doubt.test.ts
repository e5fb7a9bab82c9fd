import { expect, it } from 'vitest';
import { watchHistory } from '../../server/connect/doubt.ts';
import { createLog } from '../../server/log.ts';
import { HeldSession } from '../../server/work/session-lease.ts';
import { TIMING } from '../../server/work/timing.ts';
import { rows } from './storage/rows.ts';

const STARTED = 1_700_000_000_000;
const HOUR_MS = 3600_000;
const log = createLog({ level: 'silent', secrets: [], write: () => {} });

/** A process that starts now, on a database in which an older copy was restored. */
async function doubtAfter(wentBackAt: number) {
  const onConnect = new Set<() => void>();
  const answers = [wentBackAt];
  const history = { check: async () => answers.shift() ?? wentBackAt };
  const storage = { now: async () => STARTED, history, onConnect } as unknown as Parameters<typeof watchHistory>[0];
  const doubt = await watchHistory(storage, log);
  const held = (createdAt: number) => {
    const row = { ...rows.sessions, created_at: createdAt };
    return new HeldSession(storage, row, TIMING, new AbortController().signal, 'accepted', doubt);
  };
  return { doubt, held, answers, onConnect };
}

it('for a day after an older copy was restored, what sessions look for can be a day older than that', async () => {
  const { held } = await doubtAfter(STARTED - HOUR_MS);
  const session = held(STARTED + HOUR_MS);
  expect([session.looksFirst, session.since]).toEqual([true, STARTED - 25 * HOUR_MS]);
});

it('when an older copy was restored long ago, sessions look for nothing that is older than they are', async () => {
  const { doubt, held } = await doubtAfter(STARTED - 90 * 24 * HOUR_MS);
  const session = held(STARTED - 1);
  // It is older than the process, which may have been started on a copy that it did not notice.
  expect([session.looksFirst, session.since]).toEqual([true, STARTED - 1]);
  expect(doubt.restoredUntil).toBeLessThan(STARTED);
  expect(held(STARTED).looksFirst).toBe(false);
});

it('an answer of before does not hide that an older copy was restored', async () => {
  const { doubt, answers } = await doubtAfter(0);
  answers.push(STARTED, 0);
  await doubt.check();
  await doubt.check();
  expect(doubt.restoredUntil).toBe(STARTED + 24 * HOUR_MS);
});

it('a connection that is opened during a check is checked as well', async () => {
  const { doubt, answers, onConnect } = await doubtAfter(0);
  answers.push(0, STARTED);
  for (const connected of onConnect) {
    connected();
    connected();
  }
  await expect.poll(() => doubt.restoredUntil).toBe(STARTED + 24 * HOUR_MS);
});
