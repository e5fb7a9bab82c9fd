import type { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { networkAddress, requireOwnAddress } from '../../demo/server/network.ts';
import { DemoSettingsError } from '../../demo/settings.ts';
import { startDemo } from '../../demo/start-demo.ts';
import { connectServerHere } from './connect-server-here.ts';

type Interfaces = ReturnType<typeof networkInterfaces>;

const ipv4 = (address: string, internal = false) => ({
  address,
  internal,
  family: 'IPv4' as const,
  netmask: '255.255.255.0',
  mac: '00:00:00:00:00:00',
  cidr: `${address}/24`,
});
const loopback = { lo: [ipv4('127.0.0.1', true)] };

test.each<[Interfaces, string]>([
  [{ ...loopback, wlan0: [ipv4('192.168.1.20')] }, '192.168.1.20'],
  [{ ...loopback, docker0: [ipv4('172.17.0.1')], wlan0: [ipv4('10.4.2.7')] }, '10.4.2.7'],
  [{ ...loopback, en5: [ipv4('169.254.3.3')], en0: [ipv4('172.20.10.2')] }, '172.20.10.2'],
  [{ ...loopback, utun3: [ipv4('10.8.0.2')], en0: [ipv4('203.0.113.9')] }, '203.0.113.9'],
])('A phone in the room reaches the demo at the address of the room’s network (case %#)', (interfaces, expected) => {
  expect(networkAddress(interfaces)).toBe(expected);
});

test('Without a network, and with an address of another machine, the demo does not start', async () => {
  expect(() => networkAddress({ ...loopback, docker0: [ipv4('172.17.0.1')] })).toThrow(DemoSettingsError);
  expect(() => requireOwnAddress('192.168.1.21', { wlan0: [ipv4('192.168.1.20')] })).toThrow('It has 192.168.1.20.');
  expect(requireOwnAddress('172.17.0.1', { docker0: [ipv4('172.17.0.1')] })).toBe('172.17.0.1');
});

test('With credentials the demo is not shown to a network', async () => {
  const env = { PLAID_CLIENT_ID: 'i', PLAID_SECRET: 's', FINIX_USERNAME: 'u', FINIX_PASSWORD: 'p' };
  await expect(startDemo({ env, host: '192.168.1.20' })).rejects.toThrow('this machine only');
});

/**
 * 127.0.0.2 takes the place of a network's address: what goes there stays on this machine. Only Linux has it without
 * being asked.
 */
test.runIf(process.platform === 'linux')(
  'In a network every address on the way is the network’s: page, script, Link, repair link and its QR code',
  async () => {
    const host = '127.0.0.2';
    let key = '';
    const demo = await startDemo({
      host,
      runConnectServer: connectServerHere,
      adjust: (config) => {
        [key = ''] = config.merchantApiKeys;
      },
    });
    try {
      expect(new URL(demo.url).hostname).toBe(host);
      const text = async (url: string) => (await fetch(url)).text();
      const shop = await text(`${demo.url}/coffee`);
      const addresses = shop.match(/https?:\/\/[^"<>\s]+/g) ?? [];
      expect(addresses.length).toBeGreaterThan(1);
      expect([...new Set(addresses.map((one) => new URL(one).hostname))]).toEqual([host]);
      for (const address of addresses) expect((await fetch(address)).status).toBe(200);
      // The presenter's own browser may stay on loopback.
      expect(await text(demo.url.replace(host, '127.0.0.1'))).toContain('Bank Connect');

      const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
      const body = JSON.stringify({ customer_id: 'cus_phone' });
      const made = await fetch(`${demo.connectUrl}/v1/links`, { method: 'POST', headers, body });
      const link = (await made.json()) as { url: string };
      expect(link.url).toMatch(/^http:\/\/127\.0\.0\.2:\d+\/c\//);
      const page = await fetch(link.url);
      expect(page.status).toBe(200);
      const seen = `${await page.text()}\n${page.headers.get('content-security-policy')}`;
      expect(seen).not.toContain('127.0.0.1');
      const [script = ''] = /http:[^"']+link-initialize\.js/.exec(seen) ?? [];
      expect((await fetch(script)).status).toBe(200);
      // What steers the simulator, and its providers, are for this machine only.
      for (const path of ['/_control', '/plaid/accounts/get', '/finix/identities']) {
        expect((await fetch(new URL(path, script))).status).toBe(404);
      }
      // A page of the network may ask the server, one of another place may not.
      const asks = async (origin: string) => {
        const asked = { Origin: origin, 'Content-Type': 'application/json' };
        return (await fetch(`${demo.connectUrl}/v1/sessions`, { method: 'POST', headers: asked, body: '{}' })).status;
      };
      const session = await fetch(`${demo.url}/api/session`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{}',
      });
      const { client_secret: secret } = (await session.json()) as { client_secret: string };
      const linkToken = await fetch(`${demo.connectUrl}/v1/sessions/${secret.split('_secret_')[0]}/link-token`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${secret}`, Origin: demo.url, 'Content-Type': 'application/json' },
        body: '{}',
      });
      expect(linkToken.status).toBe(200);
      expect(await asks(demo.url)).toBe(201);
      expect(await asks('http://192.168.1.99:4173')).toBe(403);
    } finally {
      await demo.close();
    }
  },
);
