import { constants } from 'node:os';

/** The name of a signal, as in `os.constants.signals`. */
export function signalName(number: number): NodeJS.Signals {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return (found?.[0] ?? 'SIGKILL') as NodeJS.Signals;
}
