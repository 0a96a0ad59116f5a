export const state = { factor: 2 };
