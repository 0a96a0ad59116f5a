// @ts-nocheck: compiled by other means
// Instrumented, and loaded by the worker as well.
export const doubled = (x) => x * 2;
export const make = () => (x) => (x > 2 ? doubled(x) : x);
