// Reading the arguments of a Node-API call, and making its answer. Nothing here throws.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <string>

#include "environment.h"

namespace multiprocess {

template <size_t N>
struct Arguments {
  napi_env env;
  napi_value values[N == 0 ? 1 : N];
  Environment* environment = nullptr;

  Arguments(napi_env env_, napi_callback_info info) : env(env_) {
    size_t count = N;
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, values, nullptr, &data);  // what was not given is undefined
    environment = static_cast<Environment*>(data);
  }

  // False when the argument is no number; the facade has checked ranges where they matter.
  bool int32(size_t at, int32_t* out) const { return napi_get_value_int32(env, values[at], out) == napi_ok; }
  bool number(size_t at, double* out) const { return napi_get_value_double(env, values[at], out) == napi_ok; }
  bool boolean(size_t at, bool* out) const { return napi_get_value_bool(env, values[at], out) == napi_ok; }

  bool text(size_t at, std::string* out) const {
    size_t length = 0;
    if (napi_get_value_string_utf8(env, values[at], nullptr, 0, &length) != napi_ok) return false;
    out->resize(length);
    return napi_get_value_string_utf8(env, values[at], out->data(), length + 1, &length) == napi_ok;
  }
};

inline napi_value answer(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}

inline napi_value answer(napi_env env, int value) {
  napi_value result = nullptr;
  napi_create_int32(env, value, &result);
  return result;
}

}  // namespace multiprocess
