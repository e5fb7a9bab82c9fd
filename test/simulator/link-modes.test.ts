import axe from 'axe-core';
import { describe, expect, it } from 'vitest';
import { clickThatCloses } from '../helpers/click-that-closes.ts';
import { linkItem, linkTokenRequest, plaidClient } from './client.ts';
import { callback, complaints, link, page, press, running, shop, withLinkPage } from './link-page.ts';

withLinkPage();

async function newToken(more: Parameters<typeof linkTokenRequest>[0] = {}): Promise<string> {
  return (await plaidClient(running.plaidUrl).linkTokenCreate(linkTokenRequest(more))).data.link_token;
}

/** As the page does after a bank sent it back; `address` is the page's own when left out. */
async function resume(token: string, address?: string): Promise<void> {
  const uri = address === undefined ? 'location.href' : JSON.stringify(address);
  await page.evaluate(`create(${JSON.stringify(token)}, { receivedRedirectUri: ${uri} }); handler.open()`);
}

describe('a bank’s own page in a webview', () => {
  /** To the bank and back again. @returns the link token that it began with */
  async function goToBank(button: string): Promise<string> {
    running.simulator.settings.isWebview = true;
    const token = await newToken({ redirect_uri: shop.url });
    await page.evaluate(`create(${JSON.stringify(token)}); handler.open()`);
    await press('Continue');
    await press(/Platypus OAuth/);
    await press('Continue');
    await page.waitForURL(/\/link\/oauth\//);
    await page.getByRole('button', { name: button }).click();
    await page.waitForURL(/oauth_state_id=/);
    return token;
  }

  it('a bank’s own page in a webview takes the place of the shop’s page, and Link goes on at the accounts with the same token', async () => {
    const token = await goToBank('Sign in and share');
    expect(page.url()).toMatch(new RegExp(`^${shop.url}\\?oauth_state_id=[0-9a-f-]{36}$`));
    await resume(token);
    await link.getByText('Plaid Checking').click();
    await press('Continue');
    await press('Finish');
    expect((await callback('success'))[1]).toMatchObject({ institution: { institution_id: 'ins_127287' } });
  });

  it('a bank’s own page in a webview a customer who declines there sees it in Link', async () => {
    await resume(await goToBank('Cancel'));
    await link.locator('#pane').getByRole('button', { name: 'Close' }).click();
    expect((await callback('exit'))[0]).toMatchObject({ error_code: 'INSUFFICIENT_CREDENTIALS' });
  });

  it('a bank’s own page in a webview comes back once', async () => {
    const token = await goToBank('Sign in and share');
    await resume(token);
    await link.getByText('Plaid Checking').waitFor();
    await page.reload();
    await resume(token);
    expect((await callback('exit'))[0]).toMatchObject({
      error_type: 'OAUTH_ERROR',
      error_code: 'OAUTH_STATE_ID_ALREADY_PROCESSED',
    });
  });

  it('a bank’s own page in a webview comes back to the link token that it left with', async () => {
    await goToBank('Sign in and share');
    await resume(await newToken({ redirect_uri: shop.url }));
    expect((await callback('exit'))[0]).toMatchObject({ error_code: 'INCORRECT_LINK_TOKEN' });
  });

  it.each([
    ['an unknown state', '?oauth_state_id=11111111-2222-4333-8444-555555555555', 'OAUTH_STATE_ID_NOT_FOUND'],
    ['no state', '', 'INVALID_FIELD'],
    ['more than the state', '?oauth_state_id=11111111-2222-4333-8444-555555555555&cart=1', 'INVALID_FIELD'],
    ['a fragment', '?oauth_state_id=11111111-2222-4333-8444-555555555555#top', 'INVALID_FIELD'],
    ['another page', 'other?oauth_state_id=11111111-2222-4333-8444-555555555555', 'INVALID_FIELD'],
  ])('a bank’s own page in a webview refuses %s', async (_what, rest, code) => {
    await resume(await newToken({ redirect_uri: shop.url }), shop.url + rest);
    expect((await callback('exit'))[0]).toMatchObject({ error_code: code });
  });

  it('a bank’s own page in a webview cannot be reached without an address to come back to', async () => {
    running.simulator.settings.isWebview = true;
    await page.evaluate(`create(${JSON.stringify(await newToken())}); handler.open()`);
    await press('Continue');
    await press(/Platypus OAuth/);
    await link.getByRole('heading', { name: /cannot be opened here/ }).waitFor();
  });

  it('a webview is known by the user agent', async () => {
    const agent = await page
      .context()
      .browser()
      ?.newPage({ userAgent: 'Mozilla/5.0 (Linux; Android 14; wv) Chrome/147' });
    if (!agent) throw new Error('there is no browser');
    await agent.goto(shop.url);
    await agent.evaluate(`create(${JSON.stringify(await newToken({ redirect_uri: shop.url }))}); handler.open()`);
    const frame = agent.frameLocator('iframe');
    await frame.getByRole('button', { name: 'Continue' }).click();
    await frame.getByRole('button', { name: /Platypus OAuth/ }).click();
    await frame.getByText('takes the place of this page').waitFor();
    await agent.close();
  });
});

describe('Hosted Link', () => {
  it('Hosted Link comes back to itself from a bank’s page in a webview', async () => {
    running.simulator.settings.isWebview = true;
    const request = linkTokenRequest({ hosted_link: { completion_redirect_uri: `${shop.url}back` } });
    const { hosted_link_url } = (await plaidClient(running.plaidUrl).linkTokenCreate(request)).data;
    await page.goto(hosted_link_url ?? '');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: /Platypus OAuth/ }).click();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: 'Sign in and share' }).click();
    await page.getByText('Plaid Checking').click();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: 'Finish' }).click();
    await page.waitForURL(`${shop.url}back`);
  });

  it('Hosted Link closes the window that it was opened in when the customer is done', async () => {
    const client = plaidClient(running.plaidUrl);
    const { link_token, hosted_link_url } = (await client.linkTokenCreate(linkTokenRequest({ hosted_link: {} }))).data;
    const opening = page.waitForEvent('popup');
    await page.evaluate(`void open(${JSON.stringify(hosted_link_url)}, '_blank', 'popup')`);
    const hosted = await opening;
    await hosted.getByRole('heading', { name: /Connect your bank/ }).waitFor();
    await clickThatCloses(hosted, hosted.getByRole('button', { name: 'Close' }));
    const [session] = (await client.linkTokenGet({ link_token })).data.link_sessions ?? [];
    expect(session).toMatchObject({
      finished_at: expect.any(String),
      exit: { metadata: { status: 'institution_not_found' } },
    });
  });
});

