import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { patient } from '../helpers/patience.mjs';
import { freshClone } from './fresh-clone.ts';
import { packageFile, project } from './imports.ts';
import { install, packBoth, readTarball, type ShopProject, tarballsIn } from './installed.ts';
import { CHECK_OWN, CONNECT, writeServerProgram } from './merchant-programs.ts';

const run = promisify(execFile);

let folder: string;
let tarballs: { widget: string; server: string };
/** By what they have installed, which takes longer than most tests. Each test brings the files that it reads. */
const projects = new Map<string, Promise<ShopProject>>();
const shopWith = (tarball: string, extra: string[] = []): Promise<ShopProject> => {
  const key = [tarball, ...extra].join();
  const shop = projects.get(key) ?? install([tarball], extra);
  projects.set(key, shop);
  return shop;
};

beforeAll(async () => {
  if (!existsSync(join(project, 'dist'))) throw new Error('These tests are about what was built. Run: npm run build');
  folder = await mkdtemp(join(tmpdir(), 'fbc-packages-'));
  tarballs = await packBoth(folder);
  // Packing takes seconds, and on a busy machine many times as long.
}, patient(90_000));
afterAll(async () => {
  for (const shop of projects.values()) await (await shop).remove();
  await rm(folder, { recursive: true, force: true });
});

it('the package of the element takes the copy of Lit that an app has, and any version of Node', async () => {
  const files = await readTarball(tarballs.widget);
  const manifest = JSON.parse(String(files.get('package.json')));
  expect(manifest.dependencies).toEqual({ lit: '^3.3' });
  expect(manifest).not.toHaveProperty('engines');
  const server = JSON.parse(String((await readTarball(tarballs.server)).get('package.json')));
  expect(server.engines).toEqual(packageFile.engines);
});

describe.each(['widget', 'server'] as const)('the package of the %s', (name) => {
  it('gives publint nothing to report', async () => {
    const shop = await shopWith(tarballs[name]);
    const manifest = packageNames[name];
    const { messages, pkg } = await publint({
      pkgDir: join(shop.folder, 'node_modules', manifest),
      level: 'suggestion',
      strict: true,
      pack: false,
    });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  it('has its license, its changes, its documents, and nothing that only a clone needs', async () => {
    const files = await readTarball(tarballs[name]);
    expect([...files.keys()]).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'CHANGELOG.md', 'docs/operations.md', 'AGENTS.md', 'llms.txt']),
    );
    const manifest = JSON.parse(String(files.get('package.json')));
    for (const field of ['scripts', 'devDependencies', 'workspaces', 'overrides', 'serverPackage', '//overrides']) {
      expect(manifest).not.toHaveProperty(field);
    }
    expect(manifest).toMatchObject({ version: packageFile.version, license: 'MIT', type: 'module' });
  });

  it('has every file that its documents link to', async () => {
    const files = await readTarball(tarballs[name]);
    const names = [...files.keys()];
    const links = [...files]
      .filter(([file]) => /^(?:docs\/.+|[^/]+)\.(?:md|txt)$/.test(file))
      .flatMap(([file, content]) =>
        [...String(content).matchAll(/\]\((?!\w+:)([^)#\s]+)/g)].map(([, link = '']) => ({
          file,
          target: posix.join(posix.dirname(file), link),
        })),
      );
    expect(links.length).toBeGreaterThan(50);
    const isThere = (target: string) => names.some((one) => one === target || one.startsWith(`${target}/`));
    expect(links.filter(({ target }) => !isThere(target))).toEqual([]);
  });

  it('leads from every export to a file that is there', async () => {
    const files = await readTarball(tarballs[name]);
    const { exports, bin = {} } = JSON.parse(String(files.get('package.json')));
    const targets = [...Object.values<string | Record<string, string>>(exports), bin].flatMap((target) =>
      typeof target === 'string' ? [target] : Object.values(target as Record<string, string>),
    );
    expect(targets.filter((target) => !files.has(target.replace('./', '')))).toEqual([]);
  });
});

const namesOf = (files: Map<string, Buffer>) => [...files.keys()].sort();

