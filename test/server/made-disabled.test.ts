import { afterEach, expect, it } from 'vitest';
import { TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());

it('an instrument that Finix makes disabled makes no active connection', async () => {
  server = await TestServer.start({
    wrapClients: (clients) => ({
      ...clients,
      finix: {
        ...clients.finix,
        createPaymentInstrument: async (request) => ({
          ...(await clients.finix.createPaymentInstrument(request)),
          enabled: false,
        }),
      },
    }),
  });
  const session = await server.createSession();
  const { status, body } = await server.complete(session, await server.publicToken());
  expect([status, body.status, body.error?.code]).toEqual([200, 'failed', 'instrument_refused']);
  const connections = (await server.merchant('GET', '/v1/connections?customer_id=cus_1')).body.data;
  expect(connections).toMatchObject([{ status: 'revoked' }]);
});
