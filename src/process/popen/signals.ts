import { constants } from 'node:os';
import { ArgumentError } from '../../errors/index.js';

/** Signals that end a process which does not listen for them. */
export const ENDING_SIGNALS: ReadonlySet<number> = new Set([
  constants.signals.SIGTERM,
  constants.signals.SIGKILL,
  constants.signals.SIGINT,
]);

/** Returns the name of a signal, as in `os.constants.signals`. */
export function signalName(number: number): NodeJS.Signals {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return (found?.[0] ?? 'SIGKILL') as NodeJS.Signals;
}

/** Returns the number of a signal. @throws ArgumentError when there is none of this name. */
export function signalNumber(name: NodeJS.Signals): number {
  const number = constants.signals[name];
  if (number === undefined)
    throw new ArgumentError(`There is no signal ${JSON.stringify(name)}; see os.constants.signals.`);
  return number;
}
