/** Which package a file belongs to, and where a package is: how hosts agree on a file. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import paths, { dirname, join } from 'node:path';

/** The rules of this system, or of another one. */
type Paths = Pick<typeof paths, 'isAbsolute' | 'relative' | 'sep'>;

/** A package with a name. */
export interface PackageFolder {
  readonly folder: string;
  readonly name: string;
  readonly version: string;
}

/** The nearest package with a name above `folder`, or `undefined`. */
export function packageAbove(folder: string): PackageFolder | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const found = packageAt(at);
    if (found !== undefined) return found;
    if (dirname(at) === at) return undefined;
  }
}

/** A folder's own package, if that has a name: `{ "type": "module" }` alone is none. */
export function packageAt(folder: string): PackageFolder | undefined {
  try {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      name?: unknown;
      version?: unknown;
    };
    if (typeof name !== 'string' || name === '') return undefined;
    return { folder, name, version: typeof version === 'string' ? version : '' };
  } catch {
    return undefined;
  }
}

/** The package of that name as a program in `folder` would import it. */
export function installedPackage(folder: string, name: string): PackageFolder | undefined {
  const paths = createRequire(join(folder, 'index.js')).resolve.paths(name) ?? [];
  for (const path of paths) {
    const found = packageAt(join(path, name));
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The path of a file inside a folder, with slashes; `undefined` when it is elsewhere.
 * @param paths Those of this system by default. @internal
 */
export function pathWithin(
  folder: string,
  file: string,
  { isAbsolute, relative, sep }: Paths = paths,
): string | undefined {
  const path = relative(folder, file);
  // Between two drives of Windows no relative path leads.
  const isOutside = path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path);
  return path === '' || isOutside ? undefined : path.split(sep).join('/');
}

/** The file at such a path, if it is there and inside of the folder. */
export function fileWithin({ folder }: PackageFolder, path: string): string | undefined {
  const file = join(folder, ...path.split('/'));
  return pathWithin(folder, file) !== undefined && existsSync(file) ? file : undefined;
}
