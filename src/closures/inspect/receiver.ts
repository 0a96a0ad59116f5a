/**
 * The `this` of the function around an arrow. No scope shows it, but two things may:
 *
 *   - While that function runs its frame does: in `items.map((x) => x * this.factor)` inside a method, the method is on the
 *     stack when the arrow is sent.
 *   - An arrow that is a field of an instance (`run = (x) => x * this.factor`) has that instance, if it is being sent as well
 *     or one of its methods runs.
 */
import { ownerOf } from '../../codec/owners.js';
import { fieldThis, outerThis } from '../messages.js';
import { type RunningFrame, runningFrames } from './debugger.js';
import type { InspectedFunction } from './inspected-function.js';
import { offsetIn } from './locate.js';
import { mayBeDebugged } from './session.js';

/**
 * What `this` is inside an arrow; `undefined` at the top of a module.
 * @throws SerializationError `MP_OUTER_THIS`.
 */
export function receiverOf(inspected: InspectedFunction): unknown {
  const { around, place, mirror, describe } = inspected;
  const { thisMembers } = inspected.analysis;
  if (around?.receiver === 'script' && mirror?.scopes.some((scope) => scope.type === 'Module') === true)
    return undefined;
  // A script compiled here is entered with the `this` that the function it rebuilds was sent with.
  if (around?.receiver === 'script' && place?.script.rebuilt !== undefined && place.script.rebuilt.receiver < 0)
    return undefined;
  if (around === null || place === null || around.receiver === 'script') throw outerThis(describe(), thisMembers);
  const { field } = around;
  const owner = ownerOf(inspected.fn);
  if (field !== null && isOwner(owner, field, inspected)) return owner;
  const frames = runningFrames(describe());
  const receivers =
    field === null
      ? framesOf(inspected, frames)
      : frames.map(({ receiver }) => receiver).filter((receiver) => isOwner(receiver, field, inspected));
  // Two calls of the function with different receivers: which of them made the arrow cannot be
  // told.
  if (receivers.length > 0 && receivers.every((receiver) => receiver === receivers[0])) return receivers[0];
  throw field === null
    ? outerThis(describe(), thisMembers, mayBeDebugged())
    : fieldThis(describe(), field, mayBeDebugged());
}

/** The receivers of the function around, as far as it runs now. */
function framesOf({ around, place, mirror }: InspectedFunction, frames: readonly RunningFrame[]): unknown[] {
  const head = around?.receiver;
  if (typeof head !== 'object' || place === null) return [];
  return frames
    .filter((frame) => frame.scriptId === mirror?.location?.scriptId)
    .filter((frame) => {
      const offset = offsetIn(place.script, frame.line, frame.column);
      return offset >= head.start && offset <= head.body;
    })
    .map((frame) => frame.receiver);
}

/**
 * Whether the arrow is that field of the object, and the object was made by the class whose text
 * has the arrow: no copy of it was.
 */
function isOwner(object: unknown, field: string, { fn, text }: InspectedFunction): object is object {
  if (typeof object === 'function') {
    return (
      Object.getOwnPropertyDescriptor(object, field)?.value === fn &&
      Function.prototype.toString.call(object).includes(text)
    );
  }
  if (typeof object !== 'object' || object === null || Object.getOwnPropertyDescriptor(object, field)?.value !== fn)
    return false;
  for (let at: unknown = Object.getPrototypeOf(object); at !== null; at = Object.getPrototypeOf(at)) {
    const made: unknown = Object.getOwnPropertyDescriptor(at as object, 'constructor')?.value;
    if (typeof made === 'function' && Function.prototype.toString.call(made).includes(text)) return true;
  }
  return false;
}
