/**
 * node:crypto when it is used: loading it costs a start 4 ms on Node 20 and 9 ms on Node 26, and
 * most children never need it.
 */
export const crypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto');
