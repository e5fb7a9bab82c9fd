import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { patient } from '../helpers/patience.mjs';
import { packageFile, project } from './imports.ts';

/** The conditions by which the bundlers of edge runtimes choose a package's files. */
const RUNTIMES = {
  'Cloudflare Workers': ['workerd', 'worker', 'browser'],
  'the edge runtime of Next.js': ['edge-light', 'worker', 'browser'],
};
const modules = Object.keys(packageFile.exports).filter(
  (name) => !/\.js(on)?$/.test(name) && !name.startsWith('./jsx/'),
);

let app: string;

beforeAll(async () => {
  if (!existsSync(join(project, 'dist/widget/edge')))
    throw new Error('This test is about what was built. Run: npm run build');
  app = await mkdtemp(join(tmpdir(), 'fbc-edge-'));
  await mkdir(join(app, 'node_modules'));
  for (const [name, target] of [
    ['finix-bank-connect', project],
    ['react', join(project, 'node_modules/react')],
    ['react-dom', join(project, 'node_modules/react-dom')],
  ] as const) {
    await symlink(target, join(app, 'node_modules', name), 'junction');
  }
});
afterAll(() => rm(app, { recursive: true, force: true }));

/** What a module's code returns in a runtime that has JavaScript and nothing of a browser's or of Node's. */
async function expectRunAtEdge(conditions: string[], code: string): Promise<unknown> {
  const file = join(app, 'worker.js');
  await writeFile(file, code);
  const result = await build({
    root: app,
    configFile: false,
    logLevel: 'silent',
    resolve: { conditions },
    define: { 'process.env.NODE_ENV': '"production"' },
    build: {
      write: false,
      minify: false,
      target: 'es2022',
      lib: { entry: file, formats: ['iife'], name: 'worker', fileName: 'worker' },
    },
  });
  const [
    {
      output: [chunk],
    },
  ] = result as unknown as [{ output: [{ code: string }] }];
  const { setTimeout, clearTimeout, URL, URLSearchParams, AbortController, TextEncoder } = globalThis;
  const context = createContext({ setTimeout, clearTimeout, URL, URLSearchParams, AbortController, TextEncoder });
  expect(runInContext('[typeof HTMLElement, typeof document, typeof window, typeof process].join()', context)).toBe(
    'undefined,undefined,undefined,undefined',
  );
  return runInContext(`${chunk.code}; worker`, context);
}

describe.each(Object.entries(RUNTIMES))('in %s', (_name, conditions) => {
  test.each(modules)(
    'importing "%s" throws nothing, and gives what it gives elsewhere',
    {
      timeout: patient(60_000),
    },
    async (name) => {
      const specifier = name.replace(/^\./, 'finix-bank-connect');
      const found = (await expectRunAtEdge(conditions, `export * from '${specifier}';`)) as object;
      const elsewhere = (await import(
        join(project, (packageFile.exports as Exports)[name]?.['default'] ?? '')
      )) as object;
      expect(Object.keys(found).sort()).toEqual(Object.keys(elsewhere).sort());
    },
  );

  test('the React wrapper renders the tag with its place', { timeout: patient(60_000) }, async () => {
    const code = `import { createElement } from 'react';
      import { renderToString } from 'react-dom/server.edge';
      import { FinixBankConnect } from 'finix-bank-connect/react';
      export const html = renderToString(createElement(FinixBankConnect, { name: 'bank', id: 'refund' }));`;
    const { html } = (await expectRunAtEdge(conditions, code)) as { html: string };
    expect(html).toMatch(
      /^<finix-bank-connect id="refund" style="display:block;min-block-size:100px"><\/finix-bank-connect>$/,
    );
  });

  test('the element of a server has the tag’s attributes, and nothing is asked of a page', {
    timeout: patient(60_000),
  }, async () => {
    const code = `import { FinixBankConnect } from 'finix-bank-connect';
      export const attributes = FinixBankConnect.observedAttributes;`;
    const { attributes } = (await expectRunAtEdge(conditions, code)) as { attributes: string[] };
    expect([...attributes]).toEqual(expect.arrayContaining(['client-secret', 'required', 'mode']));
  });
});

type Exports = Record<string, Record<string, string>>;
