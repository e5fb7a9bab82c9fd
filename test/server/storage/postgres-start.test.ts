import { chown, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openStorage } from '../../../server/storage/open.ts';
import { createCertificates, opensslMissing, type TestCertificates } from '../../helpers/certificates.ts';
import { freePort } from '../../helpers/free-port.ts';
import { patient } from '../../helpers/patience.mjs';
import { poolerMissing, startPooler } from '../../helpers/pgbouncer.ts';
import { ordinaryUser } from '../../helpers/postgres.ts';
import { withOwnPostgres } from '../../helpers/storages.ts';

const PASSWORD = 'hunter2-of-the-role';

/** The one sentence that a start ends with. It must name a remedy, and never the password. */
async function expectStartProblem(databaseUrl: string): Promise<string> {
  const error = await openStorage({ databaseUrl, dataDir: '/nonexistent' }).then(
    async (storage) => {
      await storage.close();
      throw new Error('It started.');
    },
    (thrown: unknown) => thrown as Error,
  );
  expect(['StorageSetupError', 'StorageUnavailableError']).toContain(error.name);
  expect(error.message).not.toContain('hunter2');
  expect(error.message).not.toContain('\n');
  return error.message;
}

async function starts(databaseUrl: string): Promise<void> {
  const storage = await openStorage({ databaseUrl, dataDir: '/nonexistent' });
  await storage.ping();
  await storage.close();
}

test('a server that is not there: the sentence names host and port', async () => {
  const port = await freePort();
  expect(await expectStartProblem(`postgres://app:hunter2@127.0.0.1:${port}/bank`)).toBe(
    `No PostgreSQL answers at 127.0.0.1:${port}: start it, open the network between, or correct host and port in DATABASE_URL.`,
  );
});

test('a CA file that is not there: the sentence names the option', async () => {
  const url = 'postgres://app:hunter2@127.0.0.1:1/bank?sslmode=verify-full&sslrootcert=/nonexistent/ca.pem';
  expect(await expectStartProblem(url)).toContain('correct sslrootcert');
});

