/** Puts names into their places. What has no name stays visible, as a fault that is seen in development. */
export function fill(text: string, names: Record<string, string>): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => names[name] ?? place);
}