it('a fresh clone makes whole packages by `npm run pack` and by `npm pack`', {
  timeout: patient(60_000),
}, async () => {
  const clone = await freshClone(folder);
  await run('npm', ['pack', '--offline'], { cwd: clone });
  const widget = await readTarball(tarballs.widget);
  const short = await readTarball(tarballsIn(clone).widget);
  expect(namesOf(short)).toEqual(namesOf(widget));
  const manifestOf = (files: Map<string, Buffer>) => JSON.parse(String(files.get('package.json')));
  for (const field of ['name', 'version', 'exports', 'dependencies', 'peerDependencies', 'files']) {
    expect(manifestOf(short)[field]).toEqual(manifestOf(widget)[field]);
  }

  // Without the build that npm would run first, as it just did.
  await run('npm', ['run', 'pack', '--ignore-scripts'], { cwd: clone });
  const packed = tarballsIn(join(clone, 'dist', 'packages'));
  for (const name of ['widget', 'server'] as const) {
    expect(namesOf(await readTarball(packed[name]))).toEqual(namesOf(await readTarball(tarballs[name])));
  }
});

/** The newest one has no `moduleResolution: node` any more. */
const OLDER_COMPILER = join(
  project,
  ...['test', 'package', 'frameworks', 'compilers', 'node_modules', 'typescript', 'lib', 'tsc.js'],
);

/** Types that several files use are checked once, where four threads would each check them. */
const NEWEST_COMPILER = [join(project, 'node_modules', 'typescript', 'bin', 'tsc'), '--singleThreaded'];

const packageNames = { widget: 'finix-bank-connect', server: packageFile.serverPackage.name };

describe('a page that installs the element', () => {
  it('a page that installs the element gets at most 8 packages and 8 MB, and nothing of the server', async () => {
    const shop = await shopWith(tarballs.widget);
    expect(shop.weight.packages.length).toBeLessThanOrEqual(8);
    expect(shop.weight.bytes).toBeLessThanOrEqual(8_000_000);
    expect(shop.weight.packages).toEqual(expect.arrayContaining(['finix-bank-connect', 'lit']));
    const files = await readTarball(tarballs.widget);
    const code = [...files].filter(([file]) => file.endsWith('.js')).map(([, content]) => String(content));
    for (const word of ['kysely', '@hono/', 'processor/token/create']) {
      expect(code.filter((text) => text.includes(word))).toEqual([]);
    }
  });

  it('a page that installs the element can import everything but the script tag’s bundle in plain Node, where nothing is printed', async () => {
    const shop = await shopWith(tarballs.widget, ['react']);
    const names = Object.keys(packageFile.exports).filter(
      (name) => !/\.js(on)?$/.test(name) && !name.startsWith('./jsx/'),
    );
    for (const name of names) {
      const specifier = name.replace(/^\./, 'finix-bank-connect');
      const code = `if (Object.keys(await import('${specifier}')).length === 0) throw new Error('exports nothing');`;
      expect([name, await shop.node(['--input-type=module', '-e', code])]).toEqual([name, { code: 0, output: '' }]);
    }
  });

  it.each(['nodenext', 'bundler'])(
    'gets types that a strict compiler accepts (%s)',
    { timeout: patient(60_000) },
    async (resolution) => {
      const shop = await shopWith(tarballs.widget, ['react', '@types/react']);
      await shop.write(
        'page.tsx',
        `import { FinixBankConnect } from 'finix-bank-connect/react';
       import { createConnect } from 'finix-bank-connect/headless';
       import type {} from 'finix-bank-connect/jsx/react';
       import 'finix-bank-connect';
       export const element = document.querySelector('finix-bank-connect');
       element?.addEventListener('fbc-connected', (event) => event.detail.connections.map(({ id }) => id.length));
       // @ts-expect-error: there is no such property
       element?.nothing;
       export const button = <FinixBankConnect required onConnected={(event) => event.detail.connections.length} />;
       export const controller = createConnect;`,
      );
      const module = resolution === 'bundler' ? 'esnext' : 'nodenext';
      const options = {
        strict: true,
        skipLibCheck: false,
        noEmit: true,
        jsx: 'react-jsx',
        types: [],
        target: 'es2022',
      };
      await shop.write(
        'tsconfig.json',
        JSON.stringify({ compilerOptions: { ...options, module, moduleResolution: resolution } }),
      );
      expect(await shop.node([...NEWEST_COMPILER, '-p', '.'])).toEqual({ code: 0, output: '' });
    },
  );

  it('gets types also from a compiler that reads no exports', { timeout: patient(120_000) }, async () => {
    const shop = await shopWith(tarballs.widget, ['react', '@types/react']);
    await shop.write(
      'page.tsx',
      `import type { Connection } from 'finix-bank-connect';
       import type { FinixBankConnect as Class } from 'finix-bank-connect/element';
       import { FinixBankConnect } from 'finix-bank-connect/react';
       import { createConnect } from 'finix-bank-connect/headless';
       import { createClient } from 'finix-bank-connect/client';
       import type {} from 'finix-bank-connect/jsx/react';
       import 'finix-bank-connect/finix-bank-connect.js';
       export const element: Class | null = document.querySelector('finix-bank-connect');
       element?.addEventListener('fbc-connected', (event) => event.detail.connections.map(({ id }: Connection) => id.length));
       // @ts-expect-error: there is no such property
       element?.nothing;
       // @ts-expect-error: there is no such option
       createConnect({ nothing: true });
       // @ts-expect-error: there is no such option
       createClient({ nothing: true });
       export const button = <FinixBankConnect required onConnected={(event) => event.detail.connections.length} />;`,
    );
    const options = { strict: true, skipLibCheck: false, noEmit: true, jsx: 'react-jsx', types: [], target: 'es2022' };
    await shop.write(
      'tsconfig.json',
      JSON.stringify({ compilerOptions: { ...options, module: 'esnext', moduleResolution: 'node10' } }),
    );
    expect(await shop.node([OLDER_COMPILER, '-p', '.'])).toEqual({ code: 0, output: '' });
  });

  it.each(['widget', 'server'] as const)(
    'the %s package has the license of everything that its scripts bundle',
    async (name) => {
      const files = await readTarball(tarballs[name]);
      const script = String(files.get('dist/cdn/THIRD-PARTY-LICENSES.txt'));
      for (const bundled of ['lit 3', 'lit-html 3', 'lit-element 4', '@lit/reactive-element 2'])
        expect(script).toContain(`${bundled}.`);
      expect(script.match(/Copyright \(c\) \d+ Google LLC/g)).toHaveLength(4);
      const pages = String(files.get('dist/demo/static/THIRD-PARTY-LICENSES.txt'));
      if (name === 'server') expect(pages).toMatch(/^hono 4[\s\S]*MIT License/m);
    },
  );

  it('a page that installs the element gets a script whose hash is the one that is written down', async () => {
    const files = await readTarball(tarballs.widget);
    const { file, integrity } = JSON.parse(String(files.get('dist/cdn/integrity.json'))).pinned;
    const hash = createHash('sha384')
      .update(files.get(`dist/cdn/${file}`) ?? '')
      .digest('base64');
    expect(integrity).toBe(`sha384-${hash}`);
  });
});