withOwnPostgres('a start on PostgreSQL', (server) => {
  let role: string;
  let database: string;
  const admin = async (statement: string, url = server().url) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return await client.query(statement);
    } finally {
      await client.end();
    }
  };
  /** The address of the database for a role without any right but to connect. */
  const asRole = (password = PASSWORD) => {
    const url = new URL(database);
    url.username = role;
    url.password = encodeURIComponent(password);
    return url.href;
  };
  const newRole = async () => {
    database = await server().createDatabase();
    role = `role_${Math.random().toString(36).slice(2)}`;
    await admin(`create role ${role} login password '${PASSWORD}'`);
  };

  describe('with a role', () => {
    test('without rights on the schema public: the sentence has the grant, after which it starts', async () => {
      await newRole();
      const problem = await expectStartProblem(asRole());
      expect(problem).toContain(`GRANT USAGE, CREATE ON SCHEMA "public" TO "${role}"`);
      await admin(`grant usage, create on schema public to ${role}`, database);
      await starts(asRole());
    });

    test('without rights on the schema public, but a schema of its own name: starts there', async () => {
      await newRole();
      await admin(`create schema authorization ${role}`, database);
      await starts(asRole());
      const { rows } = await admin(
        `select distinct table_schema from information_schema.tables where table_name in ('sessions', 'meta')`,
        database,
      );
      expect(rows).toEqual([{ table_schema: role }]);
    });

    test('that may write to the tables of another role but make none: starts', async () => {
      await newRole();
      await starts(database);
      await admin(`grant select, insert, update, delete on all tables in schema public to ${role}`, database);
      await starts(asRole());
    });

    test('that may only read: the sentence names the tables and the grant, after which it starts', async () => {
      await newRole();
      await starts(database);
      await admin(`grant select on all tables in schema public to ${role}`, database);
      const problem = await expectStartProblem(asRole());
      expect(problem).toContain('sessions');
      const grant = /GRANT .* TO "[^"]+"/.exec(problem)?.[0] ?? '';
      await admin(grant, database);
      await starts(asRole());
    });

    test('that lacks one right on one table: the sentence names that table alone', async () => {
      await newRole();
      await starts(database);
      await admin(`grant select, insert, update, delete on all tables in schema public to ${role}`, database);
      await admin(`revoke delete on rate_limits from ${role}`, database);
      expect(await expectStartProblem(asRole())).toContain('may not read and write rate_limits: run GRANT');
    });

    test('that is set to read only: the sentence has the statement, after which it starts', async () => {
      await newRole();
      await admin(`create schema authorization ${role}`, database);
      await admin(`alter role ${role} set default_transaction_read_only = on`);
      const problem = await expectStartProblem(asRole());
      await admin(/ALTER ROLE .* = off/.exec(problem)?.[0] ?? '');
      await starts(asRole());
    });

    test('and a wrong password: the sentence names the role', async () => {
      await newRole();
      expect(await expectStartProblem(asRole('hunter2-wrong'))).toContain(`refuses the password of the role "${role}"`);
    });

    test('whose password has reserved characters, percent-encoded: starts', async () => {
      await newRole();
      await admin(`alter role ${role} password '${'hunter2#/?@%'}'`);
      await admin(`create schema authorization ${role}`, database);
      await starts(asRole('hunter2#/?@%'));
    });

    test('that does not exist: the sentence names it', async () => {
      await newRole();
      role = 'missing_role';
      expect(await expectStartProblem(asRole())).toMatch(/"missing_role"/);
    });

    test('that has no connection left: the sentence names max_connections', async () => {
      await newRole();
      await admin(`alter role ${role} connection limit 0`);
      expect(await expectStartProblem(asRole())).toContain('max_connections');
    });
  });

  test('a database that does not exist: the sentence has the statement', async () => {
    await newRole();
    const url = new URL(asRole());
    url.pathname = '/no_such_bank';
    expect(await expectStartProblem(url.href)).toContain('CREATE DATABASE "no_such_bank"');
  });

  test('a server without TLS that TLS is asked of: the sentence names sslmode', async () => {
    expect(await expectStartProblem(`${await server().createDatabase()}?sslmode=verify-full`)).toContain('has no TLS');
  });

  describe.skipIf(poolerMissing())('through a pooler', () => {
    test('that does not know the database: the sentence names it', async () => {
      const own = await server().createDatabase();
      const pooler = await startPooler(own, 'transaction');
      try {
        const url = new URL(pooler.url);
        url.pathname = '/no_such_bank';
        expect(await expectStartProblem(url.href)).toContain('no_such_bank');
      } finally {
        await pooler.stop();
      }
    });
  });

  const missing = opensslMissing();
  describe.skipIf(missing)(missing ? `with TLS (skipped: ${missing})` : 'with TLS', () => {
    let certificates: TestCertificates;

    beforeAll(async () => {
      certificates = createCertificates(['localhost']);
      const { dir, key, certificate } = certificates;
      const user = await ordinaryUser();
      if (user) {
        for (const path of [dir, key, certificate]) await chown(path, user.uid, user.gid);
      }
      await admin(`alter system set ssl_cert_file = '${certificate}'`);
      await admin(`alter system set ssl_key_file = '${key}'`);
      await admin('alter system set ssl = on');
      await admin('select pg_reload_conf()');
      await vi.waitUntil(async () => (await admin('show ssl')).rows[0]?.ssl === 'on', { timeout: patient(10_000) });
    });
    afterAll(async () => {
      await admin('alter system reset all');
      await admin('select pg_reload_conf()');
      certificates.remove();
    });

    const named = async (host: string, query: string) => {
      const url = new URL(await server().createDatabase());
      url.hostname = host;
      return `${url.href}?${query}`;
    };

    test.each(['require', 'verify-full'])(
      'and sslmode=%s, but an unknown CA: the sentence names sslrootcert',
      async (mode) => {
        const problem = await expectStartProblem(await named('localhost', `sslmode=${mode}`));
        expect(problem).toContain('sslrootcert=/path/to/ca.pem');
      },
    );

    test.each(['require', 'verify-ca', 'verify-full'])(
      'and sslmode=%s with the CA: starts, and is encrypted',
      async (mode) => {
        const url = await named('localhost', `sslmode=${mode}&sslrootcert=${certificates.ca}`);
        await starts(url);
        const client = new pg.Client({ connectionString: url });
        await client.connect();
        const { rows } = await client.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()');
        await client.end();
        expect(rows).toEqual([{ ssl: true }]);
      },
    );

    test('and a certificate for another host: the sentence names the way that checks the CA alone, and it works', async () => {
      const ca = `sslrootcert=${certificates.ca}`;
      const problem = await expectStartProblem(await named('127.0.0.1', `sslmode=verify-full&${ca}`));
      const way = /uselibpqcompat=true&sslmode=verify-ca/.exec(problem)?.[0];
      await starts(await named('127.0.0.1', `${way}&${ca}`));
    });

    test('and a CA file that is no certificate: the message demands PEM', async () => {
      const file = join(certificates.dir, 'not-a-ca.pem');
      await writeFile(file, '-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n');
      const problem = await expectStartProblem(await named('localhost', `sslmode=verify-full&sslrootcert=${file}`));
      expect(problem).toMatch(/PEM|CA certificate/);
    });

    test('and a server that accepts nothing else: the sentence names sslmode', async ({ skip }) => {
      skip(!server().canRestart, 'the server is not ours');
      const { rows } = await admin('show hba_file');
      const file = rows[0]?.hba_file as string;
      const before = await readFile(file, 'utf8');
      const url = await named('localhost', 'sslmode=disable');
      await writeFile(file, before.replaceAll(/^host /gm, 'hostssl '));
      await admin('select pg_reload_conf()');
      try {
        await expect.poll(() => expectStartProblem(url)).toContain('accepts only TLS');
      } finally {
        await writeFile(file, before);
        await admin('select pg_reload_conf()', `${server().url}?sslmode=no-verify`);
      }
    });
  });
});
