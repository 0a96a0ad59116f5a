/** Sends every message back. Ends when its parent disconnects. */
process.on('message', (value) => {
  process.send(value);
});
