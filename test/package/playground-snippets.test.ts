import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forDemo } from '../../demo/playground/for-demo.ts';
import { DEFAULTS, type Options } from '../../demo/playground/options.ts';
import { writeSnippet } from '../../demo/playground/write-snippet.ts';
import { type RunningDemo, startDemo } from '../../demo/start-demo.ts';
import { hasPhp } from '../helpers/has-php.ts';
import { patient } from '../helpers/patience.mjs';
import { project } from './imports.ts';

// What the playground hands out, as it is and with everything changed: read by the compilers of its frameworks, and run
// against a server. A failure means that a visitor leaves with code that does not work. Needs what was built: run `npm
// run build` first.
const source = (file: string) => readFileSync(join(project, 'demo/playground/snippets', file), 'utf8');
const CHANGED: Options = {
  ...DEFAULTS,
  accent: '#5b2a86',
  radius: '4',
  language: 'de',
  direction: 'ltr',
  scheme: 'dark',
  mode: 'embedded',
  accounts: 'multiple',
  authorization: 'I authorize "Kestrel" to debit Maya’s and Ana\'s account.',
  ownership: 'require',
};
const VARIANTS = [
  ['as it is', DEFAULTS],
  ['with everything changed', CHANGED],
] as const;
const ours = createRequire(join(project, 'package.json'));
const theirs = createRequire(join(project, 'test/package/frameworks/compilers/package.json'));
const bin = (resolve: NodeJS.Require, name: string, path: string) =>
  join(dirname(resolve.resolve(`${name}/package.json`)), path);
const timeout = patient(120_000);

