/** What the cases require: exports that are set one by one. */
exports.pi = 3;
exports.add = (a, b) => a + b;
exports.subtract = function subtract(a, b) {
  return a - b;
};
exports.Point = class Point {
  constructor(x, y) {
    this.x = x;
    this.y = y;
  }
  norm() {
    return Math.abs(this.x) + Math.abs(this.y);
  }
};
exports.table = new Float64Array(200_000).fill(1);
exports.tableSum = () => exports.table.reduce((a, b) => a + b, 0);
