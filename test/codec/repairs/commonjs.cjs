// What a CommonJS module uses of its own variables, and the repair. Functions that are no exports, which would go by reference.
module.limit = 5;
const value = module.limit;
exports.all = { refused: () => module.limit, repaired: () => value };
