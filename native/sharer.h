// Between the two halves of the resource sharer: who offers (sharer-linux.cc) and who fetches
// (sharer-fetch-linux.cc).
#pragma once

#include <cstddef>
#include <string>

namespace multiprocess {

constexpr size_t kKey = 64;         // hexadecimal digits of a key
constexpr int kElsewhere = -10000;  // no errno: another process offers it

// Whether the process at the other end of a unix socket has our user.
bool sameUser(int fd);

// A copy of what this process itself offers; -ENOENT when it does so no more, kElsewhere when the
// address is not ours.
int takeOwnOffer(const std::string& address, const std::string& key);

}  // namespace multiprocess
