/** What a worker of an agent says about a function. */
import { RemoteError } from '../../errors/index.js';

export function missingFunction(url: string, name: string): RemoteError {
  return new RemoteError(
    `Module ${url} has no function \`${name}\` on this host; deploy the driver's version of the file there.`,
    {
      code: 'MP_MODULE_MISSING',
    },
  );
}

export function noFunction(what: string, found: string): RemoteError {
  return new RemoteError(
    `${what[0]!.toUpperCase()}${what.slice(1)} is no function here but ${found}; use the same version of the package for drivers and agents.`,
    {
      code: 'MP_BAD_FRAME',
    },
  );
}
