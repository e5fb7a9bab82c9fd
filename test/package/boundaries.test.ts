import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { crossing, filesIn, importsOf, project } from './imports.ts';

test.each(['widget', 'server', 'demo'])('%s imports only what it may', (area) => {
  const files = filesIn(area, '.ts');
  expect(files).not.toEqual([]);
  const crossings = files.flatMap((file) =>
    importsOf(file, readFileSync(join(project, file), 'utf8')).flatMap((found) => {
      const reason = crossing(file, found);
      return reason === undefined ? [] : [`${file}: ${reason}`];
    }),
  );
  expect(crossings).toEqual([]);
});

test.each([
  ['widget/session/backend.ts', `import { z } from 'zod'`],
  ['widget/session/backend.ts', `import type { Config } from '../../server/config.ts'`],
  ['widget/session/backend.ts', `import { readFileSync } from 'node:fs'`],
  ['widget/i18n/en.ts', `export * from '../../demo/demo.ts'`],
  ['widget/session/backend.ts', `const late = () => import('../../server/http/app.ts')`],
  ['widget/session/backend.ts', `let config: import('../../server/config.ts').Config`],
  ['widget/index.ts', `import { useState } from 'react'`],
  ['server/http/app.ts', `import { LitElement } from 'lit'`],
  ['server/http/app.ts', `import { STATUSES } from '../../widget/contract.ts'`],
  ['server/http/app.ts', `import { type Session } from '../../widget/contract.ts'`],
  ['server/http/app.ts', `import type { Backend } from '../../widget/session/backend.ts'`],
  ['server/http/routes/sessions.ts', `import '../../../demo/simulator/index.ts'`],
  ['server/http/app.ts', `import fs from 'fs'`],
  ['server/http/app.ts', `import { chromium } from 'playwright-core'`],
  ['server/http/app.ts', `export { startServer } from '../../test/helpers/server.ts'`],
  ['server/http/app.ts', `await import(process.argv[2])`],
  ['demo/serve.ts', `import { findChromium } from '../test/helpers/chromium.mjs'`],
  ['demo/simulator/state.ts', `import { createApp } from '../../server/http/app.ts'`],
  ['demo/simulator/state.ts', `import { startDemo } from '../start-demo.ts'`],
])('%s may not say: %s', (file, line) => {
  expect(importsOf(file, line).map((found) => crossing(file, found))).toEqual([expect.any(String)]);
});

test.each([
  ['widget/finix-bank-connect.ts', `import { LitElement } from 'lit'`],
  ['widget/element/view.ts', `import { repeat } from 'lit/directives/repeat.js'`],
  ['widget/i18n/load.ts', `const load = () => import('./es.ts')`],
  ['server/http/request-schemas.ts', `import type { Session } from '../../widget/contract.ts'`],
  ['server/http/routes/sessions.ts', `export type { Session } from '../../../widget/contract.ts'`],
  ['server/main.ts', `import { serve } from '@hono/node-server'`],
  [
    'demo/serve.ts',
    `import { createApp } from '../server/http/app.ts'; import { startSimulator } from './simulator/index.ts'`,
  ],
])('%s may say: %s', (file, line) => {
  expect(importsOf(file, line).map((found) => crossing(file, found))).not.toContainEqual(expect.any(String));
});

test('words that look like imports in strings and comments are no imports', () => {
  expect(importsOf('a.ts', `// import 'x'\nconst page = "import('y')"; const z = \`export * from 'z'\`;`)).toEqual([]);
});
