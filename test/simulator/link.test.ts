import { describe, expect, it } from 'vitest';
import { clickThatCloses } from '../helpers/click-that-closes.ts';
import { Gate } from '../helpers/gate.ts';
import { linkItem, plaidClient, refusal } from './client.ts';
import {
  callback,
  complaints,
  create,
  isShown,
  link,
  openLink,
  page,
  pass,
  press,
  running,
  signIn,
  withLinkPage,
} from './link-page.ts';

withLinkPage();

describe('a customer in Link', () => {
  it('a customer connects one account, and the shop gets a public token that can be exchanged', async () => {
    await openLink();
    await signIn('user_good');
    await expect.poll(() => link.getByRole('radio').count()).toBe(2);
    await link.getByText('Plaid Saving').click();
    await press('Continue');
    await press('Finish');
    const [publicToken, metadata] = await callback('success');
    expect(metadata).toMatchObject({
      institution: { name: 'Tartan Bank', institution_id: 'ins_109511' },
      accounts: [
        { name: 'Plaid Saving', mask: '1111', type: 'depository', subtype: 'savings', verification_status: null },
      ],
      link_session_id: expect.any(String),
    });
    const client = plaidClient(running.plaidUrl);
    const { access_token } = (await client.itemPublicTokenExchange({ public_token: String(publicToken) })).data;
    const { accounts } = (await client.accountsGet({ access_token })).data;
    expect(accounts.map(({ account_id }) => account_id)).toEqual(
      (metadata['accounts'] as { id: string }[]).map(({ id }) => id),
    );
    await expect.poll(isShown).toBe(false);
    expect(complaints).toEqual([]);
  });

  it('a customer may pick several under the customization “multiple”', async () => {
    await openLink({ link_customization_name: 'multiple' });
    await signIn('user_several');
    await link.getByText('Household Checking').click();
    await link.getByText('Bills Checking').click();
    await press('Continue');
    await press('Finish');
    const [, metadata] = await callback('success');
    expect(metadata['accounts']).toHaveLength(2);
  });

  it('a customer finds banks by typing, and sees when there is none', async () => {
    await openLink();
    await press('Continue');
    await link.getByRole('searchbox').fill('platypus');
    await expect.poll(() => link.getByRole('list', { name: 'Banks' }).getByRole('button').count()).toBe(4);
    await link.getByRole('searchbox').fill('no such bank');
    await link.getByText('No results').waitFor();
  });

  it('a customer sees that a password is wrong and can try again, then that a code is', async () => {
    await openLink();
    await signIn('user_good', 'wrong');
    await link.getByRole('alert').getByText('not correct').waitFor();
    await link.getByLabel('Password').fill('mfa_device');
    await press('Sign in');
    await link.getByLabel('Code').fill('0000');
    await press('Continue');
    await link.getByRole('alert').getByText('not correct').waitFor();
    await link.getByLabel('Code').fill('1234');
    await press('Continue');
    await link.getByRole('heading', { name: 'Which account?' }).waitFor();
  });

  it('a customer signs in at the bank’s own window where the bank has one', async () => {
    await openLink();
    await press('Continue');
    await press(/Platypus OAuth/);
    const opening = page.waitForEvent('popup');
    await press('Continue');
    const bank = await opening;
    await bank.getByLabel('User name').fill('user_one_account');
    await clickThatCloses(bank, bank.getByRole('button', { name: 'Sign in and share' }));
    await link.getByText('Everyday Checking').waitFor();
    await press('Continue');
    await press('Finish');
    expect((await callback('success'))[1]).toMatchObject({ institution: { institution_id: 'ins_127287' } });
  });

  it('a customer who declines at the bank’s window leaves with requires_oauth', async () => {
    await openLink();
    await press('Continue');
    await press(/Platypus OAuth/);
    const opening = page.waitForEvent('popup');
    await press('Continue');
    await (await opening).getByRole('button', { name: 'Cancel' }).click();
    await link.locator('#pane').getByRole('button', { name: 'Close' }).click();
    expect(await callback('exit')).toMatchObject([
      { error_type: 'ITEM_ERROR', error_code: 'INSUFFICIENT_CREDENTIALS' },
      { status: 'requires_oauth' },
    ]);
  });

  it('a customer repairs an Item in update mode', async () => {
    const client = plaidClient(running.plaidUrl);
    const { accessToken } = await linkItem(client, 'user_login_required');
    expect(await refusal(client.accountsGet({ access_token: accessToken }))).toMatchObject({
      error_code: 'ITEM_LOGIN_REQUIRED',
    });
    await openLink({ access_token: accessToken, products: undefined });
    await press('Continue');
    await link.getByLabel('User name').fill('user_login_required');
    await press('Sign in');
    await press('Finish');
    await callback('success');
    expect((await client.accountsGet({ access_token: accessToken })).data.accounts).toHaveLength(1);
  });
});

