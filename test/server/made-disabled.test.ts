import { afterEach, expect, it } from 'vitest';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { TestServer } from '../helpers/server.ts';

let server: TestServer;
afterEach(() => server.close());
const { changeInstrument, enabled, expectStatus, webhooks } = connectionLifecycle(() => server);

const FINIX_SECRET = 'f'.repeat(64);

async function connectDisabled() {
  server = await TestServer.start({
    env: { FINIX_WEBHOOK_SECRET: FINIX_SECRET },
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
  return (await server.connect()).answer;
}

it('an instrument that Finix makes disabled makes no active connection', async () => {
  const { status, body } = await connectDisabled();
  expect([status, body.status, body.error?.code]).toEqual([200, 'failed', 'instrument_refused']);
  const connections = (await server.merchant('GET', '/v1/connections?customer_id=cus_1')).body.data;
  expect(connections).toMatchObject([{ status: 'revoked' }]);
});

it('an instrument that Finix makes disabled is disabled again when it is enabled after its login was removed', async () => {
  await connectDisabled();
  webhooks().settings.finix = { url: `${server.config.publicUrl}/webhooks/finix`, secret: FINIX_SECRET };
  const [{ id }] = (await server.merchant('GET', '/v1/connections?customer_id=cus_1')).body.data;
  await server.jobs.tick();
  await changeInstrument(id, { enabled: true });
  await expectStatus(id, 'revoked');
  expect(enabled()).toEqual([]);
});
