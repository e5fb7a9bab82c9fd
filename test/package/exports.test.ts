import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { build } from 'vite';
import { beforeAll, expect, test } from 'vitest';
import { patient } from '../helpers/patience.mjs';
import { packageFile, project } from './imports.ts';

const { exports } = packageFile;

beforeAll(() => {
  if (!existsSync(join(project, 'dist'))) throw new Error('These tests are about what was built. Run: npm run build');
});

const paths = Object.entries(exports).flatMap(([name, target]) =>
  (typeof target === 'string' ? [target] : Object.values(target)).map((path) => [name, path] as const),
);

test.each(paths)('"%s" leads to %s, which exists', (_name, path) => {
  expect(existsSync(join(project, path))).toBe(true);
});

test('the React wrapper marks itself as client code, so that a server component can render it', () => {
  const code = readFileSync(join(project, 'dist/widget/react.js'), 'utf8');
  expect(code).toMatch(/^['"]use client['"];/);
});

// The script-tag bundle brings the browser's Lit along and is for pages only.
const importable = Object.keys(exports).filter(
  // Of the framework's types nothing is left when the program runs.
  (name) => !name.endsWith('.js') && !name.endsWith('.json') && !name.startsWith('./jsx/'),
);

test.each(importable)(
  'importing "%s" in plain Node works, and neither keeps it running nor prints anything',
  async (name) => {
    const specifier = name.replace(/^\./, 'finix-bank-connect');
    const code = `const module = await import('${specifier}'); if (Object.keys(module).length === 0) throw new Error('exports nothing');`;
    // A merchant's server imports packages without any of our settings, and without a window.
    const { PATH } = process.env;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], {
      cwd: project,
      env: { PATH },
      timeout: patient(15_000),
    });
    expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
  },
);

test('a merchant whose page only imports the package gets the tag registered, however hard the bundler shakes', async () => {
  const shop = await mkdtemp(join(tmpdir(), 'finix-bank-connect-shop-'));
  try {
    await mkdir(join(shop, 'node_modules'));
    await symlink(project, join(shop, 'node_modules', 'finix-bank-connect'), 'junction');
    await writeFile(join(shop, 'page.js'), `import 'finix-bank-connect';\n`);
    const result = await build({
      root: shop,
      configFile: false,
      logLevel: 'silent',
      build: { write: false, minify: false, rolldownOptions: { input: join(shop, 'page.js') } },
    });
    if (!('output' in result)) throw new Error('The build gave no output.');
    const code = result.output.map((file) => (file.type === 'chunk' ? file.code : '')).join('\n');
    expect(code).toMatch(/registry\.define\(|customElements\.define\(/);
  } finally {
    await rm(shop, { recursive: true });
  }
});

test('publint reports nothing about the package', async () => {
  const { messages, pkg } = await publint({ pkgDir: project, level: 'warning', strict: true });
  expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
});
