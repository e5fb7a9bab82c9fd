import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Session } from '../../widget/contract.ts';
import { patient } from '../helpers/patience.mjs';
import { TestServer } from '../helpers/server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await TestServer.start();
});
afterEach(() => server.close());

const readFrom = (session: Session, origin: string) => server.page(session, 'GET', '', undefined, { Origin: origin });

it(
  'five thousand merchants with an origin each need no restart',
  async () => {
    const merchants = Array.from({ length: 5_000 }, (_, i) => i);
    const session = async (i: number) =>
      server.createSession({
        customer_id: `cus_${i}`,
        merchant: { id: `m_${i}`, name: `Merchant ${i}` },
        allowed_origins: [`https://m${i}.example`],
      });
    const sessions: Session[] = [];
    // As many at once as a busy platform has.
    for (let i = 0; i < merchants.length; i += 100) {
      sessions.push(...(await Promise.all(merchants.slice(i, i + 100).map(session))));
    }
    for (const i of [0, 1_234, 4_999]) {
      const own = sessions[i] as Session;
      expect((await readFrom(own, `https://m${i}.example`)).body.merchant).toEqual({ name: `Merchant ${i}` });
      expect((await readFrom(own, `https://m${(i + 1) % 5_000}.example`)).status).toBe(403);
    }
  },
  patient(60_000),
);
