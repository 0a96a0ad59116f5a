import { constants } from 'node:os';
import { ArgumentError } from '../../errors/index.js';

/** The name of a signal, as in `os.constants.signals`. */
export function signalName(number: number): NodeJS.Signals {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return (found?.[0] ?? 'SIGKILL') as NodeJS.Signals;
}

/** The number of a signal. @throws ArgumentError when there is none of this name. */
export function signalNumber(name: NodeJS.Signals): number {
  const number = constants.signals[name];
  if (number === undefined) throw new ArgumentError(`There is no signal ${JSON.stringify(name)}; see os.constants.signals.`);
  return number;
}
