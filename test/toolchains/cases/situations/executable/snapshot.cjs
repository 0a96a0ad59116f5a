/** What a snapshot is made of: its main function runs the program. */
const { startupSnapshot } = require('node:v8');
const module_ = require('node:module');

startupSnapshot.setDeserializeMainFunction(() => {
  module_.createRequire(`${process.cwd()}/`)('./main.cjs');
});
