import { afterEach, describe, expect, it, vi } from 'vitest';
import { logoOf } from '../../demo/simulator/plaid/logo.ts';
import { UpstreamError } from '../../server/clients/outbound.ts';
import type { PlaidClient } from '../../server/clients/plaid.ts';
import { createInstitutionLogos } from '../../server/connect/institution-logos.ts';
import { SHOP, TestServer } from '../helpers/server.ts';

const BANK = 'ins_109508';

describe('the route of a bank’s logo', () => {
  let server: TestServer;
  let asked: string[];
  afterEach(() => server.close());

  async function start() {
    asked = [];
    const watch = (plaid: PlaidClient): PlaidClient => ({
      ...plaid,
      getInstitutionLogo(id) {
        asked.push(id);
        return plaid.getInstitutionLogo(id);
      },
    });
    server = await TestServer.start({ wrapClients: ({ plaid, finix }) => ({ plaid: watch(plaid), finix }) });
    const session = await server.createSession();
    const logo = (path: string, secret = session.client_secret ?? '') =>
      server.request(`/v1/sessions/${session.id}/institutions/${path}/logo`, {
        headers: { Authorization: `Bearer ${secret}`, Origin: SHOP },
      });
    return { session, logo };
  }

  it('answers with the PNG of a bank that the session has connected, and asks Plaid for it once', async () => {
    const { session, logo } = await start();
    await server.complete(session, await server.publicToken());
    for (let i = 0; i < 3; i++) {
      const response = await logo(BANK);
      expect(response.status).toBe(200);
      expect(response.headers.get('Content-Type')).toBe('image/png');
      expect(response.headers.get('Cache-Control')).toBe('private, max-age=86400');
      expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff');
      const bytes = Buffer.from(await response.arrayBuffer());
      expect(bytes.subarray(1, 4).toString()).toBe('PNG');
      expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([152, 152]);
    }
    expect(asked).toEqual([BANK]);
  });

  it('has nothing of another bank, of a session without a bank, and of what is no id', async () => {
    const { session, logo } = await start();
    expect((await logo(BANK)).status).toBe(204);
    await server.complete(session, await server.publicToken());
    for (const id of ['ins_109509', '..%2F..%2Fkeys', 'constructor']) {
      const response = await logo(id);
      expect([response.status, await response.text()]).toEqual([204, '']);
    }
    expect(asked).toEqual([]);
  });

  it('is refused without the client secret of the session', async () => {
    const { session, logo } = await start();
    await server.complete(session, await server.publicToken());
    const other = await server.createSession();
    expect((await logo(BANK, other.client_secret ?? '')).status).toBe(401);
  });
});

describe('the logos that are kept', () => {
  const png = logoOf('#1d4f8c');
  const refusal = new UpstreamError('plaid', 'institutions/get_by_id', 'lost', 'TIMEOUT');

  it('are asked for once, also by many at the same time, and again after a day', async () => {
    let at = 0;
    const getInstitutionLogo = vi.fn(async () => png);
    const logos = createInstitutionLogos({ getInstitutionLogo }, () => at);
    const all = await Promise.all(Array.from({ length: 20 }, () => logos.find(BANK)));
    expect(new Set(all).size).toBe(1);
    expect(getInstitutionLogo).toHaveBeenCalledTimes(1);
    at = 24 * 3600_000;
    await logos.find(BANK);
    expect(getInstitutionLogo).toHaveBeenCalledTimes(2);
  });

  it('are missing while Plaid has none or fails, and are asked for again ten minutes later', async () => {
    let at = 0;
    const answers: (string | null | UpstreamError)[] = [refusal, null, png];
    const getInstitutionLogo = vi.fn(async () => {
      const answer = answers.shift() ?? null;
      if (answer instanceof UpstreamError) throw answer;
      return answer;
    });
    const logos = createInstitutionLogos({ getInstitutionLogo }, () => at);
    for (const expected of [null, null, Buffer.from(png, 'base64').length]) {
      expect((await logos.find(BANK))?.length ?? null).toBe(expected);
      expect((await logos.find(BANK))?.length ?? null).toBe(expected);
      at += 10 * 60_000;
    }
    expect(getInstitutionLogo).toHaveBeenCalledTimes(3);
  });

  it.each([
    ['an SVG with a script', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>').toString('base64')],
    ['HTML', Buffer.from('<!doctype html><script></script>').toString('base64')],
    ['a JPEG', '/9j/4AAQSkZJRgABAQ=='],
    ['an address', 'https://cdn.bank.example/logo.png'],
    ['more than 100 kB', png + 'A'.repeat(140_000)],
    ['nothing', ''],
  ])('are never %s', async (_, answer) => {
    expect(await createInstitutionLogos({ getInstitutionLogo: async () => answer }).find(BANK)).toBeNull();
  });

  it('are those of the banks that were asked for last', async () => {
    const getInstitutionLogo = vi.fn(async () => png);
    const logos = createInstitutionLogos({ getInstitutionLogo });
    await logos.find(BANK);
    for (let i = 0; i < 199; i++) await logos.find(`ins_${i}`);
    await logos.find(BANK);
    await logos.find('ins_one_more');
    expect(getInstitutionLogo).toHaveBeenCalledTimes(201);
    await logos.find(BANK);
    expect(getInstitutionLogo).toHaveBeenCalledTimes(201);
    await logos.find('ins_0');
    expect(getInstitutionLogo).toHaveBeenCalledTimes(202);
  });
});
