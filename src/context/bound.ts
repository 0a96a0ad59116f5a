/** Options of a class that is bound to one start method. */
import { ArgumentError } from '../errors/index.js';
import type { StartMethod } from '../process/index.js';

/**
 * The options with the start method of the class; what is no object stays what it is, for the class
 * itself to refuse.
 *
 * @throws ArgumentError `MP_INVALID_ARGUMENT` when they name a start method of their own.
 */
export function bound<O extends object>(
  actor: string,
  options: O,
  context: StartMethod,
): O & { readonly context: StartMethod } {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    return options as O & { context: StartMethod };
  if ((options as { context?: unknown }).context !== undefined) {
    throw new ArgumentError(
      `${actor}: its start method is '${context}', and \`context\` cannot change it; leave \`context\` out, or take the class of the root.`,
    );
  }
  return { ...options, context };
}
