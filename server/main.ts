#!/usr/bin/env node
import { runProgram } from './commands/program.ts';

// A reader that has gone away, as in `… list | head`, must not end in a stack.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

process.exitCode = await runProgram(process.argv.slice(2), {
  env: process.env,
  write: (text) => void process.stdout.write(text),
  note: (text) => void process.stderr.write(text),
  untilStopped: () =>
    new Promise((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => resolve());
    }),
  exitCode: 0,
});
