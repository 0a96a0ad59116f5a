/**
 * `import` resolution of a package specifier, at once. `require` of an absolute path loads ES
 * modules too, but `require` of a package picks its `require` condition; the function that is being
 * rebuilt was written with `import`.
 *
 * Source: PACKAGE_EXPORTS_RESOLVE and PACKAGE_IMPORTS_RESOLVE,
 * nodejs.org/api/esm.html#resolution-algorithm-specification.
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathOf } from '../util/file-names.js';

type Target = string | null | readonly Target[] | { readonly [condition: string]: Target };

interface Package {
  readonly folder: string;
  readonly name?: string;
  readonly exports?: Target;
  readonly imports?: { readonly [specifier: string]: Target };
}

/** Made at the first use: `process.execArgv` and the environment cost a start some milliseconds. */
let conditions: ReadonlySet<string> | undefined;
const packages = new Map<string, Package | null>();

/**
 * The file that `import specifier` in `parent` loads, or `null` where `require` finds the same (no
 * `exports`) or nothing is found.
 */
export function resolveImport(specifier: string, parent: string): string | null {
  const file = pathOf(parent);
  if (file === null) return null;
  const from = dirname(file);
  if (specifier.startsWith('#')) {
    const scope = scopeOf(from);
    return scope?.imports === undefined ? null : match(scope.imports, specifier, scope, parent);
  }
  const [, name, rest = ''] = /^((?:@[^/]+\/)?[^/]+)(\/.*)?$/.exec(specifier) ?? [];
  if (name === undefined) return null;
  const own = scopeOf(from);
  const found = own?.name === name && own.exports !== undefined ? own : installed(name, from);
  return found?.exports === undefined ? null : match(subpaths(found.exports), `.${rest}`, found, parent);
}

/** `exports` may be the target of `.` alone. */
function subpaths(exports: Target): { readonly [subpath: string]: Target } {
  const isMap =
    typeof exports === 'object' &&
    exports !== null &&
    !Array.isArray(exports) &&
    Object.keys(exports).every((key) => key.startsWith('.'));
  return isMap ? (exports as { readonly [subpath: string]: Target }) : { '.': exports };
}

function match(targets: { readonly [key: string]: Target }, key: string, of: Package, parent: string): string | null {
  if (Object.hasOwn(targets, key) && !key.includes('*')) return fileOf(targets[key]!, '', of, parent);
  let best = '';
  for (const pattern of Object.keys(targets)) {
    const [before, after] = pattern.split('*') as [string, string | undefined];
    const fits = after !== undefined && key.startsWith(before) && key.endsWith(after) && key.length >= pattern.length;
    if (fits && before.length > best.split('*')[0]!.length) best = pattern;
  }
  if (best === '') return null;
  const [before, after] = best.split('*') as [string, string];
  return fileOf(targets[best]!, key.slice(before.length, key.length - after.length), of, parent);
}

function fileOf(target: Target, star: string, of: Package, parent: string): string | null {
  if (typeof target === 'string') {
    const path = target.replaceAll('*', star);
    if (path.startsWith('./')) return join(of.folder, path);
    // `imports` may lead to another package.
    return resolveImport(path, parent) ?? null;
  }
  if (target === null) return null;
  if (Array.isArray(target)) {
    for (const each of target as readonly Target[]) {
      const file = fileOf(each, star, of, parent);
      if (file !== null) return file;
    }
    return null;
  }
  conditions ??= new Set(['node', 'import', 'module-sync', 'default', ...givenConditions()]);
  for (const [condition, inner] of Object.entries(target)) {
    if (!conditions.has(condition)) continue;
    const file = fileOf(inner, star, of, parent);
    if (file !== null) return file;
  }
  return null;
}

/** The package that a folder belongs to. */
function scopeOf(folder: string): Package | null {
  for (let at = folder; ; at = dirname(at)) {
    if (basename(at) === 'node_modules') return null;
    const found = packageIn(at);
    if (found !== null || at === dirname(at)) return found;
  }
}

function installed(name: string, from: string): Package | null {
  for (let at = from; ; at = dirname(at)) {
    const found = basename(at) === 'node_modules' ? null : packageIn(join(at, 'node_modules', name));
    if (found !== null || at === dirname(at)) return found;
  }
}

function packageIn(folder: string): Package | null {
  let found = packages.get(folder);
  if (found === undefined) {
    const file = join(folder, 'package.json');
    found = existsSync(file) ? { ...(JSON.parse(readFileSync(file, 'utf8')) as object), folder } : null;
    packages.set(folder, found);
  }
  return found;
}

/** Those of `--conditions=name` and `-C name`. */
function givenConditions(): string[] {
  const options = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(' ')];
  return options.flatMap((option, index) => {
    if (/^(--conditions|-C)=/.test(option)) return [option.replace(/^[^=]*=/, '')];
    return option === '--conditions' || option === '-C' ? [options[index + 1] ?? ''] : [];
  });
}
