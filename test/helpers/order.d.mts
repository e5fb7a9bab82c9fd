export const isShuffled: boolean;
export const retries: number;
export function shuffleKey(name: string): string;
