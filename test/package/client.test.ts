import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'vite';
import { expect, test } from 'vitest';
import { importsOf, project } from './imports.ts';

// The client runs where neither Node nor a browser is: workers, Deno, Bun.
const file = join(project, 'dist', 'widget', 'client.js');
const read = () => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error('This test is about what was built. Run: npm run build', { cause: error });
  }
};

test('the client imports nothing', () => {
  expect(importsOf(file, read())).toEqual([]);
});

test.each(['process.', ' Buffer', 'require(', 'document.', 'window.', 'localStorage'])(
  'the client needs no %s',
  (word) => {
    expect(read()).not.toContain(word);
  },
);

test('the client is at most 3 kB, minified and compressed', async () => {
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: true,
      lib: { entry: file, formats: ['es'] },
      // A library keeps its white space unless the output itself is minified.
      rolldownOptions: { output: { minify: true } },
    },
  });
  const [output] = Array.isArray(result) ? result : [result];
  if (!output || !('output' in output)) throw new Error('The build gave no output.');
  expect(brotliCompressSync(output.output[0].code).length).toBeLessThanOrEqual(3_000);
});
