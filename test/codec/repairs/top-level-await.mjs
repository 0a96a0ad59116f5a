export const ready = await Promise.resolve('ready');
export const read = () => ready;
