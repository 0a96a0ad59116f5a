import { state } from './lazy-state.mjs';
export const half = (x) => x / 2;
export let calls = 0;
export const count = () => ++calls;
export const tripled = state.factor * 3;
export default class Box {
  value = 4;
}
