import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Window } from 'happy-dom';
import { describe, expect, it } from 'vitest';
import { documents } from '../../build/docs/documents.ts';
import { fillSnippets, snippetsIn } from '../../build/docs/snippets.ts';
import { project } from './imports.ts';

const read = (file: string) => readFileSync(join(project, file), 'utf8');

/** Every fence of a document, with what is above it. */
const fencesIn = (text: string) =>
  [...text.matchAll(/(?:^|\n)(.*)\n(?:> )?```(\w+)\n([\s\S]*?)\n(?:> )?```/g)].map(
    ([, above = '', language = '', code = '']) => ({
      isSnippet: above.includes('<!-- snippet: '),
      language,
      code,
    }),
  );

describe('code in the documents', () => {
  it('code in the documents is what its file has', () => {
    const stale = documents().filter((file) => fillSnippets(read(file), read) !== read(file));
    expect(stale, 'run: npm run snippets').toEqual([]);
  });

  it('code in the documents comes from a file that is run or compiled, if it is a program', () => {
    const programs = new Set(['js', 'ts', 'tsx', 'jsx', 'vue', 'svelte', 'python', 'php']);
    const loose = documents().flatMap((file) =>
      fencesIn(read(file)).flatMap(({ isSnippet, language, code }) =>
        programs.has(language) && !isSnippet ? [`${file}: ${code.split('\n')[0]}`] : [],
      ),
    );
    expect(loose).toEqual([]);
  });

  it('a whole page in the documents is laid out for a phone', () => {
    const whole = documents().flatMap((file) => fencesIn(read(file)).filter(({ code }) => /^<!doctype/i.test(code)));
    expect(whole).not.toEqual([]);
    for (const { code } of whole) expect(code).toContain('<meta name="viewport" content="width=device-width');
  });

  it('a program in the documents comes after a command that installs each package that it names', () => {
    const missing = fencesIn(read('docs/embed-server.md')).flatMap(({ language, code }, at, fences) => {
      if (language !== 'js') return [];
      const before = fences[at - 1]?.code ?? '';
      const names = [...code.matchAll(/ from '([^'.][^']*)'/g)].map(([, name = '']) => name);
      return names.filter((name) => !before.includes(` ${name}`) && !before.includes(`/${name}-`));
    });
    expect(missing).toEqual([]);
  });

  it('code in the documents is well-formed JSON, and HTML with attributes that the element has', () => {
    const manifest = JSON.parse(read('dist/custom-elements.json')) as {
      modules: { declarations?: { tagName?: string; attributes?: { name: string }[] }[] }[];
    };
    const element = manifest.modules
      .flatMap(({ declarations = [] }) => declarations)
      .find(({ tagName }) => tagName === 'finix-bank-connect');
    const known = new Set([
      ...(element?.attributes ?? []).map(({ name }) => name),
      'id',
      'class',
      'style',
      'lang',
      'dir',
    ]);
    for (const file of documents()) {
      for (const { language, code } of fencesIn(read(file))) {
        if (language === 'json') expect(() => JSON.parse(code), `${file}: ${code}`).not.toThrow();
        if (language !== 'html') continue;
        const { document } = new Window();
        document.body.innerHTML = code;
        for (const tag of document.querySelectorAll('finix-bank-connect')) {
          expect([file, tag.getAttributeNames().filter((name) => !known.has(name))]).toEqual([file, []]);
        }
      }
    }
  });

  it('code in the documents names only commands that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const file of documents()) {
      const named = [...read(file).matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name]) => name ?? '');
      expect([file, named.filter((name) => !(name in scripts))]).toEqual([file, []]);
    }
  });

  it('code in the documents is cut out of its file without the indentation of its surroundings', () => {
    const text = 'a {\n  // #region x\n  one;\n    two;\n  // #endregion\n}';
    const markdown = '> <!-- snippet: a.ts#x -->\n> ```ts\n> old\n> ```';
    expect(fillSnippets(markdown, () => text)).toBe('> <!-- snippet: a.ts#x -->\n> ```ts\n> one;\n>   two;\n> ```');
    expect(snippetsIn(markdown)).toEqual([{ file: 'a.ts', region: 'x', language: 'ts', code: 'old\n' }]);
    expect(() => fillSnippets('<!-- snippet: a.ts#y -->\n```ts\n```', () => text)).toThrow('a.ts has no region y');
  });
});
