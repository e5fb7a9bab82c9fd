import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { expect, test } from 'vitest';
import { FinixBankConnect } from '../../widget/react.ts';

// As docs/hosts.md reserves it for the tag.
test.each([
  [undefined, '100px'],
  ['button', '100px'],
  ['hosted', '100px'],
  ['embedded', '404px'],
] as const)('the wrapper in mode %s reserves %s on a server', (mode, size) => {
  expect(renderToString(createElement(FinixBankConnect, { mode }))).toContain(`min-block-size:${size}`);
});
