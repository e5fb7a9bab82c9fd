import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { from } from '../../build/project.ts';

const read = (file: string) => readFileSync(from(file), 'utf8');
const { scripts } = JSON.parse(read('package.json')) as { scripts: { start: string } };
const inImage = /^ENV NODE_OPTIONS="([^"]+)"$/m.exec(read('Dockerfile'))?.[1] ?? '';

describe('the options that Node gets', () => {
  it('are known to Node, and limit its memory', () => {
    const script = 'process.stdout.write(String(require("v8").getHeapStatistics().heap_size_limit))';
    const expectMegabytes = (NODE_OPTIONS: string) => {
      const { stdout, status } = spawnSync(process.execPath, ['-e', script], {
        env: { ...process.env, NODE_OPTIONS },
        encoding: 'utf8',
      });
      expect(status).toBe(0);
      return Number(stdout) / 2 ** 20;
    };
    // Old space, and the halves of the young one with what V8 adds to it.
    expect(expectMegabytes(inImage)).toBeLessThan(600);
    expect(expectMegabytes('--max-old-space-size=1024')).toBeGreaterThan(1024);
  });

  it('are the same in the image, in the unit of systemd and in the documentation', () => {
    const inUnit = /^Environment="NODE_OPTIONS=([^"]+)"$/m.exec(read('docs/deploy/finix-bank-connect.service'))?.[1];
    expect(inUnit).toBe(inImage);
    expect(read('docs/load.md')).toContain(`\`${inImage}\``);
  });
});

describe('npm start', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'finix-bank-connect-start-'));
    mkdirSync(join(folder, 'dist', 'server'), { recursive: true });
    writeFileSync(join(folder, 'dist', 'server', 'main.js'), '');
    // In the place of Node: shows what it was given.
    writeFileSync(join(folder, 'node'), '#!/bin/sh\nprintf "%s|%s" "$NODE_OPTIONS" "$*"\n');
    chmodSync(join(folder, 'node'), 0o755);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function started(NODE_OPTIONS: string | undefined): string {
    const PATH = `${folder}${delimiter}${process.env['PATH']}`;
    const env = { PATH, ...(NODE_OPTIONS === undefined ? {} : { NODE_OPTIONS }) };
    return spawnSync('sh', ['-c', scripts.start], { cwd: folder, env, encoding: 'utf8' }).stdout;
  }

  it.each([
    ['none are set', undefined, inImage],
    ['the operator sets others', '--max-old-space-size=300', '--max-old-space-size=300'],
    ['the operator wants none', '', ''],
  ])('gives Node the options of the image, or the operator’s: %s', (_name, given, expected) => {
    expect(started(given)).toBe(`${expected}|dist/server/main.js`);
  });
});
