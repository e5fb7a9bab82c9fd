import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { dist } from './built-server.ts';
import { measureBundle } from './measure-bundle.ts';
import { measureComplete } from './measure-complete.ts';
import { measureStart } from './measure-start.ts';

const HELP = `Measures what was built, on this machine, without network or credentials.

  npm run bench                 a table
  npm run --silent bench -- --json   the same as one JSON object, and nothing else
  npm run bench -- --help       this text

  bundle    bytes (brotli) that a page loads before the button shows, and later
  start     time from process start to the first 200 of /healthz, median of 5, beside a bare Node process
  complete  the server's own time on complete over the sum of its calls to Plaid and Finix, with storage on
`;

// What the project promises. A page on a slow phone connection (1.6 Mbit/s) gets 12 kB in 60 ms, which nobody notices beside the round trips.
const LIMITS = { bundle_first_bytes: 12_000, start_ready_ms: 1_000, complete_ratio: 0.1 };

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } });
  if (values.help) return void process.stdout.write(HELP);
  if (!existsSync(join(dist, 'server', 'main.js')) || !existsSync(join(dist, 'cdn', 'integrity.json'))) {
    throw new Error('There is nothing built to measure. Run: npm run build');
  }
  const bundle = measureBundle();
  const start = await measureStart();
  const complete = await measureComplete();
  if (values.json) {
    process.stdout.write(
      `${JSON.stringify({ node: process.version, bundle, start, complete, limits: LIMITS }, null, 2)}\n`,
    );
    return;
  }
  const row = (name: string, value: string, limit?: [value: number, most: number, text: string]) => {
    const verdict = limit ? `${limit[0] <= limit[1] ? 'ok  ' : 'OVER'}  at most ${limit[2]}` : '';
    return `${name.padEnd(44)}${value.padStart(12)}   ${verdict}`.trimEnd();
  };
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  const percent = (value: number) => `${(value * 100).toFixed(1)} %`;
  const lines = [
    row('bundle before the button shows, brotli', `${bundle.first_bytes} B`, [
      bundle.first_bytes,
      LIMITS.bundle_first_bytes,
      '12 kB',
    ]),
    row('bundle loaded later, all languages', `${bundle.later_bytes} B`),
    row('start to first 200 of /healthz', ms(start.ready_ms), [start.ready_ms, LIMITS.start_ready_ms, '1 s']),
    row('  times a bare Node process', `${start.ratio.toFixed(1)} x`),
    row('complete: own time over upstream time', percent(complete.ratio), [
      complete.ratio,
      LIMITS.complete_ratio,
      '10 %',
    ]),
    row(
      `  upstream, ${complete.upstream_calls} calls delayed ${complete.upstream_delay_ms} ms each`,
      ms(complete.upstream_ms),
    ),
    row('  upstream, as the server saw it', ms(complete.upstream_seen_ms)),
    row('  own, median', ms(complete.own_ms)),
    row('  own, 95th percentile', ms(complete.own_p95_ms)),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
