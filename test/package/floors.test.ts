import { readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesIn, type Import, importsOf, project } from './imports.ts';

/**
 * The folders of the widget as floors, from the top: a file imports from its own floor and from those below, types included. Files at the root are
 * named one by one, because the entries are on the top floor and the contract on the lowest.
 */
const FLOORS: readonly (readonly string[])[] = [
  ['widget/index.ts', 'widget/embed.ts', 'widget/react.ts', 'widget/headless.ts', 'widget/client.ts', 'widget/jsx/'],
  ['widget/define.ts'],
  ['widget/finix-bank-connect.ts'],
  ['widget/lazy/'],
  ['widget/element/'],
  ['widget/flow/'],
  ['widget/link/'],
  ['widget/session/'],
  ['widget/i18n/'],
  // For a merchant's server: needs nothing of the element.
  ['widget/client/'],
  ['widget/diagnose.ts'],
  ['widget/errors.ts'],
  ['widget/contract.ts'],
];

/** The one import that goes up: the second chunk, when the element needs it. */
const LOADS_THE_SECOND_CHUNK = 'widget/element/load-lazy.ts';

interface Arrow extends Import {
  from: string;
  to: string;
}

function arrowsOf(file: string, code: string): Arrow[] {
  return importsOf(file, code).flatMap((found) =>
    found.specifier?.startsWith('.') ? [{ ...found, from: file, to: posix.join(dirname(file), found.specifier) }] : [],
  );
}

const floorOf = (file: string) =>
  FLOORS.findIndex((floor) => floor.some((place) => (place.endsWith('/') ? file.startsWith(place) : file === place)));

function isUpward({ from, to }: Arrow): boolean {
  return floorOf(to) < floorOf(from) && !(from === LOADS_THE_SECOND_CHUNK && to === 'widget/lazy/index.ts');
}

/** Every circle that can be walked from a file along the arrows, as the files on the way. */
function circles(arrows: Arrow[]): string[] {
  const done = new Set<string>();
  const found = new Set<string>();
  const walk = (file: string, way: string[]) => {
    const start = way.indexOf(file);
    if (start >= 0) found.add([...way.slice(start), file].join(' -> '));
    if (start >= 0 || done.has(file)) return;
    for (const { to } of arrows.filter(({ from }) => from === file)) walk(to, [...way, file]);
    done.add(file);
  };
  for (const { from } of arrows) walk(from, []);
  return [...found];
}

const files = filesIn('widget', '.ts');
const arrows = files.flatMap((file) => arrowsOf(file, readFileSync(join(project, file), 'utf8')));

describe('the files of the widget', () => {
  test('each belongs to a floor', () => {
    expect(files.filter((file) => floorOf(file) < 0)).toEqual([]);
  });

  test('import from their own floor and from those below, types included', () => {
    expect(arrows.filter(isUpward).map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  test('form no circle, types included', () => {
    expect(circles(arrows)).toEqual([]);
  });

  test('are at most 14 at the root', () => {
    expect(files.filter((file) => file.split('/').length === 2).length).toBeLessThanOrEqual(14);
  });
});

describe('the checks', () => {
  test.each([
    ['widget/session/backend.ts', `import type { FlowState } from '../flow/state.ts'`],
    ['widget/element/events.ts', `export { FbcStepEvent } from '../lazy/events.ts'`],
    ['widget/element/load-lazy.ts', `import { press } from '../lazy/press.ts'`],
    ['widget/lazy/press.ts', `import type { FinixBankConnect } from '../finix-bank-connect.ts'`],
    ['widget/errors.ts', `let session: import('./session/backend.ts').SessionAnswer`],
  ])('find that %s imports from above: %s', (file, line) => {
    expect(arrowsOf(file, line).filter(isUpward)).toHaveLength(1);
  });

  test.each([
    ['widget/element/load-lazy.ts', `const load = () => import('../lazy/index.ts')`],
    ['widget/lazy/press.ts', `import type { View } from '../element/view.ts'`],
  ])('let %s say: %s', (file, line) => {
    expect(arrowsOf(file, line).filter(isUpward)).toEqual([]);
  });

  test('find a circle of types', () => {
    const round = [
      ...arrowsOf('widget/flow/a.ts', `import type { B } from './b.ts'`),
      ...arrowsOf('widget/flow/b.ts', `import { c } from './c.ts'`),
      ...arrowsOf('widget/flow/c.ts', `import type { A } from './a.ts'`),
    ];
    expect(circles(round)).toEqual(['widget/flow/a.ts -> widget/flow/b.ts -> widget/flow/c.ts -> widget/flow/a.ts']);
  });
});

describe('the chunks', () => {
  /** What an entry brings along at once: everything but types and what is imported later. */
  function broughtBy(entry: string): string[] {
    const seen = new Set<string>();
    const follow = (file: string) => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const { from, to, typeOnly, dynamic } of arrows) if (from === file && !typeOnly && !dynamic) follow(to);
    };
    follow(entry);
    return [...seen].sort();
  }

  test('what a page loads before the button shows is these modules, and Lit', () => {
    expect(broughtBy('widget/embed.ts')).toEqual([
      'widget/define.ts',
      'widget/element/approach.ts',
      'widget/element/events.ts',
      'widget/element/form-control.ts',
      'widget/element/icons.ts',
      'widget/element/language.ts',
      'widget/element/load-lazy.ts',
      'widget/element/page-events.ts',
      'widget/element/properties.ts',
      'widget/element/styles.ts',
      'widget/element/view.ts',
      'widget/embed.ts',
      'widget/finix-bank-connect.ts',
      'widget/flow/state.ts',
      'widget/i18n/first.ts',
      'widget/i18n/languages.ts',
      'widget/i18n/speech.ts',
      'widget/link/may-return.ts',
      'widget/session/tab-storage.ts',
    ]);
  });

  test('the second chunk is entered in one place, and the languages are fetched on their own', () => {
    const later = arrows.filter(({ dynamic }) => dynamic);
    expect(later.filter(({ to }) => !to.startsWith('widget/i18n/')).map(({ from, to }) => `${from}: ${to}`)).toEqual([
      'widget/element/load-lazy.ts: widget/lazy/index.ts',
    ]);
  });
});
