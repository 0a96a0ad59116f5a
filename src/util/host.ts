/**
 * Returns the runtime that this is in place of Node, with its version: `Bun 1.4.5`, `Deno 2.9.6`;
 * `null` for Node.
 */
export function otherHost(): string | null {
  const { bun, deno } = process.versions as { readonly bun?: string; readonly deno?: string };
  if (bun !== undefined) return `Bun ${bun}`;
  return deno === undefined ? null : `Deno ${deno}`;
}
