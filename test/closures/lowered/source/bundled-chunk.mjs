export const lazy = (x) => x * 3;
