import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createFinixClient } from '../../server/clients/finix.ts';
import { UpstreamError } from '../../server/clients/outbound.ts';
import { createPlaidClient } from '../../server/clients/plaid.ts';
import { loadConfig } from '../../server/config.ts';
import { connectionLifecycle } from '../helpers/connection-lifecycle.ts';
import { debits, startWithDebits } from '../helpers/debits.ts';
import { TestServer, testEnvironment } from '../helpers/server.ts';
import { forEachStorage } from '../helpers/storages.ts';

/** NUL as JSON writes it. PostgreSQL stores no text with it. */
const NUL = '\0';

describe('text with NUL', () => {
  forEachStorage((_name, database) => {
    let server: TestServer;
    afterEach(() => server?.close());
    const { webhooks, events, read, connect, settled } = connectionLifecycle(() => server);
    const { bring } = debits(() => server);

    it('text with NUL in a webhook of Plaid’s costs neither the webhook nor another member of it', async () => {
      server = await TestServer.start({ storage: await database.open() });
      const body = JSON.stringify({
        webhook_type: 'AUTH',
        webhook_code: 'DEFAULT_UPDATE',
        item_id: `item${NUL}_1`,
        account_ids_with_updated_auth: { [`account${NUL}_1`]: ['ACCOUNT_NUMBER'] },
        reason: `${NUL}reason`,
      });
      const { status } = await server.send('POST', '/webhooks/plaid', body, {
        'Plaid-Verification': webhooks().signPlaid(body),
      });
      expect(status).toBe(200);
      expect(await events()).toMatchObject([{ type: 'AUTH/DEFAULT_UPDATE', subject: 'item_1' }]);
      const [event] = await events();
      expect(JSON.parse(event?.facts ?? '')).toMatchObject({ account_ids: ['account_1'], reason: 'reason' });
    });

    it('text with NUL in a webhook of Finix’s costs neither it nor those that arrive at the same moment', async () => {
      server = await startWithDebits({ storage: await database.open() });
      const { id } = await connect();
      const { payment_instrument: source } = await read(id);
      await settled();
      const transfer = (transferId: string, more: object) =>
        JSON.stringify({
          id: `ev${NUL}_${transferId}`,
          entity: 'transfer',
          type: 'updated',
          _embedded: { transfers: [{ id: transferId, type: 'DEBIT', state: 'FAILED', failure_code: 'R10', ...more }] },
        });
      const answers = await Promise.all([
        bring(transfer('TRforeign', { source: `PI${NUL}other`, tags: { [`a${NUL}`]: `b${NUL}` } })),
        bring(transfer('TRours', { source, idempotency_id: NUL })),
        bring(JSON.stringify({ id: NUL, entity: 'instrument', type: 'updated' })),
      ]);
      expect(answers).toEqual([200, 200, 200]);
      await expect.poll(async () => (await read(id)).last_return?.code).toBe('R10');
    });

    it('text with NUL in an address of a merchant’s is refused by the field’s name', async () => {
      server = await TestServer.start({ storage: await database.open() });
      const address = `https://shop.example/${NUL}`;
      const link = await server.merchant('POST', '/v1/links', { customer_id: 'cus_1', return_url: address });
      const merchant = { id: 'm1', name: 'Shop', logo_url: address, support_url: 'https://shop.example/a b' };
      const session = await server.merchant('POST', '/v1/sessions', { customer_id: 'cus_1', merchant });
      expect([link, session].map(({ status, body }) => [status, body.errors.map(({ path }: Path) => path)])).toEqual([
        [422, ['return_url']],
        [422, ['merchant.logo_url', 'merchant.support_url']],
      ]);
    });
  });

  describe('in an answer', () => {
    let close: (() => void) | undefined;
    afterEach(() => close?.());

    async function providersAnswer(status: number, body: object) {
      const server = createServer((request, response) => {
        request.resume();
        response.writeHead(status, { 'Content-Type': 'application/json' });
        response.end(JSON.stringify(body));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      close = () => {
        server.closeAllConnections();
        server.close();
      };
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const config = loadConfig(testEnvironment({ PLAID_BASE_URL: url, FINIX_BASE_URL: url }));
      return { plaid: createPlaidClient(config.plaid), finix: createFinixClient(config.finix) };
    }

    it('text with NUL in the account’s and the bank’s names that Plaid returns is read without it', async () => {
      const { plaid } = await providersAnswer(200, {
        accounts: [{ account_id: 'a', name: `Plaid${NUL} Checking`, mask: `00${NUL}00`, subtype: 'checking' }],
        item: { institution_id: 'ins_1', institution_name: `Chase${NUL}` },
      });
      expect(await plaid.getAccounts('access-1')).toMatchObject({
        accounts: [{ id: 'a', name: 'Plaid Checking', mask: '0000' }],
        institutionName: 'Chase',
      });
    });

    it('text with NUL in a refusal is read without it', async () => {
      const { plaid } = await providersAnswer(400, {
        error_type: 'ITEM_ERROR',
        error_code: `ITEM_LOGIN_REQUIRED${NUL}`,
        request_id: `req${NUL}`,
      });
      const error: unknown = await plaid.getAccounts('access-1').catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(UpstreamError);
      expect(error).toMatchObject({ code: 'ITEM_LOGIN_REQUIRED', details: { requestId: 'req' } });
    });

    it('text with NUL in the instrument that Finix returns is read without it', async () => {
      const { finix } = await providersAnswer(200, { id: 'PI1', fingerprint: `FP${NUL}1`, tags: { [`a${NUL}`]: NUL } });
      expect(await finix.getPaymentInstrument('PI1')).toMatchObject({ id: 'PI1', fingerprint: 'FP1', tags: { a: '' } });
    });
  });
});

interface Path {
  path: string;
}
