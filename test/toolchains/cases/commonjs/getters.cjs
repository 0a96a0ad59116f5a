/** Exports as compilers write them: getters, and a mark. */
Object.defineProperty(exports, '__esModule', { value: true });
const math = require('./math.cjs');
for (const name of ['add', 'subtract', 'Point'])
  Object.defineProperty(exports, name, { enumerable: true, get: () => math[name] });
Object.defineProperty(exports, 'default', { enumerable: true, get: () => math.pi });