let folder = '';
beforeAll(() => {
  mkdirSync(join(project, 'test-results'), { recursive: true });
  // Within the project, so that the package finds itself by its name.
  folder = mkdtempSync(join(project, 'test-results', 'snippets-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A project with these files. */
function place(name: string, files: Record<string, string>, compilerOptions: object = {}): string {
  const at = join(folder, name);
  const tsconfig = {
    extends: join(project, 'test/package/frameworks/base.json'),
    compilerOptions,
    vueCompilerOptions: { strictTemplates: true },
    include: ['.'],
  };
  for (const [file, text] of Object.entries({ 'tsconfig.json': JSON.stringify(tsconfig), ...files })) {
    mkdirSync(dirname(join(at, file)), { recursive: true });
    writeFileSync(join(at, file), text);
  }
  return at;
}

/** The files of each variant in a folder of its own. */
function inEachVariant(files: (options: Options) => Record<string, string>): Record<string, string> {
  const named = VARIANTS.flatMap(([variant, options]) =>
    Object.entries(files(options)).map(([file, text]) => [`${variant.replaceAll(' ', '-')}/${file}`, text] as const),
  );
  return Object.fromEntries(named);
}

function run(
  command: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; output: string }> {
  const environment = { PATH: process.env['PATH'], HOME: process.env['HOME'], NO_COLOR: '1', ...env };
  return new Promise((resolve) => {
    execFile(command, args, { cwd: project, env: environment }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, output: stripVTControlCharacters(stdout + stderr) });
    });
  });
}

// A compiler takes most of its time to start: it reads both variants at once.
describe('as it is and with everything changed', () => {
  test('the snippets of React and Next.js compile', { timeout }, async () => {
    const at = place(
      'react',
      inEachVariant((options) => ({
        'react.tsx': writeSnippet(source('react.tsx'), 'jsx', options),
        'next.tsx': writeSnippet(source('next.tsx'), 'jsx', options),
        'create-session.ts': 'export declare function createSession(): Promise<{ client_secret: string }>;',
      })),
      { jsx: 'react-jsx' },
    );
    expect(await run(process.execPath, [bin(ours, 'typescript', 'bin/tsc'), '-p', at])).toEqual({
      code: 0,
      output: '',
    });
  });

  test('the snippet of Vue compiles', { timeout }, async () => {
    const written = inEachVariant((options) => ({ 'Page.vue': writeSnippet(source('vue.vue'), 'markup', options) }));
    const at = place('vue', written, { jsx: 'preserve' });
    const typescript = bin(theirs, 'typescript', 'lib/tsc.js');
    const checker = createRequire(ours.resolve('vue-tsc/package.json')).resolve('vue-tsc');
    const program =
      'const [checker, typescript] = process.argv.splice(1, 2, "vue-tsc"); require(checker).run(typescript)';
    expect(await run(process.execPath, ['-e', program, '--', checker, typescript, '-p', at])).toEqual({
      code: 0,
      output: '',
    });
  });

  test('the snippet of Svelte compiles', { timeout }, async () => {
    const written = inEachVariant((options) => ({
      'Page.svelte': writeSnippet(source('svelte.svelte'), 'markup', options),
    }));
    const at = place(
      'svelte',
      {
        ...written,
        'svelte.config.js': readFileSync(join(project, 'test/package/frameworks/svelte/svelte.config.js'), 'utf8'),
      },
      { verbatimModuleSyntax: true },
    );
    const checker = bin(theirs, 'svelte-check', 'bin/svelte-check');
    const { output } = await run(process.execPath, [
      checker,
      '--workspace',
      at,
      '--tsconfig',
      './tsconfig.json',
      '--output',
      'machine',
    ]);
    expect(output).toMatch(/ COMPLETED \d+ FILES 0 ERRORS /);
    expect(output).not.toMatch(/ ERROR /);
  });
});

describe('A session', () => {
  let demo: RunningDemo;
  let env: Record<string, string>;
  beforeAll(async () => {
    let key = '';
    demo = await startDemo({
      adjust: (config) => {
        [key = ''] = config.merchantApiKeys;
      },
    });
    env = { CONNECT_URL: demo.connectUrl, MERCHANT_API_KEY: key };
  });
  afterAll(() => demo?.close());

  const isInstalled = (command: string) => {
    try {
      execFileSync(command, ['--version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };

  describe.each(VARIANTS)('%s', (_variant, options) => {
    const written = (file: string) => writeSnippet(source(file), 'session', options);
    async function expectSession(output: string): Promise<void> {
      const secret = /ses_[\w-]+_secret_[\w-]+/.exec(output)?.[0] ?? '';
      expect(secret, output).not.toBe('');
      const session = await fetch(`${demo.connectUrl}/v1/sessions/${secret.split('_secret_')[0]}`, {
        headers: { Authorization: `Bearer ${env['MERCHANT_API_KEY']}` },
      });
      const { customer_id, account_selection, authorization } = (await session.json()) as Record<string, unknown>;
      expect(customer_id).toBe('cus_1042');
      if (account_selection !== undefined) expect(account_selection).toBe(options.accounts);
      if (options.authorization && authorization) expect(authorization).toMatchObject({ text: options.authorization });
    }

    test('is made by the snippet of Node', async () => {
      const at = place('node', { 'session.mjs': written('session.mjs') });
      await expectSession((await run(process.execPath, [join(at, 'session.mjs')], env)).output);
    });
    // As a visitor does it: the file saved under the name in its first line, which is also the command.
    for (const [file, command, first] of [
      ['session.mjs', 'node', /^\/\/ (.*)$/],
      ['session.py', 'python3', /^# (.*)$/],
      ['session.php', 'php', /^<\?php \/\/ (.*)$/],
      ['session.sh', 'curl', undefined],
    ] as const) {
      const isRunnable = command === 'node' || (command === 'php' ? hasPhp : isInstalled(command));
      test.skipIf(!isRunnable)(`is made by ${file} as it is for the running demo, by its own first line`, async () => {
        const server = {
          connectUrl: demo.connectUrl,
          linkScriptUrl: demo.simulator?.linkScriptUrl ?? '',
          merchantKey: env['MERCHANT_API_KEY'] ?? '',
        };
        const text = forDemo(written(file), 'session', server);
        const at = place(`demo-${file}`, { [file]: text });
        const line = first === undefined ? `. ./${file}` : (first.exec(text.split('\n')[0] ?? '')?.[1] ?? '');
        const script = `PATH="${dirname(process.execPath)}:$PATH"; cd '${at}' && ${line}`;
        await expectSession((await run('sh', ['-c', script])).output);
      });
    }
    test.skipIf(!isInstalled('curl'))('is made by the snippet of curl', async () => {
      await expectSession((await run('sh', ['-c', written('session.sh')], env)).output);
    });
    test.skipIf(!isInstalled('python3'))('is made by the snippet of Python', async () => {
      await expectSession((await run('python3', ['-c', written('session.py')], env)).output);
    });
    test.skipIf(!hasPhp)('is made by the snippet of PHP', async () => {
      const at = place('php', { 'session.php': written('session.php') });
      await expectSession((await run('php', [join(at, 'session.php')], env)).output);
    });
  });
});

test('For the running demo a snippet names nothing of another server, and the simulator’s Link', () => {
  const server = {
    connectUrl: 'http://127.0.0.1:1',
    linkScriptUrl: 'http://127.0.0.1:2/link/link-initialize.js',
    merchantKey: 'key',
  };
  const kinds = {
    'csp.txt': 'policy',
    'next.tsx': 'jsx',
    'react.tsx': 'jsx',
    'script-tag.html': 'markup',
    'svelte.svelte': 'markup',
    'vue.vue': 'markup',
  } as const;
  for (const [file, kind] of Object.entries(kinds)) {
    const text = forDemo(writeSnippet(source(file), kind, DEFAULTS), kind, server);
    expect(text, file).not.toMatch(/connect\.example|plaid\.com|\{\{client-secret/);
    expect(text, file).toContain(server.connectUrl);
    expect(text, file).toContain(server.linkScriptUrl);
  }
});

test('With nothing changed each snippet is its file, without the mark for a theme', () => {
  for (const [file, kind] of [
    ['react.tsx', 'jsx'],
    ['vue.vue', 'markup'],
    ['session.py', 'session'],
    ['csp.txt', 'policy'],
  ] as const) {
    expect(writeSnippet(source(file), kind, DEFAULTS)).toBe(source(file));
  }
  expect(writeSnippet(source('script-tag.html'), 'markup', DEFAULTS)).not.toContain('<!-- theme -->');
});

test('The script tag carries what was changed, and its theme', () => {
  const text = writeSnippet(source('script-tag.html'), 'markup', CHANGED);
  expect(text).toContain('--fbc-accent: #5b2a86;');
  expect(text).toContain('<finix-bank-connect name="bank_account" mode="embedded" lang="de" dir="ltr" theme="dark"');
});

test('The policy names the hosts that docs/security.md asks for', () => {
  const hosts = (text: string) =>
    [...new Set(text.match(/https:\/\/[\w./-]+/g))].map((host) =>
      host.replace('connect.merchant.example', 'connect.example'),
    );
  const documented =
    /```\nscript-src[\s\S]*?```/.exec(readFileSync(join(project, 'docs/security.md'), 'utf8'))?.[0] ?? '';
  expect(hosts(source('csp.txt')).sort()).toEqual(hosts(documented).sort());
});
