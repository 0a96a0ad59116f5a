/** What hosts run. */
const mebibyte = new Uint8Array(2 ** 20).fill(1);

export const noop = (x) => x;
export const large = () => mebibyte;
export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms, ms));
