/** A module of the program that requires the library itself. */
const { currentTask, Event, Lock } = require('multiprocess');

exports.Gate = class Gate {
  opened = 0;
  open(event) {
    event.set();
    this.opened++;
  }
};
exports.attempt = () => currentTask()?.attempt ?? -1;
exports.isEvent = (value) => value instanceof Event;
exports.makeLock = () => new Lock();
