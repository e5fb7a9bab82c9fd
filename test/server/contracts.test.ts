import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QUICK, TestServer } from '../helpers/server.ts';
import { type Contracts, loadContracts } from '../simulator/openapi.ts';

const dir = process.env['CONTRACTS_DIR'];
const why = dir ? '' : ' (skipped: CONTRACTS_DIR does not name a folder with plaid.yml and finix.yml)';

describe.skipIf(!dir)(`the server’s requests against the providers’ OpenAPI documents${why}`, () => {
  let server: TestServer;
  let contracts: Contracts;
  beforeEach(async () => {
    contracts = await loadContracts(dir ?? '');
  });
  afterEach(() => server.close());

  it('every request to a provider, from the link token to the removal of an Item, fits its OpenAPI document', async () => {
    server = await TestServer.start({
      env: { PLAID_REDIRECT_URI: 'https://shop.example/return', PLAID_LINK_CUSTOMIZATION: 'multiple' },
      ...QUICK,
    });
    const address = {
      line1: '1 Main St',
      line2: 'Apt 2',
      city: 'San Mateo',
      region: 'CA',
      postal_code: '94114',
      country: 'USA',
    };
    const identity = {
      first_name: 'Jane',
      last_name: 'Doe',
      email: 'jane@example.com',
      phone: '+1 (415) 555-0010',
      personal_address: address,
      business_name: 'Doe LLC',
      doing_business_as: 'Doe',
      business_phone: '4155550010',
      business_address: address,
    };
    server.upstream.simulator.faults.add({
      service: 'finix',
      method: 'POST',
      path: '/identities',
      kind: 'timeout',
      when: 'after',
      times: 1,
    });
    server.upstream.simulator.faults.add({
      service: 'finix',
      method: 'POST',
      path: '/payment_instruments',
      kind: 'timeout',
      when: 'after',
      times: 1,
    });
    const session = await server.createSession({ identity, purpose: 'payout', language: 'pt-BR' });
    for (const mode of ['button', 'embedded', 'hosted'] as const) {
      const token = await server.page(session, 'POST', '/link-token', {
        mode,
        return_url: 'https://shop.example/done',
      });
      expect(token.status).toBe(200);
    }
    expect((await server.complete(session, await server.publicToken())).body.status).toBe('completed');
    const abandoned = await server.createSession({ customer_id: 'cus_2' });
    await server.complete(abandoned, await server.publicToken('user_good'));
    await server.merchant('POST', `/v1/sessions/${abandoned.id}/cancel`);
    await server.storage.db
      .updateTable('items')
      .set({ webhook_url: 'https://old.example/webhooks/plaid', created_at: 0 })
      .execute();
    await server.jobs.tick();

    // Plaid confirms the address.
    await server.upstream.simulator.webhooks.settled();
    const calls = server.ledger.calls().filter(({ path }) => path !== '/sandbox/public_token/create');
    expect(new Set(calls.map(({ method, path }) => `${method} ${path}`))).toEqual(
      new Set([
        'POST /link/token/create',
        'POST /item/public_token/exchange',
        'POST /accounts/get',
        'POST /identities',
        'GET /identities',
        'POST /processor/token/create',
        'POST /processor/token/permissions/set',
        'POST /identity/match',
        'POST /payment_instruments',
        'GET /payment_instruments',
        'POST /item/remove',
        'POST /item/webhook/update',
        'POST /webhook_verification_key/get',
      ]),
    );
    const violations = calls.flatMap(({ service, method, path, body, query }) =>
      service === 'link' ? [] : contracts.checkRequest(service, method, path, body, query),
    );
    expect(violations).toEqual([]);
  });
});
