import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

const FILE = 'THIRD-PARTY-LICENSES.txt';

/**
 * Writes the license texts of what is bundled next to it, as those licenses ask for. Builds that bundle only our own
 * files get no such file.
 */
export function thirdPartyLicenses(): Plugin {
  return {
    name: 'finix-bank-connect:third-party-licenses',
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
      const folders = [...new Set(modules.flatMap((id) => packageOf(id) ?? []))].sort();
      const texts = folders.map((folder) => licenseOf(folder) ?? this.error(`No license text in ${folder}`));
      if (texts.length > 0)
        this.emitFile({ type: 'asset', fileName: FILE, source: texts.join(`\n${'-'.repeat(72)}\n\n`) });
    },
  };
}

/** The folder of the package that a module is of; undefined for our own, and for what the bundler adds. */
function packageOf(id: string): string | undefined {
  return /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id.replace(/^\0/, ''))?.[1];
}

/** A package that is published without the text has that of the repository, which a sibling has. */
const SIBLINGS: Readonly<Record<string, string>> = { '@lit-labs/ssr-dom-shim': 'lit' };

const textIn = (folder: string) => readdirSync(folder).find((name) => /^licen[sc]e(\.\w+)?$/i.test(name));

function licenseOf(folder: string): string | undefined {
  const [, modules = '', own = ''] = /^(.*\/node_modules\/)(.+)$/.exec(folder) ?? [];
  const home = SIBLINGS[own] === undefined ? folder : modules + SIBLINGS[own];
  const file = textIn(home);
  if (!file) return undefined;
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
    string,
    string
  >;
  return `${name} ${version} (${license})\n\n${readFileSync(join(home, file), 'utf8').trim()}\n`;
}
