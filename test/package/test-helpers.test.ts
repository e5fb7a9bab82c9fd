import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'vite';
import { expect, test } from 'vitest';
import { filesIn, project } from './imports.ts';

/** A test whose helper asserts must show it: otherwise its body seems to check nothing. */

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

const TESTS = new Set(['describe', 'it', 'test']);

interface Node {
  type?: string;
  name?: string;
  id?: Node | null;
  init?: Node | null;
  body?: unknown;
  callee?: Node;
  object?: Node;
}

/** `test` in `test(…)` and in `test.each(…)(…)`. */
function calledName({ name, object, callee }: Node): string | undefined {
  const inner = object ?? callee;
  return name ?? (inner && calledName(inner));
}

/** Whether it calls `expect` itself; what a function or a test within it does is that one's. */
function asserts(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(asserts);
  if (typeof value !== 'object' || value === null) return false;
  const node = value as Node;
  if (node.type === 'FunctionDeclaration') return false;
  if (node.type === 'CallExpression' && TESTS.has(calledName(node) ?? '')) return false;
  if (node.type === 'CallExpression' && (node.callee?.name === 'expect' || node.callee?.object?.name === 'expect')) {
    return true;
  }
  return Object.values(node).some(asserts);
}

function assertingHelpers(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(assertingHelpers);
  if (typeof value !== 'object' || value === null) return [];
  const node = value as Node;
  const [name, made] =
    node.type === 'FunctionDeclaration'
      ? [node.id?.name, node]
      : node.type === 'VariableDeclarator' && FUNCTIONS.has(node.init?.type ?? '')
        ? [node.id?.name, node.init]
        : [];
  const own = name !== undefined && asserts(made?.body) ? [name] : [];
  return [...own, ...Object.values(node).flatMap(assertingHelpers)];
}

const helpersIn = (code: string) => assertingHelpers(parseSync('a.ts', code).program);

test('every helper of the tests that asserts is called expect…', () => {
  const files = filesIn('test', '.ts');
  const others = files.flatMap((file) =>
    helpersIn(readFileSync(join(project, file), 'utf8'))
      .filter((name) => !name.startsWith('expect'))
      .map((name) => `${file}: ${name}`),
  );
  expect(others).toEqual([]);
});

test.each([
  ['async function opened() { expect(1).toBe(1); }', ['opened']],
  ['const opened = async () => { await expect.poll(ask).toBe(1); };', ['opened']],
  ['const opened = () => 1; it("opens", () => { expect(opened()).toBe(1); });', []],
  ['function suite(name) { test.each([1])(name, () => { expect(1).toBe(1); }); }', []],
  ['function outer() { function expectInner() { expect(1).toBe(1); } }', ['expectInner']],
])('a helper that asserts is found by its own assertions: %s', (code, found) => {
  expect(helpersIn(code)).toEqual(found);
});
