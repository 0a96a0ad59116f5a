/**
 * The `this` of the function around an arrow. No scope shows it, but while that function runs its frame does: in
 * `items.map((x) => x * this.factor)` inside a method, the method is on the stack when the arrow is sent.
 */
import type { Subject } from './captures.js';
import { runningFrames } from './inspector.js';
import { offsetIn } from './locate.js';
import { outerThis } from './messages.js';

/** What `this` is inside an arrow; `undefined` at the top of a module. @throws SerializationError `MP_OUTER_THIS`. */
export function receiverOf(subject: Subject): unknown {
  const { around, place, mirror, actor } = subject;
  if (around?.receiver === 'script' && mirror?.scopes.some((scope) => scope.type === 'Module') === true) return undefined;
  if (around === null || place === null || typeof around.receiver === 'string') throw outerThis(actor);
  const { start, body } = around.receiver;
  const receivers = runningFrames(actor)
    .filter((frame) => frame.scriptId === mirror?.location?.scriptId)
    .filter((frame) => {
      const offset = offsetIn(place.script, frame.line, frame.column);
      return offset >= start && offset <= body;
    })
    .map((frame) => frame.receiver);
  // Two calls of the function with different receivers: which of them made the arrow cannot be told.
  if (receivers.length === 0 || receivers.some((receiver) => receiver !== receivers[0])) throw outerThis(actor);
  return receivers[0];
}
