/** A module of the program that imports the library itself. */
import { currentTask, Event, Lock } from 'multiprocess';

export class Gate {
  opened = 0;
  open(event: Event): void {
    event.set();
    this.opened++;
  }
}
export function attempt(): number {
  return currentTask()?.attempt ?? -1;
}
export const isEvent = (value: unknown): boolean => value instanceof Event;
export const makeLock = (): Lock => new Lock();
