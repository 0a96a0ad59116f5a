/** How a driver names a function: the export of a file where it is one, else its bytes. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ArgumentError } from '../../errors/index.js';
import { exportReference, MULTIPROCESS } from '../../reduction/index.js';
import { crypto } from '../../util/crypto.js';
import { describe, MODULE_FORM } from '../../util/options.js';
import { type CallableRef, encodeValue, type ModuleRef } from '../wire/index.js';
import { packageAbove, pathWithin } from './package-of.js';

/** A function as it is named to agents. */
export interface DescribedCallable {
  readonly ref: CallableRef;
  /** What the hash is of; `undefined` for a module. */
  readonly code: Uint8Array | undefined;
}

const constants = new WeakMap<object, DescribedCallable>();

/**
 * Describes a function with its captures as they are now.
 *
 * @throws ArgumentError for what is no function and no URL of a file; SerializationError for what
 * cannot be sent.
 */
export function describeCallable(actor: string, callable: unknown): DescribedCallable {
  const known = typeof callable === 'function' ? constants.get(callable) : undefined;
  if (known !== undefined) return known;
  if (callable instanceof URL) {
    if (callable.protocol !== 'file:') {
      throw new ArgumentError(
        `${actor}: the module ${callable.href} is no file; pass the URL of a file that every host has: new URL('./work.js', import.meta.url).`,
      );
    }
    return { ref: moduleRef(callable.href, ['default'], false), code: undefined };
  }
  if (typeof callable !== 'function') {
    const form = typeof callable === 'string' ? MODULE_FORM : '';
    throw new ArgumentError(
      `${actor}: expected a function, a task() or the URL of a module with a default export, not ${describe(callable)}.${form}`,
    );
  }
  const reference = exportReference(callable);
  if (reference?.specifier.startsWith('file:') === true) {
    const described = {
      ref: moduleRef(reference.specifier, reference.path, reference.commonjs === true),
      code: undefined,
    };
    constants.set(callable, described);
    return described;
  }
  const { bytes, stateless, constant } = encodeValue(actor, MULTIPROCESS, callable);
  const hash = crypto().createHash('sha256').update(bytes).digest('hex');
  const described = { ref: { hash, reusable: stateless }, code: bytes };
  if (constant) constants.set(callable, described);
  return described;
}

function moduleRef(href: string, path: readonly string[], commonjs: boolean): ModuleRef {
  const { search, hash } = new URL(href);
  const file = fileURLToPath(href);
  const owner = packageAbove(dirname(file));
  const inside = owner === undefined || search !== '' || hash !== '' ? undefined : pathWithin(owner.folder, file);
  const named = owner === undefined || inside === undefined ? { package: '', version: '', file: '' } : undefined;
  return { ...(named ?? { package: owner!.name, version: owner!.version, file: inside! }), path, commonjs, url: href };
}
