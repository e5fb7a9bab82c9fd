import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'vite';
import { expect, test } from 'vitest';
import { filesIn, project } from './imports.ts';

/** A test whose helper asserts must show it: otherwise its body seems to check nothing. */

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

interface Node {
  type?: string;
  name?: string;
  id?: Node | null;
  init?: Node | null;
  body?: unknown;
  callee?: Node;
  object?: Node;
}

/** Whether it calls `expect` itself; what a function within it does is that function's. */
function asserts(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(asserts);
  if (typeof value !== 'object' || value === null) return false;
  const node = value as Node;
  if (node.type === 'FunctionDeclaration') return false;
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

test('every helper of the server’s and the simulator’s tests that asserts is called expect…', () => {
  const files = ['test/server', 'test/simulator', 'test/helpers'].flatMap((folder) => filesIn(folder, '.ts'));
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
  ['function outer() { function expectInner() { expect(1).toBe(1); } }', ['expectInner']],
])('a helper that asserts is found by its own assertions: %s', (code, found) => {
  expect(helpersIn(code)).toEqual(found);
});
