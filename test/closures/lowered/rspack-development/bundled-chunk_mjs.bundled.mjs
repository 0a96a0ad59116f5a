export const __rspack_esm_ids = ["bundled-chunk_mjs"];
export const __webpack_modules__ = {
"./bundled-chunk.mjs"(__unused_rspack___webpack_module__, __webpack_exports__, __webpack_require__) {
__webpack_require__.r(__webpack_exports__);
__webpack_require__.d(__webpack_exports__, {
  lazy: () => (lazy)
});
const lazy = (x) => x * 3;


},

};
