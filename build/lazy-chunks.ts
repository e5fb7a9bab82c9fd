import type { Plugin } from 'vite';
import { from } from './project.ts';

/**
 * The chunks that the element loads later, each known by its entry: what follows the button, and what only some
 * customers need. The script has a placeholder for each one's name until that is known.
 */
const CHUNKS = [
  { name: 'lazy', entry: from('widget/lazy/index.ts'), placeholder: '__LAZY_CHUNK__' },
  { name: 'detour', entry: from('widget/detour/index.ts'), placeholder: '__DETOUR_CHUNK__' },
] as const;

/** For the code that asks for the chunks. */
export const CHUNK_NAMES = {
  LAZY_CHUNK: JSON.stringify(CHUNKS[0].placeholder),
  DETOUR_CHUNK: JSON.stringify(CHUNKS[1].placeholder),
};

/** @returns undefined for another chunk, which has a name from the bundler */
export function laterChunkName({ facadeModuleId }: { facadeModuleId?: string | null }): string | undefined {
  return CHUNKS.find(({ entry }) => entry === facadeModuleId)?.name;
}

const LAZY_IMPORT = /import\{([^}]*)\}from"(\.\/lazy-[^"]+)";/;

/**
 * Where the second chunk came only after a failure, its address ends with `?retry=1`, as does that of the third (see
 * lazy/load-detour.ts), which must get what it needs from the second one that is there.
 */
function importUnderSameAddress(_statement: string, names: string, address: string): string {
  return `const{${names.replaceAll(' as ', ':')}}=await import(\`${address}\${import.meta.url.match(/\\?retry=\\d+/)??""}\`);`;
}

const LAZY_NAMESPACE = /(import\([`"]\.\/lazy-[^)]+\))\.then\((\w+)=>\2\.(\w+)\)/;

/**
 * The bundler gives the second chunk an object with what its entry exports, because it exports more for the third. The
 * chunk itself has the same under the same names, so that the object, and what makes it, can stay out of the script.
 */
function importWithoutNamespace(first: { code: string }, lazy: { code: string }): boolean {
  const [statement = '', address = '', , name = ''] = LAZY_NAMESPACE.exec(first.code) ?? [];
  const exported = new RegExp(`(?<=export\\{([^}]*,)?)[\\w$]+ as ${name}(,|(?=\\}))`);
  if (!name || !exported.test(lazy.code)) return false;
  first.code = first.code.replace(statement, address);
  lazy.code = lazy.code.replace(exported, '');
  return true;
}

/**
 * Gives the script the names of its later chunks, so that it can ask for one under another address after a failure: the
 * bundler writes the name into the import itself and nowhere else.
 */
export function nameLazyChunks(): Plugin {
  return {
    name: 'finix-bank-connect:name-lazy-chunks',
    applyToEnvironment: (environment) => environment.name === 'cdn',
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
      const [first, lazy] = ['element', 'lazy'].map((name) =>
        chunks.find((chunk) => chunk.fileName.startsWith(`${name}-`)),
      );
      if (!first || !lazy || !importWithoutNamespace(first, lazy))
        this.error('The second chunk is imported in another way.');
      for (const { name, placeholder } of CHUNKS) {
        const later = chunks.find((chunk) => laterChunkName(chunk) === name);
        const places = chunks.filter(({ code }) => code.includes(placeholder));
        if (!later || places.length !== 1) this.error(`The chunk "${name}", or the place for its name, is missing.`);
        for (const chunk of places) chunk.code = chunk.code.replaceAll(placeholder, `./${later.fileName}`);
      }
      const detour = chunks.find((chunk) => laterChunkName(chunk) === 'detour');
      if (!detour?.code.includes('from"./lazy-')) this.error('The detour is expected to use the chunk before it.');
      detour.code = detour.code.replace(LAZY_IMPORT, importUnderSameAddress);
    },
  };
}
