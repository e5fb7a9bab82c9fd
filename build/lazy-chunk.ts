import type { Plugin } from 'vite';
import { from } from './project.ts';

/** A placeholder in the script for the name of the lazy chunk until that name is known. */
export const LAZY_CHUNK = '__LAZY_CHUNK__';

/** The chunk that the element loads after its button is shown, known by its entry: every folder has an index. */
export const isLazyChunk = ({ facadeModuleId }: { facadeModuleId?: string | null }): boolean =>
  facadeModuleId === from('widget/lazy/index.ts');

/**
 * Gives the script the name of its lazy chunk, so that it can ask for the chunk under another address after a failure:
 * the bundler writes the name into the import itself and nowhere else.
 */
export function nameLazyChunk(): Plugin {
  return {
    name: 'finix-bank-connect:name-lazy-chunk',
    applyToEnvironment: (environment) => environment.name === 'cdn',
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
      const lazy = chunks.find(isLazyChunk);
      const places = chunks.filter(({ code }) => code.includes(LAZY_CHUNK));
      if (!lazy || places.length !== 1) this.error('The lazy chunk, or the place for its name, is missing.');
      for (const chunk of places) chunk.code = chunk.code.replaceAll(LAZY_CHUNK, `./${lazy.fileName}`);
    },
  };
}
