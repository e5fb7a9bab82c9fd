import { afterEach, expect, it } from 'vitest';
import { TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

const paths = () =>
  server.lines
    .map((line) => JSON.parse(line))
    .filter(({ msg }) => msg === 'request')
    .map(({ path }) => path);

async function linkToken(): Promise<string> {
  const { body } = await server.merchant('POST', '/v1/links', { customer_id: 'cus_1' });
  const token = new URL(body.url).pathname.slice('/c/'.length);
  server.lines.length = 0;
  return token;
}

it.each([
  ['GET', '', 200, '/c/:token'],
  ['POST', '/session', 201, '/c/:token/session'],
  ['GET', '/hosted', 303, '/c/:token/hosted'],
  ['POST', '/hosted', 303, '/c/:token/hosted'],
  ['PUT', '', 405, '/c/:token'],
  ['GET', '/', 308, '/c/:token/'],
  ['GET', '/no-such-page', 404, '/c/:token/no-such-page'],
])('a %s of a link’s address%s is logged without the address', async (method, rest, status, logged) => {
  server = await TestServer.start();
  const token = await linkToken();
  const headers = { Origin: 'http://localhost:3000' };
  expect((await server.request(`/c/${token}${rest}`, { method, headers })).status).toBe(status);
  expect(paths()).toEqual([logged]);
  expect(server.lines.join('')).not.toContain(token);
});

it.each(['/connect/c/', '/c//', '/C/'])('an address under %s, which no route has, is logged without it', async (at) => {
  server = await TestServer.start();
  const token = await linkToken();
  expect((await server.request(`${at}${token}`)).status).toBe(404);
  expect(paths()).toEqual([`${at}:token`]);
});

it.each([
  ['DELETE', '/v1/customers/jo%40example.com', '/v1/customers/:customer_id'],
  ['GET', '/v1/customers/jo%40example.com', '/v1/customers/:customer_id'],
  ['GET', '/v1/customers/jo%40example.com/connections', '/v1/customers/:customer_id/connections'],
  ['DELETE', '/connect/v1/customers/jo%40example.com', '/connect/v1/customers/:customer_id'],
])('a %s of %s is logged without the customer’s id', async (method, path, logged) => {
  server = await TestServer.start();
  await server.request(path, { method });
  expect(paths()).toEqual([logged]);
  expect(server.lines.join('')).not.toContain('example.com');
});

it('other paths are logged whole, and so is the page at a link’s end', async () => {
  server = await TestServer.start();
  for (const path of ['/c/done', '/v1/sessions/ses_1', '/no/such/path']) await server.request(path);
  expect(paths()).toEqual(['/c/done', '/v1/sessions/ses_1', '/no/such/path']);
});