describe('leaving Link', () => {
  it('leaving Link at the first pane happens at once, and later asks first', async () => {
    await openLink();
    await page.keyboard.press('Escape');
    expect(await callback('exit')).toMatchObject([null, { status: 'institution_not_found', institution: null }]);
    await page.evaluate('callbacks.length = 0; handler.open()');
    await press('Continue');
    await press(/Tartan/);
    await link.getByLabel('Password').waitFor();
    await press('Close');
    await link.getByRole('alertdialog', { name: 'Leave without connecting?' }).waitFor();
    await press('Stay');
    await page.keyboard.press('Escape');
    await press('Yes, leave');
    expect(await callback('exit')).toMatchObject([
      null,
      { status: 'requires_credentials', institution: { name: 'Tartan Bank' }, request_id: expect.any(String) },
    ]);
  });

  it('Link that is opened again shows nothing of its last session while the next one begins', async () => {
    await openLink();
    await press('Continue');
    await press(/Tartan/);
    await link.getByLabel('Password').waitFor();
    await page.evaluate('handler.exit({ force: true })');
    await callback('exit');
    const [asked, held] = [new Gate(), new Gate()];
    await page.route('**/link/api/start', async (route) => {
      asked.open();
      await held.passed;
      await route.continue();
    });
    await page.evaluate('handler.open()');
    await asked.passed;
    expect(await link.getByRole('button').evaluateAll((all) => all.map((one) => one.ariaLabel))).toEqual(['Close']);
    held.open();
    await link.getByRole('heading', { name: /bank to Acme/ }).waitFor();
  });

  it('leaving Link at the accounts returns requires_account_selection', async () => {
    await openLink();
    await signIn('user_good');
    await link.getByRole('radio').first().waitFor();
    await page.evaluate('handler.exit({ force: true })');
    expect((await callback('exit'))[1]).toMatchObject({ status: 'requires_account_selection' });
    expect(running.simulator.ledger.items()).toEqual([]);
  });

  it.each([
    ['user_bank_down', 'pass_good', 'INSTITUTION_DOWN'],
    ['user_no_accounts', 'pass_good', 'NO_ACCOUNTS'],
    ['user_ineligible', 'pass_good', 'NO_AUTH_ACCOUNTS'],
    ['user_good', 'error_ITEM_LOCKED', 'ITEM_LOCKED'],
  ])('leaving Link after the error of %s with %s returns it to the shop', async (username, password, code) => {
    await openLink();
    await signIn(username, password);
    await link.getByText(code, { exact: true }).waitFor();
    await link.locator('#pane').getByRole('button', { name: 'Close' }).click();
    const [error, metadata] = await callback('exit');
    expect(error).toMatchObject({
      error_code: code,
      error_type: expect.any(String),
      error_message: expect.any(String),
    });
    expect(metadata).toMatchObject({ status: 'requires_credentials' });
  });

  it('leaving Link is reported before Link is opened when the link token is not one', async () => {
    await page.evaluate(`create('link-sandbox-00000000-0000-0000-0000-000000000000')`);
    const [error, metadata] = await callback('exit');
    expect(error).toMatchObject({ error_type: 'INVALID_INPUT', error_code: 'INVALID_LINK_TOKEN' });
    expect(metadata).toMatchObject({ status: null, institution: null, request_id: expect.any(String) });
    await expect.poll(() => page.locator('iframe').isVisible()).toBe(false);
    await expect.poll(() => page.evaluate('document.body.style.overflow')).toBe('');
  });

  it('leaving Link happens by itself when the link token is over', async () => {
    await openLink();
    await signIn('user_link_token_expired');
    expect((await callback('exit'))[0]).toMatchObject({ error_code: 'INVALID_LINK_TOKEN' });
    await page.evaluate('callbacks.length = 0; handler.destroy()');
    await create();
    pass(240 * 60_000);
    await page.evaluate('handler.open()');
    expect((await callback('exit'))[0]).toMatchObject({
      error_type: 'INVALID_INPUT',
      error_code: 'INVALID_LINK_TOKEN',
    });
  });
});
