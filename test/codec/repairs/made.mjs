// Makes something as a library does: functions of this file, which no module exports, over state that cannot be copied.
export function makeSchema() {
  const loaded = Promise.resolve();
  const check = (value) => loaded !== null && typeof value === 'object';
  return { parse: (value) => check(value), inner: { deep: [check] } };
}
export function makeLogger() {
  const { resolve } = Promise.withResolvers?.() ?? {
    resolve: (() => {
      let r;
      new Promise((done) => {
        r = done;
      });
      return r;
    })(),
  };
  return {
    log: (text) => {
      resolve(text);
      return text;
    },
  };
}
