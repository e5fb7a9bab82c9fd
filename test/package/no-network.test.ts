import dns from 'node:dns/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isLoopback, takeForbiddenAttempts } from '../helpers/no-network.ts';

const server = http.createServer((_request, response) => response.end('here'));
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => server.close());

test('a request to an outside host fails and is recorded, also when the code catches the failure', async () => {
  await expect(fetch('https://sandbox.plaid.com/')).rejects.toThrow();
  expect(takeForbiddenAttempts().map((error) => error.message)).toEqual([expect.stringContaining('sandbox.plaid.com')]);
});

test('an outside address is as forbidden as a name', async () => {
  const outcome = await new Promise((resolve) => http.get('http://192.0.2.1/', resolve).on('error', resolve));
  expect(outcome).toMatchObject({ name: 'NetworkForbiddenError' });
  expect(takeForbiddenAttempts()).toHaveLength(1);
});

test('a name lookup does not leave either', async () => {
  await expect(dns.lookup('finix.example')).rejects.toThrow('finix.example');
  expect(takeForbiddenAttempts()).toHaveLength(1);
});

test('loopback works as ever', async () => {
  const { port } = server.address() as AddressInfo;
  await expect(fetch(`http://127.0.0.1:${port}/`).then((response) => response.text())).resolves.toBe('here');
  expect(takeForbiddenAttempts()).toEqual([]);
});

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['[::1]', true],
  ['::ffff:127.0.0.1', true],
  ['localhost', true],
  ['shop.localhost', true],
  ['0.0.0.0', false],
  ['10.0.0.1', false],
  ['localhost.example', false],
])('%s counts as loopback: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});
