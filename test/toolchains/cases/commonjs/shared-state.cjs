/** Shared objects that a module of the program has made. */
const { Event, Lock, Queue, Value } = require('multiprocess');

module.exports = { total: new Value('i', 0), lock: new Lock(), ready: new Event(), queue: new Queue() };
