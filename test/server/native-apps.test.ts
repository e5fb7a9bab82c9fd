import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LinkTokenRequest, Session } from '../../widget/contract.ts';
import { TestServer } from '../helpers/server.ts';
import { throughLink } from '../helpers/through-link.ts';

const UNIVERSAL_LINK = 'https://shop.example/bank';
const PACKAGE = 'com.example.shop';
const SCHEME = 'com.example.shop://bank';

let server: TestServer;
beforeEach(async () => {
  server = await TestServer.start({
    env: { NATIVE_APPS: `${UNIVERSAL_LINK},${PACKAGE},${SCHEME}`, PLAID_REDIRECT_URI: 'https://shop.example/return' },
  });
});
afterEach(() => server.close());

/** As an app: with the client secret, and without the headers that only browsers send. */
function asApp(session: Session, method: string, path: string, body?: object) {
  const headers = { Authorization: `Bearer ${session.client_secret}` };
  return server.send(method, `/v1/sessions/${session.id}${path}`, body, headers);
}

const linkToken = async (body: LinkTokenRequest) => asApp(await server.createSession(), 'POST', '/link-token', body);

/** What Plaid was sent last. */
const sent = () =>
  server.ledger
    .calls()
    .filter(({ path }) => path === '/link/token/create')
    .at(-1)?.body as Record<string, unknown>;

describe('a link token for a native app', () => {
  it.each([
    ['ios', { redirect_uri: UNIVERSAL_LINK }, { redirect_uri: UNIVERSAL_LINK, android_package_name: undefined }],
    ['android', { android_package_name: PACKAGE }, { redirect_uri: undefined, android_package_name: PACKAGE }],
    ['react_native', { redirect_uri: UNIVERSAL_LINK }, { redirect_uri: UNIVERSAL_LINK }],
    ['react_native', { android_package_name: PACKAGE }, { redirect_uri: undefined, android_package_name: PACKAGE }],
    ['ios', {}, { redirect_uri: undefined, android_package_name: undefined }],
  ] as const)('for %s with %j names the app, and no page', async (platform, more, expected) => {
    const answer = await linkToken({ platform, ...more });
    expect(answer.status).toBe(200);
    expect(answer.body).not.toHaveProperty('hosted_link_url');
    const { redirect_uri, android_package_name } = sent();
    expect({ redirect_uri, android_package_name }).toMatchObject(expected);
  });

  it.each([
    [
      'a universal link that is not listed',
      { platform: 'ios', redirect_uri: 'https://evil.example/bank' },
      'redirect_uri',
    ],
    ['a package that is not listed', { platform: 'android', android_package_name: 'com.evil' }, 'android_package_name'],
    ['a package name for iOS', { platform: 'ios', android_package_name: PACKAGE }, 'android_package_name'],
    ['a universal link for Android', { platform: 'android', redirect_uri: UNIVERSAL_LINK }, 'redirect_uri'],
    [
      'both',
      { platform: 'react_native', redirect_uri: UNIVERSAL_LINK, android_package_name: PACKAGE },
      'android_package_name',
    ],
    ['no platform', { redirect_uri: UNIVERSAL_LINK }, 'redirect_uri'],
    ['an unknown platform', { platform: 'windows' }, 'platform'],
    ['a scheme as redirect address', { platform: 'ios', redirect_uri: SCHEME }, 'redirect_uri'],
    ['a return address without a Hosted Link', { platform: 'ios', return_url: SCHEME }, 'return_url'],
    ['a return address of another app', { platform: 'ios', mode: 'hosted', return_url: 'evil://bank' }, 'return_url'],
    [
      'a package name in a Hosted Link',
      { platform: 'android', mode: 'hosted', android_package_name: PACKAGE },
      'android_package_name',
    ],
    ['an app’s address for a page', { mode: 'hosted', return_url: SCHEME }, 'return_url'],
  ] as const)('with %s is refused, naming the field', async (_name, body, path) => {
    const answer = await linkToken(body as unknown as LinkTokenRequest);
    expect([answer.status, answer.body.errors[0].path]).toEqual([422, path]);
    expect(sent()).toBeUndefined();
  });

  it('with the app’s own scheme is a Hosted Link that returns to the app', async () => {
    const answer = await linkToken({ platform: 'android', mode: 'hosted', return_url: SCHEME });
    expect(answer.body.hosted_link_url).toMatch(/^http/);
    expect(sent()['hosted_link']).toMatchObject({ completion_redirect_uri: SCHEME, is_mobile_app: true });
  });
});

it('An app connects a bank by two calls, without an Origin', async () => {
  const session = await server.createSession();
  const token = await asApp(session, 'POST', '/link-token', {
    platform: 'react_native',
    android_package_name: PACKAGE,
  });
  const { public_token, accounts, institution } = await throughLink(server, token.body);
  const completed = await asApp(session, 'POST', '/complete', { public_token, accounts, institution });
  expect(completed).toMatchObject({ status: 200, body: { status: 'completed', connections: [{ status: 'active' }] } });
  expect((await asApp(session, 'GET', '')).body.status).toBe('completed');
});

it('An app repairs a connection by the same two calls', async () => {
  const { answer } = await server.connect();
  const session = await server.createSession({ connection: answer.body.connections[0].id });
  const token = await asApp(session, 'POST', '/link-token', { platform: 'ios', redirect_uri: UNIVERSAL_LINK });
  const { public_token, ...rest } = await throughLink(server, token.body, { username: 'user_one_account' });
  const completed = await asApp(session, 'POST', '/complete', { public_token, ...rest });
  expect(completed.body).toMatchObject({ status: 'completed', mode: 'repair' });
});

describe('NATIVE_APPS', () => {
  it.each([
    'http://shop.example/bank',
    'https://user:secret@shop.example/bank',
    'https://shop.example/bank?customer=1',
    'javascript://alert',
    'intent://shop',
    'shop',
    'com.example.shop:bank',
  ])('refuses %s', async (entry) => {
    await expect(TestServer.start({ env: { NATIVE_APPS: entry }, upstream: server.upstream })).rejects.toThrow(
      'NATIVE_APPS',
    );
  });
});
