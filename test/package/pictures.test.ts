import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { animate, chunksOf } from '../pictures/animate.ts';
import { project } from './imports.ts';

const folder = join(project, 'docs/pictures');
const files = readdirSync(folder);
/** Each clone and each visitor of the README loads them. */
const MOST_BYTES = 1_500_000;

test('The pictures of the documents are PNG, and small in all', () => {
  expect(files.length).toBeGreaterThan(0);
  const sizes = files.map((file) => {
    const bytes = readFileSync(join(folder, file));
    expect([file, chunksOf(bytes)[0]?.type]).toEqual([file, 'IHDR']);
    return bytes.length;
  });
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(MOST_BYTES);
});

test('The capture of the journey moves', () => {
  const frames = chunksOf(readFileSync(join(folder, 'journey.png'))).filter(({ type }) => type === 'fcTL');
  expect(frames.length).toBeGreaterThan(4);
});

test('An animation keeps the pixels of its frames, and numbers its chunks', () => {
  const png = readFileSync(join(folder, 'playground.png'));
  const made = chunksOf(
    animate([
      { png, ms: 100 },
      { png, ms: 200 },
    ]),
  );
  const data = (type: string, skip: number) =>
    Buffer.concat(made.filter((chunk) => chunk.type === type).map((chunk) => chunk.data.subarray(skip)));
  expect(data('fdAT', 4)).toEqual(data('IDAT', 0));
  const numbered = made
    .filter(({ type }) => type === 'fcTL' || type === 'fdAT')
    .map(({ data }) => data.readUInt32BE(0));
  expect(numbered).toEqual(numbered.map((_, index) => index));
});

test('A frame of another size is refused', () => {
  const [wide, tall] = ['playground.png', 'phone.png'].map((file) => readFileSync(join(folder, file)));
  expect(() =>
    animate([
      { png: wide as Buffer, ms: 1 },
      { png: tall as Buffer, ms: 1 },
    ]),
  ).toThrow('another size');
});
