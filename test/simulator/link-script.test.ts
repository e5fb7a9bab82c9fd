import axe from 'axe-core';
import type { LinkTokenCreateRequest } from 'plaid';
import { describe, expect, it } from 'vitest';
import { linkTokenRequest, plaidClient } from './client.ts';
import {
  callback,
  callbacks,
  complaints,
  expectCallback,
  link,
  openLink,
  page,
  press,
  running,
  shop,
  withLinkPage,
} from './link-page.ts';

withLinkPage();

describe('the script on the page', () => {
  it('the script waits with an early open until the frame is loaded, and reports events with times', async () => {
    const { link_token } = (await plaidClient(running.plaidUrl).linkTokenCreate(linkTokenRequest())).data;
    await page.evaluate(`create(${JSON.stringify(link_token)}); handler.open()`);
    await press('Continue');
    await expect
      .poll(async () => (await callbacks()).map(([name, first]) => [name, first].join(' ')))
      .toEqual(['load ', 'event OPEN']);
    await page.evaluate('handler.exit({ force: true })');
    await expectCallback(([, name]) => name === 'EXIT');
    const events = (await callbacks()).filter(([name]) => name === 'event');
    const times = events.map(([, , metadata]) => Date.parse((metadata as { timestamp: string }).timestamp));
    expect(times.every((time) => time > 0)).toBe(true);
    expect(events.at(-1)?.[2]).toMatchObject({ exit_status: 'institution_not_found', view_name: null });
  });

  it('the script puts one frame on the page, and takes it away with destroy', async () => {
    await openLink();
    await expect.poll(() => page.locator('iframe').count()).toBe(1);
    await expect.poll(() => page.evaluate('document.body.style.overflow')).toBe('hidden');
    await page.evaluate('handler.destroy()');
    await expect.poll(() => page.locator('iframe').count()).toBe(0);
    await expect.poll(() => page.evaluate('document.body.style.overflow')).toBe('');
  });

  it('the script listens only to its own frame', async () => {
    await openLink();
    const message = {
      channel: 'bank-connect-simulator-link',
      kind: 'success',
      public_token: 'public-forged',
      metadata: {},
    };
    await page.evaluate(`window.postMessage(${JSON.stringify(message)}, '*')`);
    await page.evaluate('handler.exit({ force: true })');
    await callback('exit');
    expect(JSON.stringify(await page.evaluate('callbacks'))).not.toContain('forged');
  });

  it('the script complains when it is embedded twice', async () => {
    await page.addScriptTag({ url: running.linkScriptUrl }).catch(() => undefined);
    await page.evaluate(`new Promise((resolve) => {
      const script = document.createElement('script');
      script.nonce = 'n'; script.src = ${JSON.stringify(running.linkScriptUrl)}; script.onload = resolve;
      document.head.append(script);
    })`);
    await expect.poll(() => complaints.join('\n')).toContain('embedded more than once');
  });

  it('the script keeps the keyboard inside the dialog', async () => {
    await openLink();
    const seen = new Set<string>();
    for (let i = 0; i < 6; i++) {
      await page.keyboard.press('Tab');
      await expect.poll(() => page.evaluate('document.activeElement.tagName')).toBe('IFRAME');
      seen.add((await link.locator(':focus').textContent())?.trim() ?? '');
    }
    expect([...seen].sort()).toEqual(['', 'Continue']);
  });
});

describe('every pane', () => {
  it.each(['LIGHT', 'DARK'] as const)(
    'has no accessibility violation that a machine can find (%s)',
    async (appearance_mode) => {
      await openLink({ appearance_mode: appearance_mode as LinkTokenCreateRequest['appearance_mode'] });
      const frame = page.frames()[1];
      await frame?.evaluate(axe.source);
      const violations = async (): Promise<string[]> => {
        const found = (await frame?.evaluate('axe.run()')) as {
          violations: { id: string; nodes: { html: string }[] }[];
        };
        return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
      };
      const found: string[] = await violations();
      await press('Continue');
      await link.getByRole('searchbox').waitFor();
      found.push(...(await violations()));
      await press(/Tartan/);
      await link.getByText('User names to try').click();
      await link.getByLabel('Password').fill('wrong');
      await press('Sign in');
      await link.getByRole('alert').waitFor();
      found.push(...(await violations()));
      await link.getByLabel('Password').fill('mfa_device');
      await press('Sign in');
      await link.getByLabel('Code').fill('1234');
      found.push(...(await violations()));
      await press('Close');
      await link.getByRole('alertdialog').waitFor();
      found.push(...(await violations()));
      await press('Stay');
      await press('Continue');
      await link.getByText('Plaid Saving').click();
      found.push(...(await violations()));
      await press('Continue');
      await link.getByRole('button', { name: 'Finish' }).waitFor();
      found.push(...(await violations()));
      expect(found).toEqual([]);
    },
  );
});

describe('Hosted Link', () => {
  it('gives an address that works without the script, and link/token/get returns its outcome', async () => {
    const client = plaidClient(running.plaidUrl);
    const request = linkTokenRequest({ hosted_link: { completion_redirect_uri: `${shop.url}back` } });
    const { link_token, hosted_link_url } = (await client.linkTokenCreate(request)).data;
    await page.goto(hosted_link_url ?? '');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: /Tartan/ }).click();
    await page.getByLabel('User name').fill('user_one_account');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Everyday Checking').waitFor();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: 'Finish' }).click();
    await page.waitForURL(`${shop.url}back`);
    const [session] = (await client.linkTokenGet({ link_token })).data.link_sessions ?? [];
    const result = session?.results?.item_add_results[0];
    expect(result?.accounts).toHaveLength(1);
    expect((await client.itemPublicTokenExchange({ public_token: result?.public_token ?? '' })).status).toBe(200);
  });
});
