/** The part of the root `package.json` that the packages are made from. */
export interface RootManifest {
  name: string;
  version: string;
  author: string;
  license: string;
  type: string;
  engines: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  serverPackage: ServerManifest;
  [field: string]: unknown;
}

interface ServerManifest {
  name: string;
  files: string[];
  /** Names; the versions are those of the root's development dependencies. */
  dependencies: string[];
  [field: string]: unknown;
}

export interface PackageManifest {
  name: string;
  version: string;
  files: string[];
  exports: Record<string, string | Record<string, string>>;
  dependencies: Record<string, string>;
  [field: string]: unknown;
}

/** Of use in the clone only, or in the server's package: where a page runs is no matter of Node's version. */
const CLONE_ONLY = ['engines', 'scripts', 'devDependencies', 'workspaces', 'overrides', 'serverPackage'];

/**
 * The two published manifests, the element's first.
 * @param repository the repository's address, when it is known: npm compares it with the one that provenance names
 */
export function packageManifests(root: RootManifest, repository?: string): PackageManifest[] {
  const { version, author, license, type, engines, devDependencies, serverPackage } = root;
  const links = repository === undefined ? {} : repositoryLinks(repository);
  const own = Object.entries(root).filter(([field]) => !CLONE_ONLY.includes(field) && !field.startsWith('//'));
  const { name, description, keywords, dependencies, ...rest } = serverPackage;
  const pinned = dependencies.map((dependency) => {
    const pin = devDependencies[dependency];
    if (pin === undefined) throw new Error(`${dependency} of ${name} is not among the devDependencies`);
    return [dependency, pin];
  });
  return [
    { ...Object.fromEntries(own), ...links, ...withoutExports(root['exports'] as Exports) },
    {
      ...{ name, version, description, keywords, ...links, author, license, type, engines },
      ...rest,
      ...withoutExports(rest['exports'] as Exports),
      dependencies: Object.fromEntries(pinned),
    },
  ] as PackageManifest[];
}

type Exports = PackageManifest['exports'];

/** The same for tools that do not read `exports`, such as TypeScript with `moduleResolution: node`. */
function withoutExports(exports: Exports): object {
  const root = exports['.'];
  if (typeof root !== 'object') throw new Error('The package has no root');
  const types = Object.entries(exports).flatMap(([name, target]) =>
    name !== '.' && typeof target === 'object' && target['types'] ? [[name.slice('./'.length), [target['types']]]] : [],
  );
  return { main: root['default'], types: root['types'], typesVersions: { '*': Object.fromEntries(types) } };
}

function repositoryLinks(repository: string): object {
  return {
    repository: { type: 'git', url: `git+${repository}.git` },
    homepage: `${repository}#readme`,
    bugs: { url: `${repository}/issues` },
  };
}
