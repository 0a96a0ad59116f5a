/**
 * The modules that messages refer to, loaded before the message is built.
 *
 * A specifier is resolved as the module at `parent` would: by an `import()` compiled with that file name, so that
 * exports maps, import maps and loaders apply. A loaded module stays loaded; kinds ask for it with `loadedModule`.
 */
import { createRequire, isBuiltin } from 'node:module';
import { fileURLToPath } from 'node:url';
import { compileFunction, constants } from 'node:vm';
import { SerializationError } from '../errors/index.js';
import type { ModuleRequest } from './node.js';

const loaded = new Map<string, unknown>();

/** The namespace of a module that was loaded before, or `undefined`. */
export function loadedModule(request: ModuleRequest): unknown {
  return loaded.get(keyOf(request));
}

/** Whether all of them are loaded. */
export function areLoaded(requests: readonly ModuleRequest[]): boolean {
  return requests.every((request) => loaded.has(keyOf(request)));
}

/** Loads all of them in parallel. @throws SerializationError `MP_MODULE`. */
export async function loadModules(requests: readonly ModuleRequest[]): Promise<void> {
  const open = new Map(requests.filter((request) => !loaded.has(keyOf(request))).map((request) => [keyOf(request), request]));
  await Promise.all(
    [...open].map(async ([key, request]) => {
      try {
        loaded.set(key, await importFrom(request));
      } catch (cause) {
        throw failed(request, cause);
      }
    }),
  );
}

/** Loads all of them before it returns. @throws SerializationError `MP_ASYNC_MODULE`, `MP_MODULE`. */
export function loadModulesSync(requests: readonly ModuleRequest[]): void {
  for (const request of requests) {
    const key = keyOf(request);
    if (loaded.has(key)) continue;
    try {
      loaded.set(key, requireFrom(request));
    } catch (cause) {
      if ((cause as { code?: unknown } | null)?.code !== 'ERR_REQUIRE_ASYNC_MODULE') throw failed(request, cause);
      throw new SerializationError(
        `loads cannot wait for module ${request.specifier}, which has a top-level await; use loadsAsync instead.`,
        { code: 'MP_ASYNC_MODULE', cause },
      );
    }
  }
}

type Import = (specifier: string, options: object | undefined) => Promise<unknown>;

async function importFrom({ specifier, parent, attributes }: ModuleRequest): Promise<unknown> {
  const options = attributes === undefined ? undefined : { with: { ...attributes } };
  if (parent === null || isBuiltin(specifier)) return options === undefined ? import(specifier) : import(specifier, options);
  // The path of the referrer decides how the specifier is resolved.
  return quietly(() => {
    const load = compileFunction(
      'return options === undefined ? import(specifier) : import(specifier, options)',
      ['specifier', 'options'],
      {
        filename: parent,
        importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER as never,
      },
    ) as Import;
    return load(specifier, options);
  });
}

/** Runs without Node's warning that the constant above is experimental, which is not the user's concern. */
function quietly<T>(run: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (String(warning).includes('USE_MAIN_CONTEXT_DEFAULT_LOADER')) return;
    Reflect.apply(emitWarning, process, [warning, ...rest]);
  }) as typeof process.emitWarning;
  try {
    return run();
  } finally {
    process.emitWarning = emitWarning;
  }
}

function requireFrom({ specifier, parent }: ModuleRequest): unknown {
  const require = createRequire(parent ?? import.meta.url);
  if (specifier.startsWith('file:')) return asNamespace(require(fileURLToPath(specifier)));
  return asNamespace(require(specifier));
}

/** What import() would give for a CommonJS module: its exports as `default` and, where they are an object, by name. */
function asNamespace(value: unknown): unknown {
  const isNamespace = typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[Symbol.toStringTag] === 'Module';
  if (isNamespace) return value;
  const names = (typeof value === 'object' && value !== null) || typeof value === 'function' ? value : {};
  return Object.assign(Object.create(null) as object, names, { default: value });
}

function keyOf({ specifier, parent, attributes }: ModuleRequest): string {
  return JSON.stringify([specifier, parent, attributes ?? null]);
}

function failed({ specifier, parent }: ModuleRequest, cause: unknown): SerializationError {
  const from = parent === null ? '' : ` (imported by ${parent})`;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SerializationError(`The value needs module ${specifier}${from}, which does not load here: ${reason}`, {
    code: 'MP_MODULE',
    cause,
  });
}
