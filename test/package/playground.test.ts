import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHOICES, contrast, DEFAULTS, readOptions, writeOptions } from '../../demo/playground/options.ts';
import { project } from './imports.ts';

test('An address has the options that were changed, and no others', () => {
  const options = { ...DEFAULTS, accent: '#5b2a86', language: 'ar', authorization: 'Ja & nein' };
  const address = writeOptions(options);
  expect(address).toBe('accent=%235b2a86&language=ar&authorization=Ja+%26+nein');
  expect(readOptions(`?${address}`)).toEqual(options);
  expect(writeOptions(DEFAULTS)).toBe('');
});

test.each([
  'accent=red;}body{display:none',
  'accent=%23fff',
  'radius=-1',
  'radius=1e9',
  'width=99999',
  'language=xx',
  'mode=constructor',
  `authorization=${'x'.repeat(301)}`,
])('What does not fit in an address is at its default: %s', (search) => {
  expect(readOptions(`?${search}`)).toEqual(DEFAULTS);
});

test('The contrast is that of WCAG', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 5);
  expect(contrast('#ffffff', '#767676')).toBeCloseTo(4.54, 2);
  expect(contrast('#123456', '#123456')).toBe(1);
});

test('Every language of the element can be chosen', () => {
  const files = readdirSync(join(project, 'widget/i18n')).flatMap((file) => /^([a-z]{2})\.ts$/.exec(file)?.[1] ?? []);
  expect((CHOICES.language ?? []).map(([value]) => value).sort()).toEqual(files.sort());
});