describe('the embedded search', () => {
  const tiles = () => page.frameLocator('#search iframe');

  async function embed(token: string, where: string = shop.url): Promise<void> {
    await page.goto(where);
    await page.evaluate(`{
      const place = document.createElement('div');
      place.id = 'search';
      place.style.setProperty('height', '360px');
      document.body.append(place);
      window.handler = Plaid.createEmbedded({ token: ${JSON.stringify(token)},
        onSuccess: (...all) => callbacks.push(['success', ...all]), onExit: (...all) => callbacks.push(['exit', ...all]),
        onEvent: (...all) => callbacks.push(['event', ...all]) }, place);
    }`);
  }

  it('the embedded search fills its place, finds banks, and opens Link at the bank that was chosen', async () => {
    await embed(await newToken());
    await tiles().getByRole('searchbox').fill('tartan');
    await tiles().getByRole('button', { name: 'Tartan Bank' }).click();
    const dialog = page.frameLocator('iframe[title="Plaid Link (simulator)"]');
    await dialog.getByRole('button', { name: 'Continue' }).click();
    await dialog.getByRole('heading', { name: 'Sign in to Tartan Bank' }).waitFor();
    await dialog.getByLabel('User name').fill('user_one_account');
    await dialog.getByRole('button', { name: 'Sign in' }).click();
    await dialog.getByText('Everyday Checking').waitFor();
    await dialog.getByRole('button', { name: 'Continue' }).click();
    await dialog.getByRole('button', { name: 'Finish' }).click();
    expect((await callback('success'))[1]).toMatchObject({ institution: { name: 'Tartan Bank' } });
    expect(complaints).toEqual([]);
    const box = await page.locator('#search iframe').boundingBox();
    expect(box?.height).toBe(360);
  });

  it('the embedded search is left for another bank and used again', async () => {
    await embed(await newToken());
    await tiles().getByRole('button', { name: 'Tartan Bank' }).click();
    const dialog = page.frameLocator('iframe[title="Plaid Link (simulator)"]');
    await dialog.getByRole('heading', { name: /bank to Acme/ }).waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await callback('exit');
    await tiles().getByRole('button', { name: 'Houndstooth Bank' }).click();
    await dialog.getByRole('button', { name: 'Continue' }).click();
    await dialog.getByRole('heading', { name: 'Sign in to Houndstooth Bank' }).waitFor();
  });

  it('the embedded search goes away with destroy', async () => {
    await embed(await newToken());
    await tiles().getByRole('button', { name: 'Tartan Bank' }).waitFor();
    await page.evaluate('handler.destroy()');
    await expect.poll(() => page.locator('iframe').count()).toBe(0);
  });

  it('the embedded search has no violations of accessibility rules', async () => {
    await embed(await newToken());
    await tiles().getByRole('button', { name: 'Tartan Bank' }).waitFor();
    const frame = page.frames().find((each) => each.url().endsWith('/link/embedded'));
    // Evaluated by the tool itself, which the frame's policy does not bind.
    await frame?.evaluate(axe.source);
    const found = (await frame?.evaluate('axe.run()')) as { violations: { id: string }[] } | undefined;
    expect(found?.violations.map(({ id }) => id)).toEqual([]);
  });

  it('the embedded search does not work in update mode', async () => {
    const { accessToken } = await linkItem(plaidClient(running.plaidUrl), 'user_login_required');
    await embed(await newToken({ access_token: accessToken, products: undefined }));
    expect((await callback('exit'))[0]).toMatchObject({ error_code: 'INVALID_FIELD' });
    await expect.poll(() => page.locator('iframe[title="Plaid Link (simulator)"]').isVisible()).toBe(false);
  });

  it('the embedded search does not work inside an iframe', async () => {
    // The policy of the shop lets no other page be framed, so this one represents a page that is.
    const outer = await page.context().browser()?.newPage();
    if (!outer) throw new Error('there is no browser');
    await outer.setContent(
      `<iframe srcdoc='<div id="search"></div><script src="${running.linkScriptUrl}"></script>'></iframe>`,
    );
    const inner = outer.frames()[1];
    if (!inner) throw new Error('there is no frame');
    await expect.poll(() => inner.evaluate('typeof Plaid')).toBe('object');
    const refused = inner.evaluate(
      `Plaid.createEmbedded({ token: 'x', onSuccess() {} }, document.querySelector('#search'))`,
    );
    await expect(refused).rejects.toThrow('iframe');
    await outer.close();
  });
});
