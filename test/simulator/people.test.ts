import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type LinkStep,
  type RunningSimulator,
  type SimulatedCall,
  startSimulator,
} from '../../demo/simulator/index.ts';
import { linkTokenRequest, plaidClient } from './client.ts';

const MAYA = {
  name: 'Maya Okafor',
  email: 'maya@okafor.example',
  phone: '2075550148',
  address: { street: '48 Harbor Street', city: 'Portland', region: 'ME', postal_code: '04101', country: 'US' },
};

let running: RunningSimulator;
beforeEach(async () => {
  running = await startSimulator();
});
afterEach(() => running.close());

async function link(path: string, body: object): Promise<Record<string, never>> {
  const json = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  return (await (await fetch(`${running.url}/link/api/${path}`, json)).json()) as Record<string, never>;
}

/** All of Link at First Platypus Bank. @returns the answer of `start`, and the public token */
async function walk(clientUserId: string, username: string) {
  const client = plaidClient(running.plaidUrl);
  const request = linkTokenRequest({ user: { client_user_id: clientUserId } });
  const { link_token } = (await client.linkTokenCreate(request)).data;
  const start = await link('start', { link_token });
  const session = start['link_session_id'];
  await link('open', { session });
  await link('institution', { session, institution_id: 'ins_109508' });
  const { accounts } = await link('credentials', { session, username, password: 'pass_good' });
  const [account] = accounts as unknown as { id: string }[];
  const { public_token } = await link('accounts', { session, account_ids: [account?.id] });
  const { access_token } = (await client.itemPublicTokenExchange({ public_token: public_token ?? '' })).data;
  const owner = (await client.identityGet({ access_token })).data.accounts[0]?.owners[0];
  return { start, owner };
}

test('Link fills in the user name of the person it meets, and the accounts are theirs', async () => {
  running.simulator.people.set('maya', { username: 'user_one_account', owner: MAYA });
  const { start, owner } = await walk('maya', 'user_one_account');
  expect(start).toMatchObject({ username: 'user_one_account' });
  expect(owner).toMatchObject({
    names: ['Maya Okafor'],
    emails: [{ data: MAYA.email }],
    addresses: [{ data: MAYA.address }],
  });
});

test('A scenario about another owner keeps that owner', async () => {
  running.simulator.people.set('maya', { owner: MAYA });
  expect((await walk('maya', 'user_owner_mismatch')).owner?.names).toEqual(['Marcus Vale']);
});

test('A person who was not introduced meets the owner of the scenario', async () => {
  const { start, owner } = await walk('stranger', 'user_good');
  expect(start).toMatchObject({ username: 'user_good' });
  expect(owner?.names).toEqual(['Alberta Bobbeth Charleson']);
});

test('A listener learns each step in Link as it happens, with the link token that it belongs to', async () => {
  const steps: LinkStep[] = [];
  running.simulator.on('link', (step) => steps.push(step));
  await walk('maya', 'user_one_account');
  expect(steps.map(({ what }) => what)).toEqual(['open', 'institution chosen', 'credentials sent', 'success']);
  expect(steps.at(-1)).toMatchObject({
    institution: 'First Platypus Bank',
    accounts: [{ name: 'Everyday Checking', mask: '5010' }],
    link_token: running.simulator.ledger.linkTokens()[0]?.link_token,
  });
});

test('A listener learns each call twice: before anything came of it, and with its answer', async () => {
  const came: (number | null)[] = [];
  const answered: SimulatedCall[] = [];
  const stop = running.simulator.on('call', ({ status }) => came.push(status));
  running.simulator.on('answered', (call) => answered.push(call));
  await plaidClient(running.plaidUrl).linkTokenCreate(linkTokenRequest());
  expect(came).toEqual([null]);
  expect(answered).toMatchObject([
    { path: '/link/token/create', status: 200, response: { request_id: expect.any(String) } },
  ]);
  stop();
  await plaidClient(running.plaidUrl).linkTokenCreate(linkTokenRequest());
  expect(came).toHaveLength(1);
});
