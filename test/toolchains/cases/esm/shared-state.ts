/** Shared objects that a module of the program has made. */
import { Event, Lock, Queue, Value } from 'multiprocess';

export const total = new Value('i', 0);
export const lock = new Lock();
export const ready = new Event();
export const queue = new Queue<number>();
export default { total, lock, ready, queue };
