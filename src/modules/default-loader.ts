/**
 * `import()` in code that we compile: resolved from the code's own URL by the loader of the main
 * context.
 *
 * Node prints one warning about this option at its first use. It is about us, not about the user's
 * code, so the first use is ours, with the warning held back.
 */
import vm from 'node:vm';

let quiet = false;

/** The option for `vm.compileFunction`. */
export function defaultLoader(): { importModuleDynamically: never } {
  const options = { importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER as never };
  if (!quiet) {
    quiet = true;
    holdWarning(() => {
      const load = vm.compileFunction('return import("node:module")', [], options) as () => Promise<unknown>;
      load().catch(() => {});
    });
  }
  return options;
}

function holdWarning(body: () => void): void {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    body();
  } finally {
    process.emitWarning = emitWarning;
  }
}
