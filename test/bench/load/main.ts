import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DELAY_MS, type LoadFigures, measureLoad, SUBJECTS, type Subject } from './measure-load.ts';
import { startPlainServer } from './plain-server.ts';
import { startUpstream } from './upstream.ts';

const { values } = parseArgs({
  options: {
    role: { type: 'string' },
    server: { type: 'string' },
    seconds: { type: 'string', default: '8' },
    subject: { type: 'string', multiple: true },
    'in-flight': { type: 'string', multiple: true },
  },
});
if (values.role === 'upstream') startUpstream(DELAY_MS);
else if (values.role === 'plain') startPlainServer();
else {
  const self = fileURLToPath(import.meta.url);
  const print = (f: LoadFigures) => {
    const cells = [
      f.subject,
      f.in_flight,
      f.sessions_per_second.toFixed(1),
      f.p50_ms.toFixed(0),
      f.p99_ms.toFixed(0),
      f.own_p50_ms.toFixed(1),
      f.own_p99_ms.toFixed(1),
      f.cpu_ms.toFixed(1),
      f.rss_mb.toFixed(0),
      f.failures,
    ];
    console.log(cells.map((cell) => String(cell).padStart(9)).join(' '));
  };
  const names = [
    'subject',
    'in flight',
    'per s',
    'p50 ms',
    'p99 ms',
    'own p50',
    'own p99',
    'cpu ms',
    'rss MB',
    'failed',
  ];
  console.log(names.map((name) => name.padStart(9)).join(' '));
  await measureLoad({
    seconds: Number(values.seconds),
    subjects: SUBJECTS.filter((s: Subject) => values.subject === undefined || values.subject.includes(s)),
    ...(values['in-flight'] ? { inFlight: values['in-flight'].map(Number) } : {}),
    child: (role) => [...process.execArgv, self, '--role', role],
    server: values.server ?? fileURLToPath(new URL('../server/main.js', import.meta.url)),
    report: print,
  });
}
