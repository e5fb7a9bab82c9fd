import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { patient } from '../helpers/patience.mjs';
import { project } from './imports.ts';

// Each framework's own compiler reads a page that is right and one that is full of mistakes. A failure means that a
// merchant who writes what the README shows sees an error, or that their mistake goes unseen. The types are those that
// were built: run `npm run build` first.
const fixtures = join(project, 'test', 'package', 'frameworks');
const ours = createRequire(join(project, 'package.json'));
const theirs = createRequire(join(fixtures, 'compilers', 'package.json'));
const bin = (resolve: NodeJS.Require, name: string, path: string) =>
  join(dirname(resolve.resolve(`${name}/package.json`)), path);

// Compilers take 1 to 7 s on an idle machine with two cores, and here all of them run at once.
const timeout = patient(120_000);

function run(...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      { cwd: project, env: { PATH: process.env['PATH'], NO_COLOR: '1' } },
      (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code) : 0, output: stripVTControlCharacters(stdout + stderr) });
      },
    );
  });
}

describe.concurrent('a wrong attribute or event is an error, and a right one is none', () => {
  // Their mistakes are marked as expected: one that is not found is an error too.
  test.each(['react', 'react-18', 'preact', 'solid'])('in the JSX of %s', { timeout }, async (name) => {
    const typescript = bin(ours, 'typescript', 'bin/tsc');
    expect(await run(typescript, '-p', join(fixtures, name))).toEqual({ code: 0, output: '' });
  });

  test('in templates of Vue a wrong attribute or event is an error, and a right one is none', { timeout }, async () => {
    // The newest TypeScript lets nothing be built upon it, so the checker is handed an older one.
    const typescript = bin(theirs, 'typescript', 'lib/tsc.js');
    const checker = createRequire(ours.resolve('vue-tsc/package.json')).resolve('vue-tsc');
    const program =
      'const [checker, typescript] = process.argv.splice(1, 2, "vue-tsc"); require(checker).run(typescript)';
    expect(await run('-e', program, '--', checker, typescript, '-p', join(fixtures, 'vue'))).toEqual({
      code: 0,
      output: '',
    });
  });

  test('in components of Svelte a wrong attribute or event is an error, and a right one is none', {
    timeout,
  }, async () => {
    const checker = bin(theirs, 'svelte-check', 'bin/svelte-check');
    const folder = join(fixtures, 'svelte');
    const { output } = await run(
      checker,
      '--workspace',
      folder,
      '--tsconfig',
      './tsconfig.json',
      '--output',
      'machine',
    );
    expect(output).toContain('COMPLETED');
    expect(
      [...output.matchAll(/ (?:ERROR|WARNING) "([^"]+)" (\d+):/g)].map(([, file, line]) => `${file}:${line}`),
    ).toEqual(['Wrong.svelte:5', 'Wrong.svelte:6', 'Wrong.svelte:7', 'Wrong.svelte:8']);
  });

  test('in templates of Angular a wrong event or reference is an error, and a right one is none', {
    timeout,
  }, async () => {
    const compiler = bin(theirs, '@angular/compiler-cli', 'bundles/src/bin/ngc.js');
    const { output } = await run(compiler, '-p', join(fixtures, 'angular'));
    expect([...output.matchAll(/(\w+\.ts):(\d+):\d+ - error/g)].map(([, file, line]) => `${file}:${line}`)).toEqual([
      'wrong.ts:8',
      'wrong.ts:9',
      'wrong.ts:11',
    ]);
  });
});
