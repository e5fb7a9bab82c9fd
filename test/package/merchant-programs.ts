import type { ShopProject } from './installed.ts';

/** Writes a merchant's own program that runs the server, to be compiled with this way of finding modules. */
export async function writeServerProgram(shop: ShopProject, resolution: string): Promise<void> {
  await shop.write(
    'server.ts',
    `import { ConfigError, createServer, type Server, type StartedServer } from 'finix-bank-connect-server';
         import { SCENARIOS, startSimulator, type RunningSimulator } from 'finix-bank-connect-server/simulator';
         export async function start(): Promise<[Server, StartedServer, RunningSimulator]> {
           const simulator = await startSimulator({ laterMs: 0, finixWebhook: { url: 'http://localhost/', secret: 's' } });
           simulator.simulator.faults.add({ service: 'finix', path: '/*', kind: 'timeout', times: 1 });
           const server = createServer(process.env);
           const response: Response = await server.fetch(new Request('http://localhost/healthz'));
           if (!response.ok) throw new ConfigError([SCENARIOS[0]?.username ?? '']);
           return [server, await server.start(), simulator];
         }
         // @ts-expect-error: there is no such option
         createServer(process.env, { nothing: true });
         // @ts-expect-error: there is no such kind
         export const wrong = (running: RunningSimulator) => running.simulator.faults.add({ service: 'finix', path: '/', kind: 'flood' });`,
  );
  const module = resolution === 'nodenext' ? 'nodenext' : 'esnext';
  const options = {
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    types: ['node'],
    target: 'es2022',
    lib: ['es2023'],
  };
  await shop.write(
    'tsconfig.json',
    JSON.stringify({ compilerOptions: { ...options, module, moduleResolution: resolution }, files: ['server.ts'] }),
  );
}

/**
 * Has the older compiler check the merchant's file and our declarations alone: those of others are theirs to keep, and
 * are most of what there is to check.
 */
export const CHECK_OWN = `
const ts = require(process.argv[2].replace('tsc.js', 'typescript.js'));
const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile);
const { options, fileNames, errors } = ts.parseJsonConfigFileContent(config, ts.sys, process.cwd());
const program = ts.createProgram(fileNames, options);
const own = program.getSourceFiles().filter(({ fileName }) => /finix-bank-connect-server\\/|\\/server\\.ts$/.test(fileName));
const found = [
  ...errors,
  ...program.getOptionsDiagnostics(),
  ...own.flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]),
];
const host = { getCanonicalFileName: (name) => name, getCurrentDirectory: () => process.cwd(), getNewLine: () => '\\n' };
console.log(own.length > 10 ? ts.formatDiagnostics(found, host) || 'checked' : 'only ' + own.length + ' files');
`;

/** Connects a bank with the installed server, on the package's own simulator. */
export const CONNECT = `
import { spawn } from 'node:child_process';
import { SIMULATOR_CREDENTIALS, startSimulator } from 'finix-bank-connect-server/simulator';

const { plaid, finix } = SIMULATOR_CREDENTIALS;
const simulator = await startSimulator();
const key = 'k'.repeat(32);
const server = spawn('node_modules/.bin/finix-bank-connect-server', {
  env: {
    PATH: process.env.PATH, PORT: '0', DATA_DIR: 'data',
    PLAID_CLIENT_ID: plaid.clientId, PLAID_SECRET: plaid.secret, PLAID_ENV: 'sandbox', PLAID_CLIENT_NAME: 'Shop', PLAID_BASE_URL: simulator.plaidUrl,
    FINIX_USERNAME: finix.username, FINIX_PASSWORD: finix.password, FINIX_ENV: 'sandbox', FINIX_BASE_URL: simulator.finixUrl,
    MERCHANT_API_KEY: key, ALLOWED_ORIGINS: 'https://shop.example', PUBLIC_URL: 'http://localhost:3000',
    ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  },
});
let log = '';
server.stderr.on('data', (text) => { log += text; });
const port = await new Promise((found, failed) => {
  server.stdout.on('data', (text) => { log += text; const port = /"port":(\\d+)/.exec(log)?.[1]; if (port) found(port); });
  server.on('exit', () => failed(new Error(log)));
});
const send = async (url, body, token) => {
  const headers = { 'content-type': 'application/json', ...(token ? { authorization: 'Bearer ' + token } : {}) };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
};
const api = 'http://127.0.0.1:' + port + '/v1/sessions';
const { id, client_secret } = await send(api, { customer_id: 'cus_1' }, key);
const { public_token } = await send(simulator.plaidUrl + '/sandbox/public_token/create', {
  client_id: plaid.clientId, secret: plaid.secret, institution_id: 'ins_109508', initial_products: ['auth', 'identity'],
  options: { override_username: 'user_one_account' },
});
const done = await send(api + '/' + id + '/complete', { public_token, accounts: [] }, client_secret);
const [connection] = done.connections;
server.removeAllListeners('exit');
const ended = new Promise((resolve) => server.on('exit', resolve));
server.kill('SIGTERM');
const code = await ended;
if (code !== 0) throw new Error('the server ended with ' + code + ' ' + log);
await simulator.close();
console.log(done.status, connection.status, connection.payment_instrument.slice(0, 2));
`;
