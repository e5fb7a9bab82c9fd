import { sql } from 'kysely';
import { afterEach, expect, it, vi } from 'vitest';
import { PROOF_KEEP_MS } from '../../server/records/audit.ts';
import { debits, startWithDebits } from '../helpers/debits.ts';
import { ENCRYPTION_KEY, type TestServer } from '../helpers/server.ts';
import { countWork } from '../helpers/work-counter.ts';

/**
 * On SQLite only, whose plans follow from the schema alone. PostgreSQL's follow from what the tables hold, and it reads
 * a small table whole because that is faster.
 */
vi.mock(import('../../server/storage/sqlite.ts'), async (original) => {
  const module = await original();
  const { countingDatabase } = await import('../helpers/work-counter.ts');
  return { ...module, openSqliteFile: async (...given) => countingDatabase(await module.openSqliteFile(...given)) };
});

/** What may be read from its beginning to its end, and why that stays little. */
const ALLOWED: { step: RegExp; statement?: RegExp }[] = [
  // Not a table.
  { step: /^SCAN (CONSTANT ROW|json_each)/ },
  // A row for each customer who is being erased.
  { step: /^SCAN erasures$/ },
  // A row for each Hosted Link that can still end, which is for hours.
  { step: /^SCAN hosted_links$/ },
  // A row for each call that is not decided yet, which is for minutes.
  { step: /^SCAN create_calls$/ },
  // A row for each bucket of the last two hours; an index would cost each request a write.
  { step: /^SCAN rate_limits$/ },
  // A row for each rotation.
  { step: /^SCAN evidence_keys$/ },
  // Partial: what waits for a task.
  { step: /^SCAN connections USING (COVERING )?INDEX connections_tasks$/ },
  // A page of a list, in the order of an index.
  { step: /^SCAN \w+ USING INDEX/, statement: / limit \?$/ },
  // An erasure, which is rare, of tables that keep days; an index would cost each bank a write.
  { step: /^SCAN (deliveries|idempotency|link_tokens)$/, statement: /where "(connection|session)_id" = \?/ },
];

/** What `settled` asks for. */
const HELPERS = /^select \* from "inbound_events" order by "received_at"$/;

let server: TestServer;
afterEach(() => server.close());
const { check, bank, connectNew, item, returned, settled } = debits(() => server);

it('no statement of a connection’s life or of a job reads a whole table', async () => {
  const work = countWork('sqlite');
  server = await startWithDebits({
    env: { MERCHANT_WEBHOOK_URL: 'http://localhost:9/', MERCHANT_WEBHOOK_SECRET: `whsec_${ENCRYPTION_KEY}` },
  });
  // Not the statements of the schema.
  work.texts.length = 0;

  const { id } = await connectNew();
  await settled();
  expect((await check(id)).body.decision).toBe('ok');
  await returned(id, 'R01');
  bank().breakLogin(item().item_id);
  await settled();
  bank().revokePermission(item().item_id);
  await settled();
  for (const path of [
    '/v1/sessions',
    '/v1/connections',
    '/v1/connections?customer_id=cus_new_1',
    '/v1/links',
    '/v1/audit',
    `/v1/audit?connection=${id}`,
    `/v1/connections/${id}`,
    `/v1/connections/${id}/evidence`,
  ]) {
    expect([path, (await server.merchant('GET', path)).status]).toEqual([path, 200]);
  }
  expect((await server.send('GET', '/readyz', undefined, {})).status).toBe(200);
  const link = await server.merchant('POST', '/v1/links', { customer_id: 'cus_link' });
  expect(link.status).toBe(201);
  expect((await server.merchant('DELETE', `/v1/connections/${id}`)).status).toBeLessThan(300);
  expect((await server.merchant('DELETE', '/v1/customers/cus_new_1')).status).toBeLessThan(300);
  // An entry of no present connection that is too old to be kept.
  const at = (await server.storage.now()) - PROOF_KEEP_MS - 1;
  const old = { id: 'aud_old', at, actor: 'job', action: 'session.expired', details: '{}' } as const;
  await server.storage.db
    .insertInto('audit')
    .values(old as never)
    .execute();
  await server.jobs.tick();
  expect(await server.storage.db.selectFrom('audit').select('id').where('id', '=', 'aud_old').execute()).toEqual([]);

  const ours = work.texts.filter((text) => /^\s*(select|insert|update|delete|with)\b/i.test(text));
  const statements = [...new Set(ours)].filter((text) => !HELPERS.test(text));
  // Far fewer would mean that the statements were not seen.
  expect(statements.length).toBeGreaterThan(100);
  const scans: string[] = [];
  for (const text of statements) {
    const plan = await sql<{ detail: string }>`explain query plan ${sql.raw(text)}`.execute(server.storage.db);
    const whole = plan.rows.map(({ detail }) => detail).filter((step) => step.startsWith('SCAN '));
    const long = whole.filter(
      (step) => !ALLOWED.some((one) => one.step.test(step) && (one.statement?.test(text) ?? true)),
    );
    if (long.length > 0) scans.push(`${long.join(', ')}: ${text}`);
  }
  expect(scans).toEqual([]);
});
