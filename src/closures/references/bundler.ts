/**
 * The loader of webpack and rspack, `__webpack_require__` under whatever name: it holds all modules
 * of the bundle, and what they export.
 */

/** It looks into the cache of modules, or makes a module and calls its function. */
const LOADER =
  /\breturn\s+[\w$]+\.exports\b[\s\S]*\bexports\s*:\s*\{\s*\}[\s\S]*\breturn\s+[\w$]+\.exports\b|\breturn\s+[\w$]+\.exports\b[\s\S]*\bexports\s*:\s*\{\s*\}[\s\S]*,\s*[\w$]+\.exports\s*;?\s*\}$/;
const MAX_LOADER_CHARACTERS = 2_048;

/** Returns whether a captured value is such a loader. */
export function isBundlerLoader(value: unknown): value is Function {
  if (typeof value !== 'function' || value.length !== 1) return false;
  const text = Function.prototype.toString.call(value);
  return text.length <= MAX_LOADER_CHARACTERS && LOADER.test(text);
}

/**
 * Returns whether a function calls the loader in the place of an `import()`: once a chunk is there,
 * or in a promise's callback.
 */
export function hasBundledImport(text: string, loader: string): boolean {
  const name = loader.replaceAll('$', '\\$');
  return new RegExp(`(?<![\\w$.])${name}\\.e\\(|\\.then\\(\\s*(?:\\(\\s*\\)\\s*=>\\s*)?\\(?\\s*${name}(?![\\w$])`).test(
    text,
  );
}
