import type { Connection } from '../contract.ts';

// Three device pixels for each of the 36 that the card has for it.
const SIZE = 108;

/**
 * The logos of connected banks, from our own server. They are drawn and not linked: a page whose policy allows the
 * server's answers allows them, too, and no address of theirs is in the page. Until a logo is there, and where there is
 * none, the card shows the bank's initial in the same place.
 */
export class Logos {
  /** By connection: a picture can be in one place only. */
  readonly #pictures = new Map<string, HTMLCanvasElement | null>();
  readonly #load: (institutionId: string) => Promise<Blob | null>;
  readonly #changed: () => void;

  constructor(load: (institutionId: string) => Promise<Blob | null>, changed: () => void) {
    this.#load = load;
    this.#changed = changed;
  }

  /** Null until it is there. */
  of({ id, institution }: Connection): HTMLCanvasElement | null {
    if (institution.id && !this.#pictures.has(id)) {
      this.#pictures.set(id, null);
      void this.#draw(id, institution.id);
    }
    return this.#pictures.get(id) ?? null;
  }

  async #draw(id: string, institutionId: string): Promise<void> {
    try {
      const blob = await this.#load(institutionId);
      if (!blob) return;
      const image = await createImageBitmap(blob);
      const canvas = document.createElement('canvas');
      canvas.width = canvas.height = SIZE;
      canvas.getContext('2d')?.drawImage(image, 0, 0, SIZE, SIZE);
      this.#pictures.set(id, canvas);
      this.#changed();
    } catch {
      // A card without a logo is complete.
    }
  }
}
