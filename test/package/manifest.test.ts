import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Manifest } from '../../build/create-manifest.ts';
import { filesIn, packageFile, project } from './imports.ts';

// Editors and our own documents are made from the manifest, so a name that is wrong here is wrong everywhere a merchant
// looks.
const read = (file: string) => readFileSync(join(project, file), 'utf8');
const manifest = JSON.parse(read('dist/custom-elements.json')) as Manifest;
const [module] = manifest.modules;
if (!module?.declarations[0]) throw new Error('The manifest is empty');
const [element] = module.declarations;
const widget = filesIn('widget', '.ts').map(read).join('\n');
const names = (things: { name: string }[]) => things.map(({ name }) => name).sort();
const all = (pattern: RegExp) => [...new Set([...widget.matchAll(pattern)].map(([, name]) => name ?? ''))].sort();

const { FinixBankConnect } = (await import(join(project, module.path))) as typeof import('../../widget/index.ts');
// Lit gives a class its properties when these are read first, which a browser does.
const observed = FinixBankConnect.observedAttributes;

test('package.json leads to the manifest, and the manifest to the element', () => {
  expect(packageFile).toMatchObject({ customElements: 'dist/custom-elements.json' });
  expect(element).toMatchObject({ name: 'FinixBankConnect', tagName: 'finix-bank-connect', customElement: true });
});

test('its attributes are those that the element observes, and those that it reads or writes in addition', () => {
  expect(names(element.attributes)).toEqual([...new Set([...observed, 'nonce', 'status'])].sort());
});

test('its properties and methods are what the class has that is no callback', () => {
  const found = new Set<string>();
  // What Lit calls, and what only classes derived from this one may.
  const inner = /Callback$|^(constructor|render|updated|willUpdate|publish|values|requiredText|off)$/;
  for (
    let at = FinixBankConnect.prototype;
    at && at.constructor.name !== 'LitElement';
    at = Object.getPrototypeOf(at)
  ) {
    for (const name of Object.getOwnPropertyNames(at)) if (!inner.test(name)) found.add(name);
  }
  expect(names(element.members)).toEqual([...found].sort());
});

test('its read-only properties can not be set, and the others can', () => {
  for (const { name, kind, readonly } of element.members) {
    if (kind !== 'field') continue;
    let at: object | null = FinixBankConnect.prototype;
    while (at && !Object.getOwnPropertyDescriptor(at, name)) at = Object.getPrototypeOf(at);
    expect([name, Object.getOwnPropertyDescriptor(at ?? {}, name)?.set === undefined]).toEqual([
      name,
      readonly === true,
    ]);
  }
});

test('its events are those that are made', () => {
  expect(names(element.events)).toEqual([...all(/super\('(fbc-[a-z-]+)'/g), 'change'].sort());
});

test('its slots are those of the templates', () => {
  expect(names(element.slots)).toEqual(all(/<slot name="([a-z-]+)"/g));
});

test('its parts are those of the templates', () => {
  const words = all(/\bpart="([^"]+)"/g).flatMap((value) => value.match(/(?<=^|\s|')[a-z][a-z-]*(?=$|\s|')/g) ?? []);
  expect(names(element.cssParts)).toEqual([...new Set(words)].sort());
});

test('its variables are those of the styles, with a default that they have there', () => {
  const defaults = new Map<string, string[]>();
  for (const [, name = '', value = ''] of widget.matchAll(/var\((--fbc-[a-z-]+), ((?:[^()]|\([^()]*\))+)\)/g)) {
    defaults.set(name, [...(defaults.get(name) ?? []), value]);
  }
  expect(names(element.cssProperties)).toEqual([...defaults.keys()].sort());
  for (const { name, default: value } of element.cssProperties) expect(defaults.get(name)).toContain(value);
});

test('everything in it is described', () => {
  const { attributes, events, slots, cssParts, cssProperties } = element;
  const own = element.members.filter(
    ({ name }) => !/^(value|form|validity|validationMessage|willValidate|checkValidity|reportValidity)$/.test(name),
  );
  const silent = [attributes, events, slots, cssParts, cssProperties, own]
    .flat()
    .filter(({ description }) => !description);
  expect(names(silent)).toEqual([]);
});

const section = read('docs/element.md');

describe('the page about the element', () => {
  /** The names in the first column of a table, by the heading of that column. */
  function listed(heading: string): string[] {
    const tables = section.split(/\n\n/).filter((block) => block.startsWith(`| ${heading} `));
    const cells = tables.flatMap((table) =>
      table
        .split('\n')
        .slice(2)
        .map((row) => row.split('|')[1] ?? ''),
    );
    return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+?)(?:\(\))?`/g)].map(([, name]) => name ?? '')).sort();
  }
  const fields = (kind: string) => names(element.members.filter((member) => member.kind === kind));

  test.each([
    ['attribute', names(element.attributes)],
    ['property', fields('field')],
    ['method', fields('method')],
    ['event', names(element.events)],
    ['slot', names(element.slots)],
    ['part', names(element.cssParts)],
    ['variable', names(element.cssProperties)],
  ])('the page about the element names every %s, and no other', (heading, expected) => {
    expect(listed(heading)).toEqual(expected);
  });

  test('the page about the element names every status, and no other', () => {
    const union = /type ElementStatus =([^;]+);/.exec(read('widget/flow/state.ts'))?.[1] ?? '';
    expect(listed('status')).toEqual((union.match(/[a-z_]{2,}/g) ?? []).sort());
  });

  test('the page about the element names every error code, and no other', () => {
    const codes = (file: string, type: string) =>
      new RegExp(`type ${type} =([^]+?);\\n\\n`).exec(read(file))?.[1]?.match(/(?<=')[a-z_]+(?=')/g) ?? [];
    const known = [
      ...codes('widget/contract/problem.ts', 'ProblemCode'),
      ...codes('widget/errors.ts', 'ElementErrorCode'),
    ];
    expect(listed('code')).toEqual(known.sort());
  });
});
