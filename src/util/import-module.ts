/**
 * `import()` of what is only known when it runs. It stands in a file of its own, which Node loads
 * itself: what V8 takes from a code cache has no `import()` in Node 20 (scripts/load.cjs).
 */
export function importModule(specifier: string, options?: ImportCallOptions): Promise<Record<string, unknown>> {
  return import(specifier, options) as Promise<Record<string, unknown>>;
}
