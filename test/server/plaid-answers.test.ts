import { describe, expect, it } from 'vitest';
import { clientsOf, failureOf } from '../helpers/provider-answers.ts';

/** Answers that Plaid may give and rarely does. */

const PLAID_ERROR = {
  error_type: 'API_ERROR',
  error_code: 'INTERNAL_SERVER_ERROR',
  error_message: 'an unexpected error',
  display_message: null,
  request_id: 'r',
};

describe('an error of Plaid’s with the status 200', () => {
  it.each(['removeItem', 'prepareSignal'] as const)('is no success of %s', async (call) => {
    const { plaid } = await clientsOf(() => ({ body: PLAID_ERROR }));
    expect(await failureOf(plaid[call]('access-1'))).toEqual(['busy', 'INTERNAL_SERVER_ERROR']);
  });

  it('is no success of a call whose answer needs no member', async () => {
    const { plaid } = await clientsOf(() => ({ body: PLAID_ERROR }));
    expect(await failureOf(plaid.getLinkResults('link-1'))).toEqual(['busy', 'INTERNAL_SERVER_ERROR']);
    expect(await failureOf(plaid.updateWebhook('access-1', 'https://x.example'))).toEqual([
      'busy',
      'INTERNAL_SERVER_ERROR',
    ]);
    expect(await failureOf(plaid.reportDecision('order-1', true))).toEqual(['busy', 'INTERNAL_SERVER_ERROR']);
  });
});

describe('accounts of Plaid’s', () => {
  it('have none of the members whose types are others than published', async () => {
    const odd = { name: 7, official_name: 'Checking', mask: 1234, type: ['depository'], subtype: null };
    const accounts = [{ account_id: 'a', ...odd, verification_status: {}, persistent_account_id: 5 }];
    const { plaid } = await clientsOf(() => ({ body: { accounts, item: {}, request_id: 'r' } }));
    expect((await plaid.getAccounts('access-1')).accounts).toEqual([
      {
        ...{ id: 'a', name: 'Checking', mask: null, type: null, subtype: null },
        ...{ verificationStatus: 'unreadable', persistentAccountId: null, holderCategory: null },
      },
    ]);
  });
});

describe('the results of a Hosted Link', () => {
  const resultsWith = async (added: object) => {
    const link_sessions = [{ link_session_id: 's', results: { item_add_results: [added] } }];
    const { plaid } = await clientsOf(() => ({ body: { link_token: 'l', link_sessions, request_id: 'r' } }));
    return plaid.getLinkResults('l');
  };

  it.each([
    [{}, { institution_id: null, name: null }],
    [{ name: 'Chase' }, { institution_id: null, name: 'Chase' }],
    [
      { institution_id: 'ins_1', name: null },
      { institution_id: 'ins_1', name: null },
    ],
    [null, null],
    ['Chase', null],
  ])('name the bank as far as Plaid does: %j', async (institution, expected) => {
    const [result] = await resultsWith({ public_token: 'public-1', accounts: [{ id: 'a', mask: null }], institution });
    expect(result).toEqual({
      publicToken: 'public-1',
      accounts: [{ id: 'a', name: null, mask: null }],
      institution: expected,
      linkSessionId: 's',
    });
  });

  it.each([
    ['no results', {}],
    ['null in place of results', { results: null }],
    ['empty results', { results: { item_add_results: [] } }],
  ])('are read from on_success where Plaid gives %s', async (_, given) => {
    const metadata = { accounts: [{ id: 'a', name: 'Checking', mask: '0000' }], institution: { name: 'Chase' } };
    const sessions = [
      { link_session_id: 's', ...given, on_success: { public_token: 'public-1', metadata } },
      { link_session_id: 't', ...given, on_success: { public_token: 'public-2', metadata: null } },
      { link_session_id: 'u', ...given, on_success: null },
    ];
    const { plaid } = await clientsOf(() => ({ body: { link_token: 'l', link_sessions: sessions, request_id: 'r' } }));
    expect(await plaid.getLinkResults('l')).toEqual([
      {
        publicToken: 'public-1',
        accounts: metadata.accounts,
        institution: { institution_id: null, name: 'Chase' },
        linkSessionId: 's',
      },
      { publicToken: 'public-2', accounts: [], institution: null, linkSessionId: 't' },
    ]);
  });

  it('are those of results where Plaid gives both', async () => {
    const results = { item_add_results: [{ public_token: 'public-1', accounts: [], institution: null }] };
    const sessions = [{ link_session_id: 's', results, on_success: { public_token: 'public-1', metadata: null } }];
    const { plaid } = await clientsOf(() => ({ body: { link_token: 'l', link_sessions: sessions, request_id: 'r' } }));
    expect(await plaid.getLinkResults('l')).toHaveLength(1);
  });

  it('leave out an account without an id', async () => {
    const [result] = await resultsWith({ public_token: 'public-1', accounts: [{ name: 'Checking' }, { id: 'a' }] });
    expect(result?.accounts).toEqual([{ id: 'a', name: null, mask: null }]);
  });
});

