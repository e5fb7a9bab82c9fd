import type { components, operations, paths } from './generated.ts';

/**
 * What a merchant writes around the generated types: a session, its connection, and the problems on the way. Run
 * against a real server by the test.
 */
type Method = 'get' | 'post' | 'delete';
type JsonOf<T> = T extends { content: { 'application/json': infer Body } } ? Body : never;
type Success<Responses> = {
  [Status in keyof Responses]: Status extends 200 | 201 | 202 ? JsonOf<Responses[Status]> : never;
}[keyof Responses];

const [endpoint = '', key = ''] = process.argv.slice(2);

async function call<Path extends keyof paths, M extends Method & keyof paths[Path]>(
  method: M,
  path: Path,
  url: string,
  body?: paths[Path][M] extends { requestBody?: { content: { 'application/json': infer Body } } } ? Body : never,
): Promise<Success<paths[Path][M] extends { responses: infer Responses } ? Responses : never>> {
  const response = await fetch(endpoint + (url || path), {
    method: method.toUpperCase(),
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const json: unknown = await response.json();
  if (!response.ok) throw json as components['schemas']['Problem'];
  // `Promise<…>` above is what callers see.
  return json as never;
}

const session = await call('post', '/v1/sessions', '', { customer_id: 'cus_1', purpose: 'debit' });
// @ts-expect-error: there is no such purpose
call('post', '/v1/sessions', '', { customer_id: 'cus_1', purpose: 'gift' }).catch(() => undefined);
const again = await call('get', '/v1/sessions/{id}', `/v1/sessions/${session.id}`);
const canceled = await call('post', '/v1/sessions/{id}/cancel', `/v1/sessions/${session.id}/cancel`);
const list = await call('get', '/v1/connections', '/v1/connections?status=active&limit=1');
const names: (string | null)[] = list.data.map(({ institution }) => institution.name);
const problem = await call('get', '/v1/connections/{id}', '/v1/connections/con_0').catch(
  (caught: components['schemas']['Problem']) => caught,
);
const status: operations['getSession']['responses'][200]['content']['application/json']['status'] = again.status;
const event: Pick<components['schemas']['ConnectionEvent'], 'type'> = { type: 'connection.active' };
console.log(
  [session.object, status, canceled.status, names.length, 'code' in problem && problem.code, event.type].join(' '),
);
