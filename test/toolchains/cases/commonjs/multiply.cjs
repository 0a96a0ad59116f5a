/** A module that is a function. */
module.exports = function multiply(a, b) {
  return a * b;
};
module.exports.twice = (x) => module.exports(x, 2);
