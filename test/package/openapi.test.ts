import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { getRequestListener } from '@hono/node-server';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Operation, operations, wireSchemas } from '../../server/http/openapi.ts';
import { patient } from '../helpers/patience.mjs';
import { MERCHANT_KEY, TestServer } from '../helpers/server.ts';
import { project } from './imports.ts';

const run = promisify(execFile);
const file = join(project, 'dist', 'openapi.json');
const text = () => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error('This test is about what was built. Run: npm run build', { cause: error });
  }
};

interface Described {
  operationId: string;
  responses: Record<string, { content?: Record<string, { example?: unknown }> }>;
  requestBody?: { content: Record<string, { example?: unknown }> };
}
interface Document {
  paths: Record<string, Record<string, Described>>;
  webhooks: Record<string, { post: Described }>;
}

describe('the published OpenAPI document', () => {
  it('the published OpenAPI document has no error and no warning of the linter’s', async () => {
    const config = await createConfig({ extends: ['recommended-strict'] });
    const problems = await lintFromString({ source: text(), absoluteRef: file, config });
    expect(problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`)).toEqual(
      [],
    );
  });

  it('the published OpenAPI document is noticed by the linter when it goes wrong', async () => {
    const config = await createConfig({ extends: ['recommended-strict'] });
    const source = text().replace('"operationId": "getSession"', '"operationId": "createSession"');
    expect(await lintFromString({ source, absoluteRef: file, config })).not.toEqual([]);
  });

  it('the published OpenAPI document has an example, taken from a real run, for every answer of ours and every event that can be had without a fault', () => {
    const { paths, webhooks } = JSON.parse(text()) as Document;
    const examples = Object.values(paths)
      .flatMap((methods) => Object.values(methods))
      .filter(({ responses }) =>
        Object.values(responses).some(({ content }) => content?.['application/json']?.example !== undefined),
      )
      .map(({ operationId }) => operationId);
    // Plaid's and Finix's own webhooks, and a delivery that has to fail first.
    const without = new Set(['receivePlaidWebhook', 'receiveFinixWebhook', 'resendWebhookDelivery']);
    const isOurs = ({ answers }: Operation) => Object.values(answers).some((name) => name in wireSchemas);
    expect(examples.sort()).toEqual(
      operations
        .filter(isOurs)
        .flatMap(({ id }) => (without.has(id) ? [] : [id]))
        .sort(),
    );
    const events = Object.entries(webhooks).flatMap(([type, { post }]) =>
      post.requestBody?.content['application/json']?.example === undefined ? [] : [type],
    );
    expect(events).toEqual(
      expect.arrayContaining(['connection.active', 'connection.needs_repair', 'session.completed']),
    );
    for (const type of events) {
      const example = webhooks[type]?.post.requestBody?.content['application/json']?.example;
      const { ConnectionEvent, LinkEvent, SessionEvent } = wireSchemas;
      const schema = { connection: ConnectionEvent, link: LinkEvent, session: SessionEvent }[type.split('.')[0] ?? ''];
      if (!schema) throw new Error(`${type} has no schema`);
      expect(schema.parse(example)).toMatchObject({ type });
    }
  });
});

describe('a client that is generated from it', () => {
  let server: TestServer;
  let folder: string;
  let endpoint: string;
  let http: ReturnType<typeof createServer>;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fbc-openapi-'));
    server = await TestServer.start();
    http = createServer(getRequestListener((request) => server.request(request.url.slice(endpoint.length), request)));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    endpoint = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await new Promise((resolve) => http.close(resolve));
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('a generated client for TypeScript compiles, knows what is wrong, and works', {
    timeout: patient(60_000),
  }, async () => {
    // The generator needs an older TypeScript than the project, as some frameworks do.
    const theirs = createRequire(join(project, 'test/package/frameworks/compilers/package.json'));
    const generator = join(dirname(theirs.resolve('openapi-typescript/package.json')), 'bin', 'cli.js');
    await run(process.execPath, [generator, file, '-o', join(folder, 'generated.ts')]);
    await cp(join(import.meta.dirname, 'openapi', 'client.ts'), join(folder, 'client.ts'));
    await symlink(join(project, 'node_modules'), join(folder, 'node_modules'), 'junction');
    const options = { strict: true, noEmit: true, module: 'nodenext', target: 'es2022', types: ['node'] };
    const compilerOptions = { ...options, allowImportingTsExtensions: true };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    const compiler = join(project, 'node_modules', 'typescript', 'bin', 'tsc');
    const { stdout: found } = await run(process.execPath, [compiler, '-p', folder]).catch((error) => error);
    expect(found).toBe('');
    const tsx = join(project, 'node_modules', 'tsx', 'dist', 'cli.mjs');
    const { stdout } = await run(process.execPath, [tsx, join(folder, 'client.ts'), endpoint, MERCHANT_KEY]);
    expect(stdout).toBe('session open canceled 0 not_found connection.active\n');
  });

  const python = spawnSync('python3', ['--version']).status === 0;
  const why = python ? '' : ' (skipped: there is no python3)';
  it.skipIf(!python)(
    `for Python, by its standard library alone, works${why}`,
    { timeout: patient(30_000) },
    async () => {
      const script = join(import.meta.dirname, 'openapi', 'generate.py');
      const { stdout } = await run('python3', [script, file, endpoint, MERCHANT_KEY]);
      expect(stdout).toBe('session open canceled 0 not_found 404\n');
    },
  );
});
