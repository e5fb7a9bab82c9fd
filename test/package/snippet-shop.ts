import { execFile } from 'node:child_process';
import { cpSync, symlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { afterAll, beforeAll, expect } from 'vitest';
import { freePort } from '../helpers/free-port.ts';
import { patient } from '../helpers/patience.mjs';
import { MERCHANT_KEY, TestServer } from '../helpers/server.ts';
import { project } from './imports.ts';
import { install, packBoth, type ShopProject } from './installed.ts';

/** Folders of `docs/snippets` that a framework's own starter compiles. */
export const FRAMEWORKS = ['react', 'next', 'vue', 'sveltekit'];

/** A shop that has installed both packages and the documents' programs, next to a server that they call. */
export function snippetShop() {
  let shop: ShopProject;
  let folder: string;
  let server: TestServer;
  let endpoint: string;
  let http: ReturnType<typeof createServer>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fbc-snippets-'));
    const { widget, server: serverPackage } = await packBoth(folder);
    const tools = ['tsx', 'typescript', '@types/node', 'react', '@types/react'];
    shop = await install([widget, serverPackage], ['hono', '@hono/node-server', ...tools]);
    // Linked whole: two of its dependencies exist in two versions, of which only npm would choose the right one.
    symlinkSync(join(project, 'node_modules/express'), join(shop.folder, 'node_modules/express'), 'junction');
    cpSync(join(project, 'docs/snippets'), join(shop.folder, 'snippets'), { recursive: true });
    server = await TestServer.start();
    http = createServer(getRequestListener((request) => server.request(request.url.slice(endpoint.length), request)));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    endpoint = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    // Packing both packages and installing them takes 10 s, and on a busy machine several times as long.
  }, patient(90_000));
  afterAll(async () => {
    await new Promise((resolve) => http.close(resolve));
    await server.close();
    await shop.remove();
    await rm(folder, { recursive: true, force: true });
  });

  async function connected(): Promise<{ id: string; payment_instrument: string }> {
    const { answer } = await server.connect();
    return answer.body.connections[0];
  }
  /** A connection of small deposits, whose bank has yet to confirm the account. */
  async function expectUnconfirmed(): Promise<string> {
    // At another bank: the same account again would end the first connection.
    const { answer } = await server.connect({ username: 'user_pending_verification', institution: 'ins_109510' });
    expect(answer.body.connections).toMatchObject([{ status: 'pending_verification', payment_instrument: null }]);
    return answer.body.connections[0].id;
  }

  /**
   * Compiler settings as the frameworks' own starters have them; what they bring with them is declared.
   * @returns their file
   */
  async function asInFrameworks(): Promise<string> {
    const compilerOptions = {
      ...{ strict: true, noEmit: true, module: 'esnext', moduleResolution: 'bundler', jsx: 'react-jsx' },
      ...{ target: 'es2022', lib: ['es2022', 'dom', 'dom.iterable'], types: ['node'], skipLibCheck: true },
      paths: {
        '@/*': ['./snippets/next/*'],
        '$lib/*': ['./snippets/sveltekit/src/lib/*'],
        '$env/dynamic/private': ['./sveltekit-env.ts'],
      },
    };
    const include = [...FRAMEWORKS.map((name) => `snippets/${name}/**/*`), 'vite.d.ts'];
    await shop.write('sveltekit-env.ts', 'export const env: Record<string, string | undefined> = process.env;');
    await shop.write(
      'vite.d.ts',
      `declare module 'vite' { export function defineConfig(config: { plugins: unknown[]; server: { proxy: Record<string, string> } }): unknown }
       declare module '@vitejs/plugin-react' { export default function react(): unknown }
       declare module '@vitejs/plugin-vue' {
         interface Options { template: { compilerOptions: { isCustomElement(tag: string): boolean } } }
         export default function vue(options: Options): unknown
       }`,
    );
    await shop.write('tsconfig.frameworks.json', JSON.stringify({ compilerOptions, include }));
    return 'tsconfig.frameworks.json';
  }

  /**
   * Runs a back end of the quickstart, posts each form to its checkout, and returns its answers and all it has printed.
   */
  async function expectCheckouts(program: string, file: string, ids: string[], env: Record<string, string>) {
    const port = await freePort();
    const child = execFile(program, [join('snippets/quickstart', file)], {
      cwd: shop.folder,
      env: { PATH: process.env['PATH'], PYTHONDONTWRITEBYTECODE: '1', ...env, PORT: String(port) },
    });
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    const ended = new Promise((resolve) => child.once('close', resolve));
    const answers: [number, string][] = [];
    try {
      await expect.poll(() => output, { timeout: patient(20_000) }).toContain(`http://localhost:${port}`);
      for (const bank_account of ids) {
        const body = new URLSearchParams({ bank_account });
        // By name, as a browser does: Node listens at ::1 and Python at 127.0.0.1.
        const response = await fetch(`http://localhost:${port}/checkout`, { method: 'POST', body });
        answers.push([response.status, await response.text()]);
      }
    } finally {
      child.kill('SIGTERM');
      await ended;
    }
    return { answers, output };
  }

  return {
    get folder() {
      return shop.folder;
    },
    get server() {
      return server;
    },
    write: (file: string, text: string) => shop.write(file, text),
    node: (...args: Parameters<ShopProject['node']>) => shop.node(...args),
    environment: () => ({ CONNECT_URL: endpoint, MERCHANT_API_KEY: MERCHANT_KEY }),
    connected,
    expectUnconfirmed,
    asInFrameworks,
    expectCheckouts,
  };
}
