import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { arrowsIn, arrowsOf, circles, FLOORS, floorOf, partOf, UPWARD, upwardArrows } from './floors.ts';
import { crossing, filesIn, importsOf, project } from './imports.ts';

test.each(['widget', 'server', 'demo'])('%s imports only what it may', (area) => {
  const files = filesIn(area, '.ts');
  expect(files).not.toEqual([]);
  const crossings = files.flatMap((file) =>
    importsOf(file, readFileSync(join(project, file), 'utf8')).flatMap((found) => {
      const reason = crossing(file, found);
      return reason === undefined ? [] : [`${file}:${found.line} ${reason}`];
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
  // Optional: it must not be loaded where it may be missing.
  ['server/trace.ts', `import { trace } from '@opentelemetry/api'`],
  ['server/http/app.ts', `import { chromium } from 'playwright-core'`],
  ['server/http/app.ts', `export { startServer } from '../../test/helpers/server.ts'`],
  ['server/http/app.ts', `await import(process.argv[2])`],
  ['demo/server/shop-app.ts', `import { html } from 'lit'`],
  ['demo/serve.ts', `import { findChromium } from '../test/helpers/chromium.mjs'`],
  ['demo/simulator/state.ts', `import { createApp } from '../../server/http/app.ts'`],
  ['demo/simulator/state.ts', `import { startDemo } from '../start-demo.ts'`],
])('%s may not contain: %s', (file, line) => {
  expect(importsOf(file, line).map((found) => crossing(file, found))).toEqual([expect.any(String)]);
});

test.each([
  ['widget/finix-bank-connect.ts', `import { LitElement } from 'lit'`],
  ['widget/element/view.ts', `import { repeat } from 'lit/directives/repeat.js'`],
  ['widget/i18n/load.ts', `const load = () => import('./es.ts')`],
  ['server/http/request-schemas.ts', `import type { Session } from '../../widget/contract.ts'`],
  ['server/http/routes/sessions.ts', `export type { Session } from '../../../widget/contract.ts'`],
  ['server/main.ts', `import { serve } from '@hono/node-server'`],
  ['demo/panel/panel.ts', `import { html } from 'lit'`],
  ['server/trace.ts', `const api = await import('@opentelemetry/api')`],
  [
    'demo/serve.ts',
    `import { createApp } from '../server/http/app.ts'; import { startSimulator } from './simulator/index.ts'`,
  ],
])('%s may contain: %s', (file, line) => {
  expect(importsOf(file, line).map((found) => crossing(file, found))).not.toContainEqual(expect.any(String));
});

test('words that look like imports in strings and comments are no imports', () => {
  expect(importsOf('a.ts', `// import 'x'\nconst page = "import('y')"; const z = \`export * from 'z'\`;`)).toEqual([]);
});

describe.each(['widget', 'server'] as const)('the files of %s', (area) => {
  test('each file of the %s belongs to one floor', () => {
    expect(filesIn(area, '.ts').filter((file) => floorOf(file) < 0)).toEqual([]);
  });

  test('each place in the list of floors exists', () => {
    const files = filesIn(area, '.ts');
    const exists = (place: string) =>
      files.some((file) => (place.endsWith('/') ? file.startsWith(place) : file === place));
    expect(FLOORS[area].flat().filter((place) => !exists(place))).toEqual([]);
  });

  test('files import from their own floor and from those below, types included', () => {
    expect(upwardArrows(arrowsIn(area))).toEqual([]);
  });
});

describe.each(['widget', 'server', 'demo', 'demo/simulator', 'build', 'test'])('the files of %s', (area) => {
  test('files form no circle, types included', () => {
    expect(circles(arrowsIn(area))).toEqual([]);
  });
});

test.each(['widget', 'server', 'demo', 'demo/simulator', 'build', 'test'])(
  'the folders of %s form no circle',
  (area) => {
    const arrows = arrowsIn(area).filter(({ from, to }) => !UPWARD.has(`${from} imports ${to}`));
    expect(circles(arrows, partOf)).toEqual([]);
  },
);

test.each([
  ['widget', 14],
  ['server', 12],
] as const)('at the root of %s are at most %i files, so that its folders are seen first', (area, most) => {
  const atRoot = filesIn(area, '').filter((file) => file.split('/').length === 2 && file.includes('.'));
  expect(atRoot.length).toBeLessThanOrEqual(most);
});

test.each([
  ['widget/session/backend.ts', `import type { FlowState } from '../flow/state.ts'`],
  ['widget/element/events.ts', `export { FbcStepEvent } from '../lazy/events.ts'`],
  ['widget/element/load-lazy.ts', `import { press } from '../lazy/press.ts'`],
  ['widget/element/load-lazy.ts', `import { press } from '../lazy/index.ts'`],
  ['widget/lazy/press.ts', `import type { FinixBankConnect } from '../finix-bank-connect.ts'`],
  ['widget/errors.ts', `let session: import('./session/backend.ts').SessionAnswer`],
  ['server/records/items.ts', `import type { Postponed } from '../connect/repair.ts'`],
  ['server/connect/repair.ts', `import { run } from '../lifecycle/connection-tasks.ts'`],
  ['server/links/links.ts', `import type { BankConnector } from '../connect/bank-connector.ts'`],
  ['server/storage/open.ts', `import type { Timing } from '../work/timing.ts'`],
  ['server/errors.ts', `export type { UpstreamFailure } from './clients/outbound.ts'`],
  ['server/settings/table.ts', `let config: import('../config.ts').Config`],
  ['server/webhooks/receive.ts', `const later = () => import('../http/routes/webhooks.ts')`],
  ['server/records/items.ts', `import '../connect/repair.ts'`],
  ['server/records/items.ts', `export * as repair from '../connect/repair.ts'`],
  ['server/records/items.ts', `import repair = require('../connect/repair.ts')`],
  ['server/records/items.ts', `const repair = createRequire(import.meta.url)('../connect/repair.ts')`],
  ['server/records/items.ts', `const repair = require('../connect/repair.ts')`],
])('%s may not import from above: %s', (file, line) => {
  expect(upwardArrows(arrowsOf(file, `\n${line}`))).toEqual([expect.stringMatching(`^${file}:2 imports `)]);
});

test.each([
  ['widget/element/load-lazy.ts', `const load = () => import('../lazy/index.ts')`],
  ['widget/lazy/press.ts', `import type { View } from '../element/view.ts'`],
  ['server/http/app.ts', `import { sessionRoutes } from './routes/sessions.ts'`],
  ['server/connect/repair.ts', `import { createLink } from '../links/links.ts'`],
  ['server/work/claim-row.ts', `import type { Storage } from '../storage/open.ts'`],
])('%s may import from below: %s', (file, line) => {
  expect(upwardArrows(arrowsOf(file, line))).toEqual([]);
});

test('a circle of types is found, and its imports are named', () => {
  const round = [
    ...arrowsOf('server/records/a.ts', `import type { B } from './b.ts'`),
    ...arrowsOf('server/records/b.ts', `\nimport { c } from './c.ts'`),
    ...arrowsOf('server/records/c.ts', `import type { A } from './a.ts'`),
    ...arrowsOf('server/records/d.ts', `import type { A } from './a.ts'`),
  ];
  expect(circles(round)).toEqual([
    'server/records/a.ts:1 imports server/records/b.ts; server/records/b.ts:2 imports server/records/c.ts; ' +
      'server/records/c.ts:1 imports server/records/a.ts',
  ]);
});

test('a circle of folders is found although no file is in one', () => {
  const round = [
    ...arrowsOf('demo/simulator/plaid/app.ts', `import { pipe } from '../link/page.ts'`),
    ...arrowsOf('demo/simulator/link/dialog.ts', `import { errors } from '../plaid/errors.ts'`),
  ];
  expect(circles(round)).toEqual([]);
  expect(circles(round, partOf)).toHaveLength(1);
});
