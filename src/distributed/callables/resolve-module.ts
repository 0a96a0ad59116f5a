/**
 * Where a host has the file that a driver named. In this order: in the package that the agent runs
 * in, in a package installed there, under the driver's own path. The version must be the driver's:
 * two versions of one function must not answer for each other.
 */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { RemoteError } from '../../errors/index.js';
import type { ModuleRef } from '../wire/index.js';
import { fileWithin, installedPackage, type PackageFolder, packageAbove } from './package-of.js';

/**
 * URL of the file.
 *
 * @param folder Where the agent runs.
 * @param host Its name, for messages.
 * @throws RemoteError `MP_MODULE_MISSING`, `MP_VERSION_SKEW`.
 */
export function resolveModule(ref: ModuleRef, folder: string, host: string): string {
  if (ref.package === '') {
    if (existsSync(fileURLToPath(new URL(ref.url)))) return ref.url;
    throw missing(ref, folder, host, `the file ${fileURLToPath(new URL(ref.url))}`);
  }
  const own = packageAbove(folder);
  const found = own?.name === ref.package ? own : installedPackage(folder, ref.package);
  if (found !== undefined) return fileOf(ref, found, folder, host);
  const path = fileURLToPath(new URL(ref.url));
  const there = existsSync(path) ? packageAbove(dirname(path)) : undefined;
  if (there?.name === ref.package) return fileOf(ref, there, folder, host);
  throw missing(ref, folder, host, `the package ${ref.package} ${ref.version}`);
}

function fileOf(ref: ModuleRef, found: PackageFolder, folder: string, host: string): string {
  if (found.version !== ref.version) {
    throw new RemoteError(
      `Host ${host} has ${ref.package} ${found.version || 'without a version'} (${found.folder}), the driver has ${ref.version || 'it without a version'}; deploy the same version to both.`,
      { code: 'MP_VERSION_SKEW' },
    );
  }
  const file = fileWithin(found, ref.file);
  if (file !== undefined) return pathToFileURL(file).href;
  throw missing(ref, folder, host, `${ref.file} in ${ref.package} ${ref.version}`);
}

function missing(ref: ModuleRef, folder: string, host: string, what: string): RemoteError {
  const name = ref.path.join('.');
  return new RemoteError(
    `Host ${host} does not have ${what}, which exports \`${name}\`; install it where the agent runs (${folder}), or start the agent with --allow-functions and pass a function that is no export.`,
    { code: 'MP_MODULE_MISSING' },
  );
}
