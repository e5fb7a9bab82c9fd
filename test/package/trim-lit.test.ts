import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lackingPart, trimmedLit } from '../../build/trim-lit.ts';
import { project } from './imports.ts';

/** A module whose template has a value in some places. */
const module = (template: string) =>
  `import { html } from 'lit';\nexport const part = (value) => html\`${template}\`;`.replaceAll(
    'VALUE',
    `$${'{value}'}`,
  );

test.each([
  ['a directive', `import { repeat } from 'lit/directives/repeat.js';\nimport { directive } from 'lit/directive.js';`],
  ['a template of SVG', 'import { svg } from "lit";\nsvg`<path />`;'],
  ['a value in a style', module('<style>p { color: VALUE }</style>')],
  ['a value in a text area', module('<textarea>VALUE</textarea>')],
  ['a tag whose name is a value', module('<VALUE></VALUE>')],
  ['the value of a property', module('<input .value=VALUE />')],
  ['a value in single quotes', module("<p title='VALUE'></p>")],
  ['a value before a slash', module('<input value=VALUE/>')],
  ['a comment', module('<!-- VALUE -->')],
  ['a text with the marker of a value', module('<p>lit$</p>')],
])('%s stops the build of the script, because its Lit can not do that', (_what, code) => {
  expect(lackingPart(code)).not.toBe(null);
});

test('what the templates of the element have is no reason to stop', () => {
  const used = '<p class="a VALUE" ?hidden=VALUE title=VALUE @click=VALUE>VALUE</p><input value=VALUE />';
  expect(lackingPart(module(used))).toBe(null);
  expect(lackingPart(module('<VALUE>').replace("from 'lit'", "from './names.ts'"))).toBe(null);
});

test('a module of Lit that is written in another way stops the build', () => {
  const path = 'lit-html/lit-html.js';
  const published = readFileSync(join(project, 'node_modules', path), 'utf8');
  expect(trimmedLit(`/${path}`, published)?.length).toBeLessThan(published.length);
  expect(() => trimmedLit(`/${path}`, published.replace('setConnected(t){', 'setConnected(s){'))).toThrow(
    'lit-html/lit-html.js: directives',
  );
  expect(trimmedLit('/somewhere/else.js', published)).toBe(undefined);
});
