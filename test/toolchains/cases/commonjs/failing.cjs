/** Throws, on a line that the cases look for. */
class Rejected extends Error {
  name = 'Rejected';
  details = { retry: false };
}
function reject(why) {
  throw new Rejected(why, { cause: new RangeError('the cause') }); // LINE B
}
module.exports = { Rejected, reject };
