export const __webpack_esm_ids__ = ["bundled-chunk_mjs"];
export const __webpack_esm_modules__ = {

/***/ "./bundled-chunk.mjs"
/*!***************************!*\
  !*** ./bundled-chunk.mjs ***!
  \***************************/
(__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   lazy: () => (/* binding */ lazy)
/* harmony export */ });
const lazy = (x) => x * 3;


/***/ }

};
