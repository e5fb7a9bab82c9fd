import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { type PackageManifest, packageManifests, type RootManifest } from './package-manifests.ts';
import { from } from './project.ts';

/**
 * `npm run pack`: writes both packages, as they are published, to dist/packages or the folder that is given. Reads what
 * `npm run build` has made, which npm runs first as `prepack`. PACKAGE_REPOSITORY is the repository's address where the
 * packages are published.
 */
const out = resolve(process.argv[2] ?? from('dist/packages'));
rmSync(out, { recursive: true, force: true });

const root = JSON.parse(readFileSync(from('package.json'), 'utf8')) as RootManifest;
const readmes: Record<string, string> = { [root.serverPackage.name]: 'server/README.md' };
const folders = packageManifests(root, process.env['PACKAGE_REPOSITORY']).map((manifest) => {
  const folder = join(out, manifest.name);
  stage(folder, manifest, readmes[manifest.name] ?? 'README.md');
  return folder;
});
const packed = JSON.parse(
  // npm is a script on some systems and a shell's command on others.
  execFileSync('npm', ['pack', ...folders, '--json', '--ignore-scripts', '--pack-destination', out], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  }),
) as { filename: string; size: number; unpackedSize: number; entryCount: number }[];
if (packed.length !== folders.length) throw new Error(`npm packed ${packed.length} packages of ${folders.length}`);
for (const folder of folders) rmSync(folder, { recursive: true });
const kilobytes = (bytes: number) => `${Math.round(bytes / 1000)} kB`;
for (const { filename, entryCount, size, unpackedSize } of packed) {
  console.log(
    `${relative(process.cwd(), join(out, filename))}: ${entryCount} files, ${kilobytes(size)}, ${kilobytes(unpackedSize)} unpacked`,
  );
}

/** Puts the files of one package into a folder of its own. */
function stage(folder: string, manifest: PackageManifest, readme: string): void {
  mkdirSync(folder, { recursive: true });
  const required = [...manifest.files.filter((file) => file.startsWith('dist/')), 'CHANGELOG.md', 'LICENSE'];
  const missing = required.filter((file) => !existsSync(from(file)));
  if (missing.length > 0) throw new Error(`Not there: ${missing.join(', ')}. Run: npm run build`);
  for (const file of [...manifest.files, 'LICENSE']) {
    if (existsSync(from(file))) cpSync(from(file), join(folder, file), { recursive: true });
  }
  cpSync(from(readme), join(folder, 'README.md'));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}
