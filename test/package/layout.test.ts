import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { filesIn, packageFile, project } from './imports.ts';

// A file that outgrows this holds two concepts, and a reader pays for both.
const MOST_LINES = 350;

test.each(['widget', 'server', 'demo', 'build', 'test'])('no file in %s is longer than 350 lines', (area) => {
  const long = ['.ts', '.css', '.html']
    .flatMap((ending) => filesIn(area, ending))
    .map((file) => ({ file, lines: readFileSync(join(project, file), 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > MOST_LINES);
  expect(long).toEqual([]);
});

// Code may be wider where the formatter can't break it; prose can always be broken.
const COMMENT = /^\s*(?:\/\/|\/?\*)/;
// The linter reads an instruction from one line, and the manifest's analyzer keeps a line break in the texts that
// editors and tables show.
const ONE_LINE = /biome-ignore|^ \* @(?:attr|cssprop|csspart|cssState|fires|slot)\b/;

test('no comment is wider than 120 columns', () => {
  const wide = ['widget', 'server', 'demo', 'build', 'test'].flatMap((area) =>
    ['.ts', '.mts', '.mjs', '.tsx', '.css']
      .flatMap((ending) => filesIn(area, ending))
      .flatMap((file) =>
        readFileSync(join(project, file), 'utf8')
          .split('\n')
          .flatMap((line, i) =>
            line.length > 120 && COMMENT.test(line) && !ONE_LINE.test(line) ? [`${file}:${i + 1}`] : [],
          ),
      ),
  );
  expect(wide).toEqual([]);
});

/** Names of the npm scripts in the code blocks of a Markdown text. */
function scriptsIn(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/^```[^\n]*\n(.*?)^```/gms)].map(([, block]) => block ?? '');
  const commands = blocks.flatMap((block) => [...block.matchAll(/\bnpm (?:run ([\w:-]+)|(test|start)\b)/g)]);
  return [...new Set(commands.map(([, run, short]) => run ?? short ?? ''))];
}

test('the scripts of a code block are found, and those of prose are not', () => {
  expect(scriptsIn('Use `npm run prose`.\n```sh\nnpm ci && npm run demo\nnpm test\n```\n')).toEqual(['demo', 'test']);
});

const documents = ['README.md', 'CONTRIBUTING.md', ...filesIn('docs', '.md')].filter((file) =>
  existsSync(join(project, file)),
);

test.each(documents)('every relative link in %s leads to a file', (document) => {
  const text = readFileSync(join(project, document), 'utf8');
  const targets = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, target]) => target ?? '');
  expect(targets.filter((target) => !existsSync(join(project, dirname(document), target)))).toEqual([]);
});

test.each(['CONTRIBUTING.md', 'AGENTS.md', ...filesIn('docs/decisions', '.md')])(
  'every file of the project that %s names exists',
  (document) => {
    const text = readFileSync(join(project, document), 'utf8');
    const named = [...text.matchAll(/`((?:widget|server|demo|build|test|docs)\/[\w./-]+\.\w+)`/g)];
    expect(named.map(([, file]) => file ?? '').filter((file) => !existsSync(join(project, file)))).toEqual([]);
  },
);

// One page for five readers was too long for each of them; what is more belongs in docs/.
test('README has at most 200 lines', () => {
  expect(readFileSync(join(project, 'README.md'), 'utf8').split('\n').length).toBeLessThanOrEqual(201);
});

test.each(documents)('every npm script in the code blocks of %s exists', (document) => {
  const named = scriptsIn(readFileSync(join(project, document), 'utf8'));
  expect(named.filter((script) => !(script in packageFile.scripts))).toEqual([]);
});
