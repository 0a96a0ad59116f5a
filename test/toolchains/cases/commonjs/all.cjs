/** All cases. */
require('./captures.cjs');
require('./requires.cjs');
require('./shared.cjs');
require('./processes.cjs');
require('./errors.cjs');
require('./large.cjs');
