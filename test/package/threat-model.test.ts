import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { project } from './imports.ts';

const text = readFileSync(join(project, 'docs', 'threat-model.md'), 'utf8');
const [, table = ''] = text.split('## Which test holds which claim');
const rows = table
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| claim'))
  .map((line) => ({
    claim: line.split('|')[1]?.trim(),
    tests: [...line.matchAll(/`(test\/[^`]+)`/g)].map(([, file]) => file),
  }));

test('the threat model names a test for each claim', () => {
  expect(rows.length).toBeGreaterThan(10);
  expect(rows.filter(({ tests }) => tests.length === 0)).toEqual([]);
});

test.each(rows)('the tests that hold "$claim" exist', ({ tests }) => {
  const missing = tests.filter((file) => {
    const path = join(project, file ?? '');
    return !existsSync(path) || !/\b(test|it)(\.\w+(\([^)]*\))?)*\(/.test(readFileSync(path, 'utf8'));
  });
  expect(missing).toEqual([]);
});

test('the threat model has each part that a reader looks for', () => {
  const parts = ['Assets', 'Actors', 'Boundaries', 'What a stolen thing gives', 'Residual risks', 'Erasure'];
  expect(parts.filter((part) => !text.includes(`## ${part}`))).toEqual([]);
});
