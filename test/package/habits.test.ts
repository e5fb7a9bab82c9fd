import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { packageManifests, type RootManifest } from '../../build/package-manifests.ts';
import { filesIn, packageFile, project } from './imports.ts';

const read = (file: string) => readFileSync(join(project, file), 'utf8');

interface Workflow {
  on: object;
  permissions: object;
  jobs: Record<
    string,
    { strategy?: { matrix: { node?: string[] } }; steps?: { run?: string; uses?: string }[]; uses?: string }
  >;
}
const workflows = filesIn('.github/workflows', '.yml').map((file) => ({ file, ...(parse(read(file)) as Workflow) }));

describe('the workflows', () => {
  it('the workflows run everything on the oldest supported Node and on the maintained ones', () => {
    const node = workflows.flatMap(({ jobs }) => Object.values(jobs).flatMap((job) => job.strategy?.matrix.node ?? []));
    expect(node).toEqual(['20', '22', '24']);
    expect(packageFile.engines.node).toMatch(/^>=20\./);
  });

  it.each(workflows)(
    '$file begins with the least permissions, and every command it runs exists',
    ({ permissions, jobs }) => {
      expect(permissions).toEqual({ contents: 'read' });
      const commands = Object.values(jobs).flatMap(({ steps = [] }) => steps.flatMap(({ run }) => run ?? []));
      const scripts = commands.flatMap((command) => /\bnpm run ([\w:-]+)/.exec(command)?.[1] ?? []);
      expect(scripts.filter((script) => !(script in packageFile.scripts))).toEqual([]);
      const files = commands.filter((command) => command.startsWith('.'));
      for (const file of files) expect(read(file)).toContain('#!/usr/bin/env bash');
    },
  );

  it('the workflows run what npm test leaves to a command of its own', () => {
    const commands = workflows.flatMap(({ jobs }) => Object.values(jobs).flatMap(({ steps = [] }) => steps));
    expect(commands.map(({ run }) => run)).toContain('npm run test:compat');
  });

  it('the workflows publish nothing that was not tested', () => {
    const publish = workflows.find(({ file }) => file.endsWith('publish.yml'));
    expect(publish?.jobs).toMatchObject({ publish: { needs: 'test' }, test: { uses: './.github/workflows/ci.yml' } });
  });
});

it('both packages state their license, their author and what to find them by', () => {
  const manifests = packageManifests(packageFile as unknown as RootManifest);
  const facts = { author: expect.any(String), license: 'MIT', description: expect.any(String) };
  expect(manifests).toMatchObject([facts, facts]);
  for (const { keywords } of manifests) expect(keywords).toEqual(expect.arrayContaining(['ach', 'plaid', 'finix']));
});

it('the forms for issues parse, and ask nothing twice', () => {
  for (const file of filesIn('.github/ISSUE_TEMPLATE', '.yml').filter((name) => !name.endsWith('config.yml'))) {
    const { name, body } = parse(read(file)) as { name: string; body: { id?: string }[] };
    const ids = body.flatMap(({ id }) => id ?? []);
    expect([file, name.length > 0, new Set(ids).size]).toEqual([file, true, ids.length]);
  }
});

describe('the decisions', () => {
  const files = readdirSync(join(project, 'docs/decisions')).sort();

  it('the decisions are numbered without a gap, and each is listed in CONTRIBUTING under its title', () => {
    const index = read('CONTRIBUTING.md');
    files.forEach((file, i) => {
      const number = i + 1;
      expect(file).toMatch(new RegExp(`^${String(number).padStart(4, '0')}-[a-z-]+\\.md$`));
      const title = new RegExp(`^# ${number}\\. (.+)$`, 'm').exec(read(`docs/decisions/${file}`))?.[1];
      expect(index).toContain(`| [${number}](docs/decisions/${file}) | ${title} |`);
    });
  });

  it.each(files)('the decisions %s has context, decision and consequences', (file) => {
    const headings = [...read(`docs/decisions/${file}`).matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(['Context', 'Decision', 'Consequences']);
  });
});

it('every override of a dependency has its reason next to it', () => {
  const { overrides, '//overrides': reasons } = packageFile;
  expect(Object.keys(reasons)).toEqual(Object.keys(overrides));
});

describe('the words', () => {
  /** Each has a plain word of the field: the caller, no one, again, event, fix, in progress, release, step, always. */
  const ODD =
    /\b(?:who(?:m|so)?ever|somebody|nobody|anybody|anew|for ?ever|beforehand|beside|mend(?:s|ed|ing)?|news|legs|after(?:life)|let go of|under way|the dust|keeps? house|hears|heard|meanwhile|back in time|no row is of)\b/i;
  /** Words of others: an operating system's user, the name of a released migration, and texts for customers. */
  const ALLOWED = /'nobody'|0002-after(?:life)|^widget\/i18n\/|^server\/links\/page-text/;
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: project, encoding: 'utf8' })
    .split('\n')
    .filter((file) => /\.(?:ts|tsx|js|mjs|css|html|md|yml)$/.test(file) && existsSync(join(project, file)))
    // The demo outside the simulator speaks to an audience.
    .filter((file) => !file.endsWith('habits.test.ts') && !/^demo\/(?!simulator)/.test(file));

  it('the words of code and documents are plain ones of the field', {
    skip: !existsSync(join(project, '.git')),
  }, () => {
    const found = files.flatMap((file) =>
      read(file)
        .split('\n')
        .flatMap((line, i) => {
          const word = ODD.exec(line)?.[0];
          const place = `${file}:${i + 1}`;
          return word && !ALLOWED.test(`${file} ${line}`) ? `${place} ${word}: ${line.trim()}` : [];
        }),
    );
    expect(found).toEqual([]);
  });
});
