// What a CommonJS module uses of its own variables, and the repair. Functions that are no exports, which would go by reference.
exports.limit = 5;
const value = exports.limit;
exports.all = { refused: () => exports.limit, refusedModule: () => module.exports.limit, repaired: () => value };
