import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { debits, startWithDebits } from '../helpers/debits.ts';
import { eventually, QUICK, TestServer } from '../helpers/server.ts';
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

  it.each([
    ['balance', ['/identity/match', '/accounts/balance/get', '/processor/token/permissions/set']],
    ['signal', ['/signal/prepare', '/signal/evaluate', '/signal/decision/report', '/signal/return/report']],
  ])(
    'every request with DEBIT_CHECK=%s fits its OpenAPI document, in a return and a repair too',
    async (way, paths) => {
      const { check, connectNew, debit, read, ach, settled } = debits(() => server);
      server = await startWithDebits({
        env: { DEBIT_CHECK: way, PLAID_CONSENTED_PRODUCTS: 'transactions', PLAID_SIGNAL_RULESET: 'default' },
      });
      const identity = {
        first_name: 'Jane',
        last_name: 'Doe',
        email: 'jane@example.com',
        phone: '(415) 555-0010',
        personal_address: { line1: '1 Main St', city: 'San Mateo', region: 'CA', postal_code: '94114', country: 'USA' },
      };
      const { id } = await connectNew('user_owner_match', { identity });
      for (const { item_id } of server.ledger.items()) server.upstream.simulator.bank.grantConsent(item_id, ['signal']);
      await server.jobs.tick();
      await check(id, 1_217, { client_transaction_id: 'order-1', user_present: true, is_recurring: false });
      ach().returnDebit(await debit(id, 1_217, { idempotency_id: 'order-1' }), 'R01');
      await settled();
      const later = await debit(id);
      ach().succeed(later);
      ach().returnDebit(later, 'R04');
      await settled();
      const { customer_id } = await read(id);
      const repair = await server.createSession({ customer_id, connection: id });
      expect((await server.page(repair, 'POST', '/link-token', {})).status).toBe(200);
      const calls = () => server.ledger.calls().filter(({ path }) => path !== '/sandbox/public_token/create');
      await eventually(async () => {
        await server.jobs.tick();
        return paths.every((path) => calls().some((call) => call.path === path));
      });
      const violations = calls().flatMap(({ service, method, path, body, query }) =>
        service === 'link' ? [] : contracts.checkRequest(service, method, path, body, query),
      );
      expect(violations).toEqual([]);
    },
  );
});
