import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadHeading, loadRow, measureLoad, SUBJECTS, type Subject } from './measure-load.ts';
import { measureMemory, measureRows } from './measure-long.ts';
import { measureProfile } from './measure-profile.ts';
import { playRole } from './roles.ts';

const HELP = `npx tsx test/bench/load/main.ts [options]

The built server under load, with Plaid and Finix that answer after a given time. Build first: npm run build

  --subject NAME     plain, sqlite or postgres; again for more (default: all)
  --in-flight N      sessions at the same time; again for more (default: 1, 10, 100, 1,000)
  --seconds N        how long each level is measured (default: 8)
  --memory N         the server's memory over N sessions instead
  --profile          what a session's processor time goes into instead, 32 in flight
  --rows N           what a session costs next to N stored ones instead
  --server FILE      another build of the server
  --node-options='S' Node's options for the server, such as those of the image (default: none)
  --help             this text
`;

const { values } = parseArgs({
  options: {
    role: { type: 'string' },
    server: { type: 'string', default: fileURLToPath(new URL('../../../dist/server/main.js', import.meta.url)) },
    seconds: { type: 'string', default: '8' },
    subject: { type: 'string', multiple: true },
    'in-flight': { type: 'string', multiple: true },
    memory: { type: 'string' },
    profile: { type: 'boolean' },
    rows: { type: 'string' },
    'node-options': { type: 'string', default: '' },
    help: { type: 'boolean', short: 'h' },
  },
});

const wanted = SUBJECTS.filter((subject: Subject) => values.subject === undefined || values.subject.includes(subject));
const child = (role: string) => [...process.execArgv, fileURLToPath(import.meta.url), '--role', role];
const { server } = values;
const serverArgs = values['node-options'].split(' ').filter((option) => option !== '');

if (values.help) process.stdout.write(HELP);
else if (values.role !== undefined) playRole(values.role);
else if (values.memory !== undefined || values.rows !== undefined) {
  for (const store of wanted) {
    if (store === 'plain') continue;
    const options = { store, server, serverArgs, child: () => child('upstream at once'), report: console.log };
    if (values.memory !== undefined) await measureMemory(options, Number(values.memory));
    if (values.rows !== undefined) await measureRows(options, Number(values.rows));
  }
} else if (values.profile) {
  console.table(await measureProfile({ seconds: Number(values.seconds), subjects: wanted, child, server }));
} else {
  console.log(loadHeading());
  await measureLoad({
    seconds: Number(values.seconds),
    subjects: wanted,
    ...(values['in-flight'] ? { inFlight: values['in-flight'].map(Number) } : {}),
    child,
    server,
    serverArgs,
    report: (measured) => console.log(loadRow(measured)),
  });
}
