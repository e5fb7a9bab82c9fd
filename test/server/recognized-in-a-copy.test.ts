import { afterEach, expect, it } from 'vitest';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { copyOf, putBack } from '../helpers/put-back.ts';
import { TestServer } from '../helpers/server.ts';
import { throughLink } from '../helpers/through-link.ts';

let server: TestServer;
afterEach(() => server.close());
const { changeInstrument, enabled, settled } = connectionLifecycle(() => server);

async function visit() {
  const session = await server.createSession();
  const { body: link } = await server.page(session, 'POST', '/link-token', {});
  const { public_token, ...more } = await throughLink(server, link);
  return (await server.complete(session, public_token, more)).body;
}

it('after an older copy was put back, no session ends with a connection that was stopped since', async () => {
  server = await TestServer.start({ simulator: { linkEvents: true } });
  const { connections } = await visit();
  const [{ id }] = connections;
  const copy = await copyOf(server.storage);
  await server.jobs.tick();
  // What its webhook has changed is lost.
  await changeInstrument(id, { enabled: false });
  await putBack(server.storage, copy);
  await server.jobs.tick();
  const again = await visit();
  expect([again.status, again.connections[0].status]).toEqual(['completed', 'active']);
  await settled();
  expect(enabled()).toEqual([again.connections[0].payment_instrument]);
});
