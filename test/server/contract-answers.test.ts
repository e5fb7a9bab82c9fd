import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';
import { afterEach, expect, it } from 'vitest';
import { operations } from '../../server/http/openapi.ts';
import { MERCHANT_KEY, QUICK, SHOP, TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

interface Described {
  security: object[];
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}

/** A client that was generated from the document believes each of these. */
async function violations(operation: Described, response: Response, ajv: Ajv2020): Promise<string[]> {
  const described = operation.responses[response.status] ?? operation.responses['default'];
  if (!described) return [`status ${response.status}`];
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
  const content = described.content?.[type];
  if (!content) return [`${response.status} with ${type}`];
  if (!type.endsWith('json')) return [];
  const text = JSON.stringify(content.schema).replaceAll('"#/', '"document#/');
  const check = ajv.compile(JSON.parse(text));
  return check(await response.json()) ? [] : [`${response.status}: ${ajv.errorsText(check.errors)}`];
}

it('every GET answers with a status, a media type and a body that the published contract has, with a key and without', async () => {
  server = await TestServer.start({ env: { OWNERSHIP_CHECK: 'off' } });
  const { session, answer } = await server.connect();
  const { body: link } = await server.merchant('POST', '/v1/links', { customer_id: 'cus_1' });
  const document = (await server.send('GET', '/openapi.json', undefined, {})).body;
  const ajv = new Ajv2020({ strict: false });
  const addFormats = addFormatsModule as unknown as (to: Ajv2020) => void;
  addFormats(ajv);
  ajv.addSchema({ ...document, $id: 'document' });
  const ids: Record<string, string> = { sessions: session.id, links: link.id };
  const found: string[] = [];
  for (const { path, who } of operations.filter(({ method }) => method === 'get')) {
    const [, folder = ''] = /^\/v1\/([\w-]+)/.exec(path) ?? [];
    const own = path
      .replace('{institution_id}', 'ins_109508')
      .replace('{id}', ids[folder] ?? answer.body.connections[0].id);
    const operation = document.paths[path].get as Described;
    const merchant = { Authorization: `Bearer ${MERCHANT_KEY}` };
    const page = { Authorization: `Bearer ${session.client_secret}`, Origin: SHOP };
    const headers = who === 'page' ? page : merchant;
    for (const given of [headers, { ...headers, Accept: 'text/html' }, {}]) {
      const response = await server.request(own, { headers: given });
      found.push(...(await violations(operation, response.clone(), ajv)).map((what) => `${path} ${what}`));
      if (operation.security.length === 0 && response.status === 401) found.push(`${path} asks for a credential`);
    }
  }
  expect(found).toEqual([]);
});

it('a session that is worked on is 200 to HEAD as to GET', async () => {
  server = await TestServer.start({ ...QUICK, answerWithinMs: 1 });
  server.upstream.simulator.faults.add({ service: 'plaid', path: '/accounts/get', kind: 'status', status: 500 });
  const { session, answer } = await server.connect();
  const headers = { Authorization: `Bearer ${MERCHANT_KEY}` };
  const statuses = ['GET', 'HEAD'].map(async (method) => {
    const response = await server.request(`/v1/sessions/${session.id}`, { method, headers });
    return [response.status, response.headers.get('Retry-After')];
  });
  expect([answer.status, ...(await Promise.all(statuses))]).toEqual([202, [200, '2'], [200, '2']]);
});
