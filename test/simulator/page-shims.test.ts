import * as node from 'node:crypto';
import { inflateSync, crc32 as nodeCrc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import * as page from '../../demo/static/node/crypto.ts';
import { setTimeout as sleep } from '../../demo/static/node/timers.ts';
import { crc32, deflateSync } from '../../demo/static/node/zlib.ts';

/** Around the ends of blocks: 55 bytes still fit into one with their length, 56 do not. */
const TEXTS = [
  '',
  'abc',
  'a'.repeat(55),
  'b'.repeat(56),
  'c'.repeat(64),
  'd'.repeat(119),
  'Müller · 東京',
  'e'.repeat(1_000),
];

test.each(TEXTS)('In a page SHA-256 and HMAC give the same as in Node (case %#)', (text) => {
  expect(page.createHash('sha256').update(text).digest('hex')).toBe(
    node.createHash('sha256').update(text).digest('hex'),
  );
  for (const secret of ['key', 'k'.repeat(65)]) {
    const expected = node.createHmac('sha256', secret).update(text).digest('hex');
    expect(page.createHmac('sha256', secret).update(text).digest('hex')).toBe(expected);
  }
});

test('In a page a logo’s pixels are packed so that every reader unpacks them', () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 31) & 255);
  expect(new Uint8Array(inflateSync(deflateSync(bytes)))).toEqual(bytes);
  expect(crc32(bytes)).toBe(nodeCrc32(bytes));
});

test('In a page a wait ends at once when its signal is aborted', async () => {
  const closing = new AbortController();
  const waiting = sleep(60_000, undefined, { signal: closing.signal });
  closing.abort();
  await expect(waiting).rejects.toThrow();
  await expect(sleep(60_000, undefined, { signal: closing.signal })).rejects.toThrow();
  expect(await sleep(0, 'done')).toBe('done');
});