describe('an evaluation of Signal’s', () => {
  const debit = {
    accessToken: 'access-1',
    accountId: 'a',
    clientTransactionId: 'order-1',
    amount: 10,
    clientUserId: 'user',
  };

  it('has the ruleset’s result with any other members', async () => {
    const { plaid } = await clientsOf(() => ({
      body: {
        scores: { customer_initiated_return_risk: { score: 'low', risk_tier: 1 }, bank_initiated_return_risk: 7 },
        core_attributes: { available_balance: '12.50', current_balance: 20, balance_last_updated: 1 },
        ruleset: { ruleset_key: 'default', result: 'ACCEPT', triggered_rule_details: null },
        warnings: ['a warning'],
        request_id: 'r',
      },
    }));
    expect(await plaid.evaluateDebit(debit, 5_000)).toEqual({
      result: 'ACCEPT',
      scores: { customerInitiated: null, bankInitiated: null },
      balance: { available: 12.5, current: 20, currency: 'USD', asOf: null },
      warnings: [],
    });
  });
});

describe('a member of another type in an answer of Plaid’s', () => {
  it('costs none of the other scores of an owner, and a number may be a text', async () => {
    const scored = (score: unknown) => ({ score });
    const account = {
      account_id: 'acc_1',
      legal_name: scored('92'),
      email_address: scored({}),
      phone_number: 'none',
      address: scored(70),
    };
    const { plaid } = await clientsOf(() => ({ body: { accounts: [account], item: {}, request_id: 'r' } }));
    const scores = await plaid.matchOwner('access-1', ['acc_1'], { legal_name: 'Ada Holder' });
    expect(scores.get('acc_1')).toEqual({ name: 92, email: null, phone: null, address: 70 });
  });

  it('costs no balance', async () => {
    const balances = { available: '100.50', current: 'none', iso_currency_code: 840, last_updated_datetime: 1 };
    const { plaid } = await clientsOf(() => ({ body: { accounts: [{ account_id: 'acc_1', balances }] } }));
    expect(await plaid.getBalance('access-1', 'acc_1', 5_000)).toEqual({
      available: 100.5,
      current: null,
      currency: null,
      asOf: null,
    });
  });

  it('costs no login', async () => {
    const item = { institution_id: 5, institution_name: {}, webhook: 1, auth_method: 7, consent_expiration_time: 0 };
    const account = { account_id: 'acc_1', type: 'depository', subtype: 'checking' };
    const { plaid } = await clientsOf(() => ({ body: { accounts: [account], item } }));
    expect(await plaid.getAccounts('access-1')).toMatchObject({
      accounts: [{ id: 'acc_1' }],
      institutionId: null,
      institutionName: null,
      webhookUrl: '',
      authMethod: null,
      consentExpiresAt: null,
    });
  });
});
