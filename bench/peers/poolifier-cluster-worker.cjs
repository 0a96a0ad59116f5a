// CommonJS: it listens before Node hands out what the channel brought. As a module it is loaded too late on Node 20 under load: the
// message by which poolifier starts a worker is dropped, and the pool waits for ever.
const { ClusterWorker } = require('poolifier');

module.exports = new ClusterWorker((value) => value);