describe('a merchant who installs the server', () => {
  it('the installed command prints what it can do, and which settings are missing', async () => {
    const shop = await shopWith(tarballs.server);
    const command = join(shop.folder, 'node_modules', '.bin', 'finix-bank-connect-server');
    const help = await shop.node([command, '--help']);
    expect(help).toMatchObject({ code: 0, output: expect.stringContaining('PLAID_CLIENT_ID (required)') });
    const refusal = await shop.node([command]);
    expect(refusal).toMatchObject({ code: 1, output: expect.stringContaining('ENCRYPTION_KEY is missing') });
  });

  it.each(['nodenext', 'bundler'])(
    'an installed server has types that a strict compiler accepts, with Node’s types alone (%s)',
    { timeout: patient(120_000) },
    async (resolution) => {
      const shop = await shopWith(tarballs.server, ['@types/node']);
      await writeServerProgram(shop, resolution);
      const { code, output } = await shop.node([...NEWEST_COMPILER, '-p', '.']);
      // Declarations of others are theirs to keep; ours must be right under every setting.
      const own = output
        .split('\n')
        .filter((line) => /^(node_modules\/finix-bank-connect-server|server\.ts)/.test(line));
      expect([own, code === 0 || output.includes('node_modules/')]).toEqual([[], true]);
    },
  );

  it('an installed server has types that a strict compiler accepts, with Node’s types alone (node10)', {
    timeout: patient(120_000),
  }, async () => {
    const shop = await shopWith(tarballs.server, ['@types/node']);
    await writeServerProgram(shop, 'node10');
    await shop.write('check.cjs', CHECK_OWN);
    expect(await shop.node(['check.cjs', OLDER_COMPILER])).toEqual({ code: 0, output: 'checked\n' });
  });

  it('an installed server connects a bank on the package’s own simulator', { timeout: patient(60_000) }, async () => {
    const shop = await shopWith(tarballs.server);
    await shop.write('connect.js', CONNECT);
    expect(await shop.node(['connect.js'])).toEqual({ code: 0, output: 'completed active PI\n' });
  });
});
